//! Attempts at actions that are performed at most once: each is recorded before it begins.
//!
//! So the next process knows the attempt that a crash has interrupted, and reports it instead of
//! repeating it. The record is removed together with the entry.

use palabre_platform::{Adapter, EmitError};
use palabre_state::BEGUN_ATTEMPTS;
use palabre_types::{Action, Batch};

use super::Outbox;
use super::pending_action::PendingAction;
use crate::context::write_rows;

/// Whether the attempts at an action are recorded.
///
/// They need not be where the adapter stores the message under its action key, and so performs
/// no action twice. Messages for one user are stored nowhere.
pub(super) fn is_recorded(entry: &PendingAction, adapter: &dyn Adapter) -> bool {
    entry.is_at_most_once() && (is_for_one_user(&entry.action) || adapter.message_id(&entry.key).is_none())
}

fn is_for_one_user(action: &Action) -> bool {
    matches!(action, Action::Direct { .. }) || action.content().is_some_and(|content| content.ephemeral)
}

/// Records that an attempt begins. It may begin once this has succeeded.
pub(super) async fn begin(outbox: &Outbox, entry: &PendingAction) -> Result<(), EmitError> {
    let mut batch = Batch::default();
    BEGUN_ATTEMPTS.put(&mut batch, &entry.position.key(), &outbox.cx.clock.now());
    write_rows(&outbox.cx.core, "outbox", "an attempt begins", batch).await.map(drop)
}

/// Records that the last attempt has performed nothing, so that another one may follow.
pub(super) async fn withdraw(outbox: &Outbox, entry: &PendingAction) {
    let mut batch = Batch::default();
    BEGUN_ATTEMPTS.delete(&mut batch, &entry.position.key());
    if let Err(error) = write_rows(&outbox.cx.core, "outbox", "an attempt has done nothing", batch).await {
        // It matters only if the process ends before the next attempt: the action is then reported
        // as uncertain, and not performed.
        tracing::warn!(script = %entry.key.script, "cannot record that an action was not performed: {error}");
    }
}
