//! The commands, one module each with its arguments, and their dispatch.

pub(crate) mod backup;
pub(crate) mod chat;
pub(crate) mod check;
mod check_store;
pub(crate) mod completions;
pub(crate) mod dead_letters;
pub(crate) mod new;
mod online;
pub(crate) mod restore;
pub(crate) mod run;
mod schema;
pub(crate) mod scripts;
pub(crate) mod values;

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;

use crate::args::{Args, Command};
use crate::config::Config;
use crate::problem::Problem;
use crate::{output, testing};

/// Runs a command, by default the daemon, with the configuration file at `path`.
pub(crate) async fn run(path: &Path, command: Option<Command>) -> Result<ExitCode, Problem> {
    match command.unwrap_or_else(|| Command::Run(run::Args::default())) {
        Command::Run(args) => run::run(Config::read(path)?, args).await?,
        Command::New(args) => new::new(&args)?,
        Command::Check(args) => return check::check(&Config::read(path)?, &args).await,
        Command::Test(args) => {
            // Scripts can be tested without a configuration.
            let config = match Config::read(path) {
                Err(Problem::NoConfig { .. }) => None,
                config => Some(config?),
            };
            // Each test runs an engine in a runtime of its own.
            let testing = tokio::task::spawn_blocking(move || testing::test(config.as_ref(), &args)).await;
            return testing.map_err(|error| Problem::Other(error.to_string()))?;
        }
        Command::Scripts { command } => return scripts::scripts(&Config::read_for_scripts(path)?, command),
        Command::Chat(args) => chat::chat(Config::read(path)?, &args).await?,
        Command::Backup(args) => backup::backup(&Config::read(path)?, &args)?,
        Command::Restore(args) => restore::restore(&Config::read(path)?, &args)?,
        Command::DeadLetters { command } => {
            dead_letters::dead_letters(&Config::read_for_scripts(path)?, command).await?;
        }
        Command::Values { command } => values::values(&Config::read_for_scripts(path)?, command).await?,
        Command::Completions(args) => completions::completions(&mut Args::command(), &args),
        Command::Schema => output::line(&schema::schema()),
        Command::Reference => output::line(&palabre_script::reference_markdown()),
    }
    Ok(ExitCode::SUCCESS)
}
