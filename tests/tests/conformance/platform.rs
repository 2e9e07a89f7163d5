//! The interface of a platform for the suite: actions of users, and what they see.
//!
//! To add a platform, write one file that implements this, and add it to `main.rs`.

mod deed;
mod seen;

use palabre_types::{ActionKind, EventName, MessageId, RoomId, SpaceId, UserId};

use crate::fixture::Fixture;

pub(crate) use deed::Deed;
pub(crate) use seen::{Seen, SeenMember, SeenRoom};

/// A platform with a bot on it.
///
/// Alice and bob are in the suite's room from the beginning and may write; carol is known but not
/// in the room; olivia is a moderator if the platform has any. The command `roll` is registered,
/// with the argument `sides`.
pub(crate) trait Platform: Sized {
    /// The event kinds that cannot occur here, each with the reason.
    const NEVER: &'static [(EventName, &'static str)];
    /// Other features that this platform lacks.
    const LACKS: &'static [Lack];

    /// Starts the platform and the bot's adapter; `None` if a prerequisite is missing.
    async fn start() -> Option<Self>;

    /// Returns the fixture of the bot's adapter.
    fn fixture(&self) -> &Fixture;
    fn fixture_mut(&mut self) -> &mut Fixture;

    /// Restarts the bot in another process with the same store. The old one was stopped before.
    async fn restart(&mut self);

    /// Returns the id of the room.
    fn room(&self) -> RoomId;
    /// Returns the id of its space.
    fn space(&self) -> SpaceId;
    /// Returns the id of a user.
    fn user(&self, who: &str) -> UserId;
    /// Returns a well-formed id of a room that does not exist.
    fn nowhere(&self) -> RoomId;
    fn nobody(&self) -> UserId;

    /// Performs an action of a user, and returns the id of the result, if there is one.
    async fn people(&mut self, deed: Deed<'_>) -> String;

    /// Returns the current state of a message in the room.
    async fn message(&mut self, id: &MessageId) -> Option<Seen>;
    /// Returns the bot's current messages in the room, the oldest first.
    async fn said(&mut self) -> Vec<Seen>;
    /// Returns the bot's messages that only this user sees, the oldest first.
    async fn private_messages(&mut self, who: &str) -> Vec<Seen>;
    /// Returns the form that a user is shown: its title and the labels of its fields.
    async fn form(&mut self, who: &str) -> Option<(String, Vec<String>)>;
    /// Returns the state of a member.
    async fn member(&mut self, who: &str) -> SeenMember;
    /// Returns the state of the room.
    async fn room_now(&mut self) -> SeenRoom;
    /// Returns the last offers to a user: title and text of each.
    async fn offered(&mut self, who: &str) -> Vec<(String, String)>;
    /// Returns how often the bot was seen typing.
    async fn typings(&mut self) -> usize;
    /// Returns the name of a thread by its id.
    async fn thread(&mut self, id: &str) -> Option<String>;

    /// Removes the permission for an action from the bot. Returns false if that is not possible.
    async fn forbid(&mut self, kind: ActionKind) -> bool;
    /// Cuts the bot's connection. Returns false if there is none.
    async fn cut(&mut self) -> bool;
}

/// A feature that some platforms lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lack {
    /// Uploads of users.
    Uploads,
    /// Direct messages to the bot.
    DirectMessages,
    /// Events of the bot's own actions.
    Echo,
    /// Missing rooms: here a room is created by the first message.
    FixedRooms,
    /// Missing users: here any name is a user.
    FixedPeople,
    /// Missing roles: here a role is created when it is assigned.
    FixedRoles,
    /// Notifications, and therefore mentions that notify.
    Notifications,
    /// A mention of everyone.
    Everyone,
    /// Headings and lists: here a heading is bold, and items of a list begin with a dot.
    Headings,
    /// Lasting ephemeral messages: here they are pop-ups.
    LastingEphemerals,
    /// Complete forms: here the fields are asked one after the other.
    WholeForms,
    /// Reasons in events: here a kick is reported without its reason.
    Reasons,
    /// Events of topic changes: here only the title is reported.
    Topics,
    /// Several rooms in one space: here each is a separate space.
    SharedSpace,
}
