//! The scripts in the scripts folder, and their settings in bots.yaml.

use std::path::{Path, PathBuf};

use palabre_script::{Manifest, discover, nearest};

use super::lock::Entry;
use super::tree;
use crate::config::Config;
use crate::problem::Problem;

/// A script in the scripts folder.
pub(super) struct Installed {
    pub(super) name: String,
    /// Its folder or file.
    pub(super) path: PathBuf,
    /// Its manifest, if it has one; an error text if that is invalid.
    pub(super) manifest: Result<Option<Manifest>, String>,
}

impl Installed {
    /// Returns its manifest, if it has a valid one.
    pub(super) fn valid_manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref().ok().and_then(Option::as_ref)
    }

    /// Whether its files are unchanged since it was installed.
    pub(super) fn is_as_installed(&self, entry: &Entry) -> bool {
        tree::checksum(&self.path).is_ok_and(|sha256| sha256 == entry.sha256)
    }
}

/// Returns all scripts, by name.
pub(super) fn all(config: &Config) -> Result<Vec<Installed>, Problem> {
    let folder = config.scripts_folder();
    let names = discover(&folder).map_err(|error| Problem::Other(error.to_string()))?;
    Ok(names.iter().map(|name| at(&folder, name.as_str())).collect())
}

/// Returns the script `name`.
pub(super) fn find(config: &Config, name: &str) -> Result<Installed, Problem> {
    let mut all = all(config)?;
    match all.iter().position(|script| script.name == name) {
        Some(index) => Ok(all.swap_remove(index)),
        None => {
            let nearest = nearest(name, all.iter().map(|script| script.name.as_str()));
            let folder = config.scripts_folder();
            Err(Problem::Other(format!("there is no script {name} in {}{nearest}", folder.display())))
        }
    }
}

fn at(folder: &Path, name: &str) -> Installed {
    let file = folder.join(format!("{name}.luau"));
    if file.is_file() {
        return Installed { name: name.to_owned(), path: file, manifest: Ok(None) };
    }
    let path = folder.join(name);
    let manifest = manifest(&path, name).and_then(|manifest| match manifest {
        Some(manifest) if manifest.name != name => {
            Err(format!("{name}/{}: it says name: {}, and its folder is {name}", Manifest::FILE, manifest.name))
        }
        manifest => Ok(manifest),
    });
    Installed { name: name.to_owned(), path, manifest }
}

/// Reads the manifest in `folder`, if there is one. Errors call the folder `what`.
pub(super) fn manifest(folder: &Path, what: &str) -> Result<Option<Manifest>, String> {
    let file = format!("{what}/{}", Manifest::FILE);
    match std::fs::read_to_string(folder.join(Manifest::FILE)) {
        Ok(text) => Manifest::parse(&file, &text).map(Some).map_err(|error| error.to_string()),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(format!("cannot read {file}: {cause}")),
    }
}

/// Returns the capabilities that bots.yaml grants to a script.
pub(super) fn granted(config: &Config, name: &str) -> Vec<String> {
    let script = config.file.scripts.get(name);
    script.map(|script| script.value.grants.iter().map(|grant| grant.value.clone()).collect()).unwrap_or_default()
}

/// Whether a script is enabled in bots.yaml.
pub(super) fn is_enabled(config: &Config, name: &str) -> bool {
    config.file.scripts.get(name).is_none_or(|script| script.value.enabled != Some(false))
}

/// Returns name and version, such as "trivia 1.2.0", or the name alone if there is no version.
pub(super) fn title(name: &str, manifest: Option<&Manifest>) -> String {
    match manifest.and_then(|manifest| manifest.version.as_ref()) {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    }
}
