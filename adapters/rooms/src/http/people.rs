//! `/api/users`: accounts, as others see them, and one's own profile.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use palabre_types::Permission;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Body;
use super::caller::Caller;
use super::problem::Problem;
use crate::accounts::rows::{Account, Profile, Scope};
use crate::conversation::other_person;
use crate::service::Rooms;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new()
        .route("/api/users", get(list))
        .route("/api/users/{id}", get(one).patch(change))
        .route("/api/users/{id}/role", put(role))
        .route("/api/users/me/rooms", get(memberships))
        .route("/api/users/me/unread", get(unread))
        .route("/api/users/me/conversations", get(conversations))
        .with_state(Arc::clone(rooms))
}

#[derive(Deserialize)]
struct Page {
    after: Option<String>,
    limit: Option<usize>,
}

async fn list(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    caller.require(Scope::Read)?;
    let Query(Page { after, limit }) = page?;
    let (accounts, has_more) = rooms.accounts(after, limit).await?;
    let next = if has_more { accounts.last().map(|account| account.id.clone()) } else { None };
    let users: Vec<Value> = accounts.iter().map(|account| rooms.describe(account)).collect();
    Ok(Json(json!({ "users": users, "next": next })))
}

async fn one(State(rooms): State<Arc<Rooms>>, caller: Caller, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    caller.require(Scope::Read)?;
    let id = if id == "me" { caller.0.account.id.clone() } else { id };
    let found = rooms.read_store(move |snapshot| Account::find(snapshot, &id)).await?;
    let account = found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no such account"))?;
    Ok(Json(rooms.describe(&account)))
}

async fn change(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(profile): Body<Profile>,
) -> Result<Response, Problem> {
    caller.require(Scope::Account)?;
    if id != "me" && id != caller.0.account.id {
        return Err(Problem::new(StatusCode::FORBIDDEN, "only the person can change a profile"));
    }
    let account = rooms.change_profile(caller.0.account, profile).await?;
    Ok(Json(account.private()).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with role")]
struct NewRole {
    role: Permission,
}

/// Gives an account another role in the whole service.
async fn role(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(NewRole { role }): Body<NewRole>,
) -> Result<Json<Value>, Problem> {
    caller.require(Scope::Account)?;
    let account = rooms.change_role(&caller.0.account.id, id, role).await?;
    Ok(Json(rooms.describe(&account)))
}

/// The rooms of which one is a member.
async fn memberships(State(rooms): State<Arc<Rooms>>, caller: Caller) -> Result<Json<Value>, Problem> {
    caller.require(Scope::Read)?;
    let found = rooms.authority.groups.of_account(&caller.0.account.id);
    let listed: Vec<Value> = found.iter().map(|(room, role)| json!({ "room": room, "role": role })).collect();
    Ok(Json(json!({ "rooms": listed })))
}

/// Returns what is unread in one's rooms and private conversations.
async fn unread(State(rooms): State<Arc<Rooms>>, caller: Caller) -> Result<Json<Value>, Problem> {
    caller.require(Scope::Read)?;
    let found = rooms.unread(&caller.0.account).await?;
    Ok(Json(json!({ "rooms": found })))
}

/// One's private conversations, with the other person of each.
async fn conversations(State(rooms): State<Arc<Rooms>>, caller: Caller) -> Result<Json<Value>, Problem> {
    caller.require(Scope::Read)?;
    let own = caller.0.account.id.clone();
    let found = rooms.conversations(&own).await?;
    let accounts = rooms.read_store(move |snapshot| {
        let with = |room: String| {
            let other = other_person(&room, &own).map(|id| Account::find(snapshot, id)).transpose()?.flatten();
            Ok(other.map(|account| (room, account)))
        };
        found.into_iter().map(with).filter_map(Result::transpose).collect::<palabre_store::Result<Vec<_>>>()
    });
    let accounts = accounts.await?;
    let described = accounts.iter().map(|(room, account)| json!({ "room": room, "user": rooms.describe(account) }));
    Ok(Json(json!({ "conversations": described.collect::<Vec<_>>() })))
}

impl Rooms {
    /// Returns what everybody may see of an account, and whether the person is online.
    pub(super) fn describe(&self, account: &Account) -> Value {
        let mut described = account.public();
        let holder = self.directory.holder(&account.row.username.to_lowercase());
        described["online"] = json!(holder.as_deref() == Some(account.id.as_str()));
        described
    }
}
