//! The files of a script on disk: their listing, limits and checksum.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// The maximum number of files of a script.
pub(super) const FILES_MAX: usize = 1_000;
/// The maximum number of files and folders, which bounds the walk.
pub(super) const ENTRIES_MAX: usize = 4_000;
/// The maximum total size, in bytes.
pub(super) const BYTES_MAX: u64 = 16 << 20;
/// The maximum size of a source file, in bytes; the runtime has the same limit.
const SOURCE_BYTES_MAX: u64 = 256 << 10;

/// Lists the files under `root` by their relative paths; `root` alone if it is a file.
///
/// Names that begin with a dot are skipped, as by the runtime. Errors call the whole `what`.
pub(super) fn files(root: &Path, what: &str) -> Result<BTreeMap<String, PathBuf>, Problem> {
    let mut walk = Walk { what, files: BTreeMap::new(), entries: 0, bytes: 0 };
    let name = root.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if root.is_dir() {
        walk.folder(root, "")?
    } else {
        walk.entry(root, name)?
    }
    Ok(walk.files)
}

/// Copies the files under `root` to `to`, which must not exist yet.
pub(super) fn copy(root: &Path, what: &str, to: &Path) -> Result<(), Problem> {
    let whole = root.is_dir();
    for (inside, from) in files(root, what)? {
        let target = if whole { to.join(inside) } else { to.to_owned() };
        let failed = |cause| Problem::File { doing: "write", path: target.clone(), cause };
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        // Copies only the content, not the permissions.
        std::fs::write(&target, read(&from)?).map_err(failed)?;
    }
    Ok(())
}

/// Returns the SHA-256 of all paths and contents, in the order of the paths.
pub(super) fn checksum(root: &Path) -> Result<String, Problem> {
    let mut hash = Sha256::new();
    for (inside, path) in files(root, &root.display().to_string())? {
        let content = read(&path)?;
        for part in [inside.as_bytes(), content.as_slice()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(path).map_err(|cause| Problem::File { doing: "read", path: path.to_owned(), cause })
}

struct Walk<'w> {
    what: &'w str,
    files: BTreeMap<String, PathBuf>,
    entries: usize,
    bytes: u64,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, inside: &str) -> Result<(), Problem> {
        let failed = |cause| Problem::File { doing: "read", path: folder.to_owned(), cause };
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                return Err(self.refused(&format!("the name of {} is not UTF-8 text", entry.path().display())));
            };
            if name.starts_with('.') {
                continue;
            }
            self.entries += 1;
            if self.entries > ENTRIES_MAX {
                return Err(self.refused(&format!("it has more than {ENTRIES_MAX} files and folders")));
            }
            let inside = if inside.is_empty() { name.to_owned() } else { format!("{inside}/{name}") };
            self.entry(&entry.path(), &inside)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, inside: &str) -> Result<(), Problem> {
        // Metadata of the entry itself, not of a link's target.
        let about = std::fs::symlink_metadata(path).map_err(|cause| Problem::File {
            doing: "read",
            path: path.to_owned(),
            cause,
        })?;
        if about.is_dir() {
            return self.folder(path, inside);
        }
        if !about.is_file() {
            let kind = if about.is_symlink() { "a symbolic link" } else { "neither a file nor a folder" };
            return Err(self.refused(&format!("{inside:?} is {kind}; a script may contain only files")));
        }
        if inside.ends_with(".luau") && about.len() > SOURCE_BYTES_MAX {
            let limit = SOURCE_BYTES_MAX >> 10;
            return Err(self.refused(&format!("{inside:?} is larger than {limit} KiB, the limit for one source file")));
        }
        self.bytes += about.len();
        if self.bytes > BYTES_MAX {
            return Err(self.refused(&format!("it is larger than {} MiB, the limit for a script", BYTES_MAX >> 20)));
        }
        if self.files.len() >= FILES_MAX {
            return Err(self.refused(&format!("it has more than {FILES_MAX} files, the limit for a script")));
        }
        self.files.insert(inside.to_owned(), path.to_owned());
        Ok(())
    }

    fn refused(&self, why: &str) -> Problem {
        Problem::Other(format!("{} is not a valid script: {why}", self.what))
    }
}
