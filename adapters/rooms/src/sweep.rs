//! Hourly deletion of old messages and empty rooms.

use palabre_platform::AdapterContext;
use palabre_store::{Direction, Result, Store};
use palabre_types::{Batch, Millis};
use tokio::sync::{mpsc, oneshot};

use crate::config::Retention;
use crate::history::{self, IDS, MESSAGES, ROOMS};
use crate::room::command::Command;
use crate::service::Rooms;

const HOUR: Millis = 3_600_000;
/// Maximum number of messages of a room deleted in one commit.
const REMOVED_PER_COMMIT_MAX: usize = 5_000;

/// Sweeps every hour until it is dropped.
pub(crate) async fn run(rooms: &std::sync::Arc<Rooms>, context: &AdapterContext) {
    loop {
        sweep(rooms, context.clock.now()).await;
        context.clock.sleep_until(context.clock.now() + HOUR).await;
    }
}

async fn sweep(rooms: &std::sync::Arc<Rooms>, now: Millis) {
    let terms = rooms.members.restart_future_terms(now);
    if !terms.is_empty()
        && let Err(error) = rooms.write("terms corrected after the clock went back", terms).await
    {
        tracing::warn!("cannot save mutes and bans corrected after a clock change: {error}");
    }
    if let Err(error) = rooms.prune_changes(now).await {
        tracing::warn!("cannot delete old changes, retrying in an hour: {error}");
    }
    let retention = rooms.config.retention.clone();
    let mut busy = Vec::new();
    for (name, room) in rooms.directory.rooms() {
        let (answer, count) = oneshot::channel();
        // A room that has closed in the meantime is empty.
        drop(room.send(Command::Count(answer)).await);
        if count.await.is_ok_and(|people| !people.is_empty()) {
            busy.push(name);
        }
    }
    let store = rooms.store.clone();
    // A sweep may delete a great deal: no more than one room's rows wait at a time.
    let (batches, mut swept) = mpsc::channel(1);
    let groups = std::sync::Arc::clone(&rooms.authority.groups);
    let sweeping = tokio::task::spawn_blocking(move || {
        // Accounts have created those to stay.
        let keeps = |room: &str| retention.keeps(room) || groups.exists(room);
        sweep_store(&store, (&retention, &keeps), &busy, now, |swept| batches.blocking_send(swept).is_ok())
    });
    while let Some(Swept { room, up_to, rows }) = swept.recv().await {
        if let Err(error) = rooms.write("messages past their retention", rows).await {
            tracing::warn!("cannot delete old messages, retrying in an hour: {error}");
            break;
        }
        rooms.feed.swept(&room);
        if let Some(up_to) = up_to
            && let Some((_, open)) = rooms.directory.rooms().into_iter().find(|(name, _)| *name == room)
        {
            drop(open.send(Command::Forget { up_to }).await);
        }
    }
    drop(swept);
    forget_names(rooms).await;
    match sweeping.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("cannot delete old messages, retrying in an hour: {error}"),
        Err(error) => tracing::error!("the sweep of old messages failed: {error}"),
    }
}

/// Forgets the names of rooms that are gone.
async fn forget_names(rooms: &std::sync::Arc<Rooms>) {
    let named = std::sync::Arc::clone(rooms);
    match tokio::task::spawn_blocking(move || named.load_room_names()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("cannot read the names of rooms, retrying in an hour: {error}"),
        Err(error) => tracing::error!("the names of rooms could not be read: {error}"),
    }
}

/// The deletions in one room.
struct Swept {
    room: String,
    /// The last deleted position.
    up_to: Option<u64>,
    rows: Batch,
}

/// Finds what has expired. `delete` takes the deletions of one room, and returns whether to go on.
fn sweep_store(
    store: &Store,
    (retention, keeps): (&Retention, &dyn Fn(&str) -> bool),
    busy: &[String],
    now: Millis,
    delete: impl Fn(Swept) -> bool,
) -> Result<()> {
    let snapshot = store.snapshot(now)?;
    for room in ROOMS.scan(&snapshot, &Vec::new(), Direction::Forward)? {
        let (name, row) = room?;
        if keeps(&name) {
            continue;
        }
        let oldest_kept = now.saturating_sub(retention.message_hours.saturating_mul(HOUR));
        let mut batch = Batch::default();
        let mut last = None;
        let mut newest = row.created.min(now);
        // A message dated in the future, while the clock was ahead, counts as old as the next newer
        // one.
        let mut newer = now;
        let (mut count, mut removed) = (0, 0);
        for (index, message) in MESSAGES.scan(&snapshot, &name, Direction::Backward)?.enumerate() {
            let ((room, position), message) = message?;
            newer = if message.time > now { newer } else { message.time };
            newest = newest.max(newer);
            count += 1;
            let is_past = index >= retention.messages_per_room || newer < oldest_kept;
            if is_past && !message.pinned && removed < REMOVED_PER_COMMIT_MAX {
                last = last.max(Some(position));
                removed += 1;
                history::remove(&mut batch, &room, position, &message);
                IDS.delete(&mut batch, &(room, message.id));
            }
        }
        let is_over =
            !busy.contains(&name) && newest < now.saturating_sub(retention.empty_room_hours.saturating_mul(HOUR));
        // A lock or a topic does not expire in a silent room.
        if is_over && removed == count && !row.is_arranged() {
            ROOMS.delete(&mut batch, &name);
        }
        if !batch.is_empty() && !delete(Swept { room: name, up_to: last, rows: batch }) {
            break;
        }
    }
    Ok(())
}
