//! Pending button presses and inline queries.

use serde_json::Value;

/// The bot's answer to a button press.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackAnswer {
    /// The text that is shown; empty if there is none.
    pub text: String,
    /// Whether it is shown as an alert.
    pub is_alert: bool,
    /// The URL that is opened.
    pub url: Option<String>,
}

/// A button press.
#[derive(Debug, Clone)]
pub(super) struct CallbackQuery {
    pub(super) at: u64,
    pub(super) answer: Option<CallbackAnswer>,
}

/// An inline query.
#[derive(Debug, Clone)]
pub(super) struct InlineQuery {
    pub(super) at: u64,
    pub(super) user: i64,
    pub(super) query: String,
    /// The parameters of `answerInlineQuery`.
    pub(super) answer: Option<Value>,
}
