//! What Telegram refuses, sorted by what is to be done about it.

use std::time::Duration;

use palabre_model::ActionError;

/// Why a request was not performed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiError {
    /// The token is none, or is none any more.
    #[error("Telegram refuses the token; take a new one from @BotFather")]
    Token,
    /// There is no such method; or the token is none, which Telegram tells in the same words.
    #[error("Telegram has no such method")]
    NoMethod,
    /// Somebody else receives with the same token.
    #[error("{0}")]
    Conflict(String),
    /// Too fast.
    #[error("Telegram asks to wait {retry_after:?}")]
    Limited {
        /// How long.
        retry_after: Duration,
    },
    /// The group has become a supergroup, with another id.
    #[error("the group has become the supergroup {to}")]
    Moved {
        /// Its id now.
        to: i64,
    },
    /// The bot may not.
    #[error("{0}")]
    Forbidden(String),
    /// It is not there.
    #[error("{0}")]
    NotFound(String),
    /// It is as it was to be already.
    #[error("{0}")]
    Unchanged(String),
    /// Telegram will never take it as it is.
    #[error("{0}")]
    Refused(String),
    /// It cannot be asked like that.
    #[error("{0}")]
    Unfit(String),
    /// An answer that cannot be read, and the first update in it, where it has some.
    #[error("{words}")]
    Garbled {
        /// What is wrong with it.
        words: String,
        /// Its number.
        update: Option<i64>,
    },
    /// A fault that passes: of the network, or of the server.
    #[error("{0}")]
    Passing(String),
}

impl ApiError {
    /// By its code and its words: Telegram numbers too few of its refusals.
    pub(crate) fn of(code: u16, description: &str) -> Self {
        let words = description.trim_start_matches("Bad Request: ").trim_start_matches("Forbidden: ").to_owned();
        let has = |part: &str| words.to_lowercase().contains(part);
        match code {
            401 => Self::Token,
            404 if words.is_empty() || words == "Not Found" => Self::NoMethod,
            409 => Self::Conflict(words),
            429 => Self::Limited { retry_after: Duration::from_secs(1) },
            500.. => Self::Passing(if words.is_empty() { format!("a fault of Telegram's ({code})") } else { words }),
            403 => Self::Forbidden(words),
            _ if has("not modified") => Self::Unchanged(words),
            _ if has("not enough rights") || has("need administrator rights") || has("chat_admin_required") => {
                Self::Forbidden(words)
            }
            // Said of those of others without the right, and of those of two days ago.
            _ if has("message can't be deleted") => Self::Forbidden(words),
            _ if has("not found") || has("message_id_invalid") || has("user_id_invalid") || has("peer_id_invalid") => {
                Self::NotFound(words)
            }
            _ if has("hide_requester_missing") => {
                Self::NotFound("they do not ask to be let in, or do not any more".to_owned())
            }
            _ if has("query is too old") => Self::NotFound(words),
            404 => Self::NotFound(words),
            _ if words.is_empty() => Self::Refused(format!("refused, without a word ({code})")),
            _ => Self::Refused(words),
        }
    }

    /// Whether Telegram's words have `part` in them.
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
            ApiError::Passing(words) | ApiError::Garbled { words, .. } => Self::Transient(words),
            // It was asked for anew whether the token holds.
            ApiError::Token | ApiError::NoMethod => Self::Unavailable(error.to_string()),
            // Where the group is now is looked up before it gets here; the next try goes there.
            ApiError::Moved { .. } | ApiError::Conflict(_) => Self::Transient(error.to_string()),
        }
    }
}
