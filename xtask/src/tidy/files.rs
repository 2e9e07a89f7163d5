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
        let names = match listed_by_git(root) {
            Some(names) => names,
            None => {
                let mut names = Vec::new();
                walk(root, Path::new(""), &mut names)?;
                names
            }
        };
        let mut all = BTreeMap::new();
        for name in names {
            let path = root.join(&name);
            if exempt.iter().any(|prefix| name.starts_with(prefix.as_str())) || !path.is_file() {
                continue;
            }
            let bytes = std::fs::read(&path).map_err(Problem::file("read", &path))?;
            if let Ok(text) = String::from_utf8(bytes) {
                all.insert(name, text);
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

/// Returns the names of all files that git knows or would add; `None` outside a repository.
fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let mut command = Command::new("git");
    command.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = command.output().ok().filter(|listed| listed.status.success())?;
    let names = String::from_utf8_lossy(&listed.stdout);
    Some(names.split('\0').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect())
}

/// Adds the names of all files below a folder, for a copy of the sources without a repository.
fn walk(root: &Path, folder: &Path, names: &mut Vec<String>) -> Result<(), Problem> {
    const GENERATED: [&str; 3] = ["target", "node_modules", ".git"];
    let path = root.join(folder);
    for entry in std::fs::read_dir(&path).map_err(Problem::file("read", &path))? {
        let entry = entry.map_err(Problem::file("read", &path))?;
        let (kind, name) = (entry.file_type().map_err(Problem::file("read", &path))?, entry.file_name());
        let inside = folder.join(&name);
        if kind.is_dir() && !GENERATED.iter().any(|generated| name == *generated) {
            walk(root, &inside, names)?;
        } else if kind.is_file() {
            names.push(inside.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}
