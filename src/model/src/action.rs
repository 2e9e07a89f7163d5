//! What a run wants done on a platform, and what became of it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{BotName, Content, Form, MessageId, Millis, RoomId, ScriptName, SpaceId, UserId};

/// Something to be done on a platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Say something in a room.
    Send {
        /// Where.
        room: RoomId,
        /// What.
        content: Content,
        /// In answer to which message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<MessageRef>,
    },
    /// Change what the bot said.
    Edit {
        /// Where.
        room: RoomId,
        /// Which message.
        message: MessageRef,
        /// What it says now.
        content: Content,
    },
    /// Remove a message.
    Delete {
        /// Where.
        room: RoomId,
        /// Which message.
        message: MessageRef,
        /// Why, for the log of the platform.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// React to a message, or take the reaction back.
    React {
        /// Where.
        room: RoomId,
        /// Which message.
        message: MessageRef,
        /// With what.
        emoji: String,
        /// Take it back instead.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        remove: bool,
    },
    /// Show that the bot is about to say something.
    Typing {
        /// Where.
        room: RoomId,
    },
    /// Pin a message, or take the pin away.
    Pin {
        /// Where.
        room: RoomId,
        /// Which message.
        message: MessageRef,
        /// Take it away instead.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        remove: bool,
    },
    /// Remove the last messages of a room.
    Purge {
        /// Where.
        room: RoomId,
        /// At most so many.
        count: u32,
        /// Those of one person alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<UserId>,
        /// Not those from before this time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Millis>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Answer a command, a button, a list or a form, perhaps for one person's eyes alone.
    Answer {
        /// Where.
        room: RoomId,
        /// Whom.
        user: UserId,
        /// What the platform knows the use of the component by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interaction: Option<String>,
        /// What.
        content: Content,
    },
    /// Show a form to somebody who has used a command, a button or a list.
    Form {
        /// Where.
        room: RoomId,
        /// Whom.
        user: UserId,
        /// What the platform knows the use of the component by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interaction: Option<String>,
        /// What.
        form: Form,
    },
    /// Say something to one person, in private.
    Direct {
        /// The lane of what is said to that person.
        room: RoomId,
        /// Whom.
        user: UserId,
        /// What.
        content: Content,
    },
    /// Do something to a member of the space that a room belongs to.
    Moderate {
        /// Where it comes from: a room of the space.
        room: RoomId,
        /// The space, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        space: Option<SpaceId>,
        /// Whom.
        user: UserId,
        /// What.
        measure: Measure,
        /// Why, for the log of the platform and for the person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Begin a side talk of a room.
    Thread {
        /// Of which room.
        room: RoomId,
        /// About which message; about none in particular where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<MessageRef>,
        /// What it is called.
        name: String,
    },
    /// Make a link that lets others in.
    Invite {
        /// Into which room.
        room: RoomId,
        /// How long it can be used; as long as the room is there if this is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lasts: Option<Millis>,
        /// How often it can be used; as often as people like if this is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uses: Option<u32>,
    },
    /// Change a room.
    Arrange {
        /// Which.
        room: RoomId,
        /// How.
        change: RoomChange,
    },
}

/// What is done to a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// May not speak, until then.
    Mute {
        /// `None`: until unmuted, or as long as the platform lets it.
        until: Option<Millis>,
    },
    /// May speak again.
    Unmute,
    /// Has to leave, and may come back.
    Kick,
    /// Has to leave, and may not come back until then.
    Ban {
        /// `None`: until unbanned.
        until: Option<Millis>,
        /// Messages written since then go too.
        purge_since: Option<Millis>,
    },
    /// May come back.
    Unban,
    /// Gets a role, by its name.
    AddRole(String),
    /// Loses a role, by its name.
    RemoveRole(String),
    /// Is called that in this space; empty for the own name again.
    Rename(String),
}

/// What is changed on a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomChange {
    /// What the room is about; empty for nothing.
    Topic(String),
    /// How long everybody waits between two messages; 0 for not at all.
    Slowmode(Millis),
    /// Only moderators may speak, or everybody again.
    Locked(bool),
}

