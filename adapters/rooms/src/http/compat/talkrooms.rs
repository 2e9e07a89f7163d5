//! TalkRooms: `GET /chat` and `POST /join`.

use axum::Router;
use axum::extract::Form;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::super::site::check_site;
use super::super::{percent, web};
use crate::decode;

pub(super) fn routes() -> Router {
    Router::new()
        // The page reads username and room from the query.
        .route("/chat", get(web::page))
        .route("/join", post(join))
}

#[derive(Deserialize)]
struct Entry {
    username: String,
    room: String,
}

async fn join(headers: HeaderMap, Form(entry): Form<Entry>) -> Response {
    if let Err(problem) = check_site(&Method::POST, &headers, &[]) {
        return problem.into_response();
    }
    let entry = decode::Join { username: entry.username, room: entry.room, last_id: None, locale: None };
    match entry.checked() {
        Ok(entry) => {
            let (username, room) = (percent::encode(&entry.username), percent::encode(&entry.room));
            Redirect::to(&format!("/chat?username={username}&room={room}")).into_response()
        }
        Err(problem) => (StatusCode::BAD_REQUEST, problem).into_response(),
    }
}
