//! `palabre scripts list`: shows one line for each script.

use super::installed::{self, Installed};
use super::lock::Lock;
use super::needs::is_granted;
use crate::config::Config;
use crate::output;
use crate::problem::Problem;

/// Name, version, state, origin and problems.
type Row = [String; 5];

pub(super) fn list(config: &Config) -> Result<(), Problem> {
    let lock = Lock::read(config)?;
    let scripts = installed::all(config)?;
    let mut rows: Vec<_> = scripts.iter().map(|script| row(config, &lock, script)).collect();
    for (name, entry) in lock.entries() {
        if !scripts.iter().any(|script| script.name == name) {
            let version = entry.version.clone().unwrap_or_else(|| "-".to_owned());
            let problems = "its files are gone; install it again".to_owned();
            rows.push([name.to_owned(), version, "missing".to_owned(), entry.origin.clone(), problems]);
        }
    }
    if rows.is_empty() {
        output::line(&format!("There are no scripts in {} yet", config.scripts_folder().display()));
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let [name, version, state, origin] = [0, 1, 2, 3].map(width);
    for row in &rows {
        let line = format!("{:name$}  {:version$}  {:state$}  {:origin$}  {}", row[0], row[1], row[2], row[3], row[4]);
        output::line(line.trim_end());
    }
    Ok(())
}

fn row(config: &Config, lock: &Lock, script: &Installed) -> Row {
    let entry = lock.get(&script.name);
    let manifest = script.valid_manifest();
    let version = manifest
        .and_then(|manifest| manifest.version.as_ref())
        .map(ToString::to_string)
        .or_else(|| entry.and_then(|entry| entry.version.clone()))
        .unwrap_or_else(|| "-".to_owned());
    let state = if installed::is_enabled(config, &script.name) { "enabled" } else { "disabled" };
    let origin = entry.map_or_else(|| "local".to_owned(), |entry| entry.origin.clone());
    [script.name.clone(), version, state.to_owned(), origin, problems(config, lock, script).join("; ")]
}

fn problems(config: &Config, lock: &Lock, script: &Installed) -> Vec<String> {
    let mut problems = Vec::new();
    if let Err(problem) = &script.manifest {
        // The further lines are shown by `info`.
        problems.extend(problem.lines().next().map(str::to_owned));
    }
    let granted = installed::granted(config, &script.name);
    let needs = script.valid_manifest().map(|manifest| manifest.needs.as_slice()).unwrap_or_default();
    let open: Vec<_> = needs.iter().filter(|need| !is_granted(&granted, need)).map(String::as_str).collect();
    if !open.is_empty() {
        problems.push(format!("not granted: {}", open.join(", ")));
    }
    if lock.get(&script.name).is_some_and(|entry| !script.is_as_installed(entry)) {
        problems.push("changed since it was installed".to_owned());
    }
    problems
}
