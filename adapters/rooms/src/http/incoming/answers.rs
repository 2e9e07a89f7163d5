//! The answers to a message of an incoming webhook, as clients of its format expect them.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use palabre_types::{Millis, iso8601};
use serde_json::{Value, json};

use super::posted::Posted;
use crate::http::problem::Problem;
use crate::webhooks::payload::{Format, Payload};

/// Discord's codes of errors.
const UNKNOWN_WEBHOOK: u32 = 10_015;
const EMPTY_MESSAGE: u32 = 50_006;
const NOT_PERMITTED: u32 = 50_013;
const INVALID_BODY: u32 = 50_035;

/// Answers that there is no such webhook, or that its secret is another one.
///
/// The format of the body is not known yet.
pub(super) fn unknown() -> Response {
    let body = json!({
        "error": "there is no such webhook, or its secret is another one",
        "message": "Unknown Webhook",
        "code": UNKNOWN_WEBHOOK,
    });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}

/// Answers that the webhook has reached its rate limit.
pub(super) fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs_f64().ceil().max(1.0);
    let body = json!({
        "error": "the webhook has reached its limit of messages; try again later",
        "message": "You are being rate limited.",
        "retry_after": seconds,
        "global": false,
    });
    let retry_after = HeaderValue::from(seconds as u64);
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, retry_after)], Json(body)).into_response()
}

/// Answers that the body has none of the formats, or is too large.
pub(super) fn unreadable(status: StatusCode) -> Response {
    (status, "invalid_payload").into_response()
}

/// Answers that the message has no text.
pub(super) fn empty(format: Format) -> Response {
    match format {
        Format::Own => Problem::new(StatusCode::BAD_REQUEST, "message is empty").into_response(),
        Format::Slack => (StatusCode::BAD_REQUEST, "no_text").into_response(),
        Format::Discord => of_discord(StatusCode::BAD_REQUEST, EMPTY_MESSAGE, "Cannot send an empty message"),
    }
}

/// Answers that the message was refused, for this reason.
pub(super) fn refused(format: Format, problem: Problem) -> Response {
    let (status, text) = problem.parts();
    match format {
        Format::Own => problem.into_response(),
        Format::Slack => {
            let code = match status {
                StatusCode::BAD_REQUEST => "invalid_payload",
                StatusCode::FORBIDDEN => "action_prohibited",
                StatusCode::NOT_FOUND => "channel_not_found",
                _ => "service_unavailable",
            };
            (status, code).into_response()
        }
        Format::Discord => {
            let code = match status {
                StatusCode::BAD_REQUEST => INVALID_BODY,
                StatusCode::FORBIDDEN => NOT_PERMITTED,
                StatusCode::NOT_FOUND => UNKNOWN_WEBHOOK,
                _ => 0,
            };
            of_discord(status, code, text)
        }
    }
}

/// Answers that the messages are durable. `is_waiting` asks for the message, as Discord returns it.
pub(super) fn accepted(posted: &Posted, payload: &Payload, is_waiting: bool, now: Millis) -> Response {
    match payload.format {
        Format::Own => {
            let body = json!({ "id": posted.ids.first(), "ids": posted.ids, "room": posted.room });
            (StatusCode::CREATED, Json(body)).into_response()
        }
        Format::Slack => (StatusCode::OK, "ok").into_response(),
        Format::Discord if is_waiting => Json(message(posted, &payload.text, now)).into_response(),
        Format::Discord => StatusCode::NO_CONTENT.into_response(),
    }
}

/// Returns a message in Discord's form. Its id is that of the first part.
fn message(posted: &Posted, content: &str, now: Millis) -> Value {
    json!({
        "id": posted.ids.first(),
        "type": 0,
        "content": content,
        "channel_id": posted.room,
        "webhook_id": posted.webhook,
        "author": { "id": posted.webhook, "username": posted.username, "bot": true },
        "timestamp": iso8601(now),
        "edited_timestamp": null,
        "tts": false,
        "pinned": false,
        "mention_everyone": false,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "components": [],
        "flags": 0,
    })
}

fn of_discord(status: StatusCode, code: u32, text: &str) -> Response {
    (status, Json(json!({ "message": text, "code": code }))).into_response()
}
