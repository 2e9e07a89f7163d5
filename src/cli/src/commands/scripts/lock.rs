//! scripts.lock, beside bots.yaml: what was installed from where, and what it was approved to ask for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::place;
use crate::config::Config;
use crate::problem::Problem;

/// What is noted of one script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Where it came from, as it can be given to `install` again.
    pub(super) origin: String,
    /// The version that it says it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    /// The commit, where it came from a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) revision: Option<String>,
    /// The checksum of its files as they were installed.
    pub(super) sha256: String,
    /// The capabilities that it asked for, as whoever installed it saw them. An update may not ask for more unnoticed.
    pub(super) needs: Vec<String>,
    /// When it was installed or updated, UTC.
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
    /// Reads the file; where there is none, nothing was installed.
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

    /// What is noted of a script.
    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.content.scripts.get(name)
    }

    /// All that is noted, by name.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.content.scripts.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// Notes a script, or forgets it, and writes the file.
    pub(super) fn set(&mut self, name: &str, entry: Option<Entry>) -> Result<(), Problem> {
        match entry {
            Some(entry) => drop(self.content.scripts.insert(name.to_owned(), entry)),
            None => drop(self.content.scripts.remove(name)),
        }
        // It is made of texts alone, which can always be written.
        let text = serde_json::to_string_pretty(&self.content).unwrap_or_default();
        place::write(&self.path, &format!("{text}\n"))
    }
}
