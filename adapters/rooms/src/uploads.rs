//! Files on their way into a message. Who is in a room announces one and gets an address for it (`upload`), puts the file there over
//! HTTP, and names it in a message. Until then it is in memory alone: a file and its message are one commit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::body::{BodyDataStream, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use futures_util::StreamExt;
use palabre_model::{FileToSend, Millis};
use serde_json::{Value, json};

use crate::decode::{self, FILES};
use crate::files::{address, file_name, safe_type, type_by_name};
use crate::service::Rooms;

/// How long a file waits for its message.
const LIFE: Millis = 600_000;
/// How many of one person may wait.
const OF_ONE: usize = 2 * FILES;
/// How much of one person may wait, in bytes.
const MUCH: usize = 32 << 20;
/// How long a file may be on its way.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long it is listened to what is not taken.
const REST: Duration = Duration::from_secs(10);
/// How much may wait in all, in bytes.
const IN_ALL: usize = 128 << 20;
/// How many may wait in all.
const COUNT: usize = 4_096;

/// Files that no message has yet, by id.
#[derive(Default)]
pub(crate) struct Uploads(Mutex<HashMap<String, Waiting>>);

/// A file that was announced, and what is in it once that is here.
pub(crate) struct Waiting {
    room: String,
    /// Lower-case username.
    person: String,
    name: String,
    content_type: String,
    until: Millis,
    /// It is on its way: somebody else need not send it too.
    is_coming: bool,
    data: Option<Bytes>,
}

impl Waiting {
    pub(crate) fn new(room: &str, username: &str, upload: &decode::Upload, now: Millis) -> Self {
        let name = file_name(&upload.name);
        let content_type = upload.content_type.as_deref().filter(|given| !given.trim().is_empty());
        let content_type = content_type.map_or_else(|| type_by_name(&name), safe_type).to_owned();
        let (room, person) = (room.to_owned(), username.to_lowercase());
        Self { room, person, name, content_type, until: now.saturating_add(LIFE), is_coming: false, data: None }
    }

    fn size(&self) -> usize {
        self.data.as_ref().map_or(0, Bytes::len)
    }
}

impl Uploads {
    /// A file is to come, of `size` bytes as the client says.
    pub(crate) fn announce(
        &self,
        id: &str,
        waiting: Waiting,
        size: Option<usize>,
        largest: usize,
        now: Millis,
    ) -> Result<(), String> {
        if let Some(size) = size.filter(|size| *size > largest) {
            let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
            return Err(format!("{} has {:.1} MiB; the limit is {:.0} MiB", waiting.name, mib(size), mib(largest)));
        }
        let mut known = self.lock();
        known.retain(|_, other| other.until > now);
        if known.values().filter(|other| other.person == waiting.person).count() >= OF_ONE {
            return Err(format!("{OF_ONE} files of yours wait for a message already; send those first"));
        }
        if known.len() >= COUNT {
            return Err("too many files are on their way; try again in a moment".to_owned());
        }
        known.insert(id.to_owned(), waiting);
        Ok(())
    }

    /// The file is here.
    fn fill(&self, id: &str, data: Bytes, now: Millis) -> Result<Value, (StatusCode, String)> {
        let mut known = self.lock();
        known.retain(|_, other| other.until > now);
        let held: usize = known.values().map(Waiting::size).sum();
        let person = known.get(id).map(|waiting| waiting.person.clone()).unwrap_or_default();
        let of_person: usize = known.values().filter(|other| other.person == person).map(Waiting::size).sum();
        let Some(waiting) = known.get_mut(id) else { return Err(unknown()) };
        if data.is_empty() {
            return Err((StatusCode::UNPROCESSABLE_ENTITY, "the file is empty".to_owned()));
        }
        if of_person - waiting.size() + data.len() > MUCH {
            let told = "too much of yours waits for a message already; send that first";
            return Err((StatusCode::PAYLOAD_TOO_LARGE, told.to_owned()));
        }
        if held - waiting.size() + data.len() > IN_ALL {
            let told = "too many files are on their way; try again in a moment";
            return Err((StatusCode::SERVICE_UNAVAILABLE, told.to_owned()));
        }
        let told = json!({
            "id": id, "url": address(id), "name": waiting.name, "content_type": waiting.content_type, "size": data.len(),
        });
        waiting.data = Some(data);
        Ok(told)
    }

