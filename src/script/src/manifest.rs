//! script.yaml: what a script in a folder says of itself, what it asks for, and what it can be configured with.

mod configure;
mod field;
mod raw;
mod schema;

use std::collections::BTreeMap;

use semver::{Version, VersionReq};
use serde_json::{Map, Value};

use crate::source::without_bom;
use crate::yaml::{YamlError, YamlFile};

pub use configure::ConfigFault;
pub use field::{ConfigField, ConfigKind};

/// The longest name that a script may have, in characters: it is a file's name and a part of addresses.
const NAME_CHARS: usize = 64;

/// What a script's script.yaml says.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The script's name, which is its folder's.
    pub name: String,
    /// Its version.
    pub version: Option<Version>,
    /// Who wrote it.
    pub author: Option<String>,
    /// What it does, in a sentence.
    pub description: Option<String>,
    /// Under which licence it may be used.
    pub license: Option<String>,
    /// The versions of Palabre that it runs on.
    pub palabre: Option<VersionReq>,
    /// The capabilities that it asks for: `moderation`, `http:api.example.com`.
    pub needs: Vec<String>,
    /// The scripts whose exports it uses, and in which versions.
    pub depends: BTreeMap<String, VersionReq>,
    /// What it can be configured with, by key. `None`, where nothing is said of it, lets everything pass.
    pub config: Option<BTreeMap<String, ConfigField>>,
}

impl Manifest {
    /// The file's name within the script's folder.
    pub const FILE: &'static str = "script.yaml";

    /// Reads `text`, which errors call `file`. Whether `name` is the folder's name is for the caller to see.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place. A script that wants another version of Palabre is one such thing.
    pub fn parse(file: &str, text: &str) -> Result<Self, YamlError> {
        let text = without_bom(text);
        let place = YamlFile { file, text };
        let raw: raw::Raw = serde_saphyr::from_str(text).map_err(|error| place.unparsed(&error))?;
        raw.check(&place)
    }

    /// What the script reads as `config` when bots.yaml gives `given`: checked, and completed with the defaults. A null
    /// counts as left out.
    ///
    /// # Errors
    /// Everything that is wrong with `given`.
    pub fn configure(&self, given: &Map<String, Value>) -> Result<Value, Vec<ConfigFault>> {
        let Some(fields) = &self.config else { return Ok(Value::Object(given.clone())) };
        let mut faults = Vec::new();
        let filled = configure::fill(fields, given, "", &mut faults);
        if faults.is_empty() { Ok(Value::Object(filled)) } else { Err(faults) }
    }

    /// Whether a script may be called so: letters, digits, `-` and `_`, beginning with a letter or a digit.
    #[must_use]
    pub fn is_name(text: &str) -> bool {
        text.starts_with(char::is_alphanumeric)
            && text.chars().count() <= NAME_CHARS
            && text.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    }

    /// Whether the value of this key is better not shown.
    #[must_use]
    pub fn is_secret(key: &str) -> bool {
        let key = key.to_lowercase();
        ["token", "secret", "password", "key"].iter().any(|word| key.contains(word))
    }
}
