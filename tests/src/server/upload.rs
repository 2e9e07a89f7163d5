//! Files in messages, as they were uploaded.

use axum::body::Bytes;

/// A file attached to a message.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media: String,
    /// The content.
    pub bytes: Bytes,
}
