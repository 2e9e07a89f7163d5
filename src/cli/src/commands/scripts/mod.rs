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
mod needs;
mod origin;
mod place;
mod reload;
mod remove;
mod switch;
mod tree;
mod update;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Subcommand;

pub(crate) use needs::is_granted;

use crate::config::Config;
use crate::output;
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
    Install {
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
    },
    /// Update a script, or all installed scripts, from their origins.
    Update {
        /// Name of the script; all installed scripts if left out.
        name: Option<String>,
        /// Grant a capability to the new version in bots.yaml; may be repeated.
        #[arg(long = "grant", value_name = "CAPABILITY", requires = "name")]
        grants: Vec<String>,
        /// Replace files that were changed since the installation; a copy of them is kept.
        #[arg(long, requires = "name")]
        force: bool,
    },
    /// Remove the files of a script; its stored values are kept.
    Remove {
        /// Name of the script.
        name: String,
        /// Do not ask for confirmation.
        #[arg(long)]
        yes: bool,
    },
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
        ScriptsCommand::Install { origin, name, grants, yes } => {
            install::install(config, &origin, name.as_deref(), &grants, yes)?;
        }
        ScriptsCommand::Update { name: Some(name), grants, force } => update::one(config, &name, &grants, force)?,
        ScriptsCommand::Update { name: None, .. } => return update::all(config),
        ScriptsCommand::Remove { name, yes } => remove::remove(config, &name, yes)?,
        ScriptsCommand::Enable { name } => switch::switch(config, &name, true)?,
        ScriptsCommand::Disable { name } => switch::switch(config, &name, false)?,
        ScriptsCommand::Reload { name } => reload::reload(config, &name)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Replaces control characters of untrusted text, which a terminal would interpret.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Asks for confirmation on the terminal. `None` if there is no terminal.
fn confirmed(question: &str) -> Result<Option<bool>, Problem> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    output::line(&format!("{question} [y/N]"));
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Problem::Other(format!("cannot read the answer: {error}; pass --yes to skip the question")))?;
    Ok(Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")))
}
