//! What a platform is to the suite: people who do things there, and what they see. Whoever adds a platform writes one file that
//! implements this, and names it in `main.rs`.

use palabre_model::{ActionKind, Button, EventName, MessageId, RoomId, SpaceId, UserId};

use crate::stage::Stage;

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
}

/// What somebody does. Messages are named by their ids.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed<'d> {
    Says {
        who: &'d str,
        text: &'d str,
    },
    Replies {
        who: &'d str,
        to: &'d str,
        text: &'d str,
    },
    Attaches {
        who: &'d str,
        text: &'d str,
        name: &'d str,
        data: &'d str,
    },
    /// Says something to the bot alone.
    Whispers {
        who: &'d str,
        text: &'d str,
    },
    /// The author does it.
    Edits {
        who: &'d str,
        message: &'d str,
        text: &'d str,
    },
    Deletes {
        who: &'d str,
        message: &'d str,
    },
    Reacts {
        who: &'d str,
        message: &'d str,
        emoji: &'d str,
    },
    Unreacts {
        who: &'d str,
        message: &'d str,
        emoji: &'d str,
    },
    Presses {
        who: &'d str,
        message: &'d str,
        action: &'d str,
    },
    Chooses {
        who: &'d str,
        message: &'d str,
        action: &'d str,
        values: &'d [&'d str],
    },
    /// Fills in the form that they were shown.
    Submits {
        who: &'d str,
        action: &'d str,
        values: &'d [(&'d str, &'d str)],
    },
    /// Uses the command `roll`.
    Rolls {
        who: &'d str,
        sides: u64,
    },
    Types {
        who: &'d str,
    },
    Connects {
        who: &'d str,
    },
    Disconnects {
        who: &'d str,
    },
    /// Shows how they are: idle.
    Idles {
        who: &'d str,
    },
    Joins {
        who: &'d str,
    },
    Leaves {
        who: &'d str,
    },
    /// Somebody who keeps order does it.
    IsGivenRole {
        who: &'d str,
        role: &'d str,
    },
    IsBanned {
        who: &'d str,
        reason: &'d str,
    },
    IsUnbanned {
        who: &'d str,
    },
    Pins {
        message: &'d str,
    },
    MakesRoom {
        name: &'d str,
    },
    ChangesTopic {
        topic: &'d str,
    },
    RemovesRoom {
        name: &'d str,
    },
    /// Votes for the first answer of a poll; its message.
    Votes {
        who: &'d str,
    },
    EntersVoice {
        who: &'d str,
    },
    Invites {
        who: &'d str,
    },
    /// Something that Palabre has no kind for.
    DoesSomethingElse,
}

/// A message as people see it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Seen {
    pub(crate) id: String,
    /// The name that it is said under.
    pub(crate) author: String,
    pub(crate) text: String,
    pub(crate) buttons: Vec<Button>,
    /// The action of a list, and the values that there are.
    pub(crate) select: Option<(String, Vec<String>)>,
    /// All that stands in its framed parts.
    pub(crate) embeds: Vec<String>,
    /// Names and contents.
    pub(crate) files: Vec<(String, String)>,
    pub(crate) reply_to: Option<String>,
    /// Emoji of the bot.
    pub(crate) reactions: Vec<String>,
    pub(crate) pinned: bool,
    pub(crate) silent: bool,
    /// Whom it notifies, by native id; `everyone` is everyone.
    pub(crate) notifies: Vec<String>,
}

/// What has become of somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SeenMember {
    pub(crate) is_there: bool,
    pub(crate) is_muted: bool,
    pub(crate) is_banned: bool,
    pub(crate) roles: Vec<String>,
    pub(crate) nickname: Option<String>,
}

/// How a room is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SeenRoom {
    pub(crate) topic: Option<String>,
    /// In seconds.
    pub(crate) slowmode: u64,
    pub(crate) is_locked: bool,
}
