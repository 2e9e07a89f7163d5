//! The list of action kinds.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! action_kinds {
    ($($variant:ident = $name:literal)*) => {
        /// A kind of action; also a capability that a platform has or lacks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "they are those of Action, Measure and RoomChange")]
        pub enum ActionKind { $($variant,)* }

        impl ActionKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name that scripts pass to `bot:can(…)`.
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
    Offer = "offer"
    Direct = "dm"
    Mute = "mute"
    Kick = "kick"
    Ban = "ban"
    Admit = "admit"
    Role = "role"
    Rename = "rename"
    Topic = "topic"
    Slowmode = "slowmode"
    Lock = "lock"
}

impl ActionKind {
    /// Returns all kinds except `lacking`, for platforms that lack those.
    #[must_use]
    pub fn all_but(lacking: &[Self]) -> Vec<Self> {
        Self::ALL.iter().copied().filter(|kind| !lacking.contains(kind)).collect()
    }

    /// Whether the action creates something to wait for: a message, a thread or an invitation.
    #[must_use]
    pub const fn creates_object(self) -> bool {
        matches!(self, Self::Send | Self::Answer | Self::Thread | Self::Invite)
    }
}

impl ActionKind {
    /// Whether it is a moderation action. Moderation actions never wait behind messages.
    #[must_use]
    pub const fn is_moderation(self) -> bool {
        matches!(
            self,
            Self::Delete
                | Self::Purge
                | Self::Mute
                | Self::Kick
                | Self::Ban
                | Self::Admit
                | Self::Role
                | Self::Slowmode
                | Self::Lock
        )
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
