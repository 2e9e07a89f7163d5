//! Messages in the form of the document, and what is sent in that form.

use std::sync::Arc;

use axum::http::StatusCode;
use palabre_types::{Attachment, iso8601};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answers::Ending;
use crate::decode::Send;
use crate::files::id_at;
use crate::history::MessageRow;
use crate::http::problem::Problem;

/// The types of messages. They follow from the attachments when a message is read.
const MESSAGE_TYPES: [&str; 5] = ["text", "image", "audio", "file", "multimodal"];

/// A file of a message, by its id.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "the id of a file, or an object with file_id")]
pub(super) enum FileReference {
    Id(String),
    Described {
        #[serde(alias = "id")]
        file_id: String,
    },
}

/// Returns the `message_type` of a request that names none.
pub(super) fn text_type() -> String {
    "text".to_owned()
}

/// Returns the message to send, if it follows the rules of the document.
pub(super) fn to_send(text: String, kind: &str, files: Option<Vec<FileReference>>) -> Result<Send, Problem> {
    let refused = |problem: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, problem);
    if !MESSAGE_TYPES.contains(&kind) {
        return Err(refused(format!("message_type must be one of {}", MESSAGE_TYPES.join(", "))));
    }
    let id = |file: FileReference| match file {
        FileReference::Id(id) | FileReference::Described { file_id: id } => id,
    };
    let files = files.into_iter().flatten().map(id).collect();
    Send { message: text, nonce: None, reply_to: None, files }.checked().map_err(refused)
}

/// Returns the type of a message, from its attachments.
pub(super) fn type_of(row: &MessageRow) -> &'static str {
    let begins = |kind: &str| {
        let is_of = |file: &Attachment| file.content_type.as_ref().is_some_and(|other| other.starts_with(kind));
        row.attachments.iter().all(is_of)
    };
    if row.attachments.is_empty() {
        "text"
    } else if !row.text.trim().is_empty() {
        "multimodal"
    } else if begins("image/") {
        "image"
    } else if begins("audio/") {
        "audio"
    } else {
        "file"
    }
}

fn attached(file: &Attachment) -> Value {
    json!({
        "file_id": id_at(&file.url),
        "filename": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "url": file.url,
    })
}

/// Returns the attachments of a message.
pub(super) fn attachments(row: &MessageRow) -> Vec<Value> {
    row.attachments.iter().map(attached).collect()
}

/// Returns the metadata of a message.
pub(super) fn metadata(row: &MessageRow) -> Value {
    let mut metadata = json!({
        "message_id": row.id,
        "username": row.persona.as_ref().unwrap_or(&row.username),
        "edited": row.edited,
    });
    if !row.buttons.is_empty() {
        metadata["buttons"] = json!(row.buttons);
    }
    if !row.embeds.is_empty() {
        metadata["embeds"] = json!(row.embeds);
    }
    metadata
}

/// Returns a message of a session.
pub(super) fn message(session: &str, row: &MessageRow) -> Value {
    json!({
        "id": row.id,
        "session_id": session,
        "role": if row.bot { "assistant" } else { "user" },
        "content": row.text,
        "message_type": type_of(row),
        "attachments": attachments(row),
        "metadata": metadata(row),
        "timestamp": iso8601(row.time),
    })
}

/// The answers so far, in the order in which they were first posted.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) rows: Vec<Arc<MessageRow>>,
}

impl Collected {
    /// Adds a message, or replaces an earlier version of it. Returns that version.
    pub(super) fn put(&mut self, row: Arc<MessageRow>) -> Option<Arc<MessageRow>> {
        match self.rows.iter_mut().find(|other| other.id == row.id) {
            Some(before) => Some(std::mem::replace(before, row)),
            None => {
                self.rows.push(row);
                None
            }
        }
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.rows.retain(|row| row.id != id);
    }

    /// Returns all answers as one message: the texts with blank lines between them, and all files.
    ///
    /// Without answers it is a message of the system that says so.
    pub(super) fn joined(&self, session: &str, ending: Ending, seconds: u64) -> Value {
        let ids: Vec<&String> = self.rows.iter().map(|row| &row.id).collect();
        let is_complete = ending == Ending::Complete;
        let Some(last) = self.rows.last() else {
            return json!({
                "id": null,
                "session_id": session,
                "role": "system",
                "content": no_answer(ending, seconds),
                "message_type": "text",
                "attachments": [],
                "metadata": { "answered": false, "complete": is_complete },
                "timestamp": null,
            });
        };
        let texts: Vec<&str> = self.rows.iter().map(|row| row.text.as_str()).filter(|text| !text.is_empty()).collect();
        let files: Vec<Value> = self.rows.iter().flat_map(|row| attachments(row)).collect();
        let mut described = message(session, last);
        described["content"] = json!(texts.join("\n\n"));
        described["message_type"] = json!(if files.is_empty() { "text" } else { "multimodal" });
        described["attachments"] = json!(files);
        described["metadata"]["answered"] = json!(true);
        described["metadata"]["complete"] = json!(is_complete);
        described["metadata"]["message_ids"] = json!(ids);
        described
    }
}

/// Returns the sentence for a person who gets no answer.
pub(super) fn no_answer(ending: Ending, seconds: u64) -> String {
    match ending {
        Ending::Complete => "No bot has answered this message.".to_owned(),
        Ending::TimedOut => {
            format!("No bot has answered within {seconds} s. A later answer will be in the history of the session.")
        }
        Ending::Interrupted => "The wait for an answer was interrupted. Read the history of the session.".to_owned(),
    }
}
