//! `/api/auth`: registration, login, sessions and access tokens.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use palabre_types::iso8601;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Body;
use super::caller::{Caller, ClientNetwork};
use super::problem::Problem;
use super::session_cookie;
use super::visitor::{SignedIn, Visitor};
use crate::accounts::credential;
use crate::accounts::deletion::Deletion;
use crate::accounts::issuing::TokenRequest;
use crate::accounts::login::{Login, PasswordChange};
use crate::accounts::otp::OtpRequest;
use crate::accounts::registration::Registration;
use crate::accounts::rows::{CredentialKind, CredentialRow, Scope};
use crate::service::Rooms;

type Answer = Result<Response, Problem>;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new()
        .route("/api/auth/register", post(register))
        .route("/api/auth/login", post(login))
        .route("/api/auth/logout", post(logout))
        .route("/api/auth/me", get(me).delete(delete_account))
        .route("/api/auth/password", post(password))
        .route("/api/auth/otp", post(begin_otp).delete(end_otp))
        .route("/api/auth/otp/confirm", post(confirm_otp))
        .route("/api/auth/sessions", get(sessions))
        .route("/api/auth/sessions/{id}", delete(revoke))
        .route("/api/auth/tokens", get(tokens).post(create_token))
        .route("/api/auth/tokens/{id}", delete(revoke))
        .with_state(Arc::clone(rooms))
}

async fn register(State(rooms): State<Arc<Rooms>>, visitor: Visitor, Body(registration): Body<Registration>) -> Answer {
    let signed_in = visitor.register(&rooms, registration).await?;
    Ok((StatusCode::CREATED, signed_in.cookie(), Json(with_token(&signed_in))).into_response())
}

async fn login(State(rooms): State<Arc<Rooms>>, visitor: Visitor, Body(login): Body<Login>) -> Answer {
    let signed_in = visitor.sign_in(&rooms, login).await?;
    Ok((signed_in.cookie(), Json(with_token(&signed_in))).into_response())
}

async fn logout(State(rooms): State<Arc<Rooms>>, Caller(credential): Caller) -> Answer {
    rooms.revoke(&credential.account, credential.id()).await?;
    Ok((StatusCode::NO_CONTENT, session_cookie::forgotten()).into_response())
}

/// Returns the account; its e-mail address only with the scope for the account itself.
async fn me(Caller(credential): Caller) -> Json<Value> {
    let is_whole = credential.allows(Scope::Account);
    Json(if is_whole { credential.account.private() } else { credential.account.public() })
}

async fn begin_otp(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Body(request): Body<OtpRequest>,
) -> Answer {
    caller.require(Scope::Account)?;
    let (secret, url) = rooms.begin_otp(&caller.0.account, request.password, network).await?;
    Ok(Json(json!({ "secret": secret, "url": url })).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with code")]
struct Code {
    code: String,
}

async fn confirm_otp(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Body(Code { code }): Body<Code>,
) -> Answer {
    caller.require(Scope::Account)?;
    let codes = rooms.confirm_otp(&caller.0.account, &code, network).await?;
    Ok(Json(json!({ "recovery_codes": codes })).into_response())
}

async fn end_otp(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Body(request): Body<OtpRequest>,
) -> Answer {
    caller.require(Scope::Account)?;
    rooms.end_otp(&caller.0.account, request, network).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Deletes one's own account, with its messages.
async fn delete_account(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Body(deletion): Body<Deletion>,
) -> Answer {
    caller.require(Scope::Account)?;
    rooms.delete_account(&caller.0, deletion, network).await?;
    Ok((StatusCode::NO_CONTENT, session_cookie::forgotten()).into_response())
}

async fn password(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Body(change): Body<PasswordChange>,
) -> Answer {
    caller.require(Scope::Account)?;
    rooms.change_password(&caller.0, change, network).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn sessions(State(rooms): State<Arc<Rooms>>, caller: Caller) -> Answer {
    listed(&rooms, &caller, CredentialKind::Session).await
}

async fn tokens(State(rooms): State<Arc<Rooms>>, caller: Caller) -> Answer {
    listed(&rooms, &caller, CredentialKind::Token).await
}

async fn listed(rooms: &Rooms, caller: &Caller, kind: CredentialKind) -> Answer {
    caller.require(Scope::Account)?;
    let owner = caller.0.account.id.clone();
    let found = rooms.read_store(move |snapshot| credential::list(snapshot, &owner)).await?;
    let of_kind = found.iter().filter(|(_, row)| row.kind == kind);
    let listed: Vec<Value> = of_kind.map(|(hash, row)| describe(hash, row, caller.0.id())).collect();
    Ok(Json(listed).into_response())
}

/// Describes a session or access token. `current` is the id of the one that was presented.
pub(super) fn describe(hash: &str, row: &CredentialRow, current: &str) -> Value {
    let id = credential::public_id(hash);
    json!({
        "id": id,
        "name": row.label,
        "scopes": row.scopes,
        "created": iso8601(row.created),
        "last_use": iso8601(row.last_use),
        "expires": row.expires.map(iso8601),
        "current": id == current,
    })
}

async fn create_token(State(rooms): State<Arc<Rooms>>, caller: Caller, Body(request): Body<TokenRequest>) -> Answer {
    caller.require(Scope::Account)?;
    // Otherwise a token could create others that outlive it.
    if !caller.0.is_session() {
        return Err(Problem::new(StatusCode::FORBIDDEN, "access tokens are created by people who are signed in"));
    }
    let token = rooms.create_token(&caller.0.account, request).await?;
    let (_, hash) = token.key();
    let created = json!({ "id": credential::public_id(&hash), "token": token.text });
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

async fn revoke(State(rooms): State<Arc<Rooms>>, caller: Caller, Path(id): Path<String>) -> Answer {
    caller.require(Scope::Account)?;
    rooms.revoke(&caller.0.account, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Returns the account with the token of its session, for programs.
fn with_token(signed_in: &SignedIn) -> Value {
    let mut account = signed_in.account.private();
    account["token"] = json!(signed_in.token.text);
    account
}
