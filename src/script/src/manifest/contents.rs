//! The contents of a script.yaml once it is validated, and the names in it.

use std::collections::BTreeMap;

use semver::{Version, VersionReq};

use super::field::ConfigField;

/// The maximum length of a script's name, in characters: it is part of file names and URLs.
const NAME_CHARS: usize = 64;

/// The contents of a script.yaml.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The script's name, equal to its folder's.
    pub name: String,
    /// The script's version.
    pub version: Option<Version>,
    /// The author.
    pub author: Option<String>,
    /// A description in one sentence.
    pub description: Option<String>,
    /// The licence.
    pub license: Option<String>,
    /// The versions of Palabre that the script runs on.
    pub palabre: Option<VersionReq>,
    /// The grants that the script asks for: `moderation`, `http:api.example.com`.
    pub needs: Vec<String>,
    /// The scripts whose exports it uses, with the required versions.
    pub depends: BTreeMap<String, VersionReq>,
    /// The configuration schema, by key. `None`, if the file has none, accepts any configuration.
    pub config: Option<BTreeMap<String, ConfigField>>,
}

impl Manifest {
    /// The file name, within the script's folder.
    pub const FILE: &'static str = "script.yaml";

    /// Whether a text is a valid script name.
    ///
    /// It has letters, digits, `-` and `_`, and begins with a letter or digit.
    #[must_use]
    pub fn is_name(text: &str) -> bool {
        text.starts_with(char::is_alphanumeric)
            && text.chars().count() <= NAME_CHARS
            && text.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    }

    /// Whether the value of a key is a secret and must not be shown.
    #[must_use]
    pub fn is_secret(key: &str) -> bool {
        let key = key.to_lowercase();
        ["token", "secret", "password", "key"].iter().any(|word| key.contains(word))
    }
}
