//! `palabre scripts`: shows, installs, updates and removes scripts.

mod archive;
mod candidate;
mod edit;
mod git;
mod info;
mod install;
mod installed;
mod list;
mod lock;
pub(super) mod needs;
mod origin;
mod place;
mod reload;
mod remove;
mod switch;
mod terminal;
mod tree;
mod update;

use std::process::ExitCode;

use clap::Subcommand;

use crate::config::Config;
use crate::problem::Problem;

/// The subcommands of `palabre scripts`.
#[derive(Debug, Subcommand)]
pub(crate) enum ScriptsCommand {
    /// List all scripts with version, state, origin and problems.
    List,
    /// Show a script with its description, settings, needs, files and tests.
    Info {
        /// Name of the script.
        name: String,
    },
    /// Install a script and record its origin in scripts.lock.
    Install(install::Args),
    /// Update a script, or all installed scripts, from their origins.
    Update(update::Args),
    /// Remove the files of a script; its stored values are kept.
    Remove(remove::Args),
    /// Enable a script in bots.yaml.
    Enable {
        /// Name of the script.
        name: String,
    },
    /// Disable a script in bots.yaml.
    Disable {
        /// Name of the script.
        name: String,
    },
    /// Make a running daemon reload a script.
    Reload {
        /// Name of the script.
        name: String,
    },
}

pub(crate) fn scripts(config: &Config, command: ScriptsCommand) -> Result<ExitCode, Problem> {
    match command {
        ScriptsCommand::List => list::list(config)?,
        ScriptsCommand::Info { name } => info::info(config, &name)?,
        ScriptsCommand::Install(args) => install::install(config, &args)?,
        ScriptsCommand::Update(args) => return update::update(config, &args),
        ScriptsCommand::Remove(args) => remove::remove(config, &args)?,
        ScriptsCommand::Enable { name } => switch::switch(config, &name, true)?,
        ScriptsCommand::Disable { name } => switch::switch(config, &name, false)?,
        ScriptsCommand::Reload { name } => reload::reload(config, &name)?,
    }
    Ok(ExitCode::SUCCESS)
}
