//! A script on its way in: fetched into a temporary folder beside the scripts, and looked at from all sides.

use std::path::{Path, PathBuf};

use palabre_model::{Clock, SystemClock, iso8601};
use palabre_script::{Manifest, Source, discover};
use tempfile::TempDir;

use super::lock::Entry;
use super::origin::Origin;
use super::{installed, place, tree};
use crate::problem::Problem;

/// A script that could be installed as it is.
pub(super) struct Staged {
    pub(super) name: String,
    /// The folder or file, to be moved into its place.
    pub(super) path: PathBuf,
    pub(super) manifest: Option<Manifest>,
    /// What is to be noted of it.
    pub(super) entry: Entry,
    // Held: what is left in it goes with it.
    _folder: TempDir,
}

impl Staged {
    /// Fetches the script from `origin` into the folder `scripts`, under a name that nobody runs. It has to be called
    /// `wanted`, if that is given.
    pub(super) fn fetch(scripts: &Path, origin: &Origin, wanted: Option<&str>) -> Result<Self, Problem> {
        let made = tempfile::Builder::new().prefix(".installing-").tempdir_in(scripts);
        let folder =
            made.map_err(|cause| Problem::File { doing: "make a folder in", path: scripts.to_owned(), cause })?;
        let what = origin.to_string();
        let fetched = origin.fetch(&folder.path().join(".fetched"))?;
        let root = root(&fetched.root, &what, true)?;
        let ending = if root.is_dir() { "" } else { ".luau" };
        let copied = folder.path().join(format!(".script{ending}"));
        tree::copy(&root, &what, &copied)?;
        // Read from the copy, in which there are no links.
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

    /// Where it belongs.
    pub(super) fn target(&self, scripts: &Path) -> PathBuf {
        scripts.join(self.path.file_name().unwrap_or_default())
    }
}

/// The script's folder or file within what was fetched: that itself, the one source file in it, or the one folder in
/// it, which is how archives are made.
fn root(fetched: &Path, what: &str, deeper: bool) -> Result<PathBuf, Problem> {
    if !fetched.is_dir() || fetched.join("init.luau").is_file() {
        return Ok(fetched.to_owned());
    }
    let refused = |why: &str| Err(Problem::Other(format!("cannot install from {what}: {why}")));
    if fetched.join(Manifest::FILE).is_file() {
        return refused("it has a script.yaml and no init.luau, which is where a script in a folder begins");
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
            refused("there is no init.luau in it; name the script's folder, for git and archives as ORIGIN//FOLDER")
        }
        _ => refused("there are several .luau files in it and no init.luau; name one of them"),
    }
}

/// What the script is called: by its manifest, by who installs it, or by where it lies.
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
            "cannot install {what} as {wanted}: its script.yaml says name: {}, and a script has that name everywhere",
            manifest.name
        )));
    }
    let name = manifest.map(|manifest| manifest.name.as_str()).or(wanted).or(called).unwrap_or_default();
    if Manifest::is_name(name) {
        return Ok(name.to_owned());
    }
    Err(Problem::Other(format!(
        "cannot install {what}: \"{name}\" is no name for a script; say one with --name NAME: letters, digits, - and _"
    )))
}

/// Whether the runtime would find the script in `folder` and could read it.
fn readable(folder: &Path, name: &str, what: &str) -> Result<(), Problem> {
    let found = discover(folder).map_err(|error| Problem::Other(error.to_string()))?;
    if !found.iter().any(|found| found.as_str() == name) {
        return Err(Problem::Other(format!(
            "cannot install {what}: a script cannot be called {name}, the runtime has that for something else"
        )));
    }
    let read = Source::read(folder, name).map(drop);
    // The temporary folder says nothing to anybody.
    read.map_err(|error| Problem::Other(error.to_string().replace(&folder.display().to_string(), what)))
}
