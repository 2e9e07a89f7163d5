//! The JSON frames of a WebSocket.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::description::{FileReference, attachments, metadata, text_type, type_of};
use crate::history::MessageRow;
use crate::http::problem::Problem;

/// A frame of a client.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientFrame {
    Message {
        content: String,
        #[serde(default = "text_type")]
        message_type: String,
        #[serde(default)]
        attachments: Option<Vec<FileReference>>,
    },
    Typing {
        #[serde(default = "yes")]
        is_typing: bool,
    },
}

const fn yes() -> bool {
    true
}

impl ClientFrame {
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        serde_json::from_str(text)
            .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("the frame cannot be read: {error}")))
    }
}

/// A message of a bot, new or edited.
pub(super) fn response(row: &MessageRow) -> Value {
    let mut metadata = metadata(row);
    metadata["attachments"] = json!(attachments(row));
    json!({ "type": "response", "content": row.text, "message_type": type_of(row), "metadata": metadata })
}

/// Confirms that the message of the client is durable.
pub(super) fn accepted(id: &str) -> Value {
    json!({ "type": "accepted", "message_id": id })
}

/// Names the session that was created for the connection.
pub(super) fn session(id: &str) -> Value {
    json!({ "type": "session", "session_id": id })
}

pub(super) fn deleted(id: &str) -> Value {
    json!({ "type": "deleted", "message_id": id })
}

pub(super) fn typing() -> Value {
    json!({ "type": "typing", "is_typing": true })
}

pub(super) fn error(problem: &Problem) -> Value {
    let (status, text) = problem.parts();
    json!({ "type": "error", "error": text, "code": status.as_u16() })
}
