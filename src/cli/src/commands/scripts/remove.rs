//! `palabre scripts remove`: removes a script.

use super::edit::{Change, Edit};
use super::installed::Installed;
use super::lock::Lock;
use super::{confirmed, installed, place};
use crate::config::Config;
use crate::problem::Problem;
use crate::tell;

pub(super) fn remove(config: &Config, name: &str, yes: bool) -> Result<(), Problem> {
    let script = installed::find(config, name)?;
    let others = installed::all(config)?;
    let uses =
        |other: &&Installed| other.name != name && other.says().is_some_and(|says| says.depends.contains_key(name));
    let users: Vec<_> = others.iter().filter(uses).map(|other| other.name.as_str()).collect();
    if !users.is_empty() {
        let users = users.join(", ");
        return Err(Problem::Other(format!("{name} is not removed: it is used by {users}; remove that first")));
    }
    // bots.yaml is invalid if it has settings for a script that does not exist.
    let is_named = config.file.scripts.contains_key(name);
    let edit = is_named.then(|| Edit::plan(config, name, Change::Removed)).transpose()?;
    let mut lock = Lock::read(config)?;
    let state = match lock.get(name) {
        None => ", which was not installed from anywhere",
        Some(entry) if !script.is_as_installed(entry) => ", whose files were changed since it was installed",
        Some(_) => "",
    };
    let question = format!("Remove {name}{state}, with all its files in {}?", script.path.display());
    let answer = if yes { Some(true) } else { confirmed(&question)? };
    match answer {
        Some(true) => {}
        Some(false) => return Err(Problem::Other(format!("{name} was not removed"))),
        None => return Err(Problem::Other(format!("{question} Nobody can be asked here; say --yes to do it"))),
    }
    let aside = place::aside(&script.path, name);
    place::put(&script.path, &aside, None, || {
        if let Some(edit) = &edit {
            edit.write()?;
        }
        lock.set(name, None)
    })?;
    place::remove(&aside)?;
    if is_named {
        tell::line(&format!("What {} says of it stands there as a comment now", config.path().display()));
    }
    tell::line(&format!("{name} is removed. What it stored is kept, for the case that it comes back"));
    Ok(())
}
