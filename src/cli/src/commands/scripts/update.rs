//! `palabre scripts update`: updates one or all installed scripts.

use std::process::ExitCode;

use super::candidate::Candidate;
use super::lock::{Entry, Lock};
use super::origin::Origin;
use super::{install, installed, needs, place};
use crate::config::Config;
use crate::output;
use crate::problem::Problem;

/// The arguments of `palabre scripts update`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Name of the script; all installed scripts if left out.
    name: Option<String>,
    /// Grant a capability to the new version in bots.yaml; may be repeated.
    #[arg(long = "grant", value_name = "CAPABILITY", requires = "name")]
    grants: Vec<String>,
    /// Replace files that were changed since the installation; a copy of them is kept.
    #[arg(long, requires = "name")]
    force: bool,
}

/// Updates the given script, or all installed scripts.
pub(super) fn update(config: &Config, args: &Args) -> Result<ExitCode, Problem> {
    match &args.name {
        Some(name) => one(config, name, &args.grants, args.force).map(|()| ExitCode::SUCCESS),
        None => all(config),
    }
}

/// Updates all installed scripts. A failure does not keep the others from being updated.
fn all(config: &Config) -> Result<ExitCode, Problem> {
    let lock = Lock::read(config)?;
    let mut failed = false;
    for (name, _) in lock.entries() {
        if let Err(problem) = one(config, name, &[], false) {
            output::error(&problem.to_string());
            failed = true;
        }
    }
    if lock.entries().next().is_none() {
        output::line("There is nothing to update: no script was installed with `palabre scripts install`");
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Updates one script.
fn one(config: &Config, name: &str, grants: &[String], force: bool) -> Result<(), Problem> {
    let script = installed::find(config, name)?;
    let mut lock = Lock::read(config)?;
    let Some(before) = lock.get(name).cloned() else {
        return Err(Problem::Other(format!(
            "cannot update {name}: its origin is unknown, since it was not installed with `palabre scripts install`"
        )));
    };
    let changed = !script.is_as_installed(&before);
    if changed && !force {
        return Err(Problem::Other(format!(
            "cannot update {name}: its files in {} were changed since it was installed; pass --force to replace them, \
             which keeps a copy",
            script.path.display()
        )));
    }
    let scripts = config.scripts_folder();
    let candidate = Candidate::fetch(&scripts, &Origin::parse(&before.origin)?, Some(name))?;
    let after = &candidate.entry;
    needs::check(name, &after.needs, grants)?;
    if after.sha256 == before.sha256 && !changed {
        output::line(&format!("{} is up to date", installed::title(name, candidate.manifest.as_ref())));
        return needs::apply_grants(config, name, &[], grants);
    }
    show_difference(name, &before, after);
    let unapproved: Vec<_> = after.needs.iter().filter(|need| !before.needs.contains(need)).collect();
    if unapproved.iter().any(|need| !grants.contains(need)) {
        let asked: Vec<_> = unapproved.iter().map(|need| format!("--grant {need}")).collect();
        return Err(Problem::Other(format!(
            "cannot update {name}: the new version needs more than was approved; review its use, then run: palabre \
             scripts update {name} {}",
            asked.join(" ")
        )));
    }
    let backup = place::backup_path(&script.path, name);
    let target = candidate.target(&scripts);
    let old = (script.path.as_path(), backup.as_path());
    place::put(&candidate.path, &target, Some(old), || lock.set(name, Some(after.clone())))?;
    if changed {
        output::line(&format!("the changed files are kept as {}", backup.display()));
    } else {
        place::remove(&backup)?;
    }
    output::line(&format!(
        "{} is installed in {}",
        installed::title(name, candidate.manifest.as_ref()),
        target.display()
    ));
    if let Some(manifest) = &candidate.manifest {
        install::show_dependencies(config, manifest)?;
        install::show_faults(config, manifest);
    }
    needs::apply_grants(config, name, &after.needs, grants)
}

/// Prints both versions, and added and removed needs.
fn show_difference(name: &str, before: &Entry, after: &Entry) {
    let version = |entry: &Entry| match (&entry.version, &entry.revision) {
        (Some(version), _) => version.clone(),
        (None, Some(revision)) => revision.chars().take(12).collect(),
        (None, None) => entry.sha256.chars().take(12).collect(),
    };
    output::line(&format!("{name} {} → {}", version(before), version(after)));
    for need in after.needs.iter().filter(|need| !before.needs.contains(need)) {
        output::line(&format!("  needs {need}, which the old version did not"));
    }
    for need in before.needs.iter().filter(|need| !after.needs.contains(need)) {
        output::line(&format!("  no longer needs {need}"));
    }
}
