//! Actions: requests to a platform that runs of hooks ask for.

pub(crate) mod kind;
mod measure;
mod reference;

use crate::time::Millis;
use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::form::Form;
use crate::ids::{BotName, RoomId, SpaceId, UserId};
use crate::offer::Offer;
use crate::outcome::ActionError;

pub use kind::ActionKind;
pub use measure::{Impact, Measure, RoomChange};
pub use reference::{ActionKey, MessageRef};

/// One request to a platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Send a message to a room.
    Send {
        /// The room.
        room: RoomId,
        /// The content of the message.
        content: Content,
        /// The message that it replies to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<MessageRef>,
    },
    /// Change a message of the bot.
    Edit {
        /// The room.
        room: RoomId,
        /// The message.
        message: MessageRef,
        /// The new content.
        content: Content,
    },
    /// Remove a message.
    Delete {
        /// The room.
        room: RoomId,
        /// The message.
        message: MessageRef,
        /// The reason, for the platform's audit log.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Add or remove a reaction of the bot to a message.
    React {
        /// The room.
        room: RoomId,
        /// The message.
        message: MessageRef,
        /// The emoji.
        emoji: String,
        /// Whether the reaction is removed instead of added.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        remove: bool,
    },
    /// Show that the bot is typing.
    Typing {
        /// The room.
        room: RoomId,
    },
    /// Pin or unpin a message.
    Pin {
        /// The room.
        room: RoomId,
        /// The message.
        message: MessageRef,
        /// Whether the message is unpinned instead of pinned.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        remove: bool,
    },
    /// Remove the most recent messages of a room.
    Purge {
        /// The room.
        room: RoomId,
        /// The maximum number of messages.
        count: u32,
        /// Restricts the removal to messages of this user.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<UserId>,
        /// Messages from before this time are kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Millis>,
        /// The reason, for the platform's audit log.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Answer a command, button, list or form, optionally as an ephemeral message.
    Answer {
        /// The room.
        room: RoomId,
        /// The user who is answered.
        user: UserId,
        /// The platform's id of the interaction.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interaction: Option<String>,
        /// The content of the answer.
        content: Content,
    },
    /// Show a form to a user who has used a command, a button or a list.
    Form {
        /// The room.
        room: RoomId,
        /// The user who sees the form.
        user: UserId,
        /// The platform's id of the interaction.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interaction: Option<String>,
        /// The form.
        form: Form,
    },
    /// Answer an inline query: show what the user can send in the chat that they are writing in.
    Offer {
        /// The private room of that user: it selects the ordered queue.
        room: RoomId,
        /// The user who asked.
        user: UserId,
        /// The platform's id of the query.
        interaction: String,
        /// The choices, at most [`OFFERS_MAX`](crate::OFFERS_MAX).
        offers: Vec<Offer>,
        /// The time for which the platform may cache the answer.
        ///
        /// It then answers the same query of the same user by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lasts: Option<Millis>,
    },
    /// Send a direct message.
    Direct {
        /// The private room of that user: it selects the ordered queue.
        room: RoomId,
        /// The recipient.
        user: UserId,
        /// The content of the message.
        content: Content,
    },
    /// Moderate a member of the space that a room belongs to.
    Moderate {
        /// A room of the space, in which the action originates.
        room: RoomId,
        /// The space, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        space: Option<SpaceId>,
        /// The member.
        user: UserId,
        /// The moderation measure.
        measure: Measure,
        /// The reason, for the platform's audit log and for the member.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Accept or decline a request to join.
    Admit {
        /// The room.
        room: RoomId,
        /// The user who asked to join.
        user: UserId,
        /// Whether the request is declined instead of accepted.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        decline: bool,
    },
    /// Start a thread in a room.
    Thread {
        /// The room.
        room: RoomId,
        /// The message that the thread starts from, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<MessageRef>,
        /// The name of the thread.
        name: String,
    },
    /// Create an invitation link.
    Invite {
        /// The room that it leads to.
        room: RoomId,
        /// The lifetime of the link. `None`: as long as the room exists.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lasts: Option<Millis>,
        /// The number of uses. `None`: unlimited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uses: Option<u32>,
    },
    /// Change the settings of a room.
    Arrange {
        /// The room.
        room: RoomId,
        /// The change.
        change: RoomChange,
    },
}

impl Action {
    /// Returns the kind of the action.
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

    /// Returns the room of the action. Actions of one room are performed in order.
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

    /// Returns the content of the message, for actions that send or edit one.
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

    /// Returns a mutable reference to the content that [`Action::content`] returns.
    pub const fn content_mut(&mut self) -> Option<&mut Content> {
        match self {
            Self::Send { content, .. }
            | Self::Edit { content, .. }
            | Self::Answer { content, .. }
            | Self::Direct { content, .. } => Some(content),
            _ => None,
        }
    }

    /// Returns the user whom the action concerns, if any.
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

    /// Checks that the room, space and user of the action belong to `bot`.
    ///
    /// Ids of one bot mean nothing to another, even if they look alike.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] when an id belongs to another bot.
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

    /// Returns the message reference in the action.
    #[must_use]
    pub const fn reference(&self) -> Option<&MessageRef> {
        match self {
            Self::Send { reply_to, .. } => reply_to.as_ref(),
            Self::Thread { message, .. } => message.as_ref(),
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

    /// Returns the message reference in the action, to be resolved before it is performed.
    pub const fn reference_mut(&mut self) -> Option<&mut MessageRef> {
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
