//! What bots say to everybody.

use palabre_model::{ActionKey, Batch, Content, MessageRef, Millis, Outcome};
use palabre_store::Error;

use super::acting::id_of;
use super::commits::{CommitResult, OnCommit, Requester};
use super::{Answer, State};
use crate::bot_identity::BotIdentity;
use crate::files::AttachmentStore;
use crate::history::{IDS, MessageRow};

impl State {
    /// The bot, now. `files_life` is how long its files are kept, where they do not go with their message.
    pub(super) fn bot_identity(&self, files_life: Option<Millis>) -> BotIdentity<'_> {
        let now = self.cx.context.clock.now();
        let expires = files_life.map(|life| now.saturating_add(life));
        let attachment_store = self.attachment_store(expires);
        BotIdentity { nickname: &self.cx.config.nickname, attachment_store }
    }

    /// Where files of messages are put.
    pub(super) fn attachment_store(&self, expires: Option<Millis>) -> AttachmentStore<'_> {
        AttachmentStore {
            room: &self.room.name,
            now: self.cx.context.clock.now(),
            largest: self.cx.config.max_file_mb << 20,
            expires,
            entropy: &*self.cx.entropy,
        }
    }

    /// A message of a bot. Performing it again under the same key changes nothing.
    pub(super) fn send(&mut self, key: &ActionKey, content: Content, reply_to: Option<&MessageRef>, answer: Answer) {
        let mut rows = Batch::default();
        let row = match self.bot_identity(None).new_message(&mut rows, key.to_string(), content) {
            Ok(row) => MessageRow { reply_to: reply_to.map(id_of), ..row },
            Err(error) => {
                let _asked = answer.send(Err(error));
                return;
            }
        };
        let position = self.next;
        IDS.require_absent(&mut rows, &(self.room.name.clone(), row.id.clone()));
        let row = self.append(&mut rows, row);
        let ticket = self.cx.store.commit(rows);
        self.pending.push_back(Box::pin(async move {
            match ticket.await {
                Ok(()) => CommitResult {
                    result: Ok(()),
                    on_commit: OnCommit::Show { position, row, requester: Requester::Bot(answer) },
                },
                // It was said before the daemon went down; whoever comes back has it from the history.
                Err(Error::Refused { .. }) => {
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

    /// A message has its place already, from before the daemon went down; this one is nowhere.
    pub(super) fn drop_duplicate(&mut self, position: u64) {
        self.shown_before = self.shown_before.max(position + 1);
        self.recent.retain(|(other, _)| *other != position);
    }
}
