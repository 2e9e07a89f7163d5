//! `palabre scripts install`: installs a script.

use std::path::Path;

use palabre_script::Manifest;

use super::candidate::Candidate;
use super::lock::Lock;
use super::origin::Origin;
use super::terminal::{confirmed, printable};
use super::{installed, needs, place};
use crate::config::Config;
use crate::output;
use crate::problem::Problem;

/// The arguments of `palabre scripts install`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder, .luau file, archive (.tar.gz, .tgz, .zip) or git address (https://…, ssh://…, git@…).
    ///
    /// Append //folder to an archive or git address for a folder in it, and #tag or #branch to a git address.
    origin: String,
    /// Name of the script, if it has no script.yaml.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Grant a capability to the script in bots.yaml; may be repeated.
    #[arg(long = "grant", value_name = "CAPABILITY")]
    grants: Vec<String>,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
}

pub(super) fn install(config: &Config, args: &Args) -> Result<(), Problem> {
    let Args { origin, name, grants, yes } = args;
    let scripts = config.scripts_folder();
    let mut lock = Lock::read(config)?;
    if let Some(name) = name {
        vacant(&scripts, name)?;
    }
    let candidate = Candidate::fetch(&scripts, &Origin::parse(origin)?, name.as_deref())?;
    let name = candidate.name.as_str();
    vacant(&scripts, name)?;
    needs::check(name, &candidate.entry.needs, grants)?;
    let title = installed::title(name, candidate.manifest.as_ref());
    output::line(&format!("{title}, from {}", candidate.entry.origin));
    if let Some(description) = candidate.manifest.as_ref().and_then(|manifest| manifest.description.as_ref()) {
        output::line(&format!("  {}", printable(description)));
    }
    needs::show(config, name, &candidate.entry.needs, grants);
    // Without a terminal it is installed without asking: without grants a script can only answer.
    if !yes && confirmed(&format!("Install {title}?"))? == Some(false) {
        return Err(Problem::Other(format!("{name} was not installed")));
    }
    let target = candidate.target(&scripts);
    place::put(&candidate.path, &target, None, || lock.set(name, Some(candidate.entry.clone())))?;
    output::line(&format!("{title} is installed in {}", target.display()));
    if let Some(manifest) = &candidate.manifest {
        show_dependencies(config, manifest)?;
        show_faults(config, manifest);
    }
    needs::apply_grants(config, name, &candidate.entry.needs, grants)
}

/// Fails if there is a script of that name already.
fn vacant(scripts: &Path, name: &str) -> Result<(), Problem> {
    let taken = [scripts.join(name), scripts.join(format!("{name}.luau"))];
    match taken.iter().find(|path| path.symlink_metadata().is_ok()) {
        None => Ok(()),
        Some(path) => Err(Problem::Other(format!(
            "there is already a script {name} at {}; run `palabre scripts update {name}`, or remove it first",
            path.display()
        ))),
    }
}

/// Prints the settings in bots.yaml that are invalid or missing for a script.
pub(super) fn show_faults(config: &Config, manifest: &Manifest) {
    let given = config.file.scripts.get(&manifest.name).map(|script| script.value.values()).unwrap_or_default();
    for fault in manifest.configure(&given).err().unwrap_or_default() {
        output::line(&format!("  config in bots.yaml: {}", printable(&fault.to_string())));
    }
}

/// Prints the dependencies of a script that are missing or have an unsuitable version.
pub(super) fn show_dependencies(config: &Config, manifest: &Manifest) -> Result<(), Problem> {
    let scripts = installed::all(config)?;
    for (name, wanted) in &manifest.depends {
        let state = match scripts.iter().find(|script| script.name == *name).map(|script| script.valid_manifest()) {
            None => "is not installed; install it too".to_owned(),
            Some(other) => match other.and_then(|other| other.version.as_ref()) {
                Some(version) if wanted.matches(version) => continue,
                Some(version) => format!("is installed as {version}; update it"),
                None => "is installed without a version; check that it is the right one".to_owned(),
            },
        };
        output::line(&format!("  depends on {name} {wanted}, which {state}"));
    }
    Ok(())
}
