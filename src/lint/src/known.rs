//! The names that every file knows: hooks, and globals with their fields.

use std::collections::BTreeSet;

use palabre_script::{ApiItem, ApiKind};

/// The names that a file can use without defining them.
pub(crate) struct Known<'a> {
    pub(crate) items: &'a [ApiItem],
    pub(crate) hooks: &'a BTreeSet<String>,
    /// All global names with their fields: `store.get`.
    pub(crate) paths: &'a BTreeSet<String>,
    /// The global names alone: `store`.
    pub(crate) globals: &'a BTreeSet<String>,
}

impl Known<'_> {
    /// Returns the API function at this path.
    pub(crate) fn function(&self, path: &str) -> Option<&ApiItem> {
        self.items.iter().find(|item| item.kind == ApiKind::Function && item.path == path)
    }
}
