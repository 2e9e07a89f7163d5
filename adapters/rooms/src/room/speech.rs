//! Messages of bots to the whole room.

use palabre_platform::EmitError;
use palabre_types::{ActionKey, Batch, Content, MessageRef, Outcome};

use super::answer::{Answer, failed, id_of};
use super::state::State;
use super::state::commit::{CommitResult, OnCommit, Requester};
use crate::change_log::rows::Recorded;
use crate::history::{IDS, MessageRow};

impl State {
    /// Posts a message of a bot. Repeating it under the same key has no effect.
    pub(super) fn send(&mut self, key: &ActionKey, content: Content, reply_to: Option<&MessageRef>, answer: Answer) {
        let mut rows = Batch::default();
        let row = match self.bot_identity(None).new_message(&mut rows, key.to_string(), content) {
            Ok(row) => MessageRow { reply_to: reply_to.map(id_of), ..row },
            Err(error) => return failed(answer, error),
        };
        let position = self.next;
        // With this position if a commit that failed is in the file all the same.
        IDS.require_absent_or_equals(&mut rows, &(self.room.name.clone(), row.id.clone()), &position);
        let row = self.append(&mut rows, row);
        let posted = || vec![Recorded::Posted { position }];
        let receipt = self.commit_recorded(None, "a message of a bot", rows, posted);
        self.pending.push_back(Box::pin(async move {
            match receipt.await {
                Ok(_) => CommitResult {
                    result: Ok(()),
                    on_commit: OnCommit::Show { position, row, requester: Requester::Bot(answer) },
                },
                // It was stored before the restart; clients get it from the history.
                Err(EmitError::Refused) => {
                    let outcome = Outcome { message: Some(row.id.as_str().into()) };
                    let _asked = answer.send(Ok(outcome));
                    let on_commit = OnCommit::Duplicate { position };
                    CommitResult { result: Ok(()), on_commit }
                }
                Err(error) => CommitResult {
                    result: Err(error.to_string()),
                    on_commit: OnCommit::Show { position, row, requester: Requester::Bot(answer) },
                },
            }
        }));
    }

    /// Drops a message that is already in the history, from before the restart.
    pub(super) fn drop_duplicate(&mut self, position: u64) {
        self.shown_before = self.shown_before.max(position + 1);
        self.recent.retain(|(other, _)| *other != position);
    }
}
