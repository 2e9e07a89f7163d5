//! The files of a script as they are stored, so that an old version can be executed again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use palabre_types::ScriptName;
use serde::{Deserialize, Serialize};

use super::{Source, SourceError};
use crate::manifest::Manifest;

/// The files of a script at one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFiles {
    /// The main file.
    pub entry: String,
    /// The source files by path within the folder, with those that all scripts share.
    pub files: BTreeMap<String, String>,
    /// The texts by language.
    #[serde(default)]
    pub locales: BTreeMap<String, String>,
    /// The text of its `script.yaml`; empty if there is none.
    #[serde(default)]
    pub manifest: String,
}

impl Source {
    /// Returns the files, to be stored.
    #[must_use]
    pub fn stored(&self) -> SourceFiles {
        SourceFiles {
            entry: self.entry.clone(),
            files: self.files.clone(),
            locales: self.locales.clone(),
            manifest: self.manifest_text.clone(),
        }
    }

    /// Returns the script whose files were stored.
    ///
    /// # Errors
    /// Returns an error if its manifest is no longer valid.
    pub fn from_stored(name: &ScriptName, stored: SourceFiles) -> Result<Self, SourceError> {
        let SourceFiles { entry, files, locales, manifest: text } = stored;
        let manifest = if text.is_empty() {
            None
        } else {
            Some(Manifest::parse(&format!("{name}/{}", Manifest::FILE), &text).map_err(Box::new)?)
        };
        Ok(Self {
            name: name.clone(),
            path: PathBuf::from(name.as_str()),
            files,
            entry,
            locales,
            manifest,
            manifest_text: text,
            is_measured: false,
        })
    }
}
