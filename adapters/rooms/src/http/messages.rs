//! Messages of rooms and private conversations: reading pages, and sending.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use palabre_store::{Direction, Snapshot};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::body::Body;
use super::caller::{Caller, ClientNetwork};
use super::problem::Problem;
use crate::accounts::error::AccountError;
use crate::accounts::rows::{Account, Scope};
use crate::conversation::{is_conversation, room_of};
use crate::decode::{self, PAGE_MAX, Send};
use crate::encode::message;
use crate::history::{IDS, MESSAGES, MessageRow, ROOMS};
use crate::limiter::{Network, Verdict, Who};
use crate::limits::Kind;
use crate::presence::Author;
use crate::room::command::{Command, Origin, Refusal};
use crate::service::Rooms;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new()
        .route("/api/rooms/{room}/messages", get(read_room).post(send_to_room))
        .route("/api/users/{id}/messages", get(read_private).post(send_private))
        .with_state(Arc::clone(rooms))
}

/// The part of a history that is requested: before or after a message, or the newest.
#[derive(Debug, Deserialize)]
pub(super) struct Part {
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    pub(super) limit: Option<usize>,
}

impl Part {
    /// Returns the part before a message, or the newest one.
    pub(super) fn before(before: Option<String>, limit: usize) -> Self {
        Self { before, after: None, limit: Some(limit) }
    }
}

/// A page of messages, oldest first, and whether there are more in the direction of reading.
pub(super) struct MessagePage {
    pub(super) rows: Vec<MessageRow>,
    pub(super) has_more: bool,
}

type Requested = Result<Query<Part>, QueryRejection>;

async fn read_room(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    Path(room): Path<String>,
    part: Requested,
) -> Result<Json<Value>, Problem> {
    let room = rooms.room_of_caller(&caller, &room, Scope::Read)?;
    let Query(part) = part?;
    Ok(Json(described(&room, &rooms.page(&room, part).await?)))
}

async fn send_to_room(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path(room): Path<String>,
    Body(send): Body<Send>,
) -> Result<Response, Problem> {
    let room = rooms.room_of_caller(&caller, &room, Scope::Write)?;
    let id = rooms.send_as(&caller.0.account, &room, send, network).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id, "room": room }))).into_response())
}

async fn read_private(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    Path(id): Path<String>,
    part: Requested,
) -> Result<Json<Value>, Problem> {
    caller.require(Scope::Read)?;
    let Query(part) = part?;
    let room = rooms.conversation_with(&caller, id).await?;
    Ok(Json(described(&room, &rooms.page(&room, part).await?)))
}

async fn send_private(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path(id): Path<String>,
    Body(send): Body<Send>,
) -> Result<Response, Problem> {
    caller.require(Scope::Write)?;
    let room = rooms.conversation_with(&caller, id).await?;
    let id = rooms.send_as(&caller.0.account, &room, send, network).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id, "room": room }))).into_response())
}

fn described(room: &str, page: &MessagePage) -> Value {
    let MessagePage { rows, has_more } = page;
    json!({
        "messages": rows.iter().map(|row| message(room, row)).collect::<Vec<_>>(),
        "has_more": has_more,
        "first": rows.first().map(|row| &row.id),
        "last": rows.last().map(|row| &row.id),
    })
}

impl Rooms {
    /// Returns the room with a name, if the caller may use it in this way.
    pub(super) fn room_of_caller(&self, caller: &Caller, room: &str, scope: Scope) -> Result<String, Problem> {
        caller.require(scope)?;
        let room = self.room_named(room)?;
        let account = &caller.0.account;
        // As if it did not exist: who talks to whom is private too.
        if !self.authority.groups.may_enter(&room, Some(&account.id)) {
            return Err(Problem::new(StatusCode::NOT_FOUND, "there is no such room"));
        }
        let (name, now) = (account.row.username.to_lowercase(), self.clock.now());
        match self.members.banning(&name, &account.id, now).and_then(|row| row.banned(now)) {
            Some(problem) if !is_conversation(&room) => Err(Problem::new(StatusCode::FORBIDDEN, problem)),
            _ => Ok(room),
        }
    }

