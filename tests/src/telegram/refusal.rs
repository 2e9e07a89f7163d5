//! Refusals of calls, with Telegram's texts and codes.

use serde_json::{Value, json};

/// An error response.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) description: String,
    parameters: Value,
    /// The rule that a correct client would not have violated.
    pub(super) violation: Option<String>,
}

/// The result of a call.
pub(super) type Outcome = Result<Value, Refusal>;

impl Refusal {
    fn new(code: u16, description: String) -> Self {
        Self { code, description, parameters: Value::Null, violation: None }
    }

    /// The current state does not allow the call.
    pub(super) fn bad(reason: &str) -> Self {
        Self::new(400, format!("Bad Request: {reason}"))
    }

    /// The call violates a documented rule, whatever the state.
    pub(super) fn broken_rule(reason: &str) -> Self {
        Self { violation: Some(reason.to_owned()), ..Self::bad(reason) }
    }

    /// Like [`Refusal::broken_rule`], with details that Telegram's text lacks.
    pub(super) fn blamed(reason: &str, more: &str) -> Self {
        Self { violation: Some(format!("{reason}: {more}")), ..Self::bad(reason) }
    }

    /// A missing right: `not enough rights to …`.
    pub(super) fn not_enough_rights(to: &str) -> Self {
        Self::bad(&format!("not enough rights to {to}"))
    }

    pub(super) fn forbidden(reason: &str) -> Self {
        Self::new(403, format!("Forbidden: {reason}"))
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized".to_owned())
    }

    pub(super) fn not_found() -> Self {
        Self { violation: Some("Telegram has no such method".to_owned()), ..Self::new(404, "Not Found".to_owned()) }
    }

    /// A method that exists at Telegram and not in the stand-in.
    pub(super) fn not_played(method: &str) -> Self {
        let reason = format!("the stand-in does not know {method}");
        Self { violation: Some(reason.clone()), ..Self::new(501, format!("Not Implemented: {reason}")) }
    }

    pub(super) fn conflict(reason: &str) -> Self {
        Self::new(409, format!("Conflict: {reason}"))
    }

    pub(super) fn too_large() -> Self {
        Self {
            violation: Some("uploads have at most 50 MB".to_owned()),
            ..Self::new(413, "Request Entity Too Large".to_owned())
        }
    }

    pub(super) fn internal() -> Self {
        Self::new(500, "Internal Server Error".to_owned())
    }

    pub(super) fn too_many(seconds: u64) -> Self {
        let parameters = json!({ "retry_after": seconds });
        Self { parameters, ..Self::new(429, format!("Too Many Requests: retry after {seconds}")) }
    }

    /// The group was upgraded to a supergroup.
    pub(super) fn migrated(to: i64) -> Self {
        let parameters = json!({ "migrate_to_chat_id": to });
        Self { parameters, ..Self::bad("group chat was upgraded to a supergroup chat") }
    }

    pub(super) fn chat_not_found() -> Self {
        Self::bad("chat not found")
    }

    pub(super) fn stale_query() -> Self {
        Self::bad("query is too old and response timeout expired or query ID is invalid")
    }

    pub(super) fn body(&self) -> Value {
        let mut body = json!({ "ok": false, "error_code": self.code, "description": self.description });
        if !self.parameters.is_null() {
            body["parameters"] = self.parameters.clone();
        }
        body
    }
}
