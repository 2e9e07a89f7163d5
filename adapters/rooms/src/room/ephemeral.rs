//! Messages for one user: ephemeral answers and direct messages of bots.
//!
//! They are not stored. The last ones are kept in memory, so that their buttons and lists can be
//! used.

use std::collections::VecDeque;
use std::sync::Arc;

use palabre_model::{ActionError, ActionKey, Batch, Content, Outcome, UserId};
use serde_json::json;

use super::State;
use super::commits::{CommitResult, OnCommit, Requester};
use crate::bot_identity::UNSTORED_FILES_LIFE;
use crate::encode::ephemeral_message;
use crate::history::MessageRow;
use crate::room::command::{Answer, DirectMessage};

/// Maximum number kept by a room.
const EPHEMERAL_MESSAGES_MAX: usize = 1_000;

struct EphemeralMessage {
    /// Lower-case username.
    user: String,
    /// The id of the guest whom the message is for.
    guest: Arc<str>,
    row: Arc<MessageRow>,
    is_private: bool,
}

#[derive(Default)]
pub(super) struct EphemeralMessages {
    kept: VecDeque<EphemeralMessage>,
}

impl EphemeralMessages {
    /// Returns the message `id`, if it is for `user`.
    fn row(&self, user: &str, id: &str) -> Option<Arc<MessageRow>> {
        let found = self.kept.iter().rev().find(|message| message.row.id == id && message.user == user);
        found.map(|message| Arc::clone(&message.row))
    }

    /// Returns the message `id`, if it is for that guest.
    pub(super) fn row_of_guest(&self, guest: &str, id: &str) -> Option<Arc<MessageRow>> {
        let found = self.kept.iter().rev().find(|message| message.row.id == id && &*message.guest == guest);
        found.map(|message| Arc::clone(&message.row))
    }

    /// Keeps a message. Returns false if it is already there, for a repeated action.
    fn keep(&mut self, message: EphemeralMessage) -> bool {
        if self.row(&message.user, &message.row.id).is_some() {
            return false;
        }
        self.kept.push_back(message);
        if self.kept.len() > EPHEMERAL_MESSAGES_MAX {
            self.kept.pop_front();
        }
        true
    }

    fn index(&self, id: &str) -> Option<usize> {
        self.kept.iter().rposition(|message| message.row.id == id)
    }
}

impl State {
    /// Shows an answer of a bot to one user only.
    pub(super) fn answer_ephemeral(&mut self, key: &ActionKey, user: &UserId, content: Content, answer: Answer) {
        let (user, id) = (user.native().to_lowercase(), key.to_string());
        if self.ephemeral.row(&user, &id).is_some() {
            let _asked = answer.send(Ok(Outcome { message: Some(id.into()) }));
            return;
        }
        let Some(guest) = self.presence.guest(&user) else {
            let _asked = answer.send(Err(ActionError::NotFound(format!("{user} is not in this room"))));
            return;
        };
        let mut batch = Batch::default();
        let row = match self.bot_identity(Some(UNSTORED_FILES_LIFE)).new_message(&mut batch, id.clone(), content) {
            Ok(row) => Arc::new(row),
            Err(error) => {
                let _asked = answer.send(Err(error));
                return;
            }
        };
        self.ephemeral.keep(EphemeralMessage { user: user.clone(), guest, row, is_private: false });
        // Only the files are stored, for a while.
        let ticket = (!batch.is_empty()).then(|| self.cx.store.commit(batch));
        let on_commit = OnCommit::Ephemeral { user, id, requester: Requester::Bot(answer) };
        self.pending.push_back(Box::pin(async move {
            let result = match ticket {
                Some(ticket) => ticket.await.map_err(|error| error.to_string()),
                None => Ok(()),
            };
            CommitResult { result, on_commit }
        }));
    }

    pub(super) fn show_ephemeral(&mut self, result: Result<(), String>, user: &str, id: String, requester: Requester) {
        let Some(index) = self.ephemeral.index(&id) else { return requester.reply(result.map(|()| Some(id))) };
        if let Err(problem) = result {
            self.ephemeral.kept.remove(index);
            return requester.reply(Err(problem));
        }
        let row = Arc::clone(&self.ephemeral.kept[index].row);
        let room = self.room.name.clone();
        self.send_to(user, "new_message", &ephemeral_message(&room, &row, false));
        requester.reply(Ok(Some(id)));
    }

    /// Shows a direct message, if the user is in this room.
    pub(super) fn direct_message(&mut self, message: DirectMessage) {
        let DirectMessage { user, row, answer } = message;
        let Some(guest) = self.presence.guest(&user) else {
            let _asked = answer.send(false);
            return;
        };
        let kept = EphemeralMessage { user: user.clone(), guest, row: Arc::clone(&row), is_private: true };
        if self.ephemeral.keep(kept) {
            let room = self.room.name.clone();
            self.send_to(&user, "new_message", &ephemeral_message(&room, &row, true));
        }
        let _asked = answer.send(true);
    }

    /// Edits an ephemeral message. Returns false if no message has that id.
    pub(super) fn edit_ephemeral(&mut self, id: &str, content: &Content) -> Result<bool, ActionError> {
        let Some(index) = self.ephemeral.index(id) else { return Ok(false) };
        let mut batch = Batch::default();
        let before = &self.ephemeral.kept[index].row;
        let identity = self.bot_identity(Some(UNSTORED_FILES_LIFE));
        let row = Arc::new(identity.edited_message(&mut batch, before, content.clone())?);
        if !batch.is_empty() {
            drop(self.cx.store.commit(batch));
        }
        let held = &mut self.ephemeral.kept[index];
        held.row = Arc::clone(&row);
        let (user, is_private, room) = (held.user.clone(), held.is_private, self.room.name.clone());
        self.send_to(&user, "message_edited", &ephemeral_message(&room, &row, is_private));
        Ok(true)
    }

    /// Deletes an ephemeral message, if there is one with that id.
    pub(super) fn delete_ephemeral(&mut self, id: &str) {
        let found = self.ephemeral.index(id).and_then(|index| self.ephemeral.kept.remove(index));
        let Some(message) = found else { return };
        let deleted = json!({ "id": id, "room": self.room.name });
        self.send_to(&message.user, "message_deleted", &deleted);
    }
}
