//! The answers to a message as server-sent events, each as it arrives.

use std::sync::Arc;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde_json::{Value, json};

use super::description::{Collected, attachments, metadata, no_answer, type_of};
use crate::answers::{Answers, Ending, Step};
use crate::history::MessageRow;

/// Maximum number of answers to one message that are sent; others are in the history.
const ANSWERS_MAX: usize = 100;

/// A stream of answers. Dropping it ends the wait for them.
struct Streaming {
    session: String,
    /// The id of the message that is answered.
    message: String,
    answers: Answers,
    seconds: u64,
    sent: Collected,
}

/// Returns the response that sends the answers.
pub(super) fn respond(session: String, message: String, answers: Answers, seconds: u64) -> Response {
    let streaming = Streaming { session, message, answers, seconds, sent: Collected::default() };
    let events = unfold(Some(streaming), |streaming| async move {
        let (data, rest) = streaming?.next().await;
        Some((Event::default().json_data(data), rest))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

impl Streaming {
    /// Waits for the next event. Returns its data, and the rest of the stream unless it was the last one.
    async fn next(mut self) -> (Value, Option<Self>) {
        let step = if self.sent.rows.len() >= ANSWERS_MAX {
            Step::End(Ending::Interrupted)
        } else {
            self.answers.next().await
        };
        match step {
            Step::Said(row) => {
                let data = self.said(row);
                (data, Some(self))
            }
            Step::Deleted(id) => {
                self.sent.remove(&id);
                let data = self.event("", &json!({ "message_id": id, "deleted": true }), false);
                (data, Some(self))
            }
            Step::End(ending) => {
                let is_answered = !self.sent.rows.is_empty();
                let chunk = if is_answered { String::new() } else { no_answer(ending, self.seconds) };
                let metadata = json!({
                    "message_id": self.message,
                    "answered": is_answered,
                    "complete": ending == Ending::Complete,
                });
                (self.event(&chunk, &metadata, true), None)
            }
        }
    }

    /// Returns the data for a message of a bot.
    ///
    /// The chunks of new messages and of edits that only add text yield the whole answer when they are put together.
    /// Any other edit has the whole new text of its message, and `replaces` in its metadata.
    fn said(&mut self, row: Arc<MessageRow>) -> Value {
        let is_first = self.sent.rows.is_empty();
        let before = self.sent.put(Arc::clone(&row));
        let is_last = self.sent.rows.last().is_some_and(|last| last.id == row.id);
        let added = before.as_ref().and_then(|before| row.text.strip_prefix(before.text.as_str()));
        let (chunk, replaces) = match (&before, added.filter(|_| is_last)) {
            (None, _) if is_first => (row.text.clone(), false),
            (None, _) => (format!("\n\n{}", row.text), false),
            (Some(_), Some(added)) => (added.to_owned(), false),
            (Some(_), None) => (row.text.clone(), true),
        };
        let mut metadata = metadata(&row);
        metadata["message_type"] = json!(type_of(&row));
        metadata["attachments"] = json!(attachments(&row));
        metadata["replaces"] = json!(replaces);
        self.event(&chunk, &metadata, false)
    }

    fn event(&self, chunk: &str, metadata: &Value, is_final: bool) -> Value {
        json!({ "session_id": self.session, "chunk": chunk, "is_final": is_final, "metadata": metadata })
    }
}
