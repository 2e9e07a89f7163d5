//! The scripts that are in the folder, and what bots.yaml says of them.

use std::path::{Path, PathBuf};

use palabre_script::{Manifest, discover, nearest};

use super::lock::Entry;
use super::tree;
use crate::config::Config;
use crate::problem::Problem;

/// A script in the folder.
pub(super) struct Installed {
    pub(super) name: String,
    /// Its folder, or its file.
    pub(super) path: PathBuf,
    /// What it says of itself, if anything; a sentence, when that cannot be used.
    pub(super) manifest: Result<Option<Manifest>, String>,
}

impl Installed {
    /// What it says of itself, as far as that can be used.
    pub(super) fn says(&self) -> Option<&Manifest> {
        self.manifest.as_ref().ok().and_then(Option::as_ref)
    }

    /// Whether its files are those that were installed.
    pub(super) fn is_as_installed(&self, entry: &Entry) -> bool {
        tree::checksum(&self.path).is_ok_and(|sha256| sha256 == entry.sha256)
    }
}

/// All scripts, by name.
pub(super) fn all(config: &Config) -> Result<Vec<Installed>, Problem> {
    let folder = config.scripts_folder();
    let names = discover(&folder).map_err(|error| Problem::Other(error.to_string()))?;
    Ok(names.iter().map(|name| at(&folder, name.as_str())).collect())
}

/// The script `name`.
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

/// The manifest in `folder`, if there is one. Errors call the folder `what`.
pub(super) fn manifest(folder: &Path, what: &str) -> Result<Option<Manifest>, String> {
    let file = format!("{what}/{}", Manifest::FILE);
    match std::fs::read_to_string(folder.join(Manifest::FILE)) {
        Ok(text) => Manifest::parse(&file, &text).map(Some).map_err(|error| error.to_string()),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(format!("cannot read {file}: {cause}")),
    }
}

/// The capabilities that bots.yaml grants to the script.
pub(super) fn granted(config: &Config, name: &str) -> Vec<String> {
    let script = config.file.scripts.get(name);
    script.map(|script| script.value.grants.iter().map(|grant| grant.value.clone()).collect()).unwrap_or_default()
}

/// Whether bots.yaml lets it run.
pub(super) fn is_enabled(config: &Config, name: &str) -> bool {
    config.file.scripts.get(name).is_none_or(|script| script.value.enabled != Some(false))
}

/// "trivia 1.2.0", or the name alone where there is no version.
pub(super) fn title(name: &str, manifest: Option<&Manifest>) -> String {
    match manifest.and_then(|manifest| manifest.version.as_ref()) {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    }
}
