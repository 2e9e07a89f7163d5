//! The files of a script, read once: what runs is what was read, and its hash is the version.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use palabre_model::ScriptName;
use sha2::{Digest, Sha256};

use crate::limits::SOURCE_BYTES;
use crate::locale::check_nesting;
use crate::manifest::Manifest;
use crate::yaml::YamlError;

/// The folder of the modules and tests that are nobody's scripts.
const NOT_SCRIPTS: &[&str] = &["lib", "tests", "locales"];
/// What the path of a module begins with that all scripts share.
const LIBRARY: &str = "@lib/";
/// How many files a script may have, and so how much is read for one.
const FILES: usize = 256;

/// A script's files.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Its name: that of the file or folder.
    pub name: ScriptName,
    /// Where it was read from: a file, or a folder with `init.luau`.
    pub path: PathBuf,
    /// Its files by path within the folder; a single file alone by its own name.
    pub files: BTreeMap<String, String>,
    /// The file that runs first.
    pub entry: String,
    /// Its texts, by language: `locales/<language>.ftl` in its folder, or beside a single file.
    pub locales: BTreeMap<String, String>,
    /// What its `script.yaml` says, where it has one.
    pub manifest: Option<Manifest>,
    /// The manifest as it stands in its file; empty where there is none.
    manifest_text: String,
    /// Whether it is counted which of its lines run. That takes time.
    pub is_measured: bool,
}

/// Why a script could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The folder of the scripts cannot be read.
    #[error("cannot read the folder of the scripts {}: {cause}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's own words.
        cause: std::io::Error,
    },
    /// The operating system refused.
    #[error("cannot read the script {}: {cause}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        cause: std::io::Error,
    },
    /// It is a pipe, a device or a folder.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// What is there.
        path: PathBuf,
    },
    /// A file is larger than may be compiled.
    #[error("{} is larger than {} KiB, the limit for one source file; split it into modules", path.display(), SOURCE_BYTES >> 10)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// There are more files than a script may have.
    #[error("{} has more than {FILES} source files, the limit for one script", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
    /// The manifest says something that cannot be.
    #[error(transparent)]
    Manifest(#[from] Box<YamlError>),
    /// Its manifest asks for a configuration that it does not have.
    #[error("{name}: {problem}; say it in bots.yaml: scripts: {name}: {{ config: {{ … }} }}")]
    Unconfigured {
        /// The script.
        name: String,
        /// What is missing or wrong.
        problem: String,
    },
    /// A file is not text.
    #[error("{} is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// A file of texts nests too deeply to be parsed.
    #[error("{0}")]
    Nested(String),
    /// The manifest is another script's.
    #[error("{name}/{}: it says that the script is called {manifest}, and its folder is called {name}", Manifest::FILE)]
    Renamed {
        /// The folder's name.
        name: String,
        /// The manifest's.
        manifest: String,
    },
    /// There is neither a file nor a folder of that name.
    #[error("there is no script {name} in {}: neither {name}.luau nor {name}/init.luau", folder.display())]
    Missing {
        /// The name that was asked for.
        name: String,
        /// Where scripts are.
        folder: PathBuf,
    },
}

/// The names of all scripts in `folder`, sorted: files `*.luau` and folders with `init.luau`.
///
/// # Errors
/// When the folder cannot be read.
pub fn discover(folder: &Path) -> Result<Vec<ScriptName>, SourceError> {
    let failed = |cause| SourceError::Folder { path: folder.to_owned(), cause };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(file) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if file.starts_with('.') || NOT_SCRIPTS.contains(&file) {
            continue;
        }
        if path.is_dir() && path.join("init.luau").is_file() {
            names.push(file.into());
        } else if let Some(name) = file.strip_suffix(".luau")
            && !name.contains('.')
        {
            // A dot in the stem marks what is no script: `hello.test.luau`, `palabre.d.luau`.
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
    /// [`SourceError`], which names the file.
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

    /// A script that lies in no folder: for tests and the terminal.
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

    /// The version: the first 12 hexadecimal digits of the SHA-256 of names and contents.
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

    /// The scripts whose functions it calls, as its manifest says.
    #[must_use]
    pub fn depends(&self) -> Vec<ScriptName> {
        self.manifest.iter().flat_map(|manifest| manifest.depends.keys()).map(|name| name.as_str().into()).collect()
    }

    /// Its own files, as errors call them, with what is in them.
    pub fn shown_files(&self) -> impl Iterator<Item = (String, &str)> {
        self.files.iter().map(|(path, text)| (self.display_name(path), text.as_str()))
    }

    /// What errors call the file `path` of this script: `hello.luau`, `trivia/init.luau`.
    pub(crate) fn display_name(&self, path: &str) -> String {
        if self.is_folder() && !path.starts_with(LIBRARY) { format!("{}/{path}", self.name) } else { path.to_owned() }
    }

    /// Which of its files `wanted` means, asked for by the file that errors call `asker`.
    pub(crate) fn resolve(&self, asker: &str, wanted: &str) -> Result<String, String> {
        let of_library = wanted.strip_prefix(LIBRARY);
        if of_library.is_none() && !self.is_folder() && !asker.starts_with(LIBRARY) {
            return Err(format!(
                "require(\"{wanted}\"): {0} is a single file and has no others; move it to {0}/init.luau in a folder of its own",
                self.name
            ));
        }
        if of_library.is_none() && !(wanted.starts_with("./") || wanted.starts_with("../")) {
            return Err(format!(
                "require(\"{wanted}\"): a module's path begins with ./ or ../, or @lib/ for scripts/lib"
            ));
        }
        let asker = match asker.strip_prefix(self.name.as_str()) {
            _ if asker.starts_with(LIBRARY) => asker,
            Some(rest) => rest.trim_start_matches('/'),
            None => "",
        };
        let mut parts: Vec<&str> = asker.split('/').collect();
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
        // Links are not followed: they could lead out of the folder.
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
            if files.len() >= FILES {
                return Err(SourceError::TooMany { path: root.to_owned() });
            }
            files.insert(inside.to_string_lossy().replace('\\', "/"), read_file(&path)?);
        }
    }
    Ok(())
}

/// The texts of a folder's `locales/`, by language; none where there is no such folder.
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
            if locales.len() >= FILES {
                return Err(SourceError::TooMany { path: folder });
            }
            let text = read_file(&entry.path())?;
            // Here and not only where it is parsed, so that a script is refused before it is installed.
            check_nesting(&entry.path().display().to_string(), &text).map_err(SourceError::Nested)?;
            locales.insert(language.to_owned(), text);
        }
    }
    Ok(locales)
}

/// The modules that all scripts share, in the folder `lib` beside them.
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
/// When it is no regular file, too large, no text, or cannot be read.
pub fn read_file(path: &Path) -> Result<String, SourceError> {
    let failed = |cause| SourceError::Io { path: path.to_owned(), cause };
    // Asked before it is opened: a pipe that nobody writes to would be waited for.
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

/// The text without the byte order mark (U+FEFF) that some editors write in front of UTF-8.
#[must_use]
pub fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{FEFF}').unwrap_or(text)
}
