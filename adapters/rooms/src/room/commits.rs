//! Commits of a room, and what follows each of them, in the order of the room.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use palabre_model::{ActionError, Outcome};
use serde_json::json;
use socketioxide::socket::Sid;

use super::State;
use super::moderation::ModerationNotice;
use super::nonces::Nonce;
use crate::encode::{Ack, message};
use crate::history::MessageRow;
use crate::members::Undo;
use crate::peer::AckSender;
use crate::room::command::Answer;

/// A commit that is not yet durable.
pub(super) type PendingCommit = BoxFuture<'static, CommitResult>;

/// The result of a commit, and what follows it.
pub(super) struct CommitResult {
    pub(super) result: Result<(), String>,
    pub(super) on_commit: OnCommit,
}

#[allow(clippy::large_enum_variant, reason = "a few wait at a time, for one commit")]
pub(super) enum OnCommit {
    /// Shows a message to everybody.
    Show { position: u64, row: Arc<MessageRow>, requester: Requester },
    /// Drops a message that is already in the history under its action key.
    Duplicate { position: u64 },
    /// Replies with the id of a message that was already sent.
    Repeated { nonce: Nonce, requester: Requester },
    /// Broadcasts a change.
    Changed { change: Change, touched: Vec<u64>, requester: Requester },
    /// Shows an ephemeral message to its user.
    Ephemeral { user: String, id: String, requester: Requester },
    /// Shows a form to its user.
    Form { user: String, id: String, requester: Requester },
    /// Replies to the person who submitted a form.
    Submitted { user: String, id: String, requester: Requester },
    /// Carries out a moderation action, or reverts it.
    Moderated { notice: Arc<ModerationNotice>, undo: Option<Undo>, requester: Requester },
    /// Only replies.
    Reply(Requester),
}

/// A change that is broadcast once it is durable.
pub(super) enum Change {
    Edited(Arc<MessageRow>),
    Deleted { id: String },
    Reaction { id: String, emoji: String, username: String, added: bool },
    Pinned { id: String, pinned: bool },
    Purged { ids: Vec<String> },
    Arranged,
}

/// The client or bot that receives the result.
pub(super) enum Requester {
    Client {
        sid: Sid,
        ack: AckSender,
    },
    Bot(Answer),
    /// A step of another request.
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
    /// Returns the id of the message that was changed, if it is a single one.
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
                // A client that is gone repeats the request with the same nonce.
                drop(ack.send(&ack_with));
            }
            Self::Bot(answer) => {
                let result = result.map(|id| Outcome { message: id.map(Into::into) }).map_err(ActionError::Transient);
                let _asked = answer.send(result);
            }
            Self::Nobody => {
                if let Err(error) = result {
                    tracing::warn!("one step of a request failed: {error}");
                }
            }
        }
    }
}
