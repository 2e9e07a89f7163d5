//! `GET /api/events`: the events of an account's rooms as server-sent events, which can be resumed.

mod following;
mod stream;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use self::following::Following;
use self::stream::Streaming;
use super::caller::{Caller, ClientNetwork};
use super::problem::Problem;
use super::registered::Registered;
use crate::accounts::rows::Scope;
use crate::change_log::rows::newest;
use crate::service::Rooms;

/// Maximum number of rooms that a request names.
const NAMED_MAX: usize = 100;
/// The header in which a client that returns says which event it received last.
const LAST_EVENT_ID: &str = "last-event-id";

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new().route("/api/events", get(open)).with_state(Arc::clone(rooms))
}

#[derive(Deserialize)]
struct Requested {
    /// Rooms in addition to those of the account, separated by commas.
    #[serde(default)]
    rooms: String,
    /// The id of the last event that the client has.
    #[serde(default)]
    cursor: Option<String>,
}

async fn open(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    headers: HeaderMap,
    requested: Result<Query<Requested>, QueryRejection>,
) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let Query(Requested { rooms: named, cursor }) = requested?;
    let named = rooms.named_rooms(&caller, &named)?;
    // A browser that reconnects sends the address of its first request, and the header.
    let cursor = match headers.get(LAST_EVENT_ID) {
        Some(id) => Some(id.to_str().unwrap_or_default().to_owned()),
        None => cursor,
    };
    let cursor = cursor.filter(|cursor| !cursor.is_empty()).map(|cursor| parse(&cursor)).transpose()?;
    let credential = &caller.0;
    let registered = Registered::new(&rooms, Some(credential), credential.account.id.as_str().into(), network)?;
    // It may have been revoked before it was registered.
    rooms.record_socket_use(credential.key());
    let durable = rooms.change_log.follow();
    rooms.begin_recording().await?;
    let (cursor, is_new) = match cursor {
        Some(cursor) => (cursor, false),
        None => (rooms.read_store(newest).await?.map_or(0, |(number, _)| number), true),
    };
    let following = Following::new(&rooms, &credential.account, named);
    let mut response = Streaming::new(registered, following, durable, cursor).respond(is_new);
    // A proxy that collects the response would hold the events back.
    response.headers_mut().insert("x-accel-buffering", header::HeaderValue::from_static("no"));
    Ok(response)
}

fn parse(cursor: &str) -> Result<u64, Problem> {
    let problem = |_error| Problem::new(StatusCode::BAD_REQUEST, "the cursor is not the id of an event");
    cursor.parse().map_err(problem)
}

impl Rooms {
    /// Returns the rooms that a request names, all of which the caller has to be able to read.
    fn named_rooms(&self, caller: &Caller, names: &str) -> Result<BTreeSet<String>, Problem> {
        let names: Vec<&str> = names.split(',').filter(|name| !name.trim().is_empty()).collect();
        if names.len() > NAMED_MAX {
            return Err(Problem::new(StatusCode::BAD_REQUEST, format!("rooms can name at most {NAMED_MAX} rooms")));
        }
        names.into_iter().map(|name| self.room_of_caller(caller, name, Scope::Read)).collect()
    }
}
