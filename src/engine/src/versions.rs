//! Stored versions of scripts, from which their steps can be executed again.

use palabre_runner::StoredVersion;
use palabre_state::{SCRIPT_SOURCES, SCRIPT_VERSIONS};
use palabre_store::{Result, Snapshot, Table};
use palabre_types::{ScriptName, TableId};
use serde_json::Value;

/// Configurations of scripts, by script and hash.
///
/// They may hold secrets, so they are neither in the journal nor in backups.
pub(crate) const CONFIGS: Table<(String, String), Value> = Table::new(TableId::Installation);

/// Returns the key of a configuration among the values of the installation.
pub(crate) fn config_key(script: &ScriptName, hash: &str) -> (String, String) {
    (format!("config of {script}"), hash.to_owned())
}

/// Returns a version of a script, as the journal names it, if all of it is stored.
///
/// A restored backup lacks the configurations.
///
/// # Errors
/// If the store cannot be read.
pub fn stored_version(snapshot: &Snapshot, script: &ScriptName, version: &str) -> Result<Option<StoredVersion>> {
    let Some(row) = SCRIPT_VERSIONS.get(snapshot, &(script.to_string(), version.to_owned()))? else {
        return Ok(None);
    };
    let files = SCRIPT_SOURCES.get(snapshot, &(script.to_string(), row.files.to_string()))?;
    let config = CONFIGS.get(snapshot, &config_key(script, &row.config))?;
    Ok(files.zip(config).map(|(files, config)| StoredVersion { files, config, row }))
}
