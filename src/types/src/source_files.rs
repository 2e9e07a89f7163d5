//! The files of a script as they are stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
