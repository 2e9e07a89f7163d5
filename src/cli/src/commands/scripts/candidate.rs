//! A script to be installed: fetched into a temporary folder next to the scripts, and validated.

use std::path::{Path, PathBuf};

use palabre_platform::{Clock, SystemClock};
use palabre_script::{Manifest, Source, discover};
use palabre_types::iso8601;
use tempfile::TempDir;

use super::lock::Entry;
use super::origin::Origin;
use super::{installed, place, tree};
use crate::problem::Problem;

/// A validated script that can be installed.
pub(super) struct Candidate {
    pub(super) name: String,
    /// The folder or file, to be moved to its target.
    pub(super) path: PathBuf,
    pub(super) manifest: Option<Manifest>,
    /// Its record for scripts.lock.
    pub(super) entry: Entry,
    // The temporary folder, which is removed on drop.
    _folder: TempDir,
}

impl Candidate {
    /// Fetches the script from `origin` into a temporary folder in `scripts`.
    ///
    /// The daemon ignores that folder. Fails if the script's name is not `wanted`, if that is given.
    pub(super) fn fetch(scripts: &Path, origin: &Origin, wanted: Option<&str>) -> Result<Self, Problem> {
        let made = tempfile::Builder::new().prefix(".installing-").tempdir_in(scripts);
        let folder =
            made.map_err(|cause| Problem::File { doing: "create a folder in", path: scripts.to_owned(), cause })?;
        let what = origin.to_string();
        let fetched = origin.fetch(&folder.path().join(".fetched"))?;
        let root = root(&fetched.root, &what, true)?;
        let ending = if root.is_dir() { "" } else { ".luau" };
        let copied = folder.path().join(format!(".script{ending}"));
        tree::copy(&root, &what, &copied)?;
        // Read from the copy, which contains no links.
        let manifest = match ending {
            "" => installed::manifest(&copied, &what).map_err(Problem::Other)?,
            _ => None,
        };
        let called = if ending.is_empty() { origin.name() } else { root.file_stem().and_then(|stem| stem.to_str()) };
        let name = name(&what, manifest.as_ref(), wanted, called)?;
        let path = folder.path().join(format!("{name}{ending}"));
        place::rename(&copied, &path)?;
        readable(folder.path(), &name, &what)?;
        let entry = Entry {
            origin: what,
            version: manifest.as_ref().and_then(|manifest| manifest.version.as_ref()).map(ToString::to_string),
            revision: fetched.revision,
            sha256: tree::checksum(&path)?,
            needs: manifest.as_ref().map(|manifest| manifest.needs.clone()).unwrap_or_default(),
            installed_at: iso8601(SystemClock.now()),
        };
        Ok(Self { name, path, manifest, entry, _folder: folder })
    }

    /// Returns the path to install it at.
    pub(super) fn target(&self, scripts: &Path) -> PathBuf {
        scripts.join(self.path.file_name().unwrap_or_default())
    }
}

/// Finds the script's folder or file in the fetched files.
///
/// It is the fetched folder itself, the only source file in it, or the only folder in it, as is usual
/// in archives.
fn root(fetched: &Path, what: &str, deeper: bool) -> Result<PathBuf, Problem> {
    if !fetched.is_dir() || fetched.join("init.luau").is_file() {
        return Ok(fetched.to_owned());
    }
    let refused = |why: &str| Err(Problem::Other(format!("cannot install from {what}: {why}")));
    if fetched.join(Manifest::FILE).is_file() {
        return refused("it has a script.yaml but no init.luau, the entry point of a script in a folder");
    }
    let failed = |cause| Problem::File { doing: "read", path: fetched.to_owned(), cause };
    let (mut folders, mut sources) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(fetched).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_dir() {
            folders.push(entry.path());
        } else if name.strip_suffix(".luau").is_some_and(|stem| !stem.contains('.')) {
            sources.push(entry.path());
        }
    }
    match (sources.as_slice(), folders.as_slice()) {
        ([source], _) => Ok(source.clone()),
        ([], [folder]) if deeper => root(folder, what, false),
        ([], _) => {
            refused("there is no init.luau in it; give the script's folder, for git and archives as ORIGIN//FOLDER")
        }
        _ => refused("there are several .luau files in it and no init.luau; give one of them"),
    }
}

/// Returns the name of the script: from its manifest, from `--name`, or from its origin.
fn name(
    what: &str,
    manifest: Option<&Manifest>,
    wanted: Option<&str>,
    called: Option<&str>,
) -> Result<String, Problem> {
    if let (Some(manifest), Some(wanted)) = (manifest, wanted)
        && manifest.name != wanted
    {
        return Err(Problem::Other(format!(
            "cannot install {what} as {wanted}: its script.yaml says name: {}, and that name cannot be changed",
            manifest.name
        )));
    }
    let name = manifest.map(|manifest| manifest.name.as_str()).or(wanted).or(called).unwrap_or_default();
    if Manifest::is_name(name) {
        return Ok(name.to_owned());
    }
    Err(Problem::Other(format!(
        "cannot install {what}: \"{name}\" is not a valid script name; pass --name NAME, with letters, digits, - and _"
    )))
}

/// Checks that the runtime finds the script in `folder` and can read it.
fn readable(folder: &Path, name: &str, what: &str) -> Result<(), Problem> {
    let found = discover(folder).map_err(|error| Problem::Other(error.to_string()))?;
    if !found.iter().any(|found| found.as_str() == name) {
        return Err(Problem::Other(format!(
            "cannot install {what}: a script cannot be called {name}, since that name is reserved"
        )));
    }
    let read = Source::read(folder, name).map(drop);
    // The path of the temporary folder means nothing to the user.
    read.map_err(|error| Problem::Other(error.to_string().replace(&folder.display().to_string(), what)))
}
