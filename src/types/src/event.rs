//! The list of event kinds, from which the enum, the hook names and their documentation are made.

use std::sync::Arc;

use crate::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::content::Message;
use crate::ids::{BotName, MessageId, UserId};
use crate::people::{Member, User};
use crate::place::{Room, Space};

/// One thing that happened on a platform. It gets a sequence number when it is journalled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The time at which it happened, by the platform's clock where there is one.
    pub time: Millis,
    /// The bot that received it.
    pub bot: Bot,
    /// The space (guild, forum, service), if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<Arc<Space>>,
    /// The room, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Arc<Room>>,
    /// The user who caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<User>>,
    /// The same user as a member of the space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Arc<Member>>,
    /// The kind, with its own data.
    pub kind: EventKind,
}

impl Event {
    /// Creates an event of a bot or of the runtime, without a room or a user.
    #[must_use]
    pub fn without_place(bot: Bot, time: Millis, kind: EventKind) -> Self {
        Self { time, bot, space: None, room: None, user: None, member: None, kind }
    }
}

/// A bot, as events refer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bot {
    /// Its name in bots.yaml.
    pub name: BotName,
    /// discord, telegram, rooms or sim.
    pub platform: Arc<str>,
}

/// The reason why a script version is loaded or unloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The daemon starts.
    Start,
    /// Its files changed, or its VM had to be replaced.
    Reload,
    /// The daemon stops.
    Stop,
}

/// An error in a script or in one of its actions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// The error message.
    pub message: String,
    /// The position in the script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceback: Option<String>,
    /// The hook that raised it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    /// The action that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The event that was handled: its `kind` and `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Value>,
}

macro_rules! events {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident = $name:literal $({ $($(#[$attribute:meta])* $field:ident: $type:ty,)* })?
    )*) => {
        /// The kind of an event, with the data that only this kind has.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "the fields are the columns of the table in the script reference")]
        #[allow(clippy::large_enum_variant, reason = "most events are messages, and lie behind an Arc")]
        pub enum EventKind {
            $($(#[doc = $doc])* $variant $({ $($(#[$attribute])* $field: $type,)* })?,)*
        }

        /// The kind of an event, without its data.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum EventName { $($(#[doc = $doc])* $variant,)* }

        impl EventName {
            /// All kinds, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name that scripts see as `event.kind`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns the name of the function that handles the event.
            ///
            /// It is either a global function that the script defines, or the API function that a
            /// handler is passed to, such as `command` and `on_timer`. [`EventName::is_hook`] tells
            /// which.
            #[must_use]
            pub const fn hook(self) -> &'static str {
                match self {
                    Self::BeforeMessage => "before_message",
                    Self::Command => "command",
                    Self::Heard => "hear",
                    Self::Task => "every",
                    Self::Request => "route",
                    $(#[allow(unreachable_patterns, reason = "those above have names of their own")]
                    Self::$variant => concat!("on_", $name),)*
                }
            }

            /// Returns one sentence that says when the event happens.
            #[must_use]
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_ascii(),)* }
            }

            /// Returns the names of the fields in addition to the common ones.
            #[must_use]
            pub const fn fields(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($(stringify!($field),)*)?],)* }
            }
        }

        impl EventKind {
            /// Returns the kind without its data.
            #[must_use]
            pub const fn name(&self) -> EventName {
                match self { $(Self::$variant $({ $($field: _,)* })? => EventName::$variant,)* }
            }
        }
    };
}

