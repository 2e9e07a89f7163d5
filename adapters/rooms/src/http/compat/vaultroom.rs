//! VaultRoom: accounts, and private messages between them; and the login of Neural Chat Engine.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use palabre_types::iso8601;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::body::JsonOrForm;
use super::super::caller::{Caller, ClientNetwork};
use super::super::messages::Part;
use super::super::problem::Problem;
use super::super::session_cookie::{self, cookie};
use super::super::sign_in::Form;
use super::super::visitor::{SignedIn, Visitor};
use crate::accounts::credential::{SESSION_LIFE, public_id};
use crate::accounts::error::AccountError;
use crate::accounts::login::Login;
use crate::accounts::registration::Registration;
use crate::accounts::rows::Scope;
use crate::decode::Send;
use crate::service::Rooms;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new()
        .route("/register", post(register))
        .route("/login", post(login))
        .route("/login-page", get(|| async { Form::SignIn.page(StatusCode::OK, "", "") }))
        .route("/register-page", get(register_page))
        .route("/logout", get(logout))
        .route("/auth/login", post(auth_login))
        .route("/auth/logout", post(auth_logout))
        .route("/get-users", get(users))
        .route("/send-message", post(send))
        .route("/get-messages", get(messages))
        .with_state(Arc::clone(rooms))
}

#[derive(Deserialize)]
struct RegisterPage {
    #[serde(default)]
    owner: String,
}

/// The form to register; with the secret of the one-time link, it creates the owner.
async fn register_page(Query(RegisterPage { owner }): Query<RegisterPage>) -> Response {
    Form::Register.page(StatusCode::OK, "", &owner)
}

async fn register(
    State(rooms): State<Arc<Rooms>>,
    visitor: Visitor,
    JsonOrForm { body, is_form }: JsonOrForm<Registration>,
) -> Result<Response, Problem> {
    let owner = body.owner.clone().unwrap_or_default();
    match visitor.register(&rooms, body).await {
        Ok(person) => Ok(signed_in(&person, StatusCode::CREATED, is_form)),
        Err(error) => refused(error, is_form.then_some(Form::Register), &owner),
    }
}

async fn login(
    State(rooms): State<Arc<Rooms>>,
    visitor: Visitor,
    JsonOrForm { body, is_form }: JsonOrForm<Login>,
) -> Result<Response, Problem> {
    match visitor.sign_in(&rooms, body).await {
        Ok(person) => Ok(signed_in(&person, StatusCode::OK, is_form)),
        Err(error) => refused(error, is_form.then_some(Form::SignIn), ""),
    }
}

/// Returns the refusal as JSON, or the form again with the reason.
fn refused(error: AccountError, form: Option<Form>, owner: &str) -> Result<Response, Problem> {
    let problem = Problem::from(error);
    match form {
        Some(form) => {
            let (status, text) = problem.parts();
            Ok(form.page(status, text, owner))
        }
        None => Err(problem),
    }
}

fn signed_in(person: &SignedIn, status: StatusCode, is_form: bool) -> Response {
    if is_form {
        return (person.cookie(), Redirect::to("/")).into_response();
    }
    (status, person.cookie(), Json(person.account.private())).into_response()
}

/// Ends the session of the cookie. A link, as the document has it, and harmless from another site.
async fn logout(State(rooms): State<Arc<Rooms>>, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(token) = cookie(&headers)
        && let Some(credential) = rooms.credential(token).await?
    {
        match rooms.revoke(&credential.account, credential.id()).await {
            // Another request has ended it already.
            Ok(()) | Err(AccountError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((session_cookie::forgotten(), Redirect::to("/")).into_response())
}

async fn auth_login(
    State(rooms): State<Arc<Rooms>>,
    visitor: Visitor,
    JsonOrForm { body, .. }: JsonOrForm<Login>,
) -> Result<Response, Problem> {
    let person = visitor.sign_in(&rooms, body).await?;
    let (_, hash) = person.token.key();
    let data = json!({
        "session_id": public_id(&hash),
        "user_id": person.account.id,
        "expires_at": iso8601(rooms.clock.now().saturating_add(SESSION_LIFE)),
        "token": person.token.text,
    });
    let answer = json!({ "success": true, "message": "signed in", "data": data });
    Ok((person.cookie(), Json(answer)).into_response())
}

async fn auth_logout(State(rooms): State<Arc<Rooms>>, Caller(credential): Caller) -> Result<Response, Problem> {
    rooms.revoke(&credential.account, credential.id()).await?;
    Ok((session_cookie::forgotten(), Json(json!({ "success": true, "message": "signed out" }))).into_response())
}

/// All accounts but one's own.
async fn users(State(rooms): State<Arc<Rooms>>, caller: Caller) -> Result<Json<Value>, Problem> {
    caller.require(Scope::Read)?;
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let (page, has_more) = rooms.accounts(after, None).await?;
        after = page.last().map(|account| account.id.clone());
        let others = page.iter().filter(|account| account.id != caller.0.account.id);
        all.extend(others.map(|account| rooms.describe(account)));
        // The document has no pages; `/api/users` has.
        if !has_more || all.len() >= USERS_MAX {
            return Ok(Json(Value::Array(all)));
        }
    }
}

/// Maximum number of accounts in the list without pages.
const USERS_MAX: usize = 1_000;

#[derive(Deserialize)]
#[serde(expecting = "an object with recipient_id and message")]
struct PrivateMessage {
    recipient_id: Value,
    message: String,
}

async fn send(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    JsonOrForm { body, .. }: JsonOrForm<PrivateMessage>,
) -> Result<Json<Value>, Problem> {
    caller.require(Scope::Write)?;
    let recipient = match body.recipient_id {
        Value::String(id) => id,
        other => other.to_string(),
    };
    let room = rooms.conversation_with(&caller, recipient.clone()).await?;
    let send = Send { message: body.message.clone(), nonce: None, reply_to: None, files: Vec::new() };
    let id = rooms.send_as(&caller.0.account, &room, send, network).await?;
    let data = json!({ "id": id, "recipient_id": recipient, "message": body.message });
    Ok(Json(json!({ "status": "success", "data": data })))
}

/// A conversation and the part of it that is requested. The document has no parts: without any, the newest.
#[derive(Deserialize)]
struct Conversation {
    receiver_id: String,
    before: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

async fn messages(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    asked: Result<Query<Conversation>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    caller.require(Scope::Read)?;
    let Query(Conversation { receiver_id, before, after, limit }) = asked?;
    let room = rooms.conversation_with(&caller, receiver_id).await?;
    let page = rooms.page(&room, Part { before, after, limit }).await?;
    let described = page.rows.iter().map(
        |row| json!({ "id": row.id, "sender": row.username, "content": row.text, "timestamp": iso8601(row.time) }),
    );
    Ok(Json(described.collect()))
}
