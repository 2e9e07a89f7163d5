//! The open index: its files, its writer, and the progress in each room.

use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::{Index, IndexWriter, ReloadPolicy, Term};

use super::index_error::IndexError;
use super::progress::Progress;
use super::schema::{Fields, VERSION};
use super::view::View;
use crate::history::MessageRow;

/// The file that lists the other files of an index.
const META_FILE: &str = "meta.json";
/// Memory for documents that are not written yet, in bytes: the least that the library accepts.
const WRITER_BYTES: usize = 15_000_000;
/// Number of decompressed blocks of documents that are kept.
const CACHED_BLOCKS: usize = 16;
/// Share of deleted documents in a file from which on it is written anew without them.
const DELETED_RATIO_MAX: f32 = 0.2;

/// The open index.
pub(crate) struct SearchIndex {
    files: Index,
    view: Arc<View>,
    /// Opened with the first change: it has a thread and a buffer.
    writer: Option<IndexWriter>,
    progress: HashMap<String, Progress>,
    /// Rooms whose progress is not committed yet.
    touched: HashSet<String>,
    /// Number of changes that are not committed yet.
    uncommitted: usize,
}

impl SearchIndex {
    /// Opens the index in `folder`; one that is missing, damaged or of another version begins empty.
    pub(crate) fn open(folder: &Path, is_suspect: bool) -> Result<Self, IndexError> {
        if !is_suspect {
            match Self::open_existing(folder) {
                Ok(Some(index)) => return Ok(index),
                Ok(None) => {}
                Err(error) if error.is_damage() => tracing::warn!("{error}; it is built anew"),
                Err(error) => return Err(error),
            }
        }
        Self::create(folder)
    }

    /// Opens an index after verifying its files; `None` if there is none.
    fn open_existing(folder: &Path) -> Result<Option<Self>, IndexError> {
        if !folder.join(META_FILE).exists() {
            return Ok(None);
        }
        let files = Index::open_in_dir(folder)?;
        let (schema, fields) = Fields::new();
        if files.schema() != schema || files.load_metas()?.payload.as_deref() != Some(VERSION) {
            return Err(IndexError::Damaged("it is of another version".to_owned()));
        }
        if let Some(file) = files.validate_checksum()?.iter().next() {
            return Err(IndexError::Damaged(format!("the checksum of {} is wrong", file.display())));
        }
        Self::of_files(files, fields).map(Some)
    }

    fn create(folder: &Path) -> Result<Self, IndexError> {
        remove(folder)?;
        std::fs::create_dir_all(folder).map_err(|error| IndexError::of_system(&error))?;
        let (schema, fields) = Fields::new();
        let mut index = Self::of_files(Index::create_in_dir(folder, schema)?, fields)?;
        index.save()?;
        Ok(index)
    }

    fn of_files(files: Index, fields: Fields) -> Result<Self, IndexError> {
        let reader = files.reader_builder().reload_policy(ReloadPolicy::Manual);
        let reader = reader.doc_store_cache_num_blocks(CACHED_BLOCKS).try_into()?;
        let view = View { reader, fields };
        let progress = view.progress()?.into_iter().collect();
        let (writer, touched) = (None, HashSet::new());
        Ok(Self { files, view: Arc::new(view), writer, progress, touched, uncommitted: 0 })
    }

    /// Returns the committed part for searching. It follows later commits.
    pub(crate) fn view(&self) -> Arc<View> {
        Arc::clone(&self.view)
    }

    /// Returns the progress in a room.
    pub(crate) fn progress(&self, room: &str) -> Option<Progress> {
        self.progress.get(room).copied()
    }

    /// Returns all rooms that the index has messages of.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = &String> {
        self.progress.keys()
    }

    /// Number of changes that are not committed yet.
    pub(crate) fn uncommitted(&self) -> usize {
        self.uncommitted
    }

    /// Adds a message that is not in the index.
    pub(crate) fn add(&mut self, room: &str, position: u64, row: &MessageRow) -> Result<(), IndexError> {
        let document = self.view.fields.document(room, position, row);
        self.writer()?.add_document(document)?;
        self.uncommitted += 1;
        Ok(())
    }

    /// Removes a message.
    pub(crate) fn remove(&mut self, room: &str, position: u64) -> Result<(), IndexError> {
        let term = self.view.fields.key_term(room, position);
        self.writer()?.delete_term(term);
        self.uncommitted += 1;
        Ok(())
    }

    /// Removes all messages of a room.
    pub(crate) fn forget(&mut self, room: &str) -> Result<(), IndexError> {
        if self.progress.remove(room).is_some() {
            let term = Term::from_field_text(self.view.fields.room, room);
            self.writer()?.delete_term(term);
            self.touched.insert(room.to_owned());
            self.uncommitted += 1;
        }
        Ok(())
    }

    /// Sets the progress in a room, which is committed together with the messages.
    pub(crate) fn set_progress(&mut self, room: &str, progress: Progress) {
        if self.progress.insert(room.to_owned(), progress) != Some(progress) {
            self.touched.insert(room.to_owned());
        }
    }

    /// Commits all changes, if there are any, and shows them to searches.
    pub(crate) fn commit_changes(&mut self) -> Result<(), IndexError> {
        if self.uncommitted == 0 && self.touched.is_empty() {
            return Ok(());
        }
        self.save()
    }

    fn save(&mut self) -> Result<(), IndexError> {
        let fields = self.view.fields;
        for room in std::mem::take(&mut self.touched) {
            let progress = self.progress(&room);
            let writer = self.writer()?;
            writer.delete_term(fields.progress_term(&room));
            if let Some(progress) = progress {
                writer.add_document(fields.progress_document(&room, &progress)?)?;
            }
        }
        let mut prepared = self.writer()?.prepare_commit()?;
        prepared.set_payload(VERSION);
        tantivy::indexer::PreparedCommit::commit(prepared)?;
        self.uncommitted = 0;
        self.view.reader.reload()?;
        Ok(())
    }

    /// Ends the thread of the writer and releases its buffer, until the next change.
    pub(crate) fn rest(&mut self) -> Result<(), IndexError> {
        if let Some(writer) = self.writer.take() {
            writer.wait_merging_threads()?;
        }
        Ok(())
    }

    fn writer(&mut self) -> Result<&mut IndexWriter, IndexError> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.open_writer()?,
        };
        Ok(self.writer.insert(writer))
    }

    fn open_writer(&self) -> Result<IndexWriter, IndexError> {
        let options = IndexWriterOptions::builder()
            .memory_budget_per_thread(WRITER_BYTES)
            .num_worker_threads(1)
            .num_merge_threads(1)
            .build();
        let writer: IndexWriter = self.files.writer_with_options(options)?;
        let mut policy = LogMergePolicy::default();
        policy.set_del_docs_ratio_before_merge(DELETED_RATIO_MAX);
        writer.set_merge_policy(Box::new(policy));
        Ok(writer)
    }
}

/// Deletes the folder of an index, if it is there.
pub(crate) fn remove(folder: &Path) -> Result<(), IndexError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(IndexError::of_system(&error)),
        _ => Ok(()),
    }
}
