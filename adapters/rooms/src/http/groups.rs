//! Rooms that accounts create: `/api/rooms/{room}`, their members and invites.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use palabre_types::{Permission, RoomChange, iso8601};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Body;
use super::caller::{Caller, ClientNetwork};
use super::problem::Problem;
use crate::accounts::error::AccountError;
use crate::accounts::rows::{Account, Scope};
use crate::groups::changes::{GroupChange, NewGroup};
use crate::groups::invites::InviteRequest;
use crate::groups::rows::{InviteRow, RoomRole};
use crate::limits::Kind;
use crate::presence::Author;
use crate::room::rules::TOPIC_MAX;
use crate::service::Rooms;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new()
        .route("/api/rooms", post(create))
        .route("/api/rooms/{room}", axum::routing::patch(change).delete(remove))
        .route("/api/rooms/{room}/members", get(members))
        .route("/api/rooms/{room}/members/{account}", put(set_member).delete(remove_member))
        .route("/api/rooms/{room}/invites", get(invites).post(invite))
        .route("/api/rooms/{room}/invites/{code}", delete(revoke))
        .route("/api/invites/{code}", post(accept))
        .with_state(Arc::clone(rooms))
}

type Answer = Result<Response, Problem>;

async fn create(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Body(new): Body<NewGroup>,
) -> Answer {
    caller.require(Scope::Write)?;
    let account = &caller.0.account;
    if account.is_bot() {
        return Err(AccountError::Forbidden("rooms are created by people, not by bot accounts").into());
    }
    rooms.limit(Kind::Room, &Author::of_account(account), network)?;
    check_topic(new.topic.as_deref())?;
    let room = rooms.create_group(account, &new).await?;
    if let Some(topic) = new.topic {
        rooms.arrange_as(account, &room, vec![RoomChange::Topic(topic)]).await?;
    }
    let described = rooms.describe_room(&room, Some(&account.id)).await?;
    Ok((StatusCode::CREATED, Json(described)).into_response())
}

async fn change(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path(room): Path<String>,
    Body(change): Body<GroupChange>,
) -> Answer {
    let room = rooms.room_of_caller(&caller, &room, Scope::Write)?;
    let account = &caller.0.account;
    rooms.limit(Kind::Change, &Author::of_account(account), network)?;
    check_topic(change.topic.as_deref())?;
    let needed = if change.is_about_access() { Permission::Admin } else { Permission::Moderator };
    rooms.require_level(&room, account, needed)?;
    if change.is_about_access() {
        rooms.change_group(&account.id, &room, &change).await?;
    }
    let mut changes = Vec::new();
    changes.extend(change.topic.clone().map(RoomChange::Topic));
    changes.extend(change.slowmode.map(|seconds| RoomChange::Slowmode(u64::from(seconds) * 1_000)));
    changes.extend(change.locked.map(RoomChange::Locked));
    rooms.arrange_as(account, &room, changes).await?;
    Ok(Json(rooms.describe_room(&room, Some(&account.id)).await?).into_response())
}

