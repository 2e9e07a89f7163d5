//! The files of a script on the disk: which count, how many there may be, and their checksum.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// How many files a script may have.
pub(super) const FILES: usize = 1_000;
/// How many files and folders; so that folders without end are not walked through.
pub(super) const ENTRIES: usize = 4_000;
/// How large they may be in all, in bytes.
pub(super) const BYTES: u64 = 16 << 20;
/// How large one source file may be, in bytes: what the runtime reads.
const SOURCE_BYTES: u64 = 256 << 10;

/// The files under `root` by their path in it; `root` alone, when it is a file. What begins with a dot does not count,
/// as the runtime does not read it. Errors call all of it `what`.
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

/// Copies the files under `root` to `to`, which does not exist yet.
pub(super) fn copy(root: &Path, what: &str, to: &Path) -> Result<(), Problem> {
    let whole = root.is_dir();
    for (inside, from) in files(root, what)? {
        let target = if whole { to.join(inside) } else { to.to_owned() };
        let failed = |cause| Problem::File { doing: "write", path: target.clone(), cause };
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        // Not a copy of the file: its permissions are not wanted.
        std::fs::write(&target, read(&from)?).map_err(failed)?;
    }
    Ok(())
}

/// The SHA-256 of paths and contents, in the order of the paths.
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
            if self.entries > ENTRIES {
                return Err(self.refused(&format!("it has more than {ENTRIES} files and folders")));
            }
            let inside = if inside.is_empty() { name.to_owned() } else { format!("{inside}/{name}") };
            self.entry(&entry.path(), &inside)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, inside: &str) -> Result<(), Problem> {
        // Of the entry itself, not of what a link leads to.
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
            return Err(self.refused(&format!("{inside:?} is {kind}; a script is made of files alone")));
        }
        if inside.ends_with(".luau") && about.len() > SOURCE_BYTES {
            let limit = SOURCE_BYTES >> 10;
            return Err(self.refused(&format!("{inside:?} is larger than {limit} KiB, the limit for one source file")));
        }
        self.bytes += about.len();
        if self.bytes > BYTES {
            return Err(self.refused(&format!("it is larger than {} MiB, the limit for a script", BYTES >> 20)));
        }
        if self.files.len() >= FILES {
            return Err(self.refused(&format!("it has more than {FILES} files, the limit for a script")));
        }
        self.files.insert(inside.to_owned(), path.to_owned());
        Ok(())
    }

    fn refused(&self, why: &str) -> Problem {
        Problem::Other(format!("{} cannot be a script: {why}", self.what))
    }
}
