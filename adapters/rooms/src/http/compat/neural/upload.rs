//! `POST /chat/upload`: a file for a message of a session, in a form with several parts.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::multipart::{Field, Multipart, MultipartError, MultipartRejection};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::accounts::error::AccountError;
use crate::accounts::rows::Scope;
use crate::decode::Upload;
use crate::files::fresh_id;
use crate::http::caller::{ClientNetwork, MaybeCaller};
use crate::http::problem::Problem;
use crate::http::upload::{DRAIN_TIMEOUT, UPLOAD_TIMEOUT};
use crate::limiter::{Network, Verdict, Who};
use crate::limits::Kind;
use crate::service::Rooms;
use crate::uploads::{UploadLimits, Waiting};

/// Maximum length of a field that is no file, in bytes.
const FIELD_BYTES_MAX: usize = 4_096;

/// The fields of a form.
#[derive(Default)]
struct Form<'r> {
    session: Option<String>,
    description: Option<String>,
    file: Option<(Uploading<'r>, Value)>,
}

/// A file that is kept only if its upload succeeds.
struct Uploading<'r> {
    rooms: &'r Rooms,
    id: String,
    is_kept: bool,
}

impl Drop for Uploading<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.rooms.uploads.taken(std::slice::from_ref(&self.id));
        }
    }
}

pub(super) async fn upload(
    State(rooms): State<Arc<Rooms>>,
    caller: MaybeCaller,
    ClientNetwork(network): ClientNetwork,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Json<Value>, Problem> {
    caller.require(Scope::Write)?;
    let mut form = form.map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))?;
    if let Verdict::Refused(wait) = rooms.limiter.take(Kind::Upload, &[Who::Address(network)]) {
        return Err(AccountError::TooMany(wait).into());
    }
    let limit = rooms.config.limits.transfers_per_address;
    let Some(_permit) = rooms.transfers.take(network, limit) else {
        let problem =
            format!("your address is already uploading {limit} files (transfers_per_address); try again in a moment");
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, problem));
    };
    let read = tokio::time::timeout(UPLOAD_TIMEOUT, read(&rooms, network, &mut form)).await;
    let too_slow = || Problem::new(StatusCode::REQUEST_TIMEOUT, "the upload took too long; try again");
    let Form { session, description, file } = read.unwrap_or_else(|_elapsed| Err(too_slow()))?;
    let missing = || Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "the form has no file");
    let (mut uploading, file) = file.ok_or_else(missing)?;
    let session = match session.filter(|id| !id.is_empty()) {
        Some(id) => rooms.session_of_caller(&caller, &id, Scope::Write).await?,
        None => rooms.session_for_caller(&caller, network).await?,
    };
    rooms.uploads.assign(&uploading.id, &session.room, &session.author.guest).map_err(refused)?;
    uploading.is_kept = true;
    let is_image = file["content_type"].as_str().is_some_and(|kind| kind.starts_with("image/"));
    Ok(Json(json!({
        "session_id": session.id,
        "file_id": file["id"],
        "filename": file["name"],
        "content_type": file["content_type"],
        "size": file["size"],
        "url": file["url"],
        "thumbnail_url": if is_image { file["url"].clone() } else { Value::Null },
        "description": description,
        "analysis": {},
    })))
}

/// Reads the fields of a form, in any order.
async fn read<'r>(rooms: &'r Rooms, network: Network, form: &mut Multipart) -> Result<Form<'r>, Problem> {
    let mut found = Form::default();
    while let Some(mut field) = form.next_field().await.map_err(cut_off)? {
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "session_id" => found.session = Some(text(&mut field).await?),
            "description" => found.description = Some(text(&mut field).await?),
            "file" if found.file.is_some() => {
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "send one file at a time"));
            }
            "file" => {
                let received = receive(rooms, network, &mut field).await;
                if received.is_err() {
                    drain(&mut field, 2 * (rooms.config.max_file_mb << 20)).await;
                }
                found.file = Some(received?);
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Returns a short field as text.
async fn text(field: &mut Field<'_>) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(cut_off)? {
        if bytes.len() + chunk.len() > FIELD_BYTES_MAX {
            let problem = format!("a field other than the file has at most {FIELD_BYTES_MAX} bytes");
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, problem));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// Receives a file. It belongs to nobody yet: the field with the session may follow.
async fn receive<'r>(
    rooms: &'r Rooms,
    network: Network,
    field: &mut Field<'_>,
) -> Result<(Uploading<'r>, Value), Problem> {
    let (now, largest) = (rooms.clock.now(), rooms.config.max_file_mb << 20);
    let id = fresh_id(&*rooms.entropy);
    let name = field.file_name().unwrap_or("file").to_owned();
    let upload = Upload { name, size: None, content_type: field.content_type().map(ToOwned::to_owned) };
    let limits = UploadLimits { file_bytes: largest, per_address: rooms.config.limits.files_per_address };
    let waiting = Waiting::new("", &id, network, &upload, now);
    let full = |problem: String| Problem::new(StatusCode::TOO_MANY_REQUESTS, problem);
    rooms.uploads.announce(&id, waiting, None, limits, now).map_err(full)?;
    let uploading = Uploading { rooms, id, is_kept: false };
    let mut data = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(cut_off)? {
        if data.len() + chunk.len() > largest {
            let problem = format!("the file is larger than {largest} bytes");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, problem));
        }
        rooms.uploads.grow(&uploading.id, chunk.len()).map_err(refused)?;
        data.extend_from_slice(&chunk);
    }
    let file = rooms.uploads.fill(&uploading.id, Bytes::from(data), rooms.clock.now()).map_err(refused)?;
    Ok((uploading, file))
}

/// Reads the rest of a refused file, at most `left` bytes: a client that is still sending would not read the response.
async fn drain(field: &mut Field<'_>, mut left: usize) {
    let rest = async {
        while let Ok(Some(chunk)) = field.chunk().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                break;
            }
        }
    };
    drop(tokio::time::timeout(DRAIN_TIMEOUT, rest).await);
}

fn refused((status, problem): (StatusCode, String)) -> Problem {
    Problem::new(status, problem)
}

fn cut_off(error: MultipartError) -> Problem {
    Problem::new(error.status(), format!("the form cannot be read: {}", error.body_text()))
}