async fn remove(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path(room): Path<String>,
) -> Answer {
    let room = rooms.room_of_caller(&caller, &room, Scope::Write)?;
    rooms.limit(Kind::Change, &Author::of_account(&caller.0.account), network)?;
    rooms.delete_group(&caller.0.account.id, &room).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn members(State(rooms): State<Arc<Rooms>>, caller: Caller, Path(room): Path<String>) -> Answer {
    let room = rooms.room_of_caller(&caller, &room, Scope::Read)?;
    let group = rooms.authority.groups.get(&room).ok_or_else(no_members)?;
    let mut listed: Vec<_> = group.members.into_iter().collect();
    listed.sort_by(|(one, first), (other, second)| second.cmp(first).then_with(|| one.cmp(other)));
    let accounts = rooms.read_store(move |snapshot| {
        let described =
            listed.iter().map(|(id, role)| Ok(Account::find(snapshot, id)?.map(|account| (account, *role))));
        described.filter_map(Result::transpose).collect::<palabre_store::Result<Vec<_>>>()
    });
    let members: Vec<Value> = accounts
        .await?
        .iter()
        .map(|(account, role)| {
            let mut described = rooms.describe(account);
            described["role"] = json!(role);
            described
        })
        .collect();
    Ok(Json(json!({ "members": members })).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with role")]
struct Membership {
    role: RoomRole,
}

async fn set_member(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path((room, account)): Path<(String, String)>,
    Body(Membership { role }): Body<Membership>,
) -> Answer {
    let room = rooms.room_of_caller(&caller, &room, Scope::Write)?;
    rooms.limit(Kind::Change, &Author::of_account(&caller.0.account), network)?;
    rooms.change_member(&caller.0.account.id, &room, account, Some(role)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Removes a member; `me` leaves.
async fn remove_member(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path((room, account)): Path<(String, String)>,
) -> Answer {
    let room = rooms.room_of_caller(&caller, &room, Scope::Write)?;
    let own = caller.0.account.id.clone();
    let target = if account == "me" { own.clone() } else { account };
    rooms.limit(Kind::Change, &Author::of_account(&caller.0.account), network)?;
    rooms.change_member(&own, &room, target, None).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn invite(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path(room): Path<String>,
    Body(request): Body<InviteRequest>,
) -> Answer {
    let room = rooms.room_of_caller(&caller, &room, Scope::Write)?;
    rooms.require_level(&room, &caller.0.account, Permission::Moderator)?;
    rooms.limit(Kind::Change, &Author::of_account(&caller.0.account), network)?;
    let (code, row) = rooms.create_invite(&caller.0.account.id, &room, &request).await?;
    Ok((StatusCode::CREATED, Json(describe_invite(&code, &row))).into_response())
}

async fn invites(State(rooms): State<Arc<Rooms>>, caller: Caller, Path(room): Path<String>) -> Answer {
    let room = rooms.room_of_caller(&caller, &room, Scope::Read)?;
    rooms.require_level(&room, &caller.0.account, Permission::Moderator)?;
    let found = rooms.invites(&room).await?;
    let listed: Vec<Value> = found.iter().map(|(code, row)| describe_invite(code, row)).collect();
    Ok(Json(json!({ "invites": listed })).into_response())
}

async fn revoke(State(rooms): State<Arc<Rooms>>, caller: Caller, Path((room, code)): Path<(String, String)>) -> Answer {
    let room = rooms.room_of_caller(&caller, &room, Scope::Write)?;
    rooms.require_level(&room, &caller.0.account, Permission::Moderator)?;
    rooms.revoke_invite(&room, &code).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn accept(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path(code): Path<String>,
) -> Answer {
    caller.require(Scope::Write)?;
    let account = &caller.0.account;
    rooms.limit(Kind::Change, &Author::of_account(account), network)?;
    let room = rooms.accept_invite(&account.id, code).await?;
    Ok(Json(rooms.describe_room(&room, Some(&account.id)).await?).into_response())
}

fn describe_invite(code: &str, row: &InviteRow) -> Value {
    json!({
        "code": code,
        "created": iso8601(row.created),
        "created_by": row.created_by,
        "expires": row.expires.map(iso8601),
        "uses_left": row.uses_left,
    })
}

fn no_members() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no account has created this room, so it has no members")
}

fn check_topic(topic: Option<&str>) -> Result<(), Problem> {
    if topic.is_some_and(|topic| topic.chars().count() > TOPIC_MAX) {
        let problem = format!("a topic can have at most {TOPIC_MAX} characters");
        return Err(Problem::new(StatusCode::BAD_REQUEST, problem));
    }
    Ok(())
}

impl Rooms {
    /// Refuses what takes a higher level in a room.
    pub(super) fn require_level(&self, room: &str, account: &Account, needed: Permission) -> Result<(), Problem> {
        if self.authority.of(room, &account.id) >= needed {
            return Ok(());
        }
        let problem = format!("in this room that takes the level {} at least", needed.as_str());
        Err(Problem::new(StatusCode::FORBIDDEN, problem))
    }
}
