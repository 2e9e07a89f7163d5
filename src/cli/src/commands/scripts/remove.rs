//! `palabre scripts remove`: removes a script.

use super::edit::{Change, Edit};
use super::installed::Installed;
use super::lock::Lock;
use super::terminal::confirmed;
use super::{installed, place};
use crate::config::Config;
use crate::output;
use crate::problem::Problem;

/// The arguments of `palabre scripts remove`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Name of the script.
    name: String,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
}

pub(super) fn remove(config: &Config, args: &Args) -> Result<(), Problem> {
    let name = args.name.as_str();
    let script = installed::find(config, name)?;
    let others = installed::all(config)?;
    let uses = |other: &&Installed| {
        other.name != name && other.valid_manifest().is_some_and(|manifest| manifest.depends.contains_key(name))
    };
    let users: Vec<_> = others.iter().filter(uses).map(|other| other.name.as_str()).collect();
    if !users.is_empty() {
        let users = users.join(", ");
        return Err(Problem::Other(format!("cannot remove {name}: it is used by {users}; remove that first")));
    }
    // bots.yaml is invalid if it has settings for a script that does not exist.
    let is_named = config.file.scripts.contains_key(name);
    let edit = is_named.then(|| Edit::plan(config, name, Change::Removed)).transpose()?;
    let mut lock = Lock::read(config)?;
    let state = match lock.get(name) {
        None => ", which is not in scripts.lock",
        Some(entry) if !script.is_as_installed(entry) => ", whose files were changed since it was installed",
        Some(_) => "",
    };
    let question = format!("Remove {name}{state}, with all its files in {}?", script.path.display());
    let answer = if args.yes { Some(true) } else { confirmed(&question)? };
    match answer {
        Some(true) => {}
        Some(false) => return Err(Problem::Other(format!("{name} was not removed"))),
        None => {
            return Err(Problem::Other(format!("{question} There is no terminal to ask on; pass --yes to remove it")));
        }
    }
    let backup = place::backup_path(&script.path, name);
    place::put(&script.path, &backup, None, || {
        if let Some(edit) = &edit {
            edit.write()?;
        }
        lock.set(name, None)
    })?;
    place::remove(&backup)?;
    if is_named {
        output::line(&format!("its settings in {} are now a comment", config.path().display()));
    }
    output::line(&format!("removed {name}; its stored values are kept in case it is installed again"));
    Ok(())
}
