//! The active version of a script, as its worker reports it.

use std::sync::Arc;

use palabre_script::Declarations;
use palabre_state::VersionRow;
use palabre_types::{EventName, SourceFiles};
use serde_json::Value;

/// The active version of a script.
pub struct Activation {
    /// The id of the script.
    pub script_id: usize,
    /// Its hooks; none if no version is active.
    pub hooks: Vec<EventName>,
    /// Its declarations.
    pub declared: Arc<Declarations>,
    /// The hash by which the journal names the version; empty if none is active.
    pub version: Arc<str>,
    /// The version, to be stored; `None` if none is active.
    pub stored: Option<Box<StoredVersion>>,
}

/// A version of a script: all that decides what its steps do, except what they read.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredVersion {
    /// The files.
    pub files: SourceFiles,
    /// The value that it reads as `config`.
    pub config: Value,
    /// The other settings.
    pub row: VersionRow,
}
