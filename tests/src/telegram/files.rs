//! Files, by their ids.

use std::collections::HashMap;

use axum::body::Bytes;
use serde_json::Value;

/// The maximum size of a bot's upload.
pub(super) const UPLOAD_MAX: usize = 50 << 20;

/// A stored file.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// The message field that contains it: `photo`.
    pub(super) kind: String,
    pub(super) unique: String,
    pub(super) path: String,
    pub(super) size: u64,
    /// The value of that field.
    pub(super) frame: Value,
    pub(super) bytes: Bytes,
}

/// All files by id.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) stored: HashMap<String, Stored>,
}
