//! Changes of existing messages: edits, deletions, reactions and pins; and earlier versions.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use palabre_store::Direction;
use palabre_types::{RoomChange, iso8601};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Body;
use super::caller::{Caller, ClientNetwork};
use super::problem::Problem;
use crate::accounts::rows::{Account, Scope};
use crate::decode::{Delete, Edit, React};
use crate::encode::message;
use crate::history::{EDITS, IDS, MESSAGES, Version};
use crate::limiter::Network;
use crate::limits::Kind;
use crate::presence::Author;
use crate::room::command::{Command, Origin};
use crate::service::Rooms;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new()
        .route("/api/rooms/{room}/messages/{id}", get(one).patch(edit).delete(remove))
        .route("/api/rooms/{room}/messages/{id}/edits", get(edits))
        .route("/api/rooms/{room}/messages/{id}/reactions/{emoji}", put(react).delete(unreact))
        .route("/api/rooms/{room}/messages/{id}/pin", put(pin).delete(unpin))
        .route("/api/rooms/{room}/messages/{id}/read", put(read_up_to).delete(unread))
        .with_state(Arc::clone(rooms))
}

type Answer = Result<Response, Problem>;

async fn one(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    Path((room, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let room = rooms.room_of_caller(&caller, &room, Scope::Read)?;
    let key = room.clone();
    let found = rooms.read_store(move |snapshot| {
        let Some(position) = IDS.get(snapshot, &(key.clone(), id))? else { return Ok(None) };
        MESSAGES.get(snapshot, &(key, position))
    });
    let row = found.await?.ok_or_else(unknown)?;
    Ok(Json(json!(message(&room, &row))))
}

async fn edits(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    Path((room, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let room = rooms.room_of_caller(&caller, &room, Scope::Read)?;
    let found = rooms.read_store(move |snapshot| {
        let Some(position) = IDS.get(snapshot, &(room.clone(), id))? else { return Ok(None) };
        let is_there = MESSAGES.get(snapshot, &(room.clone(), position))?.is_some();
        let rows = EDITS.scan(snapshot, &(room, position), Direction::Forward)?;
        let versions: Vec<Version> =
            rows.map(|row| row.map(|(_, version)| version)).collect::<palabre_store::Result<_>>()?;
        Ok(is_there.then_some(versions))
    });
    let versions = found.await?.ok_or_else(unknown)?;
    let described = versions.iter().map(|Version { text, until }| json!({ "message": text, "until": iso8601(*until) }));
    Ok(Json(json!({ "versions": described.collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with message")]
struct NewText {
    message: String,
}

async fn edit(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path((room, id)): Path<(String, String)>,
    Body(NewText { message }): Body<NewText>,
) -> Answer {
    let edit = Edit { id, message }.checked().map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, problem))?;
    rooms.change(&caller, network, &room, |origin| Command::Edit { origin, edit }).await
}

async fn remove(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path((room, id)): Path<(String, String)>,
) -> Answer {
    rooms.change(&caller, network, &room, |origin| Command::Delete { origin, delete: Delete { id } }).await
}

async fn react(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path((room, id, emoji)): Path<(String, String, String)>,
) -> Answer {
    let react = reaction(id, emoji, false)?;
    rooms.change(&caller, network, &room, |origin| Command::React { origin, react }).await
}

async fn unreact(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path((room, id, emoji)): Path<(String, String, String)>,
) -> Answer {
    let react = reaction(id, emoji, true)?;
    rooms.change(&caller, network, &room, |origin| Command::React { origin, react }).await
}

fn reaction(id: String, emoji: String, remove: bool) -> Result<React, Problem> {
    let react = React { id, emoji, remove };
    react.checked().map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, problem))
}

async fn pin(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path((room, id)): Path<(String, String)>,
) -> Answer {
    rooms.change(&caller, network, &room, |origin| Command::Pin { origin, id, pinned: true }).await
}

async fn unpin(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path((room, id)): Path<(String, String)>,
) -> Answer {
    rooms.change(&caller, network, &room, |origin| Command::Pin { origin, id, pinned: false }).await
}

/// Moves one's read marker forward to a message.
async fn read_up_to(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path((room, id)): Path<(String, String)>,
) -> Answer {
    rooms.change(&caller, network, &room, |origin| Command::ReadUpTo { origin, id, is_back: false }).await
}

/// Moves one's read marker back to a message: what follows is unread again.
async fn unread(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path((room, id)): Path<(String, String)>,
) -> Answer {
    rooms.change(&caller, network, &room, |origin| Command::ReadUpTo { origin, id, is_back: true }).await
}

fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is no such message in this room")
}

impl Rooms {
    /// Carries out a change of a message, and answers once it is durable.
    async fn change(
        &self,
        caller: &Caller,
        network: Network,
        room: &str,
        command: impl FnOnce(Origin) -> Command,
    ) -> Answer {
        let room = self.room_of_caller(caller, room, Scope::Write)?;
        let account = &caller.0.account;
        self.limit(Kind::Change, &Author::of_account(account), network)?;
        self.request(Author::of_account(account), &room, command).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    }

    /// Changes topic, slow mode and lock of a room.
    pub(super) async fn arrange_as(
        &self,
        account: &Account,
        room: &str,
        changes: Vec<RoomChange>,
    ) -> Result<(), Problem> {
        if !changes.is_empty() {
            self.request(Author::of_account(account), room, |origin| Command::Arrange { origin, changes }).await?;
        }
        Ok(())
    }
}
