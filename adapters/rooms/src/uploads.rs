//! Uploads for messages that are not sent yet.
//!
//! A person in a room announces a file and gets an address for it (`upload`), puts the file there
//! over HTTP (`http/upload.rs`), and names it in a message. Until then it is only in memory: a file and
//! its message are one commit.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::http::StatusCode;
use palabre_types::{FileToSend, Millis};
use serde_json::{Value, json};

use crate::decode::{self, FILES_MAX};
use crate::files::{address, file_name, safe_type, type_by_name};
use crate::limiter::Network;

/// Time for which a file waits for its message, in milliseconds.
const UPLOAD_LIFE: Millis = 600_000;
/// Maximum number of waiting files of one person.
const FILES_PER_PERSON_MAX: usize = 2 * FILES_MAX;
/// Maximum size of the waiting files of one person, in bytes.
const BYTES_PER_PERSON_MAX: usize = 32 << 20;
/// Maximum size of all waiting files, in bytes.
const BYTES_MAX: usize = 128 << 20;
/// Maximum size of the waiting files of one address, in bytes.
const BYTES_PER_ADDRESS_MAX: usize = BYTES_MAX / 2;
/// Maximum size of the files being committed, in bytes, unless a single message has more.
///
/// Each of them is in memory several times.
const COMMITTING_BYTES_MAX: usize = 16 << 20;
/// The error for a client that meets a limit of the service or of its address.
const TOO_MANY_UPLOADS: &str = "too many files are being uploaded; try again in a moment";
/// Maximum number of waiting files.
const UPLOADS_MAX: usize = 4_096;

/// Files without a message, by id.
#[derive(Default)]
pub(crate) struct Uploads {
    waiting: Mutex<HashMap<String, Waiting>>,
    /// Bytes of files that are being committed.
    committing: Arc<AtomicUsize>,
}

/// The files of a message that is being committed.
///
/// They count against `COMMITTING_BYTES_MAX` until this is dropped.
pub(crate) struct CommittingFiles {
    all: Arc<AtomicUsize>,
    bytes: usize,
}

impl Drop for CommittingFiles {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Relaxed);
    }
}

/// An announced file, and its content once it is uploaded.
pub(crate) struct Waiting {
    room: String,
    /// The guest's id.
    person: String,
    network: Network,
    name: String,
    content_type: String,
    until: Millis,
    /// Bytes received so far, while an upload is in progress; a second one is refused.
    received: Option<usize>,
    data: Option<Bytes>,
}

/// Limits of an announcement: the bytes of one file, and the files of one address.
#[derive(Clone, Copy)]
pub(crate) struct UploadLimits {
    pub(crate) file_bytes: usize,
    pub(crate) per_address: usize,
}

impl Waiting {
    /// Whether the file may still be used.
    ///
    /// A remaining time longer than the whole life means that the clock was set back.
    fn is_waited_for(&self, now: Millis) -> bool {
        now < self.until && self.until - now <= UPLOAD_LIFE
    }

    pub(crate) fn new(room: &str, guest: &str, network: Network, upload: &decode::Upload, now: Millis) -> Self {
        let name = file_name(&upload.name);
        let content_type = upload.content_type.as_deref().filter(|given| !given.trim().is_empty());
        let content_type = content_type.map_or_else(|| type_by_name(&name), safe_type).to_owned();
        let (room, person) = (room.to_owned(), guest.to_owned());
        let until = now.saturating_add(UPLOAD_LIFE);
        Self { room, person, network, name, content_type, until, received: None, data: None }
    }

    /// Returns the memory in use: what was received, not what was announced.
    fn size(&self) -> usize {
        self.data.as_ref().map_or(0, Bytes::len) + self.received.unwrap_or_default()
    }

    fn is_of(&self, other: (&str, Network)) -> bool {
        (self.person.as_str(), self.network) == other
    }
}

impl Uploads {
    /// Announces a file, of `size` bytes according to the client.
    pub(crate) fn announce(
        &self,
        id: &str,
        waiting: Waiting,
        size: Option<usize>,
        limits: UploadLimits,
        now: Millis,
    ) -> Result<(), String> {
        let largest = limits.file_bytes;
        if let Some(size) = size.filter(|size| *size > largest) {
            let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
            return Err(format!("{} has {:.1} MiB; the limit is {:.0} MiB", waiting.name, mib(size), mib(largest)));
        }
        let mut uploads = self.lock();
        uploads.retain(|_, other| other.is_waited_for(now));
        let person = (waiting.person.as_str(), waiting.network);
        if uploads.values().filter(|other| other.is_of(person)).count() >= FILES_PER_PERSON_MAX {
            return Err(format!(
                "you already have {FILES_PER_PERSON_MAX} files that are not sent yet; send those first"
            ));
        }
        let of_address = uploads.values().filter(|other| other.network == waiting.network).count();
        if limits.per_address > 0 && of_address >= limits.per_address {
            let limit = limits.per_address;
            return Err(format!("your address already has {limit} files that are not sent yet (files_per_address)"));
        }
        if uploads.len() >= UPLOADS_MAX {
            return Err(TOO_MANY_UPLOADS.to_owned());
        }
        uploads.insert(id.to_owned(), waiting);
        Ok(())
    }

    /// Begins the upload of a file. Only one at a time is allowed.
    pub(crate) fn begin(&self, id: &str, now: Millis) -> Result<Network, (StatusCode, String)> {
        let mut uploads = self.lock();
        let waiting = uploads.get_mut(id).filter(|waiting| waiting.is_waited_for(now)).ok_or_else(unknown)?;
        if waiting.received.is_some() {
            return Err((StatusCode::CONFLICT, "the file is already being uploaded".to_owned()));
        }
        waiting.received = Some(0);
        Ok(waiting.network)
    }

