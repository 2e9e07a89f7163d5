//! The end of each commit: shows its change or reports its error, in the order of the room.

use serde_json::json;

use super::state::State;
use super::state::commit::{Change, CommitResult, OnCommit, Requester};
use super::state::watchers::Update;
use crate::conversation::is_conversation;
use crate::encode::message;
use crate::search::feed::TextChange;

impl State {
    /// Does what follows a commit, which has succeeded or failed.
    pub(super) fn committed(&mut self, commit: CommitResult) {
        let CommitResult { result, on_commit } = commit;
        self.cx.change_log.announce();
        match on_commit {
            OnCommit::Show { position, row, requester } => {
                self.cx.feed.added(&self.room.name);
                self.show(result, position, &row, requester);
            }
            OnCommit::Duplicate { position } => self.drop_duplicate(position),
            OnCommit::Repeated { nonce, requester } => self.answer_repeated(&nonce, requester),
            OnCommit::Changed { change, touched, text_change, requester } => {
                self.finish_writes(&touched);
                if let Some(number) = text_change {
                    let change = TextChange { number, positions: &touched, is_durable: result.is_ok() };
                    self.cx.feed.text_changed(&self.room.name, change);
                }
                if result.is_ok() {
                    self.broadcast_change(&change);
                }
                match (requester, &change) {
                    (Requester::Counting(answer), Change::Purged { ids }) => {
                        let _asked = answer.send(result.map(|()| ids.len()));
                    }
                    (requester, _) => requester.reply(result.map(|()| change.into_id())),
                }
            }
            OnCommit::Ephemeral { user, id, requester } => self.show_ephemeral(result, &user, id, requester),
            OnCommit::Form { user, id, requester } => self.show_form(&user, &id, requester),
            OnCommit::Submitted { user, id, requester } => {
                if result.is_err() {
                    self.forms.reopen(&user, &id);
                }
                requester.reply(result.map(|()| None));
            }
            OnCommit::Moderated { notice, undo, requester } => {
                match (&result, undo) {
                    (Ok(()), _) => self.carry_out(&notice),
                    (Err(_), Some(undo)) => self.cx.members.undo(undo),
                    (Err(_), None) => {}
                }
                requester.reply(result.map(|()| None));
            }
            OnCommit::Reply(requester) => requester.reply(result.map(|()| None)),
        }
    }

    fn broadcast_change(&mut self, change: &Change) {
        let room = self.room.name.clone();
        match change {
            Change::Edited(row) => {
                self.broadcast("message_edited", &message(&room, row), None);
                self.watchers.said(row);
            }
            Change::Deleted { id } => {
                self.broadcast("message_deleted", &json!({ "id": id, "room": room }), None);
                self.watchers.notify(&Update::Deleted(id.clone()));
            }
            Change::Reaction { id, emoji, username, added } => {
                let reaction = json!({ "id": id, "emoji": emoji, "username": username, "added": added });
                self.broadcast("reaction", &reaction, None);
            }
            Change::Pinned { id, pinned } => {
                self.broadcast("message_pinned", &json!({ "id": id, "pinned": pinned }), None);
            }
            Change::Purged { ids } => {
                self.broadcast("messages_deleted", &json!({ "ids": ids }), None);
                ids.iter().for_each(|id| self.watchers.notify(&Update::Deleted(id.clone())));
            }
            Change::Read { username, id } if is_conversation(&room) => {
                self.broadcast("message_read", &json!({ "username": username, "id": id, "room": room }), None);
            }
            // In other rooms, nobody is told how far others have read.
            Change::Read { .. } => {}
            Change::Arranged => self.broadcast_rules(),
        }
    }
}
