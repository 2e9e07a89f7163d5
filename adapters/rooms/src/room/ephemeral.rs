//! Messages for one user: ephemeral answers and direct messages of bots.
//!
//! They are not stored.

use std::sync::Arc;

use palabre_types::{ActionError, ActionKey, Batch, Content, Outcome, UserId};
use serde_json::json;

use super::answer::{Answer, failed};
use super::command::DirectMessage;
use super::state::State;
use super::state::commit::{CommitResult, OnCommit, Requester};
use super::state::ephemeral::EphemeralMessage;
use crate::bot_identity::UNSTORED_FILES_LIFE;
use crate::encode::ephemeral_message;

impl State {
    /// Shows an answer of a bot to one user only.
    pub(super) fn answer_ephemeral(&mut self, key: &ActionKey, user: &UserId, content: Content, answer: Answer) {
        let (user, id) = (user.native().to_lowercase(), key.to_string());
        if self.ephemeral.contains(&user, &id) {
            let _asked = answer.send(Ok(Outcome { message: Some(id.into()) }));
            return;
        }
        let Some(guest) = self.presence.guest(&user) else {
            return failed(answer, ActionError::NotFound(format!("{user} is not in this room")));
        };
        let mut batch = Batch::default();
        let row = match self.bot_identity(Some(UNSTORED_FILES_LIFE)).new_message(&mut batch, id.clone(), content) {
            Ok(row) => Arc::new(row),
            Err(error) => return failed(answer, error),
        };
        self.ephemeral.keep(EphemeralMessage { user: user.clone(), guest, row, is_private: false });
        // Only the files are stored, for a while.
        let receipt = (!batch.is_empty()).then(|| self.cx.write("files of a message for one user", batch));
        let on_commit = OnCommit::Ephemeral { user, id, requester: Requester::Bot(answer) };
        self.pending.push_back(Box::pin(async move {
            let result = match receipt {
                Some(receipt) => receipt.await.map(drop).map_err(|error| error.to_string()),
                None => Ok(()),
            };
            CommitResult { result, on_commit }
        }));
    }

    /// Shows an ephemeral message, once its files are stored.
    pub(super) fn show_ephemeral(&mut self, result: Result<(), String>, user: &str, id: String, requester: Requester) {
        let Some(row) = self.ephemeral.get(&id).map(|message| Arc::clone(&message.row)) else {
            return requester.reply(result.map(|()| Some(id)));
        };
        if let Err(problem) = result {
            self.ephemeral.remove(&id);
            return requester.reply(Err(problem));
        }
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
        let Some(before) = self.ephemeral.get(id) else { return Ok(false) };
        let mut batch = Batch::default();
        let identity = self.bot_identity(Some(UNSTORED_FILES_LIFE));
        let row = Arc::new(identity.edited_message(&mut batch, &before.row, content.clone())?);
        if !batch.is_empty() {
            drop(self.cx.write("files of a message for one user", batch));
        }
        let Some(held) = self.ephemeral.get_mut(id) else { return Ok(false) };
        held.row = Arc::clone(&row);
        let (user, is_private, room) = (held.user.clone(), held.is_private, self.room.name.clone());
        self.send_to(&user, "message_edited", &ephemeral_message(&room, &row, is_private));
        Ok(true)
    }

    /// Deletes an ephemeral message, if there is one with that id.
    pub(super) fn delete_ephemeral(&mut self, id: &str) {
        let Some(message) = self.ephemeral.remove(id) else { return };
        let deleted = json!({ "id": id, "room": self.room.name });
        self.send_to(&message.user, "message_deleted", &deleted);
    }
}
