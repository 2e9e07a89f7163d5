//! The files of the repository that rules apply to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::problem::Problem;

/// All text files that git knows, without the exempt ones, by path relative to the root.
pub(crate) struct Files {
    pub(crate) root: PathBuf,
    pub(crate) all: BTreeMap<String, String>,
}

impl Files {
    /// Reads the files. New files count before they are committed; ignored ones do not.
    pub(crate) fn read(root: &Path, exempt: &[String]) -> Result<Self, Problem> {
        let mut command = Command::new("git");
        command.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listed = command.output().map_err(|cause| Problem::Program { program: "git".to_owned(), cause })?;
        if !listed.status.success() {
            return Err(Problem::Failed("git ls-files".to_owned()));
        }
        let mut all = BTreeMap::new();
        for name in String::from_utf8_lossy(&listed.stdout).split('\0').filter(|name| !name.is_empty()) {
            let path = root.join(name);
            if exempt.iter().any(|prefix| name.starts_with(prefix.as_str())) || !path.is_file() {
                continue;
            }
            let bytes = std::fs::read(&path).map_err(Problem::file("read", &path))?;
            if let Ok(text) = String::from_utf8(bytes) {
                all.insert(name.to_owned(), text);
            }
        }
        Ok(Self { root: root.to_owned(), all })
    }

    /// Returns the files with one of the extensions.
    pub(crate) fn with<'f>(&'f self, extensions: &'f [&'f str]) -> impl Iterator<Item = (&'f str, &'f str)> {
        let has_extension = |name: &str| name.rsplit_once('.').is_some_and(|(_, end)| extensions.contains(&end));
        self.all.iter().filter(move |(name, _)| has_extension(name)).map(|(name, text)| (name.as_str(), text.as_str()))
    }
}
