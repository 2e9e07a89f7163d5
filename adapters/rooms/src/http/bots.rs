//! `/api/bots`: one's bot accounts, and their access tokens.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth;
use super::body::Body;
use super::caller::{Caller, ClientNetwork};
use super::problem::Problem;
use crate::accounts::credential;
use crate::accounts::issuing::TokenRequest;
use crate::accounts::rows::Scope;
use crate::service::Rooms;

type Answer = Result<Response, Problem>;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new()
        .route("/api/bots", get(list).post(create))
        .route("/api/bots/{id}", delete(remove))
        .route("/api/bots/{id}/tokens", get(tokens).post(create_token))
        .route("/api/bots/{id}/tokens/{token}", delete(revoke))
        .with_state(Arc::clone(rooms))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with username")]
struct NewBot {
    username: String,
}

/// Refuses a credential with which something would be created that outlives it.
fn require_session(caller: &Caller) -> Result<(), Problem> {
    caller.require(Scope::Account)?;
    if caller.0.is_session() {
        return Ok(());
    }
    let problem = "bots and their access tokens are created by people who are signed in";
    Err(Problem::new(StatusCode::FORBIDDEN, problem))
}

async fn create(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Body(NewBot { username }): Body<NewBot>,
) -> Answer {
    require_session(&caller)?;
    let bot = rooms.create_bot(&caller.0.account, &username, network).await?;
    Ok((StatusCode::CREATED, Json(rooms.describe(&bot))).into_response())
}

async fn list(State(rooms): State<Arc<Rooms>>, caller: Caller) -> Answer {
    caller.require(Scope::Account)?;
    let bots = rooms.bots_of(&caller.0.account).await?;
    let listed: Vec<Value> = bots.iter().map(|bot| rooms.describe(bot)).collect();
    Ok(Json(json!({ "bots": listed })).into_response())
}

async fn remove(State(rooms): State<Arc<Rooms>>, caller: Caller, Path(id): Path<String>) -> Answer {
    caller.require(Scope::Account)?;
    rooms.delete_bot(&caller.0.account, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn tokens(State(rooms): State<Arc<Rooms>>, caller: Caller, Path(id): Path<String>) -> Answer {
    caller.require(Scope::Account)?;
    let bot = rooms.bot_of(&caller.0.account, id).await?;
    let found = rooms.read_store(move |snapshot| credential::list(snapshot, &bot.id)).await?;
    let listed: Vec<Value> = found.iter().map(|(hash, row)| auth::describe(hash, row, caller.0.id())).collect();
    Ok(Json(json!({ "tokens": listed })).into_response())
}

async fn create_token(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<TokenRequest>,
) -> Answer {
    require_session(&caller)?;
    if request.scopes.contains(&Scope::Account) {
        let problem = "the tokens of a bot have the scopes read and write; its owner changes the account";
        return Err(Problem::new(StatusCode::BAD_REQUEST, problem));
    }
    let bot = rooms.bot_of(&caller.0.account, id).await?;
    let token = rooms.create_token(&bot, request).await?;
    let (_, hash) = token.key();
    let created = json!({ "id": credential::public_id(&hash), "token": token.text });
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

async fn revoke(State(rooms): State<Arc<Rooms>>, caller: Caller, Path((id, token)): Path<(String, String)>) -> Answer {
    caller.require(Scope::Account)?;
    let bot = rooms.bot_of(&caller.0.account, id).await?;
    rooms.revoke(&bot, &token).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
