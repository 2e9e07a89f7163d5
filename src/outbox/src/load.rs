//! Loads entries that did not fit into memory from their rows, as room becomes free.

use std::sync::Arc;
use std::time::Duration;

use palabre_state::{Class, OUTBOX, Position, spilled_kind};
use palabre_store::{Direction, Result, Store};

use crate::bot::IN_MEMORY_MAX;
use crate::outbox::{Outbox, STORE_RETRY_DELAY};
use crate::pending_action::PendingAction;

/// Delay before rows are read again whose commit is still in progress.
const COMMIT_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Loads the next rows of a bot and class, once their commit is done.
pub(crate) async fn run(outbox: &Arc<Outbox>, bot: &str, class: Class) {
    let state = outbox.bot(bot);
    loop {
        let (store, name) = (outbox.cx.store.clone(), bot.to_owned());
        let loaded = state.counts(class).loaded.clone();
        let now = outbox.cx.clock.now();
        let reading = tokio::task::spawn_blocking(move || {
            read(&store, now, &name, class, |position| !loaded.contains(&position))
        });
        let entries = match reading.await {
            Ok(Ok(entries)) => entries,
            Ok(Err(error)) => {
                tracing::error!(bot, "cannot read waiting actions; trying again: {error}");
                if outbox.wait(STORE_RETRY_DELAY).await {
                    continue;
                }
                Vec::new()
            }
            Err(_stopped) => Vec::new(),
        };
        let is_too_early = entries.is_empty() && state.counts(class).has_rows();
        if is_too_early && outbox.wait(COMMIT_POLL_INTERVAL).await {
            continue;
        }
        let mut counts = state.counts(class);
        for entry in &entries {
            counts.loaded(entry.action.room(), entry.position);
        }
        counts.is_loading = false;
        // Under the lock: once a room has no more rows, new entries go to its queue, and must come
        // after these.
        outbox.start(entries);
        return;
    }
}

/// Reads the first rows of a bot and class that are wanted.
fn read(
    store: &Store,
    now: u64,
    bot: &str,
    class: Class,
    is_wanted: impl Fn(Position) -> bool,
) -> Result<Vec<PendingAction>> {
    let snapshot = store.snapshot(now)?;
    let prefix = (bot.to_owned(), spilled_kind(class));
    let mut entries = Vec::new();
    for row in OUTBOX.scan(&snapshot, &prefix, Direction::Forward)? {
        let (key, row) = row?;
        if is_wanted(Position { block: key.2, index: key.3 }) {
            entries.push(PendingAction::from_row(&key, row));
        }
        if entries.len() >= IN_MEMORY_MAX / 2 {
            break;
        }
    }
    Ok(entries)
}
