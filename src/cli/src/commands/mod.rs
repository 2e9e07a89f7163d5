//! The commands, one module each.

mod backup;
mod chat;
mod check;
mod check_store;
mod dead_letters;
mod new;
mod online;
mod run;
mod scripts;

use std::process::ExitCode;

use clap::CommandFactory;

pub(crate) use dead_letters::DeadLettersCommand;
pub(crate) use scripts::ScriptsCommand;

use crate::args::{Args, Command};
use crate::config::{Config, File};
use crate::problem::Problem;
use crate::{output, testing};

pub(crate) async fn run(args: Args) -> Result<ExitCode, Problem> {
    match args.command.unwrap_or(Command::Run { listen: None }) {
        Command::Run { listen } => run::run(Config::read(&args.config)?, listen).await?,
        Command::New { dir } => new::new(&dir)?,
        Command::Check { online, repair } => {
            let config = Config::read(&args.config)?;
            let checked = check::check(&config, repair)?;
            let wrong = if online { online::ask(&config).await } else { 0 };
            return Ok(if wrong > 0 { ExitCode::from(1) } else { checked });
        }
        Command::Test(wanted) => {
            // Scripts can be tested without a configuration.
            let config = match Config::read(&args.config) {
                Err(Problem::NoConfig { .. }) => None,
                config => Some(config?),
            };
            // Each test runs an engine in a runtime of its own.
            let testing = tokio::task::spawn_blocking(move || testing::test(config.as_ref(), &wanted)).await;
            return testing.map_err(|error| Problem::Other(error.to_string()))?;
        }
        Command::Scripts { command } => return scripts::scripts(&Config::read_for_scripts(&args.config)?, command),
        Command::Chat { name, room } => chat::chat(Config::read(&args.config)?, &name, &room).await?,
        Command::Backup { file } => backup::backup(&Config::read(&args.config)?, &file)?,
        Command::Restore { file, dry_run } => backup::restore(&Config::read(&args.config)?, &file, dry_run)?,
        Command::DeadLetters { command } => {
            dead_letters::dead_letters(&Config::read_for_scripts(&args.config)?, command).await?;
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "palabre", &mut std::io::stdout());
        }
        Command::Schema => output::line(&schema()),
        Command::Reference => output::line(&palabre_script::reference_markdown()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the JSON Schema of bots.yaml.
fn schema() -> String {
    let schema = schemars::schema_for!(File);
    // A schema can always be serialised.
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}
