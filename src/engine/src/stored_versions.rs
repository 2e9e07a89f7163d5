//! The versions of scripts that the store holds, as the open batch leaves them.
//!
//! A version is removed once no run uses it and no batch of the journal mentions it, so that every
//! step of the journal can be executed again. Its files and its configuration are removed with the
//! last version that has them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use palabre_runner::StoredVersion;
use palabre_state::{ENDED_VERSIONS, SCRIPT_SOURCES, SCRIPT_VERSIONS};
use palabre_store::{Direction, Result, Snapshot, Table};
use palabre_types::{Batch, ScriptName, TableId};
use serde::{Deserialize, Serialize};

use crate::versions::{CONFIGS, config_key};

/// Maximum number of versions that are removed at a time.
const REMOVED_VERSIONS_MAX: usize = 100;

/// Versions as a start reads them, also those whose other settings this build cannot decode.
const HASHES: Table<(String, String), Hashes> = Table::new(TableId::ScriptVersions);

/// The fields of a version's row that name other rows.
#[derive(Serialize, Deserialize)]
struct Hashes {
    files: Arc<str>,
    config: Arc<str>,
}

/// The stored versions by script and hash.
///
/// Only the sequencer changes them, in the order of the entries.
#[derive(Debug, Default)]
pub(crate) struct StoredVersions(BTreeMap<ScriptName, BTreeMap<Arc<str>, KnownVersion>>);

#[derive(Debug)]
struct KnownVersion {
    /// The hash of its files.
    files: Arc<str>,
    /// The hash of its configuration.
    config: Arc<str>,
    /// Whether the configuration is stored. A restored backup lacks it.
    has_config: bool,
    /// The last batch that may mention the version, if no run uses it any more.
    ended: Option<u64>,
}

impl StoredVersions {
    /// Reads the versions from the store.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) fn load(snapshot: &Snapshot) -> Result<Self> {
        let mut versions = Self::default();
        for row in HASHES.scan(snapshot, &Vec::new(), Direction::Forward)? {
            let (key, Hashes { files, config }) = row?;
            let ended = ENDED_VERSIONS.get(snapshot, &key)?;
            let (script, version) = (ScriptName::from(key.0), Arc::from(key.1));
            let has_config = CONFIGS.get(snapshot, &config_key(&script, &config))?.is_some();
            versions.0.entry(script).or_default().insert(version, KnownVersion { files, config, has_config, ended });
        }
        Ok(versions)
    }

    /// Records that no run uses any version, since no process runs. `number` is the batch of the rows.
    pub(crate) fn end_all(&mut self, number: u64, rows: &mut Batch) {
        for (script, versions) in &mut self.0 {
            for (version, known) in versions.iter_mut().filter(|(_, known)| known.ended.is_none()) {
                known.end(script, version, number, rows);
            }
        }
    }

    /// Records that a version is active. Adds the rows that the store lacks.
    pub(crate) fn activate(
        &mut self,
        script: &ScriptName,
        version: &Arc<str>,
        stored: &StoredVersion,
        rows: &mut Batch,
    ) {
        let StoredVersion { files, config, row } = stored;
        let versions = self.0.entry(script.clone()).or_default();
        if !versions.values().any(|known| known.files == row.files) {
            SCRIPT_SOURCES.put(rows, &(script.to_string(), row.files.to_string()), files);
        }
        if !versions.values().any(|known| known.has_config && known.config == row.config) {
            CONFIGS.put(rows, &config_key(script, &row.config), config);
        }
        match versions.entry(Arc::clone(version)) {
            Entry::Occupied(entry) => {
                let known = entry.into_mut();
                known.has_config = true;
                if known.ended.take().is_some() {
                    ENDED_VERSIONS.delete(rows, &key(script, version));
                }
            }
            Entry::Vacant(entry) => {
                SCRIPT_VERSIONS.put(rows, &key(script, version), row);
                let (files, config) = (Arc::clone(&row.files), Arc::clone(&row.config));
                entry.insert(KnownVersion { files, config, has_config: true, ended: None });
            }
        }
    }

    /// Records that no run uses a version any more. No batch after `number` mentions it.
    pub(crate) fn end(&mut self, script: &ScriptName, version: &str, number: u64, rows: &mut Batch) {
        if let Some(known) = self.0.get_mut(script).and_then(|versions| versions.get_mut(version)) {
            known.end(script, version, number, rows);
        }
    }

    /// Removes versions that no batch from `oldest` on mentions, and that no run uses.
    pub(crate) fn remove_before(&mut self, oldest: u64, rows: &mut Batch) {
        let mut room = REMOVED_VERSIONS_MAX;
        for (script, versions) in &mut self.0 {
            let is_over = |known: &KnownVersion| known.ended.is_some_and(|last| last < oldest);
            let over = versions.iter().filter(|(_, known)| is_over(known)).map(|(version, _)| Arc::clone(version));
            let over: Vec<Arc<str>> = over.take(room).collect();
            room -= over.len();
            for version in over {
                let Some(removed) = versions.remove(&version) else { continue };
                SCRIPT_VERSIONS.delete(rows, &key(script, &version));
                ENDED_VERSIONS.delete(rows, &key(script, &version));
                if !versions.values().any(|known| known.files == removed.files) {
                    SCRIPT_SOURCES.delete(rows, &key(script, &removed.files));
                }
                if !versions.values().any(|known| known.config == removed.config) {
                    CONFIGS.delete(rows, &config_key(script, &removed.config));
                }
            }
        }
        self.0.retain(|_, versions| !versions.is_empty());
    }
}

