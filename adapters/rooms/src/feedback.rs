//! Ratings of messages by the people who read them.

use palabre_store::{Snapshot, Table};
use palabre_types::{Batch, Millis, TableId, iso8601};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::accounts::error::AccountError;
use crate::history::{IDS, MESSAGES};
use crate::presence::Author;
use crate::service::Rooms;

/// Ratings by room, message and the id of the person. A second one of the same person replaces the first.
pub(crate) const FEEDBACK: Table<(String, String, String), FeedbackRow> = Table::new(TableId::RoomFeedback);

/// Time for which a rating is kept, in milliseconds: longer than its message may be.
const FEEDBACK_LIFE: Millis = 365 * 86_400_000;

/// A rating.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FeedbackRow {
    /// From 1 to 5.
    pub(crate) rating: u8,
    /// The aspect that is rated, such as `quality`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
    pub(crate) time: Millis,
}

impl FeedbackRow {
    /// Returns the rating of a message by a person, if there is one.
    pub(crate) fn find(
        snapshot: &Snapshot,
        room: &str,
        message: &str,
        person: &str,
    ) -> palabre_store::Result<Option<Self>> {
        FEEDBACK.get(snapshot, &(room.to_owned(), message.to_owned(), person.to_owned()))
    }

    /// Returns the rating in the form of answers.
    pub(crate) fn described(&self) -> Value {
        json!({
            "rating": self.rating,
            "feedback_type": self.kind,
            "comment": self.comment,
            "timestamp": iso8601(self.time),
        })
    }
}

impl Rooms {
    /// Stores a person's rating of a message, and returns once it is durable.
    pub(crate) async fn rate(
        &self,
        room: &str,
        message: &str,
        author: &Author,
        row: &FeedbackRow,
    ) -> Result<(), AccountError> {
        let asked = (room.to_owned(), message.to_owned());
        let is_there = self.read_store(move |snapshot| {
            let Some(position) = IDS.get(snapshot, &asked)? else { return Ok(false) };
            Ok(MESSAGES.get(snapshot, &(asked.0, position))?.is_some())
        });
        if !is_there.await? {
            return Err(AccountError::NotFound("there is no such message in this room"));
        }
        let key = (room.to_owned(), message.to_owned(), author.guest.to_string());
        let mut rows = Batch::default();
        FEEDBACK.put_until(&mut rows, &key, row, Some(row.time.saturating_add(FEEDBACK_LIFE)));
        self.write("a rating of a message", rows).await?;
        Ok(())
    }
}
