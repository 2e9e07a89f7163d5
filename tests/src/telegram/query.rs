//! What waits for a quick answer: presses of buttons and inline queries.

use serde_json::Value;

/// How the bot answered a press of a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackAnswer {
    /// What is shown; empty if nothing is.
    pub text: String,
    /// Whether it is shown as an alert.
    pub is_alert: bool,
    /// The address that is opened.
    pub url: Option<String>,
}

/// A press of a button.
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