impl KnownVersion {
    fn end(&mut self, script: &ScriptName, version: &str, number: u64, rows: &mut Batch) {
        self.ended = Some(number);
        ENDED_VERSIONS.put(rows, &key(script, version), &number);
    }
}

/// Returns the key of a row by script and hash.
fn key(script: &ScriptName, hash: &str) -> (String, String) {
    (script.to_string(), hash.to_owned())
}

#[cfg(test)]
mod tests {
    use palabre_script::Source;
    use palabre_state::VersionRow;
    use palabre_store::Store;
    use palabre_types::Limits;
    use serde_json::json;

    use super::*;
    use crate::versions::stored_version;

    /// A store with its versions, where one batch follows the other.
    struct Fixture {
        store: Store,
        versions: StoredVersions,
    }

    impl Fixture {
        fn new() -> Self {
            Self { store: Store::in_memory().unwrap(), versions: StoredVersions::default() }
        }

        /// Commits what `change` adds.
        fn commit(&mut self, change: impl FnOnce(&mut StoredVersions, &mut Batch)) {
            let mut rows = Batch::default();
            change(&mut self.versions, &mut rows);
            self.store.commit(rows).wait().unwrap();
        }

        /// Activates a version. Returns its hash.
        fn activate(&mut self, text: &str, config: u32) -> Arc<str> {
            let stored = version(text, config);
            let hash = stored.row.hash();
            self.commit(|versions, rows| versions.activate(&"s".into(), &hash, &stored, rows));
            hash
        }

        fn end(&mut self, version: &str, number: u64) {
            self.commit(|versions, rows| versions.end(&"s".into(), version, number, rows));
        }

        fn remove_before(&mut self, oldest: u64) {
            self.commit(|versions, rows| versions.remove_before(oldest, rows));
        }

        fn is_stored(&self, version: &str) -> bool {
            stored_version(&self.store.snapshot(0).unwrap(), &"s".into(), version).unwrap().is_some()
        }

        /// Returns the numbers of versions, files and configurations.
        fn rows(&self) -> [u64; 3] {
            let snapshot = self.store.snapshot(0).unwrap();
            [TableId::ScriptVersions, TableId::ScriptSources, TableId::Installation]
                .map(|table| snapshot.len(table).unwrap())
        }
    }

