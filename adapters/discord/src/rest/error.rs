//! Errors of requests, by what the caller can do about them.

use std::time::Duration;

use palabre_platform::Retry;
use palabre_types::ActionError;
use reqwest::StatusCode;
use serde_json::Value;

/// Error codes of Discord's JSON responses.
///
/// <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>
const UNKNOWN_WEBHOOK: i64 = 10_015;
const UNAUTHORIZED: i64 = 40_001;
const WEBHOOK_TOKEN: i64 = 50_027;

/// The error of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RestError {
    /// The token is invalid, or no longer valid.
    #[error("Discord refuses the token")]
    Token,
    /// A rate limit was hit.
    #[error("Discord asks to wait {retry_after:?}")]
    Limited { retry_after: Duration },
    /// Discord refuses the request.
    #[error("{text}")]
    Refused { status: StatusCode, code: i64, text: String },
    /// The request cannot be made at all.
    #[error("the request cannot be made: {0}")]
    Unfit(String),
    /// A transient error; the request was not performed.
    #[error("{0}")]
    Passing(String),
    /// A transient error, after which nobody knows whether the request was performed.
    #[error("{0}")]
    Lost(String),
}

impl RestError {
    pub(super) fn of(status: StatusCode, said: &Value) -> Self {
        let code = said["code"].as_i64().unwrap_or_default();
        // An expired token of a webhook or an interaction has an error code of its own.
        if status == StatusCode::UNAUTHORIZED && matches!(code, 0 | UNAUTHORIZED) {
            return Self::Token;
        }
        let mut text = said["message"].as_str().unwrap_or(status.canonical_reason().unwrap_or("refused")).to_owned();
        let mut details = Vec::new();
        collect(&said["errors"], "", &mut details);
        if !details.is_empty() {
            text = format!("{text}: {}", details.join("; "));
        }
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            return Self::Lost(format!("Discord answered {status}"));
        }
        Self::Refused { status, code, text }
    }

    /// Returns whether, and after which delay, the same request may succeed.
    pub(super) const fn retry(&self) -> Retry {
        match self {
            Self::Limited { retry_after } => Retry::After(*retry_after),
            Self::Passing(_) | Self::Lost(_) => Retry::WithBackoff,
            Self::Token | Self::Refused { .. } | Self::Unfit(_) => Retry::Never,
        }
    }

    /// Returns the error of a request that only prepares another one, which has not been sent then.
    pub(crate) fn of_preparation(self) -> Self {
        if let Self::Lost(text) = self { Self::Passing(text) } else { self }
    }

    /// Whether a webhook or an interaction is gone, or its token is refused.
    pub(crate) fn is_gone_webhook(&self) -> bool {
        matches!(self, Self::Refused { status: StatusCode::UNAUTHORIZED, .. })
            || [UNKNOWN_WEBHOOK, WEBHOOK_TOKEN].iter().any(|code| self.is(*code))
    }

    /// Whether Discord refused the request with this error code.
    ///
    /// <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>
    pub(crate) fn is(&self, wanted: i64) -> bool {
        matches!(self, Self::Refused { code, .. } if *code == wanted)
    }
}

/// Collects Discord's errors of single fields, each with its path.
fn collect(errors: &Value, path: &str, found: &mut Vec<String>) {
    let Value::Object(map) = errors else { return };
    for (name, inner) in map {
        match inner {
            Value::Array(list) if name == "_errors" => {
                let texts = list.iter().filter_map(|error| error["message"].as_str());
                found.extend(texts.map(|text| format!("{path}: {text}")));
            }
            inner => collect(inner, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, found),
        }
    }
}

impl From<RestError> for ActionError {
    fn from(error: RestError) -> Self {
        match error {
            RestError::Token => Self::Unavailable("Discord refuses the bot's token".to_owned()),
            RestError::Limited { retry_after } => Self::RateLimited { retry_after },
            RestError::Passing(text) => Self::Transient(text),
            RestError::Lost(text) => Self::Uncertain(text),
            RestError::Unfit(text) => Self::Rejected(text),
            RestError::Refused { status: StatusCode::FORBIDDEN, code, text } => Self::Forbidden(explained(code, text)),
            RestError::Refused { status: StatusCode::NOT_FOUND, text, .. } => Self::NotFound(text),
            RestError::Refused { code, text, .. } => Self::Rejected(explained(code, text)),
        }
    }
}

/// Adds advice to refusals that operators meet.
fn explained(code: i64, text: String) -> String {
    let hint = match code {
        50001 => "the bot cannot see that channel; allow its role to view it",
        50013 => {
            "the bot lacks a permission there, or its role stands below that of the member; see Server Settings, Roles"
        }
        50007 => "the user accepts no direct messages from this bot",
        _ => return text,
    };
    format!("{text} ({hint})")
}
