//! Stored versions of scripts, from which their steps can be executed again.

use palabre_script::SourceFiles;
use palabre_state::{SCRIPT_SOURCES, SCRIPT_VERSIONS, VersionRow};
use palabre_store::{Result, Snapshot};
use palabre_types::{Batch, ScriptName};

/// A version of a script: all that decides what its steps do, except what they read.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredVersion {
    /// The files.
    pub files: SourceFiles,
    /// The settings.
    pub row: VersionRow,
}

impl StoredVersion {
    /// Adds the rows of the version to a batch, except those that the store has already.
    ///
    /// If the store cannot be read, they are written once more.
    pub(crate) fn put(&self, script: &ScriptName, version: &str, stored: Option<&Snapshot>, batch: &mut Batch) {
        let files = (script.to_string(), self.row.files.to_string());
        if !stored.is_some_and(|stored| matches!(SCRIPT_SOURCES.get(stored, &files), Ok(Some(_)))) {
            SCRIPT_SOURCES.put(batch, &files, &self.files);
        }
        let version = (script.to_string(), version.to_owned());
        if !stored.is_some_and(|stored| matches!(SCRIPT_VERSIONS.get(stored, &version), Ok(Some(_)))) {
            SCRIPT_VERSIONS.put(batch, &version, &self.row);
        }
    }
}

/// Returns a version of a script, as the journal names it.
///
/// # Errors
/// If the store cannot be read.
pub fn stored_version(snapshot: &Snapshot, script: &ScriptName, version: &str) -> Result<Option<StoredVersion>> {
    let Some(row) = SCRIPT_VERSIONS.get(snapshot, &(script.to_string(), version.to_owned()))? else {
        return Ok(None);
    };
    let files = SCRIPT_SOURCES.get(snapshot, &(script.to_string(), row.files.to_string()))?;
    Ok(files.map(|files| StoredVersion { files, row }))
}
