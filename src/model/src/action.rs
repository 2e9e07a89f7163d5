//! What a run wants done on a platform.

mod kind;
mod measure;
mod reference;

use serde::{Deserialize, Serialize};

use crate::{ActionError, BotName, Content, Form, Millis, Offer, RoomId, SpaceId, UserId};

pub use kind::ActionKind;
pub use measure::{Impact, Measure, RoomChange};
pub use reference::{ActionKey, MessageRef};

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
    /// Offer somebody what to say, who has asked for it while they write in any chat at all.
    Offer {
        /// The lane of what is said to that person.
        room: RoomId,
        /// Whom.
        user: UserId,
        /// What the platform knows the question by.
        interaction: String,
        /// What there is to choose from, at most [`OFFERS`](crate::OFFERS).
        offers: Vec<Offer>,
        /// How long the platform may answer the same question of the same person by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lasts: Option<Millis>,
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
    /// Let somebody in who has asked to be, or do not.
    Admit {
        /// Into which room.
        room: RoomId,
        /// Whom.
        user: UserId,
        /// Do not.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        decline: bool,
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
            Self::Admit { .. } => ActionKind::Admit,
            Self::Thread { .. } => ActionKind::Thread,
            Self::Invite { .. } => ActionKind::Invite,
            Self::Offer { .. } => ActionKind::Offer,
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
            | Self::Offer { room, .. }
            | Self::Direct { room, .. }
            | Self::Moderate { room, .. }
            | Self::Admit { room, .. }
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
            | Self::Offer { user, .. }
            | Self::Direct { user, .. }
            | Self::Moderate { user, .. }
            | Self::Admit { user, .. } => Some(user),
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
            | Self::Offer { .. }
            | Self::Direct { .. }
            | Self::Moderate { .. }
            | Self::Admit { .. }
            | Self::Invite { .. }
            | Self::Arrange { .. } => None,
        }
    }
}