events! {
    /// This version of the script is loaded.
    Load = "load" { reason: Reason, }
    /// This version of the script is unloaded.
    Unload = "unload" { reason: Reason, }
    /// A hook, a timer or an action of this script failed.
    Error = "error" { error: Fault, }
    /// A timer that this script set is due.
    Timer = "timer" { timer: String, key: Option<String>, payload: Value, }
    /// A user used a command of this script.
    ///
    /// `options` are its arguments by name, if the platform has parsed them.
    Command = "command" {
        command: String, arguments: String, message: Option<Message>, interaction: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")] options: Option<Value>,
    }
    /// A message matches a pattern or word list of this script, possibly only after it was edited.
    Heard = "heard" { pattern: String, captures: Value, message: Message, #[serde(default)] edited: bool, }
    /// A task of this script is due.
    Task = "task" { task: String, due: Millis, attempt: u32, }
    /// A web request arrived for one of this script's routes.
    Request = "request" { route: String, request: Value, }
    /// A message is about to be delivered in the room service.
    ///
    /// The hook may refuse or change it, and cannot wait. Not journalled.
    BeforeMessage = "before_message" { message: Message, }
    /// A bot is connected.
    Ready = "ready" { #[serde(default)] reason: Option<String>, }
    /// A bot lost the connection to its platform.
    Lost = "lost" { #[serde(default)] reason: Option<String>, }
    /// A user comes online.
    Connect = "connect"
    /// A user goes offline.
    Disconnect = "disconnect" { #[serde(default)] reason: Option<String>, }
    /// A member enters a room or a space.
    Join = "join" { #[serde(default)] by: Option<User>, #[serde(default)] reason: Option<String>, }
    /// A member leaves a room or a space.
    Leave = "leave" { #[serde(default)] by: Option<User>, #[serde(default)] reason: Option<String>, }
    /// A message was posted, not by the bot itself.
    Message = "message" { message: Message, }
    /// A message was changed.
    MessageEdit = "message_edit" {
        message: Message, #[serde(default)] before: Option<Message>, #[serde(default)] by: Option<User>,
    }
    /// A message was removed.
    MessageDelete = "message_delete" {
        message: MessageId, #[serde(default)] before: Option<Message>, #[serde(default)] by: Option<User>,
    }
    /// A user reacted to a message.
    ReactionAdd = "reaction_add" { message: MessageId, emoji: String, }
    /// A user removed a reaction.
    ReactionRemove = "reaction_remove" { message: MessageId, emoji: String, }
    /// A button that the bot sent was pressed.
    Button = "button" {
        action: String, message: MessageId, #[serde(default)] values: Vec<String>,
        #[serde(default)] interaction: Option<String>,
    }
    /// Something was chosen in a list that the bot sent.
    Select = "select" {
        action: String, message: MessageId, values: Vec<String>, #[serde(default)] interaction: Option<String>,
    }
    /// A form that the bot sent was filled in.
    Form = "form" {
        action: String, #[serde(default)] message: Option<MessageId>, values: Value,
        #[serde(default)] interaction: Option<String>,
    }
    /// A user is typing. Not journalled.
    Typing = "typing" { #[serde(default)] status: Option<String>, }
    /// A user's presence changed. Not journalled.
    Presence = "presence" { #[serde(default)] status: Option<String>, }
    /// A member's roles, nickname or mute changed.
    MemberUpdate = "member_update" { #[serde(default)] before: Option<Member>, }
    /// A member was banned.
    Ban = "ban" { #[serde(default)] by: Option<User>, #[serde(default)] reason: Option<String>, }
    /// A ban was lifted.
    Unban = "unban" { #[serde(default)] by: Option<User>, #[serde(default)] reason: Option<String>, }
    /// A room was created.
    RoomCreate = "room_create"
    /// A room changed.
    RoomUpdate = "room_update" { #[serde(default)] before: Option<Room>, }
    /// A room was deleted.
    RoomDelete = "room_delete" { #[serde(default)] before: Option<Room>, }
    /// A message was pinned or unpinned.
    Pin = "pin" { message: MessageId, #[serde(default)] pinned: bool, #[serde(default)] by: Option<User>, }
    /// A user voted in a poll.
    PollVote = "poll_vote" { message: MessageId, values: Vec<String>, }
    /// A user joined, left or changed a voice room.
    Voice = "voice" { #[serde(default)] status: Option<String>, }
    /// An invitation was made or used.
    Invite = "invite" { #[serde(default)] code: Option<String>, #[serde(default)] by: Option<UserId>, }
    /// A user asks to join.
    JoinRequest = "join_request" {
        #[serde(default)] code: Option<String>, #[serde(default)] by: Option<UserId>,
        #[serde(default)] about: Option<String>,
    }
    /// A user asks the bot for something to send, while writing in any chat.
    InlineQuery = "inline_query" { text: String, interaction: String, }
    /// An event that has no kind of its own.
    Native = "native" { name: String, data: Value, }
}

impl EventName {
    /// Returns the kind that a hook of this name handles, if there is one.
    #[must_use]
    pub fn from_hook(hook: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| name.is_hook() && name.hook() == hook)
    }

    /// Whether a script handles it by defining a global function.
    ///
    /// Other events go to functions that the script has passed to the API.
    #[must_use]
    pub const fn is_hook(self) -> bool {
        !matches!(self, Self::Timer | Self::Command | Self::Heard | Self::Task | Self::Request)
    }

    /// Whether it is written to the journal.
    #[must_use]
    pub const fn is_journalled(self) -> bool {
        !matches!(self, Self::Typing | Self::Presence | Self::BeforeMessage)
    }
}