macro_rules! action_kinds {
    ($($variant:ident = $name:literal)*) => {
        /// The kinds of actions, which are also the capabilities that a platform has or lacks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "they are those of Action, Measure and RoomChange")]
        pub enum ActionKind { $($variant,)* }

        impl ActionKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// What scripts pass to `bot:can(…)`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

action_kinds! {
    Send = "send"
    Edit = "edit"
    Delete = "delete"
    React = "react"
    Typing = "typing"
    Pin = "pin"
    Purge = "purge"
    Answer = "answer"
    Thread = "thread"
    Invite = "invite"
    Form = "form"
    Direct = "dm"
    Mute = "mute"
    Kick = "kick"
    Ban = "ban"
    Role = "role"
    Rename = "rename"
    Topic = "topic"
    Slowmode = "slowmode"
    Lock = "lock"
}

impl ActionKind {
    /// Whether there is something afterwards that a script may wait for: a message, a thread, an invitation.
    #[must_use]
    pub const fn makes_something(self) -> bool {
        matches!(self, Self::Send | Self::Answer | Self::Thread | Self::Invite)
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Action {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::Send { .. } => ActionKind::Send,
            Self::Edit { .. } => ActionKind::Edit,
            Self::Delete { .. } => ActionKind::Delete,
            Self::React { .. } => ActionKind::React,
            Self::Typing { .. } => ActionKind::Typing,
            Self::Pin { .. } => ActionKind::Pin,
            Self::Purge { .. } => ActionKind::Purge,
            Self::Answer { .. } => ActionKind::Answer,
            Self::Form { .. } => ActionKind::Form,
            Self::Thread { .. } => ActionKind::Thread,
            Self::Invite { .. } => ActionKind::Invite,
            Self::Direct { .. } => ActionKind::Direct,
            Self::Moderate { measure, .. } => match measure {
                Measure::Mute { .. } | Measure::Unmute => ActionKind::Mute,
                Measure::Kick => ActionKind::Kick,
                Measure::Ban { .. } | Measure::Unban => ActionKind::Ban,
                Measure::AddRole(_) | Measure::RemoveRole(_) => ActionKind::Role,
                Measure::Rename(_) => ActionKind::Rename,
            },
            Self::Arrange { change, .. } => match change {
                RoomChange::Topic(_) => ActionKind::Topic,
                RoomChange::Slowmode(_) => ActionKind::Slowmode,
                RoomChange::Locked(_) => ActionKind::Lock,
            },
        }
    }

    /// The room that it happens in. Actions of one room are performed in order.
    #[must_use]
    pub const fn room(&self) -> &RoomId {
        match self {
            Self::Send { room, .. }
            | Self::Edit { room, .. }
            | Self::Delete { room, .. }
            | Self::React { room, .. }
            | Self::Typing { room }
            | Self::Pin { room, .. }
            | Self::Purge { room, .. }
            | Self::Answer { room, .. }
            | Self::Form { room, .. }
            | Self::Direct { room, .. }
            | Self::Moderate { room, .. }
            | Self::Thread { room, .. }
            | Self::Invite { room, .. }
            | Self::Arrange { room, .. } => room,
        }
    }

    /// What it says, where it says something.
    #[must_use]
    pub const fn content(&self) -> Option<&Content> {
        match self {
            Self::Send { content, .. }
            | Self::Edit { content, .. }
            | Self::Answer { content, .. }
            | Self::Direct { content, .. } => Some(content),
            _ => None,
        }
    }

    /// As [`Action::content`], to be changed.
    pub const fn content_mut(&mut self) -> Option<&mut Content> {
        match self {
            Self::Send { content, .. }
            | Self::Edit { content, .. }
            | Self::Answer { content, .. }
            | Self::Direct { content, .. } => Some(content),
            _ => None,
        }
    }

    /// The person whom it is about.
    #[must_use]
    pub const fn user(&self) -> Option<&UserId> {
        match self {
            Self::Answer { user, .. }
            | Self::Form { user, .. }
            | Self::Direct { user, .. }
            | Self::Moderate { user, .. } => Some(user),
            Self::Purge { user, .. } => user.as_ref(),
            Self::Send { .. }
            | Self::Edit { .. }
            | Self::Delete { .. }
            | Self::React { .. }
            | Self::Typing { .. }
            | Self::Pin { .. }
            | Self::Thread { .. }
            | Self::Invite { .. }
            | Self::Arrange { .. } => None,
        }
    }

    /// That the room, the space and the person in it are those of `bot`: one bot's ids mean nothing to another, even where both
    /// look alike.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] when one is another bot's.
    pub fn check_ids(&self, bot: &BotName) -> Result<(), ActionError> {
        let space = if let Self::Moderate { space, .. } = self { space.as_ref() } else { None };
        let ids = [
            Some((self.room().bot(), self.room().as_str())),
            space.map(|id| (id.bot(), id.as_str())),
            self.user().map(|id| (id.bot(), id.as_str())),
        ];
        match ids.into_iter().flatten().find(|(of, _)| *of != bot.as_str()) {
            Some((_, id)) => Err(ActionError::NotFound(format!("{id} is not known to {bot}"))),
            None => Ok(()),
        }
    }

    /// The references to messages in it, to be resolved before it is performed.
    pub fn references(&mut self) -> Option<&mut MessageRef> {
        match self {
            Self::Send { reply_to, .. } => reply_to.as_mut(),
            Self::Thread { message, .. } => message.as_mut(),
            Self::Edit { message, .. }
            | Self::Delete { message, .. }
            | Self::React { message, .. }
            | Self::Pin { message, .. } => Some(message),
            Self::Typing { .. }
            | Self::Purge { .. }
            | Self::Answer { .. }
            | Self::Form { .. }
            | Self::Direct { .. }
            | Self::Moderate { .. }
            | Self::Invite { .. }
            | Self::Arrange { .. } => None,
        }
    }
}

/// Which message is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageRef {
    /// By its id on the platform.
    Id(MessageId),
    /// The one that this action will send, or has sent.
    Sent(ActionKey),
    /// By its id on the platform, if it is the script's own: whether it is shows once what is on its way is out.
    Own(MessageId),
}

/// Names an action for good: the same run of the same event gives it the same key, however often it is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ActionKey {
    /// The script.
    pub script: ScriptName,
    /// The event's sequence number.
    pub seq: u64,
    /// Which stretch of the run, counted over its waits and its `on_error`.
    pub part: u32,
    /// Which action of that stretch.
    pub index: u32,
}

