//! Results of actions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::action::kind::ActionKind;
use crate::ids::MessageId;

/// The result of an action that was performed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The id of the object that was created, if any.
    ///
    /// A message, the room of a thread (`<bot>/<native id>`), or the address of an invitation.
    pub message: Option<MessageId>,
}

/// The reason why an action was not performed. The engine treats each differently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// The platform does not support the action: reported to the script, not retried.
    #[error("{0} cannot be done on this platform")]
    Unsupported(ActionKind),
    /// The rate limit is exceeded: retried after `retry_after`; the ordered queue waits.
    #[error("the platform asks to wait {retry_after:?}")]
    RateLimited {
        /// The time to wait.
        retry_after: Duration,
    },
    /// The bot lacks the permission: reported to the script, not retried.
    #[error("the platform forbids it: {0}")]
    Forbidden(String),
    /// The room, user or message no longer exists: reported to the script, not retried.
    #[error("not found: {0}")]
    NotFound(String),
    /// The platform will never accept the action as it is: reported to the script, not retried.
    #[error("refused: {0}")]
    Rejected(String),
    /// The bot is unavailable at present.
    ///
    /// The platform refuses its token or cannot be reached at all, or the store accepts no writes.
    /// The action stays in the outbox until the bot is back, and no attempt is counted.
    #[error("the bot is not available: {0}")]
    Unavailable(String),
    /// A temporary failure, in which the action was not performed: retried with growing delays.
    #[error("failed for now: {0}")]
    Transient(String),
    /// A temporary failure, after which nobody knows whether the action was performed.
    ///
    /// Retried with growing delays, unless the action must not be performed twice.
    #[error("it may or may not have been done: {0}")]
    Uncertain(String),
}

impl ActionError {
    /// Whether a later attempt may succeed.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Unavailable(_) | Self::Transient(_) | Self::Uncertain(_))
    }

    /// Returns the error of a request that may be repeated, or that is only a preparation.
    ///
    /// It makes no difference for the action whether such a request was performed.
    #[must_use]
    pub fn of_preparation(self) -> Self {
        if let Self::Uncertain(text) = self { Self::Transient(text) } else { self }
    }
}

/// The reason why an action was not performed, by the message that users are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The platform does not support the action.
    Unsupported,
    /// The bot lacks the permission.
    Forbidden,
    /// The room, user or message no longer exists.
    NotFound,
    /// The platform does not accept the action as it is.
    Rejected,
    /// The bot is not connected to its platform.
    Unavailable,
    /// Any other reason.
    Failed,
}

impl RefusalKind {
    /// Parses the text of an [`ActionError`] into its kind and the platform's own message.
    ///
    /// Results are stored and passed on as text.
    #[must_use]
    pub fn of(text: &str) -> (Self, &str) {
        let beginnings = [
            ("the platform forbids it: ", Self::Forbidden),
            ("not found: ", Self::NotFound),
            ("refused: ", Self::Rejected),
            ("the bot is not available: ", Self::Unavailable),
            ("failed for now: ", Self::Failed),
            ("it may or may not have been done: ", Self::Failed),
        ];
        let read = beginnings.into_iter().find_map(|(beginning, kind)| Some((kind, text.strip_prefix(beginning)?)));
        let unsupported = text.ends_with(" cannot be done on this platform");
        read.unwrap_or((if unsupported { Self::Unsupported } else { Self::Failed }, text))
    }
}
