//! REST routes under `/api`: statistics and files.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use palabre_store::{Direction, Result as StoreResult, Snapshot};
use palabre_types::TableId;
use serde_json::{Value, json};

use super::problem::Problem;
use super::{download, upload};
use crate::conversation::{CONVERSATION_PREFIX, SESSION_PREFIX, is_hidden};
use crate::history::ROOMS;
use crate::service::Rooms;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new()
        .route("/api/files/{id}", get(download::file).put(upload::put))
        .route("/api/stats", get(stats))
        .with_state(Arc::clone(rooms))
}

/// Returns the statistics that the documents show for Redis, taken from our own store.
async fn stats(State(rooms): State<Arc<Rooms>>) -> Result<Json<Value>, Problem> {
    let store = rooms.store.clone();
    let counted = tokio::task::spawn_blocking(move || -> StoreResult<_> {
        let snapshot = store.snapshot(0)?;
        let stats = store.stats();
        Ok((snapshot.len(TableId::RoomMessages)?, public_rooms(&snapshot)?, stats))
    })
    .await;
    let counts = &rooms.counts;
    let retention = &rooms.config.retention;
    let open = rooms.directory.rooms();
    answer(counted.map(|counted| {
        counted.map(|(messages, known, store)| {
            json!({
                "messages": messages,
                "messages_since_start": counts.messages.load(Relaxed),
                "rooms": known,
                "active_rooms": open.iter().filter(|(name, _)| !is_hidden(name)).count(),
                "users": rooms.directory.people(),
                "connections": rooms.connections(),
                "slow_clients_disconnected": counts.slow_clients.load(Relaxed),
                "store": { "commits": store.groups, "batches": store.batches },
                "memory_bytes": resident_bytes(),
                "uptime": rooms.clock.now().saturating_sub(rooms.started) / 1_000,
                "retention": {
                    "messages_hours": retention.message_hours,
                    "messages_per_room": retention.messages_per_room,
                    "idle_users_hours": retention.idle_user_hours,
                    "empty_rooms_hours": retention.empty_room_hours,
                    "kept_rooms": retention.keep,
                },
            })
        })
    }))
}

fn answer<E: std::fmt::Display>(read: Result<StoreResult<Value>, E>) -> Result<Json<Value>, Problem> {
    match read {
        Ok(Ok(body)) => Ok(Json(body)),
        Ok(Err(error)) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())),
        Err(error) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

/// Returns the number of rooms with a row, except private conversations.
fn public_rooms(snapshot: &Snapshot) -> StoreResult<u64> {
    let mut hidden = 0;
    for prefix in [CONVERSATION_PREFIX, SESSION_PREFIX] {
        for row in ROOMS.scan(snapshot, &prefix.as_bytes().to_vec(), Direction::Forward)? {
            let (name, _) = row?;
            hidden += u64::from(is_hidden(&name));
        }
    }
    Ok(snapshot.len(TableId::Rooms)?.saturating_sub(hidden))
}

/// Returns the resident memory of the process on Linux, otherwise `None`.
///
/// It is the second field of `/proc/self/statm`, in pages of 4 KiB.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split_ascii_whitespace().nth(1)?.parse::<u64>().ok().map(|pages| pages * 4_096)
}
