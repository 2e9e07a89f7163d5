//! Scripts from their stored files, so that an old version can be executed again.

use std::path::PathBuf;

use palabre_types::{ScriptName, SourceFiles};

use super::{Source, SourceError};
use crate::manifest::Manifest;

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
