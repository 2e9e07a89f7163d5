//! The files of a script. They are read once; their hash is the script's version.

mod stored;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use palabre_types::ScriptName;
use sha2::{Digest, Sha256};

use crate::bom::without_bom;
use crate::limits::SOURCE_BYTES;
use crate::locale::check_nesting;
use crate::manifest::Manifest;
use crate::yaml::YamlError;

/// Folders of modules, tests and texts, which are not scripts.
const NON_SCRIPT_FOLDERS: &[&str] = &["lib", "tests", "locales"];
/// The path prefix of modules that all scripts share.
const LIBRARY: &str = "@lib/";
/// The maximum number of files of a script.
const FILES_MAX: usize = 256;

/// The files of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The name, derived from the file or folder.
    pub name: ScriptName,
    /// The file, or the folder with `init.luau`.
    pub path: PathBuf,
    /// The source files by path within the folder; a single file by its own name.
    pub files: BTreeMap<String, String>,
    /// The main file.
    pub entry: String,
    /// The texts by language: `locales/<language>.ftl` in the script's folder, or next to a single file.
    pub locales: BTreeMap<String, String>,
    /// The contents of its `script.yaml`, if it has one.
    pub manifest: Option<Manifest>,
    /// The text of that file; empty if there is none.
    manifest_text: String,
    /// Whether coverage is measured, which takes time.
    pub is_measured: bool,
}

/// The reason why a script could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The folder of scripts cannot be read.
    #[error("cannot read the folder of the scripts {}: {cause}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The error of the operating system.
        cause: std::io::Error,
    },
    /// A file or folder cannot be read.
    #[error("cannot read the script {}: {cause}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        cause: std::io::Error,
    },
    /// The path is a pipe, a device or a folder.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A source file is too large.
    #[error(
        "{} is larger than {} KiB, the limit for one source file; split it into modules",
        path.display(),
        SOURCE_BYTES >> 10
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// There are too many files.
    #[error("{} has more than {FILES_MAX} source files, the limit for one script", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
    /// The manifest is invalid.
    #[error(transparent)]
    Manifest(#[from] Box<YamlError>),
    /// The manifest requires configuration that bots.yaml does not have.
    #[error("{name}: {problem}; set it in bots.yaml: scripts: {name}: {{ config: {{ … }} }}")]
    Unconfigured {
        /// The script.
        name: String,
        /// The problem.
        problem: String,
    },
    /// A file is not UTF-8 text.
    #[error("{} is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// A Fluent file nests too deeply to be parsed.
    #[error("{0}")]
    Nested(String),
    /// The manifest has another script's name.
    #[error("{name}/{}: its name is {manifest}, but the folder's name is {name}", Manifest::FILE)]
    Renamed {
        /// The folder's name.
        name: String,
        /// The name in the manifest.
        manifest: String,
    },
    /// There is neither a file nor a folder with this name.
    #[error("there is no script {name} in {}: neither {name}.luau nor {name}/init.luau", folder.display())]
    Missing {
        /// The name.
        name: String,
        /// The folder of scripts.
        folder: PathBuf,
    },
}

