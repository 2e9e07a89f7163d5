//! Errors of the Bot API, classified by how to react to them.

use std::time::Duration;

use palabre_platform::Retry;
use palabre_types::ActionError;

/// The reason why a request was not performed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiError {
    /// The token is invalid or revoked.
    #[error("Telegram refuses the token; get a new one from @BotFather")]
    Token,
    /// There is no such method, or the token is invalid: Telegram answers both alike.
    #[error("Telegram has no such method")]
    NoMethod,
    /// Another process receives updates with the same token, or a webhook is set.
    #[error("{0}")]
    Conflict(String),
    /// Too many requests.
    #[error("Telegram asks to wait {retry_after:?}")]
    Limited {
        /// Time to wait.
        retry_after: Duration,
    },
    /// The group has become a supergroup, with another id.
    #[error("the group has become the supergroup {to}")]
    Moved {
        /// The id of the supergroup.
        to: i64,
    },
    /// The bot lacks a permission.
    #[error("{0}")]
    Forbidden(String),
    /// The target does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The target is in the requested state already.
    #[error("{0}")]
    Unchanged(String),
    /// Telegram will never accept the request as it is.
    #[error("{0}")]
    Refused(String),
    /// The request cannot be made in this form.
    #[error("{0}")]
    Unfit(String),
    /// A response that cannot be read, and the number of its first update, if it has any.
    #[error("{words}")]
    Garbled {
        /// The problem.
        words: String,
        /// The number of the first update.
        update: Option<i64>,
    },
    /// A transient fault of the network or of the server; the request was not performed.
    #[error("{0}")]
    Passing(String),
    /// A transient fault, after which nobody knows whether the request was performed.
    #[error("{0}")]
    Lost(String),
}

impl ApiError {
    /// Classifies a refusal by code and description: Telegram's codes alone are too coarse.
    pub(crate) fn of(code: u16, description: &str) -> Self {
        let words = description.trim_start_matches("Bad Request: ").trim_start_matches("Forbidden: ").to_owned();
        let has = |part: &str| words.to_lowercase().contains(part);
        match code {
            401 => Self::Token,
            404 if words.is_empty() || words == "Not Found" => Self::NoMethod,
            409 => Self::Conflict(words),
            429 => Self::Limited { retry_after: Duration::from_secs(1) },
            500.. => Self::Lost(if words.is_empty() { format!("a server error ({code})") } else { words }),
            403 => Self::Forbidden(words),
            // Of a message; of a chat and of a topic, as CHAT_NOT_MODIFIED and TOPIC_NOT_MODIFIED.
            _ if has("not modified") || has("not_modified") => Self::Unchanged(words),
            _ if has("not enough rights") || has("need administrator rights") || has("chat_admin_required") => {
                Self::Forbidden(words)
            }
            // Either the message is another's and the bot lacks the right, or it is older than two
            // days.
            _ if has("message can't be deleted") => Self::Forbidden(words),
            _ if has("not found") || has("message_id_invalid") || has("user_id_invalid") || has("peer_id_invalid") => {
                Self::NotFound(words)
            }
            _ if has("hide_requester_missing") => {
                Self::NotFound("they have no open request to join the chat".to_owned())
            }
            _ if has("query is too old") => Self::NotFound(words),
            404 => Self::NotFound(words),
            _ if words.is_empty() => Self::Refused(format!("refused without a reason ({code})")),
            _ => Self::Refused(words),
        }
    }

    /// Returns whether, and after which delay, the same request may succeed.
    pub(super) const fn retry(&self) -> Retry {
        match self {
            Self::Limited { retry_after } => Retry::After(*retry_after),
            Self::Passing(_) | Self::Lost(_) => Retry::WithBackoff,
            _ => Retry::Never,
        }
    }

    /// Whether Telegram's description contains `part`, which is in lower case.
    pub(crate) fn says(&self, part: &str) -> bool {
        match self {
            Self::Forbidden(words) | Self::NotFound(words) | Self::Unchanged(words) | Self::Refused(words) => {
                words.to_lowercase().contains(part)
            }
            _ => false,
        }
    }
}

impl From<ApiError> for ActionError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Limited { retry_after } => Self::RateLimited { retry_after },
            ApiError::Forbidden(words) => Self::Forbidden(words),
            ApiError::NotFound(words) => Self::NotFound(words),
            ApiError::Unchanged(words) | ApiError::Refused(words) | ApiError::Unfit(words) => Self::Rejected(words),
            ApiError::Passing(words) => Self::Transient(words),
            ApiError::Lost(words) | ApiError::Garbled { words, .. } => Self::Uncertain(words),
            // The validity of the token has been checked with `getMe` by now.
            ApiError::Token | ApiError::NoMethod => Self::Unavailable(error.to_string()),
            // The new id of the group has been recorded by now, and the next attempt goes there.
            ApiError::Moved { .. } | ApiError::Conflict(_) => Self::Transient(error.to_string()),
        }
    }
}
