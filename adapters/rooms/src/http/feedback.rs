//! Ratings of messages.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use palabre_types::Millis;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Body;
use super::caller::{Caller, ClientNetwork};
use super::problem::Problem;
use crate::accounts::rows::Scope;
use crate::decode::TEXT_MAX;
use crate::feedback::rows::FeedbackRow;
use crate::limits::Kind;
use crate::presence::Author;
use crate::service::Rooms;

/// Maximum length of a `feedback_type`, in characters.
const TYPE_MAX: usize = 64;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new().route("/api/rooms/{room}/messages/{id}/feedback", post(rate)).with_state(Arc::clone(rooms))
}

/// A rating, as it is sent.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with rating")]
pub(super) struct Feedback {
    rating: Value,
    #[serde(default)]
    feedback_type: Option<String>,
    #[serde(default)]
    comment: Option<String>,
}

impl Feedback {
    /// Returns the row of a rating that is valid.
    pub(super) fn row(self, time: Millis) -> Result<FeedbackRow, Problem> {
        let refused = |problem: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, problem);
        let Self { rating, feedback_type, comment } = self;
        let rating = rating.as_u64().and_then(|rating| u8::try_from(rating).ok());
        let rating = rating.filter(|rating| (1..=5).contains(rating));
        let rating = rating.ok_or_else(|| refused("rating must be a whole number from 1 to 5".to_owned()))?;
        let is_long = |text: &Option<String>, limit| text.as_ref().is_some_and(|text| text.chars().count() > limit);
        if is_long(&feedback_type, TYPE_MAX) {
            return Err(refused(format!("feedback_type must have at most {TYPE_MAX} characters")));
        }
        if is_long(&comment, TEXT_MAX) {
            return Err(refused(format!("comment must have at most {TEXT_MAX} characters")));
        }
        Ok(FeedbackRow { rating, kind: feedback_type, comment, time })
    }
}

async fn rate(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    ClientNetwork(network): ClientNetwork,
    Path((room, id)): Path<(String, String)>,
    Body(feedback): Body<Feedback>,
) -> Result<Json<Value>, Problem> {
    let room = rooms.room_of_caller(&caller, &room, Scope::Write)?;
    let author = Author::of_account(&caller.0.account);
    let row = feedback.row(rooms.clock.now())?;
    rooms.limit(Kind::Change, &author, network)?;
    rooms.rate(&room, &id, &author, &row).await?;
    Ok(Json(json!({ "success": true, "message_id": id, "rating": row.rating })))
}
