//! scripts.lock, next to bots.yaml: the origins and approved needs of installed scripts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::place;
use crate::config::Config;
use crate::problem::Problem;

/// The record of one script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Its origin, in the form that `install` takes.
    pub(super) origin: String,
    /// The version in its manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    /// The commit, if it came from a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) revision: Option<String>,
    /// The checksum of its files when it was installed.
    pub(super) sha256: String,
    /// The capabilities that it needed when it was installed. An update that needs more is refused.
    pub(super) needs: Vec<String>,
    /// The time of the installation or the last update, UTC.
    pub(super) installed_at: String,
}

/// The file.
pub(super) struct Lock {
    path: PathBuf,
    content: Content,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    scripts: BTreeMap<String, Entry>,
}

impl Lock {
    /// Reads the file; if there is none, no script was installed.
    pub(super) fn read(config: &Config) -> Result<Self, Problem> {
        let path = config.path().parent().unwrap_or(Path::new("")).join("scripts.lock");
        let content = match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| {
                Problem::Other(format!(
                    "cannot read {}: {error}; put it right, or take its last version from your backups",
                    path.display()
                ))
            })?,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Content::default(),
            Err(cause) => return Err(Problem::File { doing: "read", path, cause }),
        };
        Ok(Self { path, content })
    }

    /// Returns the record of a script.
    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.content.scripts.get(name)
    }

    /// Returns all records, by name.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.content.scripts.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// Adds, replaces or removes the record of a script, and writes the file.
    pub(super) fn set(&mut self, name: &str, entry: Option<Entry>) -> Result<(), Problem> {
        match entry {
            Some(entry) => drop(self.content.scripts.insert(name.to_owned(), entry)),
            None => drop(self.content.scripts.remove(name)),
        }
        // It contains only strings, and can always be serialised.
        let text = serde_json::to_string_pretty(&self.content).unwrap_or_default();
        place::write(&self.path, &format!("{text}\n"))
    }
}
