//! What has settled, in the store or not, and what there is to do about it, in the order of the room.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use palabre_model::{ActionError, Outcome};
use serde_json::json;
use socketioxide::socket::Sid;

use super::moderation::Notice;
use super::nonces::Nonce;
use super::{Answer, State};
use crate::encode::{Ack, message};
use crate::history::MessageRow;
use crate::members::Undo;
use crate::peer::AckSender;

/// What has been handed to the store and is on its way to being durable, in the order of the room.
pub(super) type Durable = BoxFuture<'static, Settled>;

/// Something durable (or not), with what there is to do about it.
pub(super) struct Settled {
    pub(super) verdict: Result<(), String>,
    pub(super) then: Then,
}

#[allow(clippy::large_enum_variant, reason = "a few wait at a time, for one commit")]
pub(super) enum Then {
    /// A message is shown to everybody.
    Show { position: u64, row: Arc<MessageRow>, asker: Asker },
    /// A message was said before, under the place that it has.
    Unsaid { position: u64 },
    /// A message that was sent already: its id again.
    Again { nonce: Nonce, asker: Asker },
    /// Something has changed.
    Changed { change: Change, touched: Vec<u64>, asker: Asker },
    /// One person is shown a message of their own.
    Ephemeral { user: String, id: String, asker: Asker },
    /// One person is shown a form.
    Form { user: String, id: String, asker: Asker },
    /// A form was filled in.
    Submitted { user: String, id: String, asker: Asker },
    /// Something is done to somebody.
    Moderated { notice: Arc<Notice>, undo: Option<Undo>, asker: Asker },
    /// Only whoever asked is answered.
    Answer(Asker),
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
pub(super) enum Asker {
    Client {
        sid: Sid,
        ack: AckSender,
    },
    Bot(Answer),
    /// Part of something else.
    Nobody,
}

impl State {
    pub(super) fn settled(&mut self, settled: Settled) {
        let Settled { verdict, then } = settled;
        match then {
            Then::Show { position, row, asker } => self.show(verdict, position, &row, asker),
            Then::Unsaid { position } => self.unsaid(position),
            Then::Again { nonce, asker } => self.again(&nonce, asker),
            Then::Changed { change, touched, asker } => {
                self.arrived(&touched);
                if verdict.is_ok() {
                    self.broadcast_change(&change);
                }
                asker.answer(verdict.map(|()| change.into_id()));
            }
            Then::Ephemeral { user, id, asker } => self.show_ephemeral(verdict, &user, id, asker),
            Then::Form { user, id, asker } => self.show_form(&user, &id, asker),
            Then::Submitted { user, id, asker } => {
                if verdict.is_err() {
                    self.forms.reopen(&user, &id);
                }
                asker.answer(verdict.map(|()| None));
            }
            Then::Moderated { notice, undo, asker } => {
                match (&verdict, undo) {
                    (Ok(()), _) => self.carry_out(&notice),
                    (Err(_), Some(undo)) => self.cx.members.undo(undo),
                    (Err(_), None) => {}
                }
                asker.answer(verdict.map(|()| None));
            }
            Then::Answer(asker) => asker.answer(verdict.map(|()| None)),
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

impl Asker {
    pub(super) fn answer(self, verdict: Result<Option<String>, String>) {
        match self {
            Self::Client { ack, .. } => {
                let ack_with = match verdict {
                    Ok(Some(id)) => Ack::Id { id },
                    Ok(None) => Ack::Done {},
                    Err(error) => Ack::Error { error },
                };
                // A client that is gone asks again with the same nonce.
                drop(ack.send(&ack_with));
            }
            Self::Bot(answer) => {
                let verdict = verdict.map(|id| Outcome { message: id.map(Into::into) }).map_err(ActionError::Transient);
                let _asked = answer.send(verdict);
            }
            Self::Nobody => {
                if let Err(error) = verdict {
                    tracing::warn!("a part of what was asked for could not be done: {error}");
                }
            }
        }
    }
}
