//! `GET /api/files/{id}`: a file that came with a message.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use palabre_model::ActionError;

use crate::compat::percent;
use crate::files::{FILES, FileRow, id_at, safe_type};
use crate::service::Rooms;

pub(crate) async fn file(State(rooms): State<Arc<Rooms>>, Path(id): Path<String>) -> Response {
    let (store, now) = (rooms.store.clone(), rooms.clock.now());
    let read = tokio::task::spawn_blocking(move || FILES.get(&store.snapshot(now)?, &id)).await;
    match read {
        Ok(Ok(Some(row))) => answer(row),
        Ok(Ok(None)) => (StatusCode::NOT_FOUND, "there is no such file any more").into_response(),
        Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// A file that goes on to another platform.
pub(crate) async fn passed_on(rooms: &Rooms, url: &str, most: usize) -> Result<Vec<u8>, ActionError> {
    let id = id_at(url).map(ToOwned::to_owned);
    let id = id.ok_or_else(|| ActionError::Rejected(format!("{url} is no file of the rooms")))?;
    let (store, now) = (rooms.store.clone(), rooms.clock.now());
    let read = tokio::task::spawn_blocking(move || FILES.get(&store.snapshot(now)?, &id)).await;
    match read {
        Ok(Ok(Some(row))) if row.data.len() > most => {
            Err(ActionError::Rejected(format!("the file has {} bytes; the limit is {most}", row.data.len())))
        }
        Ok(Ok(Some(row))) => Ok(row.data),
        Ok(Ok(None)) => Err(ActionError::NotFound("the file is not there any more".to_owned())),
        Ok(Err(error)) => Err(ActionError::Transient(error.to_string())),
        Err(error) => Err(ActionError::Transient(error.to_string())),
    }
}

/// What comes from scripts, and so from anybody, runs nothing here: a type that is known to be harmless, no guesses
/// about it, and nothing but pictures opened beside the page.
fn answer(row: FileRow) -> Response {
    let kind = safe_type(&row.content_type);
    let is_image = kind.starts_with("image/");
    let kind = match kind {
        "text/plain" => "text/plain; charset=utf-8",
        "text/csv" => "text/csv; charset=utf-8",
        other => other,
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, disposition(&row.name, is_image)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        // It never changes under its address.
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600")),
    ];
    (headers, row.data).into_response()
}

/// The name as RFC 6266 has it, which takes all of Unicode.
fn disposition(name: &str, is_image: bool) -> HeaderValue {
    let how = if is_image { "inline" } else { "attachment" };
    let plain = HeaderValue::from_static(if is_image { "inline" } else { "attachment" });
    HeaderValue::from_str(&format!("{how}; filename*=UTF-8''{}", percent(name))).unwrap_or(plain)
}
