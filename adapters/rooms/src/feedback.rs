//! Ratings of messages by the people who read them.

pub(crate) mod rows;

use palabre_types::{Batch, Millis};

use self::rows::{FEEDBACK, FeedbackRow};
use crate::accounts::error::AccountError;
use crate::history::{IDS, MESSAGES};
use crate::presence::Author;
use crate::service::Rooms;

/// Time for which a rating is kept, in milliseconds: longer than its message may be.
const FEEDBACK_LIFE: Millis = 365 * 86_400_000;

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
