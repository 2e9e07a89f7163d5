//! Answers to the actions of bots.

use futures_util::future::BoxFuture;
use palabre_types::{ActionError, MessageRef, Outcome};
use tokio::sync::oneshot;

/// Receives the result of an action.
pub(crate) type Answer = oneshot::Sender<Result<Outcome, ActionError>>;

/// The pending result of an action.
pub(crate) type PendingResult = BoxFuture<'static, Result<Outcome, ActionError>>;

/// Returns the id of the message that an action refers to.
pub(super) fn id_of(reference: &MessageRef) -> String {
    match reference {
        MessageRef::Id(id) | MessageRef::Own(id) => id.to_string(),
        MessageRef::Sent(key) => key.to_string(),
    }
}

/// Answers that the message does not exist.
pub(super) fn not_found(answer: Answer, message: &MessageRef) {
    failed(answer, ActionError::NotFound(format!("message {}", id_of(message))));
}

/// Answers with an error.
pub(super) fn failed(answer: Answer, error: ActionError) {
    let _asked = answer.send(Err(error));
}

/// Answers that the action is done, or was done before.
pub(super) fn done(answer: Answer) {
    let _asked = answer.send(Ok(Outcome::default()));
}
