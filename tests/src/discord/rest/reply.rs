//! Answers to calls.

use serde_json::Value;

use super::refusal::Refusal;

/// An answer without its headers.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Option<Value>,
}

/// The result of a call.
pub(super) type Outcome = Result<Reply, Refusal>;

impl Reply {
    pub(super) fn ok(body: Value) -> Outcome {
        Ok(Self { status: 200, body: Some(body) })
    }

    pub(super) fn created(body: Value) -> Outcome {
        Ok(Self { status: 201, body: Some(body) })
    }

    pub(super) fn nothing() -> Outcome {
        Ok(Self { status: 204, body: None })
    }
}
