//! Legacy routes (`/chat`, `/join`) on the current handlers.

use axum::Router;
use axum::extract::Form;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::{decode, web};

pub(crate) fn routes() -> Router {
    Router::new()
        // TalkRooms: the page reads username and room from the query.
        .route("/chat", get(web::page))
        .route("/join", post(join))
}

#[derive(Deserialize)]
struct Entry {
    username: String,
    room: String,
}

async fn join(Form(entry): Form<Entry>) -> Response {
    let entry = decode::Join { username: entry.username, room: entry.room, last_id: None, locale: None };
    match entry.checked() {
        Ok(entry) => {
            let (username, room) = (percent(&entry.username), percent(&entry.room));
            Redirect::to(&format!("/chat?username={username}&room={room}")).into_response()
        }
        Err(problem) => (StatusCode::BAD_REQUEST, problem).into_response(),
    }
}

/// Encodes everything except unreserved characters as `%XX` (RFC 3986, section 2.1).
pub(crate) fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
