//! Replaces files and folders atomically.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::problem::Problem;

/// Writes a file so that readers see either the old or the new text. Its permissions are kept.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Problem> {
    let failed = |cause| Problem::File { doing: "write", path: path.to_owned(), cause };
    // If it is a link, its target is replaced.
    let Ok(real) = path.canonicalize() else {
        return std::fs::write(path, text).map_err(failed);
    };
    let permissions = std::fs::metadata(&real).map_err(failed)?.permissions();
    let mut file = NamedTempFile::new_in(real.parent().unwrap_or(Path::new("/"))).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().set_permissions(permissions).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&real).map(drop).map_err(|error| failed(error.error))
}

/// Moves `new` to `to` and calls `then`.
///
/// An existing version at `old` is moved to `backup` first, and back if anything fails.
pub(super) fn put(
    new: &Path,
    to: &Path,
    old: Option<(&Path, &Path)>,
    then: impl FnOnce() -> Result<(), Problem>,
) -> Result<(), Problem> {
    if let Some((old, backup)) = old {
        rename(old, backup)?;
    }
    let done = rename(new, to).and_then(|()| then().inspect_err(|_| drop(std::fs::rename(to, new))));
    if let (Err(problem), Some((old, backup))) = (&done, old)
        && let Err(not_restored) = rename(backup, old)
    {
        return Err(Problem::Other(format!(
            "{problem}; then {not_restored}; the old version is in {}",
            backup.display()
        )));
    }
    done
}

/// Moves a file or folder.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Problem> {
    std::fs::rename(from, to).map_err(|cause| Problem::File { doing: "move", path: from.to_owned(), cause })
}

/// Removes a file, or a folder with its content.
pub(super) fn remove(path: &Path) -> Result<(), Problem> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    removed.map_err(|cause| Problem::File { doing: "remove", path: path.to_owned(), cause })
}

/// Returns the path for the old version of a script: `.trivia.old-1`, with the next free number.
///
/// The daemon and `palabre scripts` ignore names that begin with a dot.
pub(super) fn backup_path(installed: &Path, name: &str) -> PathBuf {
    let ending = if installed.is_dir() { "" } else { ".luau" };
    let place = |number: u32| installed.with_file_name(format!(".{name}.old-{number}{ending}"));
    (1..u32::MAX).map(place).find(|path| !path.exists()).unwrap_or_else(|| place(u32::MAX))
}
