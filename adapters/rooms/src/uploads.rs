//! Files on their way into a message. Who is in a room announces one and gets an address for it (`upload`), puts the file there over
//! HTTP, and names it in a message. Until then it is in memory alone: a file and its message are one commit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use palabre_model::{FileToSend, Millis};
use serde_json::{Value, json};

use crate::decode::{self, FILES};
use crate::files::{address, file_name, safe_type, type_by_name};
use crate::service::Rooms;

/// How long a file waits for its message.
const LIFE: Millis = 600_000;
/// How many of one person may wait.
const OF_ONE: usize = 2 * FILES;
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
    data: Option<Bytes>,
}

impl Waiting {
    pub(crate) fn new(room: &str, username: &str, upload: &decode::Upload, now: Millis) -> Self {
        let name = file_name(&upload.name);
        let content_type = upload.content_type.as_deref().filter(|given| !given.trim().is_empty());
        let content_type = content_type.map_or_else(|| type_by_name(&name), safe_type).to_owned();
        let (room, person) = (room.to_owned(), username.to_lowercase());
        Self { room, person, name, content_type, until: now.saturating_add(LIFE), data: None }
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
        let Some(waiting) = known.get_mut(id) else {
            let told = "no file was announced under this address, or too long ago; ask for one with \"upload\"";
            return Err((StatusCode::NOT_FOUND, told.to_owned()));
        };
        if data.is_empty() {
            return Err((StatusCode::UNPROCESSABLE_ENTITY, "the file is empty".to_owned()));
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

    /// The files of a message, which are its own from now on. All of them, or none.
    pub(crate) fn take(
        &self,
        room: &str,
        person: &str,
        ids: &[String],
        now: Millis,
    ) -> Result<Vec<FileToSend>, String> {
        let mut known = self.lock();
        let is_here = |id: &&String| {
            known.get(*id).is_some_and(|waiting| {
                waiting.room == room && waiting.person == person && waiting.until > now && waiting.data.is_some()
            })
        };
        if let Some(missing) = ids.iter().find(|id| !is_here(id)) {
            return Err(format!("the file {missing} is not there, or not any more; upload it again"));
        }
        let taken = ids.iter().filter_map(|id| known.remove(id));
        let files = taken.map(|waiting| FileToSend {
            name: waiting.name,
            data: waiting.data.map(|data| data.to_vec()).unwrap_or_default(),
            content_type: Some(waiting.content_type),
            from: None,
        });
        Ok(files.collect())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `PUT /api/files/{id}`: the file itself, as the body.
pub(crate) async fn put(
    State(rooms): State<Arc<Rooms>>,
    Path(id): Path<String>,
    data: Bytes,
) -> (StatusCode, Json<Value>) {
    match rooms.uploads.fill(&id, data, rooms.clock.now()) {
        Ok(told) => (StatusCode::OK, Json(told)),
        Err((status, error)) => (status, Json(json!({ "error": error }))),
    }
}