    /// Room for a file that comes now under that id, once at a time.
    fn begin(&self, id: &str, largest: usize, now: Millis) -> Result<(), (StatusCode, String)> {
        let mut known = self.lock();
        let held: usize = known.values().map(|other| if other.is_coming { largest } else { other.size() }).sum();
        let waiting = known.get_mut(id).filter(|waiting| waiting.until > now).ok_or_else(unknown)?;
        if waiting.is_coming {
            return Err((StatusCode::CONFLICT, "the file is on its way already".to_owned()));
        }
        if held + largest > IN_ALL {
            let told = "too many files are on their way; try again in a moment";
            return Err((StatusCode::SERVICE_UNAVAILABLE, told.to_owned()));
        }
        waiting.is_coming = true;
        Ok(())
    }

    /// It came, or did not.
    fn end(&self, id: &str) {
        if let Some(waiting) = self.lock().get_mut(id) {
            waiting.is_coming = false;
        }
    }

    /// The files of a message. All of them, or none. They wait until the message is taken.
    pub(crate) fn of_message(
        &self,
        room: &str,
        person: &str,
        ids: &[String],
        now: Millis,
    ) -> Result<Vec<FileToSend>, String> {
        let known = self.lock();
        let is_here = |id: &&String| {
            known.get(*id).is_some_and(|waiting| {
                waiting.room == room && waiting.person == person && waiting.until > now && waiting.data.is_some()
            })
        };
        if let Some(missing) = ids.iter().find(|id| !is_here(id)) {
            return Err(format!("the file {missing} is not there, or not any more; upload it again"));
        }
        let found = ids.iter().filter_map(|id| known.get(id));
        let files = found.map(|waiting| FileToSend {
            name: waiting.name.clone(),
            data: waiting.data.as_ref().map(|data| data.to_vec()).unwrap_or_default(),
            content_type: Some(waiting.content_type.clone()),
            from: None,
        });
        Ok(files.collect())
    }

    /// A message has taken them.
    pub(crate) fn taken(&self, ids: &[String]) {
        let mut known = self.lock();
        ids.iter().for_each(|id| drop(known.remove(id)));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `PUT /api/files/{id}`: the file itself, as the body.
pub(crate) async fn put(
    State(rooms): State<Arc<Rooms>>,
    Path(id): Path<String>,
    request: Request,
) -> (StatusCode, Json<Value>) {
    match receive(&rooms, &id, request).await {
        Ok(told) => (StatusCode::OK, Json(told)),
        Err((status, error)) => (status, Json(json!({ "error": error }))),
    }
}

async fn receive(rooms: &Rooms, id: &str, request: Request) -> Result<Value, (StatusCode, String)> {
    let mut body = request.into_body().into_data_stream();
    let largest = rooms.config.max_file_mb << 20;
    // Before anything of it is kept: whoever announced nothing takes no memory.
    let read = match rooms.uploads.begin(id, largest, rooms.clock.now()) {
        Ok(()) => {
            let _coming = Coming { rooms, id };
            let too_slow = || (StatusCode::REQUEST_TIMEOUT, "the file did not come in time".to_owned());
            let read = tokio::time::timeout(PATIENCE, read(&mut body, largest)).await;
            read.unwrap_or_else(|_elapsed| Err(too_slow()))
        }
        Err(refused) => Err(refused),
    };
    if read.is_err() {
        // Who is still sending would not hear the answer.
        let rest = async {
            let mut left = 2 * largest;
            while let Some(Ok(chunk)) = body.next().await {
                left = left.saturating_sub(chunk.len());
                if left == 0 {
                    break;
                }
            }
        };
        drop(tokio::time::timeout(REST, rest).await);
    }
    rooms.uploads.fill(id, read?, rooms.clock.now())
}

/// A file is on its way for as long as this is held: the request may be dropped at any time.
struct Coming<'r> {
    rooms: &'r Rooms,
    id: &'r str,
}

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        self.rooms.uploads.end(self.id);
    }
}

/// A body of at most `largest` bytes.
async fn read(body: &mut BodyDataStream, largest: usize) -> Result<Bytes, (StatusCode, String)> {
    let mut data = Vec::new();
    while let Some(chunk) = body.next().await {
        let cut_off = |error: axum::Error| (StatusCode::BAD_REQUEST, format!("the file was cut off: {error}"));
        let chunk = chunk.map_err(cut_off)?;
        if data.len() + chunk.len() > largest {
            return Err((StatusCode::PAYLOAD_TOO_LARGE, format!("the file has more than {largest} bytes")));
        }
        data.extend_from_slice(&chunk);
    }
    Ok(data.into())
}

fn unknown() -> (StatusCode, String) {
    let told = "no file was announced under this address, or too long ago; ask for one with \"upload\"";
    (StatusCode::NOT_FOUND, told.to_owned())
}
