//! Attempts at actions that are performed at most once: each is recorded before it begins.
//!
//! So the next process knows the attempt that a crash has interrupted, and reports it instead of
//! repeating it. The record is removed together with the entry.

use palabre_platform::{Adapter, EmitError};
use palabre_state::BEGUN_ATTEMPTS;
use palabre_types::{Action, Batch};

use crate::outbox::Outbox;
use crate::pending_action::PendingAction;

/// Whether the attempts at an action are recorded.
///
/// They need not be where the adapter stores the message under its action key, and so performs
/// no action twice. Messages for one user are stored nowhere.
pub(crate) fn is_recorded(entry: &PendingAction, adapter: &dyn Adapter) -> bool {
    entry.is_at_most_once() && (is_for_one_user(&entry.action) || adapter.message_id(&entry.key).is_none())
}

fn is_for_one_user(action: &Action) -> bool {
    matches!(action, Action::Direct { .. }) || action.content().is_some_and(|content| content.ephemeral)
}

/// Records that an attempt begins. It may begin once this has succeeded.
pub(crate) async fn begin(outbox: &Outbox, entry: &PendingAction) -> Result<(), EmitError> {
    let mut batch = Batch::default();
    BEGUN_ATTEMPTS.put(&mut batch, &entry.position.key(), &outbox.cx.clock.now());
    outbox.cx.deliveries.record_attempt("an attempt begins", batch).await.map(drop)
}

/// Records that the last attempt has performed nothing, so that another one may follow.
pub(crate) async fn withdraw(outbox: &Outbox, entry: &PendingAction) {
    let mut batch = Batch::default();
    BEGUN_ATTEMPTS.delete(&mut batch, &entry.position.key());
    if let Err(error) = outbox.cx.deliveries.record_attempt("an attempt has done nothing", batch).await {
        // It matters only if the process ends before the next attempt: the action is then reported
        // as uncertain, and not performed.
        tracing::warn!(script = %entry.key.script, "cannot record that an action was not performed: {error}");
    }
}
