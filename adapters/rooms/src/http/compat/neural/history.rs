//! The sessions of a person: their messages, exports, ratings, and their end.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use palabre_types::iso8601;
use serde::Deserialize;
use serde_json::{Value, json};

use super::description::message;
use crate::accounts::rows::Scope;
use crate::http::body::Body;
use crate::http::caller::{Caller, ClientNetwork, MaybeCaller};
use crate::http::export::{Export, Requested};
use crate::http::feedback::Feedback;
use crate::http::messages::Part;
use crate::http::problem::Problem;
use crate::limits::Kind;
use crate::service::Rooms;
use crate::sessions::count_messages;

/// Number of messages in a page, if the request names none.
const PAGE_DEFAULT: usize = 50;

#[derive(Debug, Deserialize)]
pub(super) struct Page {
    limit: Option<usize>,
    /// The `next_cursor` of the page before: the id of its oldest message.
    cursor: Option<String>,
}

/// `GET /chat/history/{session}`: the newest messages, or those before a cursor, oldest first.
pub(super) async fn page(
    State(rooms): State<Arc<Rooms>>,
    caller: MaybeCaller,
    Path(id): Path<String>,
    asked: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let session = rooms.session_of_caller(&caller, &id, Scope::Read).await?;
    let Query(Page { limit, cursor }) = asked?;
    let page = rooms.page(&session.room, Part::before(cursor, limit.unwrap_or(PAGE_DEFAULT))).await?;
    let room = session.room.clone();
    let total = rooms.read_store(move |snapshot| count_messages(snapshot, &room)).await?;
    let next = if page.has_more { page.rows.first().map(|row| &row.id) } else { None };
    Ok(Json(json!({
        "session_id": session.id,
        "messages": page.rows.iter().map(|row| message(&session.id, row)).collect::<Vec<_>>(),
        "total_messages": total,
        "has_more": page.has_more,
        "next_cursor": next,
    })))
}

/// `GET /chat/sessions`: the sessions of the account, the one used last first.
pub(super) async fn sessions(State(rooms): State<Arc<Rooms>>, caller: Caller) -> Result<Json<Value>, Problem> {
    caller.require(Scope::Read)?;
    let sessions = rooms.sessions(&caller.0.account).await?;
    let described: Vec<Value> = sessions
        .iter()
        .map(|session| {
            json!({
                "session_id": session.id,
                "created_at": iso8601(session.created),
                "last_activity": iso8601(session.last),
            })
        })
        .collect();
    Ok(Json(json!({ "total": described.len(), "sessions": described })))
}

/// `DELETE /chat/session/{id}`: deletes the session with its messages and files.
pub(super) async fn remove(
    State(rooms): State<Arc<Rooms>>,
    caller: MaybeCaller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let session = rooms.session_of_caller(&caller, &id, Scope::Write).await?;
    rooms.delete_session(&session).await?;
    Ok(Json(json!({ "success": true, "message": "the session is deleted", "session_id": session.id })))
}

/// `GET /chat/export/{session}`: the whole history, as JSON or text.
pub(super) async fn export(
    State(rooms): State<Arc<Rooms>>,
    caller: MaybeCaller,
    Path(id): Path<String>,
    asked: Result<Query<Requested>, QueryRejection>,
) -> Result<Export, Problem> {
    let session = rooms.session_of_caller(&caller, &id, Scope::Read).await?;
    let Query(Requested { format }) = asked?;
    let (person, title) = (session.author.guest.to_string(), ("session_id", session.id));
    Ok(Export { rooms, room: session.room, person, format, title, describe: message })
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with session_id, message_id and rating")]
pub(super) struct ChatFeedback {
    session_id: String,
    message_id: String,
    #[serde(flatten)]
    feedback: Feedback,
}

/// `POST /chat/feedback`: the rating of a message.
pub(super) async fn rate(
    State(rooms): State<Arc<Rooms>>,
    caller: MaybeCaller,
    ClientNetwork(network): ClientNetwork,
    Body(body): Body<ChatFeedback>,
) -> Result<Json<Value>, Problem> {
    let ChatFeedback { session_id, message_id, feedback } = body;
    let row = feedback.row(rooms.clock.now())?;
    let session = rooms.session_of_caller(&caller, &session_id, Scope::Write).await?;
    rooms.limit(Kind::Change, &session.author, network)?;
    rooms.rate(&session.room, &message_id, &session.author, &row).await?;
    let data = json!({ "session_id": session_id, "message_id": message_id, "rating": row.rating });
    Ok(Json(json!({ "success": true, "message": "thank you for your rating", "data": data })))
}
