//! Commits of a room that are not yet durable, each with what follows it.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use palabre_types::{ActionError, Outcome};
use socketioxide::socket::Sid;
use tokio::sync::oneshot;

use super::nonces::Nonce;
use crate::encode::Ack;
use crate::history::MessageRow;
use crate::members::Undo;
use crate::peer::AckSender;
use crate::room::answer::Answer;
use crate::room::command::{HttpAnswer, Refusal};
use crate::room::moderation_notice::ModerationNotice;

/// A commit that is not yet durable.
pub(crate) type PendingCommit = BoxFuture<'static, CommitResult>;

/// The result of a commit, and what follows it.
pub(crate) struct CommitResult {
    pub(crate) result: Result<(), String>,
    pub(crate) on_commit: OnCommit,
}

/// The change to show or the request to reply to after a commit.
#[allow(clippy::large_enum_variant, reason = "a few wait at a time, for one commit")]
pub(crate) enum OnCommit {
    /// Shows a message to everybody.
    Show { position: u64, row: Arc<MessageRow>, requester: Requester },
    /// Drops a message that is already in the history under its action key.
    Duplicate { position: u64 },
    /// Replies with the id of a message that was already sent.
    Repeated { nonce: Nonce, requester: Requester },
    /// Broadcasts a change.
    ///
    /// `text_change` is the number of the change if it is one of text (`RoomRow::text_changes`).
    Changed { change: Change, touched: Vec<u64>, text_change: Option<u64>, requester: Requester },
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
pub(crate) enum Change {
    Edited(Arc<MessageRow>),
    Deleted { id: String },
    Reaction { id: String, emoji: String, username: String, added: bool },
    Pinned { id: String, pinned: bool },
    Purged { ids: Vec<String> },
    Read { username: String, id: String },
    Arranged,
}

/// The client or bot that receives the result.
pub(crate) enum Requester {
    Client {
        sid: Sid,
        ack: AckSender,
    },
    Bot(Answer),
    /// A request over HTTP.
    Http(HttpAnswer),
    /// A part of the service that waits until everything before is durable.
    Waiting(oneshot::Sender<()>),
    /// The deletion of an account, which asks for the number of deleted messages.
    Counting(oneshot::Sender<Result<usize, String>>),
    /// A step of another request.
    Nobody,
}

impl Change {
    /// Whether it replaces or deletes the text of messages.
    pub(crate) fn is_of_text(&self) -> bool {
        match self {
            Self::Edited(_) | Self::Deleted { .. } | Self::Purged { .. } => true,
            Self::Reaction { .. } | Self::Pinned { .. } | Self::Read { .. } | Self::Arranged => false,
        }
    }

    /// Returns the id of the message that was changed, if it is a single one.
    pub(crate) fn into_id(self) -> Option<String> {
        match self {
            Self::Edited(row) => Some(row.id.clone()),
            Self::Deleted { id } | Self::Reaction { id, .. } | Self::Pinned { id, .. } | Self::Read { id, .. } => {
                Some(id)
            }
            Self::Purged { .. } | Self::Arranged => None,
        }
    }
}

impl Requester {
    /// Replies with the id of a message, if the result is about one, or with the error.
    pub(crate) fn reply(self, result: Result<Option<String>, String>) {
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
                // The store accepts no writes at present, which is not the action's fault.
                let result = result.map(|id| Outcome { message: id.map(Into::into) }).map_err(ActionError::Unavailable);
                let _asked = answer.send(result);
            }
            Self::Http(answer) => {
                // The client may be gone.
                let _asked = answer.send(result.map_err(Refusal::Unavailable));
            }
            // Nothing was left to change.
            Self::Counting(answer) => {
                let _asked = answer.send(result.map(|_| 0));
            }
            Self::Waiting(answer) => {
                let _asked = answer.send(());
            }
            Self::Nobody => {
                if let Err(error) = result {
                    tracing::warn!("one step of a request failed: {error}");
                }
            }
        }
    }
}
