//! Exports of the whole history of a room, as JSON or text, sent page by page.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream::try_unfold;
use palabre_store::{Direction, Snapshot};
use palabre_types::iso8601;
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::problem::Problem;
use crate::accounts::error::AccountError;
use crate::accounts::rows::{Scope, is_account_id};
use crate::encode::message;
use crate::feedback::rows::FeedbackRow;
use crate::history::{self, MESSAGES, MessageRow};
use crate::service::Rooms;

/// Size at which a part of an export is sent, in bytes. The next one is read when the client has taken it.
const PART_BYTES: usize = 256 << 10;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new().route("/api/rooms/{room}/export", get(room)).with_state(Arc::clone(rooms))
}

/// The format of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    #[default]
    Json,
    Txt,
}

/// The query of a request for an export.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Requested {
    #[serde(default)]
    pub(super) format: Format,
}

/// An export that is being sent.
pub(super) struct Export {
    pub(super) rooms: Arc<Rooms>,
    pub(super) room: String,
    /// The id of the person who exports, whose ratings are included.
    pub(super) person: String,
    pub(super) format: Format,
    /// The name of the field with the name of the room or session, and that name.
    pub(super) title: (&'static str, String),
    /// Describes a message in JSON, given the name in `title`.
    pub(super) describe: fn(&str, &MessageRow) -> Value,
}

/// The progress of an export.
struct Sending {
    export: Arc<Export>,
    /// The position of the last message that was sent.
    last: Option<u64>,
    /// The position of the last message at the beginning of the export.
    end: Option<u64>,
    is_over: bool,
}

async fn room(
    State(rooms): State<Arc<Rooms>>,
    caller: Caller,
    Path(room): Path<String>,
    requested: Result<Query<Requested>, QueryRejection>,
) -> Result<Response, Problem> {
    let room = rooms.room_of_caller(&caller, &room, Scope::Read)?;
    let Query(Requested { format }) = requested?;
    let title = ("room", room.clone());
    let describe = |room: &str, row: &MessageRow| serde_json::to_value(message(room, row)).unwrap_or_default();
    Ok(Export { rooms, room, person: caller.0.account.id, format, title, describe }.into_response())
}

impl IntoResponse for Export {
    fn into_response(self) -> Response {
        let (kind, disposition) = match self.format {
            Format::Json => ("application/json", "attachment; filename=\"conversation.json\""),
            Format::Txt => ("text/plain; charset=utf-8", "attachment; filename=\"conversation.txt\""),
        };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::CONTENT_DISPOSITION, HeaderValue::from_static(disposition)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let sending = Sending { export: Arc::new(self), last: None, end: None, is_over: false };
        (headers, Body::from_stream(try_unfold(sending, Sending::next))).into_response()
    }
}

impl Sending {
    /// Returns the next part of the export; `None` after the last one.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, AccountError> {
        if self.is_over {
            return Ok(None);
        }
        self.export.check_access()?;
        let (export, last, known_end) = (Arc::clone(&self.export), self.last, self.end);
        let read = self.export.rooms.read_store(move |snapshot| {
            let end = match known_end {
                Some(end) => end,
                None => history::last(snapshot, &export.room, 1)?.first().map_or(0, |(position, _)| *position),
            };
            Ok((export.part(snapshot, last, end)?, end))
        });
        let ((text, last), end) = read.await?;
        self.end = Some(end);
        self.is_over = last.is_none();
        self.last = last;
        Ok(Some((text.into(), self)))
    }
}

impl Export {
    /// Checks that the person may still read the room: a slow export takes hours.
    fn check_access(&self) -> Result<(), AccountError> {
        let account = is_account_id(&self.person).then_some(self.person.as_str());
        let authority = &self.rooms.authority;
        if authority.groups.may_enter(&self.room, account) && !authority.roles.is_closed(&self.person) {
            return Ok(());
        }
        Err(AccountError::NotFound("the room is not open to you any more"))
    }

    /// Returns the part after a position, and the position to continue from; `None` after the last part.
    ///
    /// Messages after `end` were sent since the beginning of the export.
    fn part(&self, snapshot: &Snapshot, last: Option<u64>, end: u64) -> palabre_store::Result<(String, Option<u64>)> {
        let mut text = if last.is_none() { self.beginning() } else { String::new() };
        let mut is_first = last.is_none();
        // Positions begin with 1.
        let from = (self.room.clone(), last.unwrap_or_default());
        for row in MESSAGES.scan_after(snapshot, &self.room, &from, Direction::Forward)? {
            let ((_, position), row) = row?;
            if position > end {
                break;
            }
            self.add(snapshot, &row, is_first, &mut text)?;
            is_first = false;
            if text.len() >= PART_BYTES {
                return Ok((text, Some(position)));
            }
        }
        text.push_str(if self.format == Format::Json { "]}\n" } else { "" });
        Ok((text, None))
    }

    fn beginning(&self) -> String {
        let (field, name) = &self.title;
        let exported = iso8601(self.rooms.clock.now());
        match self.format {
            Format::Json => format!("{{\"{field}\":{},\"exported\":{},\"messages\":[", json!(name), json!(exported)),
            Format::Txt => format!("{name}, exported {exported}\n\n"),
        }
    }

    /// Adds a message to a part.
    fn add(
        &self,
        snapshot: &Snapshot,
        row: &MessageRow,
        is_first: bool,
        text: &mut String,
    ) -> palabre_store::Result<()> {
        match self.format {
            Format::Json => {
                let mut described = (self.describe)(&self.title.1, row);
                let rating = FeedbackRow::find(snapshot, &self.room, &row.id, &self.person)?;
                described["feedback"] = rating.map_or(Value::Null, |rating| rating.described());
                text.push_str(if is_first { "" } else { "," });
                text.push_str(&described.to_string());
            }
            Format::Txt => {
                let name = row.persona.as_ref().unwrap_or(&row.username);
                let said = row.text.replace('\n', "\n    ");
                text.push_str(&format!("[{}] {name}: {said}\n", iso8601(row.time)));
                for file in &row.attachments {
                    text.push_str(&format!("    {} ({})\n", file.name, file.url));
                }
            }
        }
        Ok(())
    }
}
