//! Unpacks archives safely.
//!
//! Nothing is written outside of the target folder, links and devices are refused, and the limits of a
//! script are enforced.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::tree::{BYTES_MAX, ENTRIES_MAX, FILES_MAX};
use crate::problem::Problem;

/// The maximum size of an archive, and of the uncompressed stream of a .tar.gz, in bytes.
///
/// The latter includes headers, and is limited since long names are read into memory before they can be checked.
const STREAM_BYTES_MAX: u64 = 2 * BYTES_MAX;
/// The file type bits of a Unix mode, and the two types that are accepted.
const MODE_KIND: u32 = 0o170_000;
const MODE_FOLDER: u32 = 0o040_000;
const MODE_FILE: u32 = 0o100_000;

/// The kinds of archive that can be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    TarGz,
    Zip,
}

impl Format {
    /// Returns the format of a file of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        if name.ends_with(".tar.gz") || name.ends_with(".tgz") {
            return Some(Self::TarGz);
        }
        name.ends_with(".zip").then_some(Self::Zip)
    }
}

/// Unpacks `archive` into the folder `into`, which must not exist yet.
pub(super) fn unpack(archive: &Path, format: Format, into: &Path) -> Result<(), Problem> {
    let failed = |doing, path: &Path| {
        let path = path.to_owned();
        move |cause| Problem::File { doing, path, cause }
    };
    let file = File::open(archive).map_err(failed("read", archive))?;
    let size = file.metadata().map_err(failed("read", archive))?.len();
    std::fs::create_dir(into).map_err(failed("create", into))?;
    let unpacking = Unpacking { archive, into, entries: 0, files: 0, bytes: 0 };
    if size > STREAM_BYTES_MAX {
        return Err(unpacking.refused(&format!("it is larger than {} MiB", STREAM_BYTES_MAX >> 20)));
    }
    match format {
        Format::TarGz => unpacking.tar_gz(file),
        Format::Zip => unpacking.zip(file),
    }
}

struct Unpacking<'u> {
    archive: &'u Path,
    into: &'u Path,
    entries: usize,
    files: usize,
    bytes: u64,
}

impl Unpacking<'_> {
    fn tar_gz(mut self, file: File) -> Result<(), Problem> {
        let stream = MultiGzDecoder::new(BufReader::new(file)).take(STREAM_BYTES_MAX);
        let mut archive = tar::Archive::new(stream);
        for entry in archive.entries().map_err(|error| self.damaged(&error))? {
            let mut entry = entry.map_err(|error| self.damaged(&error))?;
            let name = String::from_utf8(entry.path_bytes().into_owned())
                .ok()
                .ok_or_else(|| self.refused("a name in it is not UTF-8 text"))?;
            let kind = entry.header().entry_type();
            if kind.is_pax_global_extensions() {
                // The comment that `git archive` puts first.
                continue;
            }
            if kind.is_dir() || (kind.is_file() && name.ends_with('/')) {
                self.folder(&name)?;
            } else if kind.is_file() || kind.is_contiguous() {
                self.file(&name, &mut entry)?;
            } else if kind.is_symlink() || kind.is_hard_link() {
                return Err(self.refused(&format!("its entry {name:?} is a link; a script may contain only files")));
            } else {
                return Err(self.refused(&format!("its entry {name:?} is neither a file nor a folder")));
            }
        }
        Ok(())
    }

    fn zip(mut self, file: File) -> Result<(), Problem> {
        let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(|error| self.damaged(&error))?;
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).map_err(|error| self.damaged(&error))?;
            let name = entry.name().map_err(|error| self.damaged(&error))?.into_owned();
            if entry.is_symlink() {
                return Err(self.refused(&format!("its entry {name:?} is a link; a script may contain only files")));
            }
            // Archives from other systems have no mode, or one without a file type.
            let kind = entry.unix_mode().map_or(0, |mode| mode & MODE_KIND);
            if !matches!(kind, 0 | MODE_FOLDER | MODE_FILE) {
                return Err(self.refused(&format!("its entry {name:?} is neither a file nor a folder")));
            }
            if entry.is_dir() {
                self.folder(&name)?;
            } else {
                self.file(&name, &mut entry)?;
            }
        }
        Ok(())
    }

    fn folder(&mut self, name: &str) -> Result<(), Problem> {
        let path = self.target(name)?;
        std::fs::create_dir_all(&path).map_err(|cause| Problem::File { doing: "create", path, cause })
    }

    fn file(&mut self, name: &str, content: impl Read) -> Result<(), Problem> {
        let path = self.target(name)?;
        self.files += 1;
        if self.files > FILES_MAX {
            return Err(self.refused(&format!("it has more than {FILES_MAX} files, the limit for a script")));
        }
        let failed = |cause| Problem::File { doing: "write", path: path.clone(), cause };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = match File::options().write(true).create_new(true).open(&path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(self.refused(&format!("its entry {name:?} occurs twice")));
            }
            Err(cause) => return Err(failed(cause)),
        };
        // The size given in the archive may be wrong, so count the bytes.
        let left = BYTES_MAX.saturating_sub(self.bytes);
        let written = std::io::copy(&mut content.take(left.saturating_add(1)), &mut file)
            .map_err(|error| self.damaged(&error))?;
        if written > left {
            return Err(self.refused(&format!("it contains more than {} MiB, the limit for a script", BYTES_MAX >> 20)));
        }
        self.bytes += written;
        Ok(())
    }

    /// Returns the path of the entry `name`. Fails if that is outside of the target folder.
    fn target(&mut self, name: &str) -> Result<PathBuf, Problem> {
        self.entries += 1;
        if self.entries > ENTRIES_MAX {
            return Err(self.refused(&format!("it has more than {ENTRIES_MAX} files and folders")));
        }
        let mut path = self.into.to_owned();
        // A backslash is a separator on Windows.
        let mut inside = !name.contains(['\\', '\0']);
        for part in Path::new(name).components() {
            match part {
                Component::Normal(part) => path.push(part),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => inside = false,
            }
        }
        if !inside {
            return Err(self.refused(&format!("its entry {name:?} is outside of the folder")));
        }
        Ok(path)
    }

    fn damaged(&self, error: &dyn std::error::Error) -> Problem {
        self.refused(&format!("it cannot be read ({error}); it is damaged or has the wrong extension"))
    }

    fn refused(&self, why: &str) -> Problem {
        Problem::Other(format!("cannot unpack {}: {why}", self.archive.display()))
    }
}
