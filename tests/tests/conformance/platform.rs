//! What a platform is to the suite: people who do things there, and what they see. Whoever adds a platform writes one file that
//! implements this, and names it in `main.rs`.

mod deed;
mod seen;

use palabre_model::{ActionKind, EventName, MessageId, RoomId, SpaceId, UserId};

use crate::stage::Stage;

pub(crate) use deed::Deed;
pub(crate) use seen::{Seen, SeenMember, SeenRoom};

/// A platform with a bot on it. Alice and bob are in the one room that the suite is about from the beginning, with a voice; carol
/// is known and not there yet; olivia keeps order, where people do. The command `roll` is listed, which takes `sides`.
pub(crate) trait Platform: Sized {
    /// The kinds of events that cannot come of anything here, each with the reason.
    const NEVER: &'static [(EventName, &'static str)];
    /// What else this platform does not have.
    const LACKS: &'static [Lack];

    /// Starts the platform and the bot's adapter; `None` where what the platform takes is not there.
    async fn start() -> Option<Self>;

    /// The bot's adapter.
    fn stage(&self) -> &Stage;
    fn stage_mut(&mut self) -> &mut Stage;

    /// Another process takes the bot up, on the same store. The old one has stopped before.
    async fn restart(&mut self);

    /// The room.
    fn room(&self) -> RoomId;
    /// The space that it is in.
    fn space(&self) -> SpaceId;
    /// Somebody, by the name that deeds have.
    fn user(&self, who: &str) -> UserId;
    /// A room, and somebody, that the bot cannot reach: well-formed ids of nothing.
    fn nowhere(&self) -> RoomId;
    fn nobody(&self) -> UserId;

    /// Somebody does something; the id of what came of it, where there is one.
    async fn people(&mut self, deed: Deed<'_>) -> String;

    /// A message of the room, as everybody sees it now.
    async fn message(&mut self, id: &MessageId) -> Option<Seen>;
    /// What the bot has said in the room and is still there, oldest first.
    async fn said(&mut self) -> Vec<Seen>;
    /// What the bot has said to somebody that nobody else sees, oldest first.
    async fn whispered(&mut self, who: &str) -> Vec<Seen>;
    /// The form that somebody is shown: its title and the labels of its fields.
    async fn form(&mut self, who: &str) -> Option<(String, Vec<String>)>;
    /// What has become of somebody.
    async fn member(&mut self, who: &str) -> SeenMember;
    /// How the room is.
    async fn room_now(&mut self) -> SeenRoom;
    /// What somebody was offered last to say: each title with its text.
    async fn offered(&mut self, who: &str) -> Vec<(String, String)>;
    /// How often the bot was seen typing.
    async fn typings(&mut self) -> usize;
    /// A side talk of the room, by its id, with its name.
    async fn thread(&mut self, id: &str) -> Option<String>;

    /// Takes from the bot what it needs for an action. False where nothing can be taken.
    async fn forbid(&mut self, kind: ActionKind) -> bool;
    /// Cuts the bot's connection. False where there is none.
    async fn cut(&mut self) -> bool;
}

/// Something that not every platform has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lack {
    /// Files of people.
    Uploads,
    /// Words to the bot that nobody else hears.
    Whispers,
    /// Events of what the bot itself does.
    Echo,
    /// Rooms that are there or not: here one comes to be when it is spoken in.
    FixedRooms,
    /// People who are there or not: here a name is enough.
    FixedPeople,
    /// Roles that are there or not: here one comes to be when it is given.
    FixedRoles,
    /// Notifications, and so mentions that notify.
    Notifications,
    /// A mention of everybody at once.
    Everyone,
    /// Headings and lists: here a heading is bold, and a dot stands before each thing of a list.
    Headings,
    /// Words for the eyes of one person that stay: here they are shown over the room, until they are read.
    LastingWhispers,
    /// Forms that are seen as a whole: here one field is asked after the other.
    WholeForms,
    /// Reasons that others hear: here who is shown out is told, and why is not.
    Reasons,
    /// Events of what a room is about: here it is told what it is called.
    Topics,
    /// Rooms that come and go in one space: here each is a space of its own.
    SharedSpace,
}
