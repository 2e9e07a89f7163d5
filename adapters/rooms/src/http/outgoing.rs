//! `/api/rooms/{room}/hooks`: the outgoing webhooks of a room, for its owners.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use palabre_types::{Permission, iso8601};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Body;
use super::caller::Caller;
use super::problem::Problem;
use crate::accounts::rows::Scope;
use crate::outgoing::rows::{DELIVERIES, DeliveryRow, OutgoingRow};
use crate::service::Rooms;

type Answer = Result<Response, Problem>;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new()
        .route("/api/rooms/{room}/hooks", get(list).post(create))
        .route("/api/rooms/{room}/hooks/{id}", delete(remove))
        .with_state(Arc::clone(rooms))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with url and events")]
struct NewOutgoing {
    url: String,
    #[serde(default = "messages")]
    events: Vec<String>,
}

fn messages() -> Vec<String> {
    vec!["message".to_owned()]
}

/// Creates an outgoing webhook. The key of its signatures is shown once.
async fn create(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    Path(room): Path<String>,
    Body(NewOutgoing { url, events }): Body<NewOutgoing>,
) -> Answer {
    let room = rooms.room_of_owner(&caller, &room, Scope::Write)?;
    let (id, row) = rooms.create_outgoing(&caller.0.account, &room, url, events).await?;
    let mut described = describe(&id, &row, &DeliveryRow::default());
    described["secret"] = json!(row.secret);
    Ok((StatusCode::CREATED, Json(described)).into_response())
}

async fn list(State(rooms): State<Arc<Rooms>>, caller: Caller, Path(room): Path<String>) -> Answer {
    let room = rooms.room_of_owner(&caller, &room, Scope::Read)?;
    let known = rooms.outgoing.of_room(&room);
    let listed = rooms.read_store(move |snapshot| {
        let described = known.iter().map(|(id, row)| {
            let progress = DELIVERIES.get(snapshot, id)?.unwrap_or_default();
            Ok(describe(id, row, &progress))
        });
        described.collect::<palabre_store::Result<Vec<Value>>>()
    });
    Ok(Json(json!({ "hooks": listed.await? })).into_response())
}

async fn remove(State(rooms): State<Arc<Rooms>>, caller: Caller, Path((room, id)): Path<(String, String)>) -> Answer {
    let room = rooms.room_of_owner(&caller, &room, Scope::Write)?;
    rooms.delete_outgoing(&room, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn describe(id: &str, row: &OutgoingRow, progress: &DeliveryRow) -> Value {
    json!({
        "id": id,
        "room": row.room,
        "url": row.url,
        "events": row.events,
        "created": iso8601(row.created),
        "created_by": row.created_by,
        "failing_since": progress.failing_since.map(iso8601),
        "problem": progress.problem,
        "given_up": progress.is_given_up,
    })
}

impl Rooms {
    /// Returns the room with a name, if the caller owns it.
    fn room_of_owner(&self, caller: &Caller, room: &str, scope: Scope) -> Result<String, Problem> {
        let room = self.room_of_caller(caller, room, scope)?;
        self.require_level(&room, &caller.0.account, Permission::Admin)?;
        Ok(room)
    }
}
