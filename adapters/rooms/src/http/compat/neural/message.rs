//! `POST /chat/message`: sends a message to the bots, and answers with what they say.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::description::{self, Collected, FileReference, text_type, to_send};
use super::streaming;
use crate::accounts::rows::Scope;
use crate::answers::{Answers, Ending, Step};
use crate::http::body::Body;
use crate::http::caller::{ClientNetwork, MaybeCaller};
use crate::http::problem::Problem;
use crate::service::Rooms;
use crate::sessions::ChatSession;

/// Maximum number of answers to one message that are returned; others are in the history.
const ANSWERS_MAX: usize = 100;

/// A message to the bots. `context` is accepted as well, and has no effect.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with message")]
pub(super) struct ChatMessage {
    message: String,
    /// A new session is created if it is missing.
    #[serde(default)]
    session_id: Option<String>,
    #[serde(default = "text_type")]
    message_type: String,
    #[serde(default)]
    attachments: Option<Vec<FileReference>>,
    /// Whether the answers are sent as they arrive.
    #[serde(default)]
    stream: bool,
}

pub(super) async fn send(
    State(rooms): State<Arc<Rooms>>,
    caller: MaybeCaller,
    ClientNetwork(network): ClientNetwork,
    Body(body): Body<ChatMessage>,
) -> Result<Response, Problem> {
    let ChatMessage { message, session_id, message_type, attachments, stream } = body;
    caller.require(Scope::Write)?;
    let send = to_send(message, &message_type, attachments)?;
    let session = match session_id {
        Some(id) => rooms.session_of_caller(&caller, &id, Scope::Write).await?,
        None => rooms.session_for_caller(&caller, network).await?,
    };
    // Otherwise nobody could tell which answers belong to which message.
    let Some(permit) = rooms.answering.take(session.room.clone(), 1) else {
        let problem = "the previous message of this session is still being answered; wait for that first";
        return Err(Problem::new(StatusCode::CONFLICT, problem));
    };
    let unavailable = |problem: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, problem);
    let updates = rooms.watch(&session.room).await.map_err(unavailable)?;
    let id = rooms.send_by(session.author.clone(), &session.room, send, network).await?;
    let answers = rooms.answers_to(&id, updates, permit);
    let seconds = rooms.config.answer_seconds;
    if stream {
        return Ok(streaming::respond(session.id, id, answers, seconds));
    }
    Ok(Json(collected(&session, &id, answers, seconds).await).into_response())
}

/// Waits for the answers and returns them together.
async fn collected(session: &ChatSession, id: &str, mut answers: Answers, seconds: u64) -> Value {
    let mut collected = Collected::default();
    let ending = loop {
        match answers.next().await {
            Step::Said(row) => drop(collected.put(row)),
            Step::Deleted(id) => collected.remove(&id),
            Step::End(ending) => break ending,
        }
        if collected.rows.len() >= ANSWERS_MAX {
            break Ending::Interrupted;
        }
    };
    let responses: Vec<Value> = collected.rows.iter().map(|row| description::message(&session.id, row)).collect();
    json!({
        "session_id": session.id,
        "message_id": id,
        "response_message": collected.joined(&session.id, ending, seconds),
        "responses": responses,
        "recommendations": [],
    })
}
