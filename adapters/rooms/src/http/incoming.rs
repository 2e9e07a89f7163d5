//! `POST /api/webhooks/{id}/{secret}`: posts a message into the room of an incoming webhook.
//!
//! The answers are those that clients of the format expect: our own, Slack's or Discord's.

mod answers;
mod posted;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Form, FromRequest, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use palabre_text::split;
use serde::Deserialize;

use self::posted::Posted;
use super::problem::Problem;
use crate::decode::{Send, TEXT_MAX};
use crate::limiter::{Verdict, Who};
use crate::limits::Kind;
use crate::presence::Author;
use crate::room::command::{Command, Origin};
use crate::service::Rooms;
use crate::webhooks::payload::Payload;
use crate::webhooks::reading;
use crate::webhooks::registry::author_of;
use crate::webhooks::rows::{WebhookRow, hash_of};

/// Maximum size of a body, in bytes.
const BODY_BYTES_MAX: usize = 256 << 10;
/// Maximum size of a body that is read, in bytes: a client that is still sending would not read the refusal.
const READ_BYTES_MAX: usize = 1 << 20;
/// Maximum number of messages into which a text is split.
const PARTS_MAX: usize = 10;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new().route("/api/webhooks/{id}/{secret}", post(receive)).with_state(Arc::clone(rooms))
}

async fn receive(
    State(rooms): State<Arc<Rooms>>,
    Path((id, secret)): Path<(String, String)>,
    request: Request,
) -> Response {
    // Hashes are compared, so that the time reveals nothing about the secret.
    let found = rooms.authority.webhooks.get(&id).filter(|row| row.secret_hash == hash_of(&secret));
    let Some(webhook) = found else { return answers::unknown() };
    let limited = [Who::Person(None, author_of(&id).into())];
    if let Verdict::Refused(wait) | Verdict::Late(wait) = rooms.limiter.take(Kind::Webhook, &limited) {
        return answers::too_many(wait);
    }
    let is_waiting = request.uri().query().is_some_and(|query| query.split('&').any(|one| one == "wait=true"));
    let payload = match read(request).await {
        Ok(payload) => payload,
        Err(status) => return answers::unreadable(status),
    };
    if payload.text.trim().is_empty() {
        return answers::empty(payload.format);
    }
    match rooms.post_for_webhook(id, &webhook, &payload).await {
        Ok(posted) => answers::accepted(&posted, &payload, is_waiting, rooms.clock.now()),
        Err(problem) => answers::refused(payload.format, problem),
    }
}

/// The form in which Slack accepts its JSON too.
#[derive(Deserialize)]
struct SlackForm {
    payload: String,
}

/// Returns the message in the body of a request, whatever type the body says that it has.
async fn read(request: Request) -> Result<Payload, StatusCode> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, READ_BYTES_MAX).await.map_err(|_too_large| StatusCode::PAYLOAD_TOO_LARGE)?;
    if bytes.len() > BODY_BYTES_MAX {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    if is_form {
        let request = Request::from_parts(parts, Body::from(bytes.clone()));
        if let Ok(Form(SlackForm { payload })) = Form::<SlackForm>::from_request(request, &()).await {
            return reading::read(payload.as_bytes()).ok_or(StatusCode::BAD_REQUEST);
        }
    }
    reading::read(&bytes).ok_or(StatusCode::BAD_REQUEST)
}

impl Rooms {
    /// Posts a message of a webhook, in several parts if it is long. Returns when all of them are durable.
    async fn post_for_webhook(&self, id: String, webhook: &WebhookRow, payload: &Payload) -> Result<Posted, Problem> {
        let username = self.name_for_webhook(webhook, payload.username.as_deref())?;
        let parts = split(&payload.text, TEXT_MAX);
        if parts.len() > PARTS_MAX {
            let problem = format!("the text is longer than {PARTS_MAX} messages of {TEXT_MAX} characters");
            return Err(Problem::new(StatusCode::BAD_REQUEST, problem));
        }
        let author = Author::of_webhook(username.clone(), &id);
        let mut ids = Vec::with_capacity(parts.len());
        for (index, message) in parts.into_iter().enumerate() {
            let nonce = payload.nonce.as_ref();
            let nonce = nonce.map(|nonce| if index == 0 { nonce.clone() } else { format!("{nonce}/{index}") });
            let send = Send { message, nonce, reply_to: None, files: Vec::new() };
            let send = send.checked().map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, problem))?;
            let post = |origin: Origin| Command::Post { origin, send };
            ids.extend(self.request(author.clone(), &webhook.room, post).await?);
        }
        Ok(Posted { webhook: id, room: webhook.room.clone(), username, ids })
    }
}
