//! `/api/rooms/{room}/webhooks`: the incoming webhooks of a room, for its moderators.

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
use crate::guests::public_id;
use crate::service::Rooms;
use crate::webhooks::registry::author_of;
use crate::webhooks::rows::WebhookRow;

type Answer = Result<Response, Problem>;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new()
        .route("/api/rooms/{room}/webhooks", get(list).post(create))
        .route("/api/rooms/{room}/webhooks/{id}", delete(remove))
        .with_state(Arc::clone(rooms))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with name")]
struct Named {
    name: String,
}

/// Creates a webhook. Its address, which has a secret, is shown once.
async fn create(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    Path(room): Path<String>,
    Body(Named { name }): Body<Named>,
) -> Answer {
    let room = rooms.room_to_moderate(&caller, &room, Scope::Write)?;
    let made = rooms.create_webhook(&caller.0.account, &room, &name).await?;
    let mut described = describe(&made.id, &made.row);
    described["url"] = json!(format!("/api/webhooks/{}/{}", made.id, made.secret));
    Ok((StatusCode::CREATED, Json(described)).into_response())
}

async fn list(State(rooms): State<Arc<Rooms>>, caller: Caller, Path(room): Path<String>) -> Answer {
    let room = rooms.room_to_moderate(&caller, &room, Scope::Read)?;
    let found = rooms.authority.webhooks.of_room(&room);
    let listed: Vec<Value> = found.iter().map(|(id, row)| describe(id, row)).collect();
    Ok(Json(json!({ "webhooks": listed })).into_response())
}

async fn remove(State(rooms): State<Arc<Rooms>>, caller: Caller, Path((room, id)): Path<(String, String)>) -> Answer {
    let room = rooms.room_to_moderate(&caller, &room, Scope::Write)?;
    rooms.delete_webhook(&room, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn describe(id: &str, row: &WebhookRow) -> Value {
    json!({
        "id": id,
        "name": row.name,
        "room": row.room,
        "author": public_id(&author_of(id)),
        "created": iso8601(row.created),
        "created_by": row.created_by,
    })
}

impl Rooms {
    /// Returns the room with a name, if the caller moderates it.
    fn room_to_moderate(&self, caller: &Caller, room: &str, scope: Scope) -> Result<String, Problem> {
        let room = self.room_of_caller(caller, room, scope)?;
        self.require_level(&room, &caller.0.account, Permission::Moderator)?;
        Ok(room)
    }
}
