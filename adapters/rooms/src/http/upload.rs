//! Uploads of files over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{BodyDataStream, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use futures_util::StreamExt;
use serde_json::Value;

use super::problem::Problem;
use crate::service::Rooms;

/// Maximum duration of an upload.
pub(super) const UPLOAD_TIMEOUT: Duration = Duration::from_secs(120);
/// Maximum time for which the rest of a refused body is drained.
pub(super) const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// `PUT /api/files/{id}`: the file itself, as the body.
pub(super) async fn put(
    State(rooms): State<Arc<Rooms>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let received = receive(&rooms, &id, request).await;
    received.map(Json).map_err(|(status, error)| Problem::new(status, error))
}

async fn receive(rooms: &Rooms, id: &str, request: Request) -> Result<Value, (StatusCode, String)> {
    let mut body = request.into_body().into_data_stream();
    let largest = rooms.config.max_file_mb << 20;
    let received = receive_announced(rooms, id, &mut body, largest).await;
    if received.is_err() {
        // A client that is still sending would not read the response.
        let rest = async {
            let mut left = 2 * largest;
            while let Some(Ok(chunk)) = body.next().await {
                left = left.saturating_sub(chunk.len());
                if left == 0 {
                    break;
                }
            }
        };
        drop(tokio::time::timeout(DRAIN_TIMEOUT, rest).await);
    }
    received
}

/// Receives an announced file. One that was not announced takes no memory.
async fn receive_announced(
    rooms: &Rooms,
    id: &str,
    body: &mut BodyDataStream,
    largest: usize,
) -> Result<Value, (StatusCode, String)> {
    let network = rooms.uploads.begin(id, rooms.clock.now())?;
    let _guard = UploadGuard { rooms, id };
    let limit = rooms.config.limits.transfers_per_address;
    let Some(_permit) = rooms.transfers.take(network, limit) else {
        let problem =
            format!("your address is already uploading {limit} files (transfers_per_address); try again in a moment");
        return Err((StatusCode::TOO_MANY_REQUESTS, problem));
    };
    let too_slow = || (StatusCode::REQUEST_TIMEOUT, "the upload took too long; try again".to_owned());
    let read = tokio::time::timeout(UPLOAD_TIMEOUT, read(rooms, id, body, largest)).await;
    let data = read.unwrap_or_else(|_elapsed| Err(too_slow()))?;
    rooms.uploads.fill(id, data, rooms.clock.now())
}

/// Marks an upload as in progress while it is held; the request may be dropped at any time.
struct UploadGuard<'r> {
    rooms: &'r Rooms,
    id: &'r str,
}

impl Drop for UploadGuard<'_> {
    fn drop(&mut self) {
        self.rooms.uploads.end(self.id);
    }
}

/// Reads a body of at most `largest` bytes.
async fn read(
    rooms: &Rooms,
    id: &str,
    body: &mut BodyDataStream,
    largest: usize,
) -> Result<Bytes, (StatusCode, String)> {
    let mut data = Vec::new();
    while let Some(chunk) = body.next().await {
        let cut_off = |error: axum::Error| (StatusCode::BAD_REQUEST, format!("the upload was cut off: {error}"));
        let chunk = chunk.map_err(cut_off)?;
        if data.len() + chunk.len() > largest {
            return Err((StatusCode::PAYLOAD_TOO_LARGE, format!("the file is larger than {largest} bytes")));
        }
        rooms.uploads.grow(id, chunk.len())?;
        data.extend_from_slice(&chunk);
    }
    Ok(data.into())
}
