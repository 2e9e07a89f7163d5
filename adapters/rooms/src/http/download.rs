//! `GET /api/files/{id}`: an attached file, whole or a range of it.

mod range;

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use futures_util::stream::unfold;
use tokio::sync::OwnedSemaphorePermit;

use super::caller::{ClientNetwork, bearer};
use super::percent;
use super::problem::Problem;
use super::session_cookie::cookie;
use crate::accounts::rows::Scope;
use crate::files::{FILES, FileRow, safe_type};
use crate::limiter::Network;
use crate::permits::Permit;
use crate::service::Rooms;
use range::RequestedRange;

/// The right to hold a file in memory while it is sent.
type Turn = (OwnedSemaphorePermit, Permit<Network>);

/// Size of the parts in which a file is sent.
const PART_BYTES: usize = 64 << 10;

pub(super) async fn file(
    State(rooms): State<Arc<Rooms>>,
    ClientNetwork(network): ClientNetwork,
    Path(id): Path<String>,
    asked: HeaderMap,
) -> Response {
    // So that one address does not take all turns.
    let limit = (rooms.config.limits.transfers_per_address / 2).max(1);
    let turn = Arc::clone(&rooms.downloads).try_acquire_owned().ok().zip(rooms.transfers.take(network, limit));
    let Some(turn) = turn else {
        let problem = "too many files are being downloaded; try again in a moment";
        return Problem::unavailable(problem, 1).into_response();
    };
    let (store, now) = (rooms.store.clone(), rooms.clock.now());
    // A file never changes under its id, so the id is its entity tag.
    let tag = format!("\"{id}\"");
    let read = tokio::task::spawn_blocking(move || FILES.get(&store.snapshot(now)?, &id)).await;
    match read {
        Ok(Ok(Some(row))) if !rooms.may_read(&row.room, &asked).await => {
            (StatusCode::NOT_FOUND, "this file does not exist any more").into_response()
        }
        Ok(Ok(Some(row))) => answer(row, &tag, &asked, turn),
        Ok(Ok(None)) => (StatusCode::NOT_FOUND, "this file does not exist any more").into_response(),
        Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

impl Rooms {
    /// Whether a request may read the files of a room: those of most rooms are for all who know their address.
    async fn may_read(&self, room: &str, asked: &HeaderMap) -> bool {
        if self.authority.groups.may_enter(room, None) {
            return true;
        }
        let Some(token) = bearer(asked).or_else(|| cookie(asked)) else { return false };
        let credential = self.credential(token).await.ok().flatten();
        credential
            .filter(|credential| credential.allows(Scope::Read))
            .is_some_and(|credential| self.authority.groups.may_enter(room, Some(&credential.account.id)))
    }
}

/// Answers with a file in a way that executes nothing.
///
/// Files come from scripts, and so from anybody: only harmless content types are served, sniffing
/// is disabled, and only images are shown inline.
fn answer(row: FileRow, tag: &str, asked: &HeaderMap, turn: Turn) -> Response {
    let kind = safe_type(&row.content_type);
    let is_image = kind.starts_with("image/");
    let kind = match kind {
        "text/plain" => "text/plain; charset=utf-8",
        "text/csv" => "text/csv; charset=utf-8",
        other => other,
    };
    let mut headers = HeaderMap::from_iter([
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600")),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
    ]);
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    if range::is_cached(asked, tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let size = row.data.len();
    let requested = RequestedRange::of_request(asked, tag, size);
    if let Some(content_range) = requested.content_range(size) {
        headers.insert(header::CONTENT_RANGE, content_range);
    }
    if requested == RequestedRange::Unsatisfiable {
        let problem = format!("the requested range is outside the file, which has {size} bytes");
        return (StatusCode::RANGE_NOT_SATISFIABLE, headers, problem).into_response();
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_DISPOSITION, disposition(&row.name, is_image));
    match requested {
        RequestedRange::Bytes(range) => {
            let data = Bytes::from(row.data).slice(range);
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(data.len()));
            (StatusCode::PARTIAL_CONTENT, headers, body(data, turn)).into_response()
        }
        RequestedRange::Whole | RequestedRange::Unsatisfiable => {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(row.data.len()));
            (headers, body(row.data.into(), turn)).into_response()
        }
    }
}

/// Returns a body that gives its turn back when it has been sent, or when its client is gone.
fn body(data: Bytes, turn: Turn) -> Body {
    let parts = unfold((data, turn), |(mut rest, turn)| async move {
        if rest.is_empty() {
            return None;
        }
        let part = rest.split_to(rest.len().min(PART_BYTES));
        Some((Ok::<Bytes, Infallible>(part), (rest, turn)))
    });
    Body::from_stream(parts)
}

/// Returns the `Content-Disposition` header, with the name in the Unicode form of RFC 6266.
fn disposition(name: &str, is_image: bool) -> HeaderValue {
    let how = if is_image { "inline" } else { "attachment" };
    let plain = HeaderValue::from_static(if is_image { "inline" } else { "attachment" });
    HeaderValue::from_str(&format!("{how}; filename*=UTF-8''{}", percent::encode(name))).unwrap_or(plain)
}
