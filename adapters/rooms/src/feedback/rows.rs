//! The table of ratings.

use palabre_store::{Snapshot, Table};
use palabre_types::{Millis, TableId, iso8601};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Ratings by room, message and the id of the person. A second one of the same person replaces the first.
pub(crate) const FEEDBACK: Table<(String, String, String), FeedbackRow> = Table::new(TableId::RoomFeedback);

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
