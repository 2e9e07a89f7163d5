//! `GET /api/search`: messages with words and phrases.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use palabre_text::composed;
use palabre_types::{Millis, parse_time};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::{Caller, ClientNetwork};
use super::problem::Problem;
use crate::accounts::rows::Scope;
use crate::encode::message;
use crate::limits::Kind;
use crate::presence::Author;
use crate::search::query::TextQuery;
use crate::search::state::SearchError;
use crate::search::view::Search;
use crate::service::Rooms;

/// Number of messages on a page if the request names none.
const PAGE_DEFAULT: usize = 50;
/// Maximum number of messages on a page.
const PAGE_MAX: usize = 100;
/// Seconds after which a search may be repeated while the index is being built.
const BUILDING_SECONDS: u64 = 5;
/// Seconds after which a search may be repeated when the index cannot be used.
const FAILED_SECONDS: u64 = 30;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new().route("/api/search", get(find)).with_state(Arc::clone(rooms))
}

/// The query of a request.
#[derive(Debug, Deserialize)]
struct Requested {
    #[serde(default)]
    q: String,
    room: Option<String>,
    from: Option<String>,
    before: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

async fn find(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    requested: Result<Query<Requested>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    caller.require(Scope::Read)?;
    let account = &caller.0.account;
    rooms.limit(Kind::Search, &Author::of_account(account), network)?;
    let Query(requested) = requested?;
    let search = rooms.checked(&caller, requested)?;
    let (name, now) = (account.row.username.to_lowercase(), rooms.clock.now());
    let banning = rooms.members.banning(&name, &account.id, now);
    let is_banned = banning.and_then(|row| row.banned(now)).is_some();
    let found = rooms.find_messages(search, rooms.access_of(&account.id, is_banned)).await?;
    Ok(Json(json!({
        "messages": found.messages.iter().map(|(room, row)| message(room, row)).collect::<Vec<_>>(),
        "next": found.next.map(|stamp| format!("{stamp:x}")),
    })))
}

impl Rooms {
    /// Checks the query of a request.
    fn checked(&self, caller: &Caller, requested: Requested) -> Result<Search, Problem> {
        let invalid = |problem: String| Problem::new(StatusCode::BAD_REQUEST, problem);
        let Requested { q, room, from, before, after, limit, cursor } = requested;
        let text = TextQuery::parse(&q).map_err(invalid)?;
        let room = room.filter(|room| !room.is_empty());
        let room = room.map(|room| self.room_of_caller(caller, &room, Scope::Read)).transpose()?;
        let from = from.map(|name| composed(name.trim().trim_start_matches('@')).to_lowercase());
        let cursor = cursor.map(|cursor| u64::from_str_radix(&cursor, 16)).transpose();
        let cursor = cursor.map_err(|_not_a_number| {
            invalid("cursor is not valid; take it from `next` of the previous page".to_owned())
        })?;
        Ok(Search {
            text,
            room,
            from: from.filter(|name| !name.is_empty()),
            after: time("after", after)?,
            before: time("before", before)?,
            limit: limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX),
            cursor,
        })
    }
}

/// Reads a parameter that is a time.
fn time(name: &str, text: Option<String>) -> Result<Option<Millis>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let problem = || {
        let forms = "2026-11-30, 2026-11-30T12:00:00Z, or milliseconds since 1970";
        Problem::new(StatusCode::BAD_REQUEST, format!("{name} is not a time; write it as {forms}"))
    };
    parse_time(&text).map(Some).ok_or_else(problem)
}

impl From<SearchError> for Problem {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Off => Self::new(StatusCode::NOT_FOUND, "search is turned off on this server"),
            SearchError::NotReady => {
                Self::unavailable("the search index is being built; try again in a moment", BUILDING_SECONDS)
            }
            SearchError::Failed => {
                Self::unavailable("messages cannot be searched at present; try again later", FAILED_SECONDS)
            }
        }
    }
}
