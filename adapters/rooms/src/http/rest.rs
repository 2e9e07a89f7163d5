//! REST routes under `/api`: rooms, statistics and files.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use palabre_store::{Direction, Result as StoreResult, Snapshot};
use palabre_types::TableId;
use palabre_types::iso8601;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{download, upload};
use crate::conversation::{CONVERSATION_PREFIX, SESSION_PREFIX, is_hidden};
use crate::history::{self, ROOMS, RoomRow};
use crate::room::command::Command;
use crate::service::Rooms;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new()
        .route("/api/rooms", get(list))
        .route("/api/files/{id}", get(download::file).put(upload::put))
        .route("/api/stats", get(stats))
        .with_state(Arc::clone(rooms))
}

/// Lists the rooms that have people or messages.
async fn list(State(rooms): State<Arc<Rooms>>) -> (StatusCode, Json<Value>) {
    let mut people = std::collections::HashMap::new();
    for (name, room) in rooms.directory.rooms().into_iter().filter(|(name, _)| !is_hidden(name)) {
        let (answer, who) = oneshot::channel();
        if room.send(Command::Count(answer)).await.is_ok()
            && let Ok(names) = who.await
        {
            people.insert(name, names);
        }
    }
    let (store, now) = (rooms.store.clone(), rooms.clock.now());
    let read = move || -> StoreResult<Vec<Value>> {
        let snapshot = store.snapshot(now)?;
        let mut list = Vec::new();
        for row in ROOMS.scan(&snapshot, &Vec::new(), Direction::Forward)? {
            let (name, row) = row?;
            if is_hidden(&name) {
                continue;
            }
            let last = history::last(&snapshot, &name, 1)?.pop().map_or(row.created, |(_, message)| message.time);
            let users = people.remove(&name).unwrap_or_default();
            list.push(describe(&name, &users, &row, Some(last)));
        }
        // Rooms without messages.
        let silent = people.iter().filter(|(_, users)| !users.is_empty());
        list.extend(silent.map(|(name, users)| describe(name, users, &RoomRow::default(), None)));
        Ok(list)
    };
    answer(
        tokio::task::spawn_blocking(read)
            .await
            .map(|list| list.map(|list| json!({ "total": list.len(), "rooms": list }))),
    )
}

fn describe(name: &str, users: &[String], row: &RoomRow, last: Option<u64>) -> Value {
    json!({
        "name": name,
        "room": name,
        "users": users,
        "user_count": users.len(),
        "last_activity": last.map(iso8601),
        "topic": row.topic,
        "locked": row.locked,
    })
}

/// Returns the statistics that the documents show for Redis, taken from our own store.
async fn stats(State(rooms): State<Arc<Rooms>>) -> (StatusCode, Json<Value>) {
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

fn answer<E: std::fmt::Display>(read: Result<StoreResult<Value>, E>) -> (StatusCode, Json<Value>) {
    match read {
        Ok(Ok(body)) => (StatusCode::OK, Json(body)),
        Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": error.to_string() }))),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": error.to_string() }))),
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