impl fmt::Display for ActionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.script, self.seq, self.part, self.index)
    }
}

impl std::str::FromStr for ActionKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        // From the right: a script's name may hold dots.
        let mut parts = text.rsplitn(4, '.');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (index, part, seq) = (number().ok_or(())?, number().ok_or(())?, number().ok_or(())?);
        let script = parts.next().ok_or(())?.into();
        let narrow = |n: u64| u32::try_from(n).map_err(drop);
        Ok(Self { script, seq, part: narrow(part)?, index: narrow(index)? })
    }
}

/// What performing an action gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The id of what was made: a message, the room of a thread (`<bot>/<native id>`), the address of an invitation.
    pub message: Option<MessageId>,
}

/// Why an action was not performed. The engine does something different on each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// The platform has nothing of the kind: told to the script, not tried again.
    #[error("{0} cannot be done on this platform")]
    Unsupported(ActionKind),
    /// Too fast: tried again after that time, and the lane waits.
    #[error("the platform asks to wait {retry_after:?}")]
    RateLimited {
        /// How long.
        retry_after: Duration,
    },
    /// The bot may not: told to the script, not tried again.
    #[error("the platform forbids it: {0}")]
    Forbidden(String),
    /// The room, user or message is gone: told to the script, not tried again.
    #[error("not found: {0}")]
    NotFound(String),
    /// The platform will never take it as it is: told to the script, not tried again.
    #[error("refused: {0}")]
    Rejected(String),
    /// Something that passes: tried again with growing pauses.
    #[error("failed for now: {0}")]
    Transient(String),
}

/// What a platform can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The actions that it knows.
    pub actions: Vec<ActionKind>,
    /// Whether it shows buttons.
    pub buttons: bool,
    /// Whether the bot can speak under another name.
    pub personas: bool,
    /// Whether it has polls.
    pub polls: bool,
    /// Whether the bot can tell somebody something that nobody else sees, who has never written to it.
    pub whispers: bool,
    /// The longest text of a message, in characters.
    pub max_text: usize,
    /// The largest file of a message, in bytes.
    pub max_file: usize,
}

impl Capabilities {
    /// Whether it can do what `bot:can(name)` asks about.
    #[must_use]
    pub fn can(&self, name: &str) -> bool {
        self.actions.iter().any(|action| action.as_str() == name)
            || (name == "buttons" && self.buttons)
            || (name == "as" && self.personas)
            || (name == "poll" && self.polls)
            || (name == "whisper" && self.whispers)
    }
}