/// Returns the names of all scripts in `folder`, sorted: files `*.luau` and folders with `init.luau`.
///
/// # Errors
/// Returns an error if the folder cannot be read.
pub fn discover(folder: &Path) -> Result<Vec<ScriptName>, SourceError> {
    let failed = |cause| SourceError::Folder { path: folder.to_owned(), cause };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(file) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if file.starts_with('.') || NON_SCRIPT_FOLDERS.contains(&file) {
            continue;
        }
        if path.is_dir() && path.join("init.luau").is_file() {
            names.push(file.into());
        } else if let Some(name) = file.strip_suffix(".luau")
            && !name.contains('.')
        {
            // A dot in the stem marks a file that is not a script: `hello.test.luau`, `palabre.d.luau`.
            names.push(name.into());
        }
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

impl Source {
    /// Reads the script `name` of `folder`.
    ///
    /// # Errors
    /// Returns a [`SourceError`] that names the file.
    pub fn read(folder: &Path, name: &str) -> Result<Self, SourceError> {
        let single = folder.join(format!("{name}.luau"));
        if single.exists() && !single.is_dir() {
            let file = format!("{name}.luau");
            let files = BTreeMap::from([(file.clone(), read_file(&single)?)]);
            let locales = read_locales(folder)?;
            let mut files = files;
            read_library(folder, &mut files)?;
            return Ok(Self {
                name: name.into(),
                path: single,
                files,
                entry: file,
                locales,
                manifest: None,
                manifest_text: String::new(),
                is_measured: false,
            });
        }
        let path = folder.join(name);
        if !path.join("init.luau").is_file() {
            return Err(SourceError::Missing { name: name.to_owned(), folder: folder.to_owned() });
        }
        let mut files = BTreeMap::new();
        read_folder(&path, &path, &mut files)?;
        read_library(folder, &mut files)?;
        let locales = read_locales(&path)?;
        let (manifest, manifest_text) = read_manifest(&path, name)?.unzip();
        Ok(Self {
            name: name.into(),
            path,
            files,
            entry: "init.luau".to_owned(),
            locales,
            manifest,
            manifest_text: manifest_text.unwrap_or_default(),
            is_measured: false,
        })
    }

    /// Returns a script that is not in a folder, for tests and the terminal.
    #[must_use]
    pub fn from_text(name: &str, text: &str) -> Self {
        let entry = format!("{name}.luau");
        let files = BTreeMap::from([(entry.clone(), without_bom(text).to_owned())]);
        Self {
            name: name.into(),
            path: PathBuf::from(&entry),
            files,
            entry,
            locales: BTreeMap::new(),
            manifest: None,
            manifest_text: String::new(),
            is_measured: false,
        }
    }

    /// Returns the version: the first 12 hexadecimal digits of the SHA-256 of names and contents.
    #[must_use]
    pub fn version(&self) -> String {
        let mut hash = Sha256::new();
        let manifest = (Manifest::FILE.to_owned(), self.manifest_text.clone());
        for (path, text) in self.files.iter().chain(&self.locales).chain([(&manifest.0, &manifest.1)]) {
            for part in [path, text] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns the scripts that its manifest lists under `depends`.
    #[must_use]
    pub fn depends(&self) -> Vec<ScriptName> {
        self.manifest.iter().flat_map(|manifest| manifest.depends.keys()).map(|name| name.as_str().into()).collect()
    }

    /// Returns its source files with their contents, named as in errors.
    pub fn shown_files(&self) -> impl Iterator<Item = (String, &str)> {
        self.files.iter().map(|(path, text)| (self.display_name(path), text.as_str()))
    }

    /// Returns the name of a file in errors: `hello.luau`, `trivia/init.luau`.
    pub(crate) fn display_name(&self, path: &str) -> String {
        if self.is_folder() && !path.starts_with(LIBRARY) { format!("{}/{path}", self.name) } else { path.to_owned() }
    }

    /// Resolves the argument of a `require` in the file that errors call `requirer`.
    pub(crate) fn resolve(&self, requirer: &str, wanted: &str) -> Result<String, String> {
        let of_library = wanted.strip_prefix(LIBRARY);
        if of_library.is_none() && !self.is_folder() && !requirer.starts_with(LIBRARY) {
            return Err(format!(
                "require(\"{wanted}\"): {0} is a single file and has no others; move it to {0}/init.luau in a folder \
                 of its own",
                self.name
            ));
        }
        if of_library.is_none() && !(wanted.starts_with("./") || wanted.starts_with("../")) {
            return Err(format!(
                "require(\"{wanted}\"): a module's path begins with ./ or ../, or @lib/ for scripts/lib"
            ));
        }
        let requirer = match requirer.strip_prefix(self.name.as_str()) {
            _ if requirer.starts_with(LIBRARY) => requirer,
            Some(rest) => rest.trim_start_matches('/'),
            None => "",
        };
        let mut parts: Vec<&str> = requirer.split('/').collect();
        parts.pop();
        if of_library.is_some() {
            parts = vec![LIBRARY.trim_end_matches('/')];
        }
        let is_library = parts.first() == Some(&LIBRARY.trim_end_matches('/'));
        for part in of_library.unwrap_or(wanted).split('/') {
            match part {
                "." | "" => {}
                ".." if parts.len() > usize::from(is_library) => drop(parts.pop()),
                ".." => return Err(format!("require(\"{wanted}\") leads out of the script's folder")),
                name => parts.push(name),
            }
        }
        let path = parts.join("/");
        let candidates = [format!("{path}.luau"), format!("{path}/init.luau"), path];
        candidates
            .iter()
            .find(|path| path.ends_with(".luau") && self.files.contains_key(*path))
            .cloned()
            .ok_or_else(|| format!("require(\"{wanted}\"): the script has no file {}", candidates[0]))
    }

    fn is_folder(&self) -> bool {
        self.entry == "init.luau"
    }
}

fn read_folder(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) -> Result<(), SourceError> {
    let failed = |cause| SourceError::Io { path: folder.to_owned(), cause };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        // Symbolic links are not followed: they could lead out of the folder.
        let kind = entry.file_type().map_err(failed)?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with('.') || kind.is_symlink() {
            continue;
        }
        if kind.is_dir() {
            read_folder(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "luau")
            && !name.to_string_lossy().ends_with(".test.luau")
            && let Ok(inside) = path.strip_prefix(root)
        {
            if files.len() >= FILES_MAX {
                return Err(SourceError::TooMany { path: root.to_owned() });
            }
            files.insert(inside.to_string_lossy().replace('\\', "/"), read_file(&path)?);
        }
    }
    Ok(())
}

/// Reads the Fluent files of a folder's `locales/`, by language; none if there is no such folder.
fn read_locales(folder: &Path) -> Result<BTreeMap<String, String>, SourceError> {
    let folder = folder.join("locales");
    let mut locales = BTreeMap::new();
    if !folder.is_dir() {
        return Ok(locales);
    }
    let failed = |cause| SourceError::Io { path: folder.clone(), cause };
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let file = entry.file_name().to_string_lossy().into_owned();
        if let Some(language) = file.strip_suffix(".ftl")
            && entry.file_type().map_err(failed)?.is_file()
        {
            if locales.len() >= FILES_MAX {
                return Err(SourceError::TooMany { path: folder });
            }
            let text = read_file(&entry.path())?;
            // Checked here and not only when it is parsed, so that a script is refused before it is installed.
            check_nesting(&entry.path().display().to_string(), &text).map_err(SourceError::Nested)?;
            locales.insert(language.to_owned(), text);
        }
    }
    Ok(locales)
}

/// Reads the modules that all scripts share, in the folder `lib` next to them.
fn read_library(scripts: &Path, files: &mut BTreeMap<String, String>) -> Result<(), SourceError> {
    let folder = scripts.join("lib");
    if !folder.is_dir() {
        return Ok(());
    }
    let mut shared = BTreeMap::new();
    read_folder(&folder, &folder, &mut shared)?;
    files.extend(shared.into_iter().map(|(path, text)| (format!("{LIBRARY}{path}"), text)));
    Ok(())
}

fn read_manifest(folder: &Path, name: &str) -> Result<Option<(Manifest, String)>, SourceError> {
    let path = folder.join(Manifest::FILE);
    if !path.is_file() {
        return Ok(None);
    }
    let shown = format!("{name}/{}", Manifest::FILE);
    let text = read_file(&path)?;
    let manifest = Manifest::parse(&shown, &text).map_err(Box::new)?;
    if manifest.name != name {
        let wrong = SourceError::Renamed { name: name.to_owned(), manifest: manifest.name };
        return Err(wrong);
    }
    Ok(Some((manifest, text)))
}

/// Reads one source file of a script, without its byte order mark.
///
/// # Errors
/// Returns an error if it is not a regular file, too large, not text, or cannot be read.
pub fn read_file(path: &Path) -> Result<String, SourceError> {
    let failed = |cause| SourceError::Io { path: path.to_owned(), cause };
    // Checked before opening: opening a pipe without a writer would block.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(SourceError::NotAFile { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(SOURCE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > SOURCE_BYTES {
        return Err(SourceError::TooLarge { path: path.to_owned() });
    }
    let text = String::from_utf8(bytes).ok();
    let text = text.ok_or_else(|| SourceError::NotText { path: path.to_owned() })?;
    Ok(without_bom(&text).to_owned())
}
