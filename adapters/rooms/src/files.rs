//! Files attached to messages.
//!
//! They have rows of their own: a message is read far more often than its files.

use palabre_platform::Entropy;
use palabre_store::{Store, Table};
use palabre_text::is_bidi_control;
use palabre_types::TableId;
use palabre_types::{ActionError, Attachment, Batch, FileToSend, Millis};
use serde::{Deserialize, Serialize};

use crate::decode::FILES_MAX;

/// Files by id.
pub(crate) const FILES: Table<String, FileRow> = Table::new(TableId::RoomFiles);

/// The path under which files are served.
const FILES_PATH: &str = "/api/files/";
/// Maximum length of a file name, in characters; longer names are cut.
const FILE_NAME_MAX: usize = 128;

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRow {
    pub(crate) name: String,
    pub(crate) content_type: String,
    #[serde(with = "serde_bytes")]
    pub(crate) data: Vec<u8>,
    pub(crate) room: String,
    pub(crate) time: Millis,
}

/// The attachment store: adds the files of a room's messages to a batch.
pub(crate) struct AttachmentStore<'a> {
    pub(crate) room: &'a str,
    pub(crate) now: Millis,
    /// Maximum size of a file, in bytes.
    pub(crate) largest: usize,
    /// Expiry of the files of messages that are not stored.
    pub(crate) expires: Option<Millis>,
    pub(crate) entropy: &'a dyn Entropy,
}

impl AttachmentStore<'_> {
    /// Adds the files to `batch` and returns the attachments for their message.
    pub(crate) fn put(&self, batch: &mut Batch, files: Vec<FileToSend>) -> Result<Vec<Attachment>, ActionError> {
        self.check(&files)?;
        Ok(files.into_iter().map(|file| self.put_one(batch, fresh_id(self.entropy), file)).collect())
    }

    /// Does the same for files that were uploaded, which keep their ids and so their addresses.
    pub(crate) fn put_uploaded(
        &self,
        batch: &mut Batch,
        ids: &[String],
        files: Vec<FileToSend>,
    ) -> Result<Vec<Attachment>, ActionError> {
        self.check(&files)?;
        Ok(files.into_iter().zip(ids).map(|(file, id)| self.put_one(batch, id.clone(), file)).collect())
    }

    /// Checks the number and the sizes of files.
    fn check(&self, files: &[FileToSend]) -> Result<(), ActionError> {
        if files.len() > FILES_MAX {
            let count = files.len();
            return Err(ActionError::Rejected(format!("the message has {count} files; the limit is {FILES_MAX}")));
        }
        if let Some(file) = files.iter().find(|file| file.data.len() > self.largest) {
            let (name, size, largest) = (&file.name, file.data.len(), self.largest);
            let problem = format!("the file {name} has {size} bytes; the limit is {largest}");
            return Err(ActionError::Rejected(problem));
        }
        Ok(())
    }

    fn put_one(&self, batch: &mut Batch, id: String, file: FileToSend) -> Attachment {
        let name = file_name(&file.name);
        let content_type = match &file.content_type {
            Some(content_type) => safe_type(content_type),
            None => type_by_name(&name),
        };
        let size = u64::try_from(file.data.len()).ok();
        let row = FileRow {
            name: name.clone(),
            content_type: content_type.to_owned(),
            data: file.data,
            room: self.room.to_owned(),
            time: self.now,
        };
        FILES.put_until(batch, &id, &row, self.expires);
        Attachment { name, url: address(&id), content_type: Some(content_type.to_owned()), size }
    }
}

/// Returns an unguessable id for a file, since the address is all that is needed to read it.
pub(crate) fn fresh_id(entropy: &dyn Entropy) -> String {
    format!("{:016x}{:016x}", entropy.next(), entropy.next())
}

/// Returns the address of a file on this service.
pub(crate) fn address(id: &str) -> String {
    format!("{FILES_PATH}{id}")
}

/// Returns the id of the file at an address.
pub(crate) fn id_at(address: &str) -> Option<&str> {
    address.strip_prefix(FILES_PATH).filter(|id| !id.is_empty() && id.len() <= 64)
}

/// Reads a file for another platform to which its message is relayed.
pub(crate) async fn read_for_relay(store: Store, now: Millis, url: &str, limit: usize) -> Result<Vec<u8>, ActionError> {
    let id = id_at(url).map(ToOwned::to_owned);
    let id = id.ok_or_else(|| ActionError::Rejected(format!("{url} is not a file of the room service")))?;
    let read = tokio::task::spawn_blocking(move || FILES.get(&store.snapshot(now)?, &id)).await;
    match read {
        Ok(Ok(Some(row))) if row.data.len() > limit => {
            Err(ActionError::Rejected(format!("the file has {} bytes; the limit is {limit}", row.data.len())))
        }
        Ok(Ok(Some(row))) => Ok(row.data),
        Ok(Ok(None)) => Err(ActionError::NotFound("the file does not exist any more".to_owned())),
        Ok(Err(error)) => Err(ActionError::Transient(error.to_string())),
        Err(error) => Err(ActionError::Transient(error.to_string())),
    }
}

/// Deletes the files of a message in `batch`.
pub(crate) fn remove(batch: &mut Batch, attachments: &[Attachment]) {
    for id in attachments.iter().filter_map(|attachment| id_at(&attachment.url)) {
        FILES.delete(batch, &id.to_owned());
    }
}

/// Returns the content type under which a file is served.
///
/// Types that browsers might execute become a download.
pub(crate) fn safe_type(content_type: &str) -> &'static str {
    const SAFE: &[&str] = &[
        "text/plain",
        "text/csv",
        "application/json",
        "application/pdf",
        "application/zip",
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "video/mp4",
        "video/webm",
    ];
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    SAFE.iter().copied().find(|safe| *safe == essence).unwrap_or("application/octet-stream")
}

pub(crate) fn type_by_name(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase());
    match ending.as_str() {
        "txt" | "log" | "md" => "text/plain",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "json" => "application/json",
        "csv" => "text/csv",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "mp3" => "audio/mpeg",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        _ => "application/octet-stream",
    }
}

/// Returns a file name without path components, control characters and changes of direction.
///
/// The latter show `gpj.exe` as `exe.jpg`.
pub(crate) fn file_name(given: &str) -> String {
    let is_kept = |c: &char| !c.is_control() && !is_bidi_control(*c) && !matches!(c, '/' | '\\');
    let name: String = given.chars().filter(is_kept).take(FILE_NAME_MAX).collect();
    let name = name.trim().trim_start_matches('.').to_owned();
    if name.is_empty() { "file".to_owned() } else { name }
}