    /// Returns the name under which a room is known.
    pub(super) fn room_named(&self, room: &str) -> Result<String, Problem> {
        let room = decode::room_name(room).map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, problem))?;
        Ok(self.room_names.known(&room))
    }

    /// Returns the private conversation of the caller with another account.
    pub(super) async fn conversation_with(&self, caller: &Caller, other: String) -> Result<String, Problem> {
        let own = &caller.0.account.id;
        let room = room_of(own, &other);
        if *own == other {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "a conversation takes two people"));
        }
        let found = self.read_store(move |snapshot| Account::find(snapshot, &other)).await?;
        found.map(|_| room).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no such account"))
    }

    /// Reads a page of a room's durable messages.
    pub(super) async fn page(&self, room: &str, part: Part) -> Result<MessagePage, Problem> {
        if part.before.is_some() && part.after.is_some() {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "give before or after, not both"));
        }
        let room = room.to_owned();
        let found = self.read_store(move |snapshot| read_page(snapshot, &room, &part)).await?;
        found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no such message in this room"))
    }

    /// Sends a message of an account, and returns its id once it is durable.
    pub(super) async fn send_as(
        &self,
        account: &Account,
        room: &str,
        send: Send,
        network: Network,
    ) -> Result<String, Problem> {
        self.send_by(Author::of_account(account), room, send, network).await
    }

    /// Sends a message of a person, and returns its id once it is durable.
    pub(super) async fn send_by(
        &self,
        author: Author,
        room: &str,
        send: Send,
        network: Network,
    ) -> Result<String, Problem> {
        let send = send.checked().map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, problem))?;
        self.limit_messages(&author, room, network).await?;
        let id = self.request(author, room, |origin| Command::Post { origin, send }).await?;
        Ok(id.unwrap_or_default())
    }

    /// Sends a request of a person to a room. Returns the id of the message that it is about, once it is durable.
    pub(super) async fn request(
        &self,
        author: Author,
        room: &str,
        command: impl FnOnce(Origin) -> Command,
    ) -> Result<Option<String>, Problem> {
        let open = self.open_room(room).map_err(|problem| Problem::new(StatusCode::SERVICE_UNAVAILABLE, problem))?;
        let (answer, result) = oneshot::channel();
        let busy = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the room is too busy; try again in a moment");
        open.try_send(command(Origin::Http { author, answer })).map_err(|_full| busy())?;
        match result.await {
            Ok(Ok(id)) => Ok(id),
            Ok(Err(Refusal::Refused(problem))) => Err(Problem::new(StatusCode::FORBIDDEN, problem)),
            Ok(Err(Refusal::NotFound(problem))) => Err(Problem::new(StatusCode::NOT_FOUND, problem)),
            Ok(Err(Refusal::Unavailable(problem))) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, problem)),
            Err(_closed) => Err(busy()),
        }
    }

    /// Counts a message against the limits of the person and the address; also one that opens a new room.
    async fn limit_messages(&self, author: &Author, room: &str, network: Network) -> Result<(), Problem> {
        let mut kinds = vec![Kind::Message];
        if !self.directory.is_open(room) {
            let name = room.to_owned();
            let is_known = self.read_store(move |snapshot| Ok(ROOMS.get(snapshot, &name)?.is_some())).await?;
            kinds.extend((!is_known).then_some(Kind::Room));
        }
        kinds.into_iter().try_for_each(|kind| self.limit(kind, author, network))
    }

    /// Counts a request against a limit of the person and the address.
    pub(super) fn limit(&self, kind: Kind, author: &Author, network: Network) -> Result<(), Problem> {
        let who = [Who::Address(network), Who::Person(network, Arc::clone(&author.guest))];
        match self.limiter.take(kind, &who) {
            Verdict::Refused(wait) => Err(AccountError::TooMany(wait).into()),
            Verdict::Pass | Verdict::Late(_) => Ok(()),
        }
    }
}

/// Returns a page of a room; `None` if there is no such message.
fn read_page(snapshot: &Snapshot, room: &str, part: &Part) -> palabre_store::Result<Option<MessagePage>> {
    let limit = part.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let (id, direction) = match (&part.after, &part.before) {
        (Some(id), _) => (Some(id), Direction::Forward),
        (None, id) => (id.as_ref(), Direction::Backward),
    };
    let prefix = room.to_owned();
    let mut found = match id {
        Some(id) => {
            let Some(position) = IDS.get(snapshot, &(prefix.clone(), id.clone()))? else { return Ok(None) };
            let rows = MESSAGES.scan_after(snapshot, &prefix, &(prefix.clone(), position), direction)?;
            rows.take(limit + 1).map(|row| row.map(|(_, row)| row)).collect::<palabre_store::Result<Vec<_>>>()?
        }
        None => {
            let rows = MESSAGES.scan(snapshot, &prefix, direction)?;
            rows.take(limit + 1).map(|row| row.map(|(_, row)| row)).collect::<palabre_store::Result<Vec<_>>>()?
        }
    };
    let has_more = found.len() > limit;
    found.truncate(limit);
    if direction == Direction::Backward {
        found.reverse();
    }
    Ok(Some(MessagePage { rows: found, has_more }))
}
