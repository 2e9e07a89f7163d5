//! `palabre scripts`: shows, installs, updates and removes scripts.

mod archive;
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
mod stage;
mod switch;
mod tree;
mod update;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Subcommand;

pub(crate) use needs::is_granted;

use crate::config::Config;
use crate::problem::Problem;
use crate::tell;

/// The subcommands of `palabre scripts`.
#[derive(Debug, Subcommand)]
pub(crate) enum ScriptsCommand {
    /// Show all scripts: version, state, where they come from, and what is amiss.
    List,
    /// Show one script: what it says of itself, its settings, what it needs, its files and tests.
    Info {
        /// The script.
        name: String,
    },
    /// Install a script, and note in scripts.lock where it came from.
    Install {
        /// A folder, a .luau file, an archive (.tar.gz, .tgz, .zip), or a git address (https://…, ssh://…, git@…).
        /// Behind an archive or a git address may stand //a/folder/in/it, behind a git address #a-tag-or-branch.
        origin: String,
        /// Its name here, where it has no script.yaml that says one.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Grant this to it, in bots.yaml. May be said several times.
        #[arg(long = "grant", value_name = "CAPABILITY")]
        grants: Vec<String>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Fetch a script, or all that were installed, again from where they came from.
    Update {
        /// The script; all, if this is left out.
        name: Option<String>,
        /// Grant this to it, in bots.yaml: something that the new version needs. May be said several times.
        #[arg(long = "grant", value_name = "CAPABILITY", requires = "name")]
        grants: Vec<String>,
        /// Also when its files were changed here; they are kept beside.
        #[arg(long, requires = "name")]
        force: bool,
    },
    /// Remove a script's files. What it stored is kept.
    Remove {
        /// The script.
        name: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Let a script run, in bots.yaml.
    Enable {
        /// The script.
        name: String,
    },
    /// Keep a script from running, in bots.yaml.
    Disable {
        /// The script.
        name: String,
    },
    /// Have a running daemon look at a script again.
    Reload {
        /// The script.
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
    tell::line(&format!("{question} (yes or no)"));
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Problem::Other(format!("cannot read the answer: {error}; say --yes to do without it")))?;
    Ok(Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")))
}
