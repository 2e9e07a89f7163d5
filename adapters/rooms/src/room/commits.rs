//! What has settled, in the store or not, and what there is to do about it, in the order of the room.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use palabre_model::{ActionError, Outcome};
use serde_json::json;
use socketioxide::socket::Sid;

use super::moderation::ModerationNotice;
use super::nonces::Nonce;
use super::{Answer, State};
use crate::encode::{Ack, message};
use crate::history::MessageRow;
use crate::members::Undo;
use crate::peer::AckSender;

/// What has been handed to the store and is on its way to being durable, in the order of the room.
pub(super) type PendingCommit = BoxFuture<'static, CommitResult>;

/// Something durable (or not), with what there is to do about it.
pub(super) struct CommitResult {
    pub(super) result: Result<(), String>,
    pub(super) on_commit: OnCommit,
}

#[allow(clippy::large_enum_variant, reason = "a few wait at a time, for one commit")]
pub(super) enum OnCommit {
    /// A message is shown to everybody.
    Show { position: u64, row: Arc<MessageRow>, requester: Requester },
    /// A message was said before, under the place that it has.
    Duplicate { position: u64 },
    /// A message that was sent already: its id again.
    Repeated { nonce: Nonce, requester: Requester },
    /// Something has changed.
    Changed { change: Change, touched: Vec<u64>, requester: Requester },
    /// One person is shown a message of their own.
    Ephemeral { user: String, id: String, requester: Requester },
    /// One person is shown a form.
    Form { user: String, id: String, requester: Requester },
    /// A form was filled in.
    Submitted { user: String, id: String, requester: Requester },
    /// Something is done to somebody.
    Moderated { notice: Arc<ModerationNotice>, undo: Option<Undo>, requester: Requester },
    /// Only whoever asked is answered.
    Reply(Requester),
}

/// A change that everybody is told once it is durable.
pub(super) enum Change {
    Edited(Arc<MessageRow>),
    Deleted { id: String },
    Reaction { id: String, emoji: String, username: String, added: bool },
    Pinned { id: String, pinned: bool },
    Purged { ids: Vec<String> },
    Arranged,
}

/// Who wants to know what became of it.
pub(super) enum Requester {
    Client {
        sid: Sid,
        ack: AckSender,
    },
    Bot(Answer),
    /// Part of something else.
    Nobody,
}

impl State {
    pub(super) fn committed(&mut self, commit: CommitResult) {
        let CommitResult { result, on_commit } = commit;
        match on_commit {
            OnCommit::Show { position, row, requester } => self.show(result, position, &row, requester),
            OnCommit::Duplicate { position } => self.drop_duplicate(position),
            OnCommit::Repeated { nonce, requester } => self.answer_repeated(&nonce, requester),
            OnCommit::Changed { change, touched, requester } => {
                self.finish_writes(&touched);
                if result.is_ok() {
                    self.broadcast_change(&change);
                }
                requester.reply(result.map(|()| change.into_id()));
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
            Change::Edited(row) => self.broadcast("message_edited", &message(&room, row), None),
            Change::Deleted { id } => self.broadcast("message_deleted", &json!({ "id": id, "room": room }), None),
            Change::Reaction { id, emoji, username, added } => {
                let reaction = json!({ "id": id, "emoji": emoji, "username": username, "added": added });
                self.broadcast("reaction", &reaction, None);
            }
            Change::Pinned { id, pinned } => {
                self.broadcast("message_pinned", &json!({ "id": id, "pinned": pinned }), None);
            }
            Change::Purged { ids } => self.broadcast("messages_deleted", &json!({ "ids": ids }), None),
            Change::Arranged => self.broadcast_rules(),
        }
    }
}

impl Change {
    /// The one message that it is about.
    fn into_id(self) -> Option<String> {
        match self {
            Self::Edited(row) => Some(row.id.clone()),
            Self::Deleted { id } | Self::Reaction { id, .. } | Self::Pinned { id, .. } => Some(id),
            Self::Purged { .. } | Self::Arranged => None,
        }
    }
}

impl Requester {
    pub(super) fn reply(self, result: Result<Option<String>, String>) {
        match self {
            Self::Client { ack, .. } => {
                let ack_with = match result {
                    Ok(Some(id)) => Ack::Id { id },
                    Ok(None) => Ack::Done {},
                    Err(error) => Ack::Error { error },
                };
                // A client that is gone asks again with the same nonce.
                drop(ack.send(&ack_with));
            }
            Self::Bot(answer) => {
                let result = result.map(|id| Outcome { message: id.map(Into::into) }).map_err(ActionError::Transient);
                let _asked = answer.send(result);
            }
            Self::Nobody => {
                if let Err(error) = result {
                    tracing::warn!("a part of what was asked for could not be done: {error}");
                }
            }
        }
    }
}