    fn version(text: &str, config: u32) -> StoredVersion {
        let (source, config) = (Source::from_text("s", text), json!(config));
        let row = VersionRow::new(&source.version(), &config, &Limits::default(), &[], Vec::new());
        StoredVersion { files: source.stored(), config, row }
    }

    #[test]
    fn a_version_is_removed_once_it_has_ended_and_the_journal_begins_after_that() {
        let mut fixture = Fixture::new();
        let (old, new) = (fixture.activate("local n = 1", 1), fixture.activate("local n = 2", 1));
        fixture.remove_before(100);
        assert!(fixture.is_stored(&old), "a run of it may wait");
        fixture.end(&old, 7);
        fixture.remove_before(7);
        assert!(fixture.is_stored(&old), "batch 7 mentions it");
        fixture.remove_before(8);
        assert!(!fixture.is_stored(&old) && fixture.is_stored(&new));
        assert_eq!(fixture.rows(), [1, 1, 1]);
        assert_eq!(fixture.store.snapshot(0).unwrap().len(TableId::EndedVersions).unwrap(), 0);
    }

    #[test]
    fn files_and_configurations_stay_while_another_version_has_them() {
        let mut fixture = Fixture::new();
        let first = fixture.activate("local n = 1", 1);
        let other_config = fixture.activate("local n = 1", 2);
        let other_files = fixture.activate("local n = 2", 1);
        assert_eq!(fixture.rows(), [3, 2, 2]);
        fixture.end(&first, 1);
        fixture.remove_before(2);
        assert!(fixture.is_stored(&other_config) && fixture.is_stored(&other_files));
        assert_eq!(fixture.rows(), [2, 2, 2]);
        fixture.end(&other_config, 3);
        fixture.remove_before(4);
        assert_eq!(fixture.rows(), [1, 1, 1]);
    }

    #[test]
    fn a_version_that_is_active_again_stays_and_one_that_was_removed_is_stored_again() {
        let mut fixture = Fixture::new();
        let first = fixture.activate("local n = 1", 1);
        fixture.end(&first, 1);
        fixture.activate("local n = 1", 1);
        fixture.remove_before(9);
        assert!(fixture.is_stored(&first));
        fixture.end(&first, 9);
        // In one batch, as when the removal is not durable yet.
        let same = version("local n = 1", 1);
        fixture.commit(|versions, rows| {
            versions.remove_before(10, rows);
            versions.activate(&"s".into(), &first, &same, rows);
        });
        assert!(fixture.is_stored(&first));
    }

    #[test]
    fn a_restart_knows_what_is_stored_and_what_has_ended() {
        let mut fixture = Fixture::new();
        let (old, new) = (fixture.activate("local n = 1", 1), fixture.activate("local n = 2", 2));
        fixture.end(&old, 3);
        fixture.versions = StoredVersions::load(&fixture.store.snapshot(0).unwrap()).unwrap();
        fixture.commit(|versions, rows| versions.end_all(20, rows));
        fixture.remove_before(4);
        assert!(!fixture.is_stored(&old) && fixture.is_stored(&new));
        fixture.versions = StoredVersions::load(&fixture.store.snapshot(0).unwrap()).unwrap();
        fixture.remove_before(20);
        assert!(fixture.is_stored(&new));
        fixture.remove_before(21);
        assert_eq!(fixture.rows(), [0, 0, 0]);
    }

    #[test]
    fn a_configuration_that_a_backup_lacks_is_stored_with_the_next_activation() {
        let mut fixture = Fixture::new();
        let key = config_key(&"s".into(), &version("local n = 1", 1).row.config);
        let version = fixture.activate("local n = 1", 1);
        fixture.commit(|_, rows| CONFIGS.delete(rows, &key));
        fixture.versions = StoredVersions::load(&fixture.store.snapshot(0).unwrap()).unwrap();
        assert!(!fixture.is_stored(&version));
        fixture.activate("local n = 1", 1);
        assert!(fixture.is_stored(&version));
    }
}