    /// Counts `by` more bytes of an upload.
    pub(crate) fn grow(&self, id: &str, by: usize) -> Result<(), (StatusCode, String)> {
        let mut uploads = self.lock();
        let waiting = uploads.get(id).ok_or_else(unknown)?;
        let (person, network) = ((waiting.person.as_str(), waiting.network), waiting.network);
        // A repeated upload replaces the earlier one.
        let before = waiting.data.as_ref().map_or(0, Bytes::len);
        let (mut of_person, mut of_address, mut in_all) = (by, by, by);
        for other in uploads.values() {
            in_all += other.size();
            of_address += if other.network == network { other.size() } else { 0 };
            of_person += if other.is_of(person) { other.size() } else { 0 };
        }
        if of_person - before > BYTES_PER_PERSON_MAX {
            let problem = "your files that are not sent yet are too large together; send some of them first";
            return Err((StatusCode::PAYLOAD_TOO_LARGE, problem.to_owned()));
        }
        if of_address - before > BYTES_PER_ADDRESS_MAX || in_all - before > BYTES_MAX {
            return Err((StatusCode::SERVICE_UNAVAILABLE, TOO_MANY_UPLOADS.to_owned()));
        }
        if let Some(waiting) = uploads.get_mut(id) {
            waiting.received = Some(waiting.received.unwrap_or_default() + by);
        }
        Ok(())
    }

    /// Completes an upload.
    pub(crate) fn fill(&self, id: &str, data: Bytes, now: Millis) -> Result<Value, (StatusCode, String)> {
        let mut uploads = self.lock();
        uploads.retain(|_, other| other.is_waited_for(now));
        let Some(waiting) = uploads.get_mut(id) else { return Err(unknown()) };
        if data.is_empty() {
            return Err((StatusCode::UNPROCESSABLE_ENTITY, "the file is empty".to_owned()));
        }
        let uploaded = json!({
            "id": id,
            "url": address(id),
            "name": waiting.name,
            "content_type": waiting.content_type,
            "size": data.len(),
        });
        waiting.data = Some(data);
        waiting.received = None;
        Ok(uploaded)
    }

    /// Gives an uploaded file to a person in a room, for a message there.
    pub(crate) fn assign(&self, id: &str, room: &str, person: &str) -> Result<(), (StatusCode, String)> {
        let mut uploads = self.lock();
        let waiting = uploads.get(id).ok_or_else(unknown)?;
        let (network, mut count, mut bytes) = (waiting.network, 1, waiting.size());
        for other in uploads.values().filter(|other| other.is_of((person, network))) {
            (count, bytes) = (count + 1, bytes + other.size());
        }
        if count > FILES_PER_PERSON_MAX || bytes > BYTES_PER_PERSON_MAX {
            let problem = "you have too many files that are not sent yet; send some of them first";
            return Err((StatusCode::PAYLOAD_TOO_LARGE, problem.to_owned()));
        }
        if let Some(waiting) = uploads.get_mut(id) {
            (waiting.room, waiting.person) = (room.to_owned(), person.to_owned());
        }
        Ok(())
    }

    /// Ends an upload, completed or not.
    pub(crate) fn end(&self, id: &str) {
        if let Some(waiting) = self.lock().get_mut(id) {
            waiting.received = None;
        }
    }

    /// Returns the files of a message: all of them or none, each once.
    ///
    /// They keep waiting until the message is accepted.
    pub(crate) fn of_message(
        &self,
        room: &str,
        person: &str,
        ids: &[String],
        now: Millis,
    ) -> Result<(Vec<FileToSend>, CommittingFiles), String> {
        if let Some(twice) = ids.iter().enumerate().find_map(|(at, id)| ids[..at].contains(id).then_some(id)) {
            return Err(format!("the file {twice} is named twice"));
        }
        let uploads = self.lock();
        let is_here = |id: &&String| {
            uploads.get(*id).is_some_and(|waiting| {
                waiting.room == room && waiting.person == person && waiting.is_waited_for(now) && waiting.data.is_some()
            })
        };
        if let Some(missing) = ids.iter().find(|id| !is_here(id)) {
            return Err(format!("the file {missing} is not available; upload it again"));
        }
        let found: Vec<_> = ids.iter().filter_map(|id| uploads.get(id)).collect();
        let bytes = found.iter().map(|waiting| waiting.size()).sum();
        let before = self.committing.fetch_add(bytes, Relaxed);
        let committing = CommittingFiles { all: Arc::clone(&self.committing), bytes };
        if bytes > 0 && before > 0 && before + bytes > COMMITTING_BYTES_MAX {
            return Err(TOO_MANY_UPLOADS.to_owned());
        }
        let files = found.into_iter().map(|waiting| FileToSend {
            name: waiting.name.clone(),
            data: waiting.data.as_ref().map(|data| data.to_vec()).unwrap_or_default(),
            content_type: Some(waiting.content_type.clone()),
            from: None,
        });
        Ok((files.collect(), committing))
    }

    /// Removes the files that a message has taken.
    pub(crate) fn taken(&self, ids: &[String]) {
        let mut uploads = self.lock();
        ids.iter().for_each(|id| drop(uploads.remove(id)));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown() -> (StatusCode, String) {
    let problem = "no file was announced for this address, or too long ago; send \"upload\" for a new one";
    (StatusCode::NOT_FOUND, problem.to_owned())
}
