//! What became of an action.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ActionKind, MessageId};

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
    /// Nothing can be done for this bot at present: the platform refuses its token, or is away altogether. The action stays in
    /// the outbox until the bot is back, and counts no attempt.
    #[error("the bot is not available: {0}")]
    Unavailable(String),
    /// Something that passes: tried again with growing pauses.
    #[error("failed for now: {0}")]
    Transient(String),
}

/// Why an action was not done, as people are told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The platform has nothing of the kind.
    Unsupported,
    /// The bot may not.
    Forbidden,
    /// The room, user or message is gone.
    NotFound,
    /// The platform does not take it as it is.
    Rejected,
    /// The bot has no connection to its platform.
    Unavailable,
    /// Anything else.
    Failed,
}

impl RefusalKind {
    /// The kind of an [`ActionError`] by its text, and the platform's own words in it: results are kept and handed on as text.
    #[must_use]
    pub fn of(text: &str) -> (Self, &str) {
        let beginnings = [
            ("the platform forbids it: ", Self::Forbidden),
            ("not found: ", Self::NotFound),
            ("refused: ", Self::Rejected),
            ("the bot is not available: ", Self::Unavailable),
            ("failed for now: ", Self::Failed),
        ];
        let read = beginnings.into_iter().find_map(|(beginning, kind)| Some((kind, text.strip_prefix(beginning)?)));
        let unsupported = text.ends_with(" cannot be done on this platform");
        read.unwrap_or((if unsupported { Self::Unsupported } else { Self::Failed }, text))
    }
}
