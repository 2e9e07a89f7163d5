//! The command line: global options, and one entry for each command with its arguments.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::dead_letters::DeadLettersCommand;
use crate::commands::scripts::ScriptsCommand;
use crate::commands::values::ValuesCommand;
use crate::commands::{backup, chat, check, completions, new, restore, run};
use crate::testing;

/// A chat-bot runtime with built-in chat rooms, Lua scripts and durable events.
#[derive(Debug, Parser)]
#[command(
    name = "palabre",
    version,
    about,
    after_help = "Examples:\n  palabre new my-bots && cd my-bots && palabre\n  palabre check\n  palabre test\n  \
                  palabre chat\n\n\
                  Set PALABRE_LOG to change the log level: debug, trace, warn, palabre_engine=debug, …"
)]
pub(crate) struct Args {
    /// Path to the configuration file; paths in it are relative to its folder.
    #[arg(short, long, global = true, default_value = "bots.yaml", env = "PALABRE_CONFIG", value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// Write the log as JSON, one object per line.
    #[arg(long, global = true)]
    pub(crate) json_log: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the daemon until Ctrl-C or SIGTERM (default).
    Run(run::Args),
    /// Create a project with bots.yaml, a first script and types for your editor.
    New(new::Args),
    /// Check the configuration, the scripts and the store.
    ///
    /// Exit codes: 0 if there are no problems, 1 for problems in scripts, 2 for problems in the
    /// configuration, 65 if the store is damaged.
    Check(check::Args),
    /// Run the tests of scripts on a simulated platform with a virtual clock.
    ///
    /// Exit code 1 if a test fails.
    Test(testing::Args),
    /// List, install, update, remove, enable and disable scripts.
    Scripts {
        #[command(subcommand)]
        command: ScriptsCommand,
    },
    /// Chat with the scripts in the terminal, on a simulated platform; nothing is stored.
    Chat(chat::Args),
    /// Back up the store to a file; the daemon must be stopped.
    Backup(backup::Args),
    /// Restore the store from a backup; the daemon must be stopped.
    ///
    /// The current store is kept next to the restored one, each time under a new name.
    Restore(restore::Args),
    /// List, show, retry or drop events and actions that were given up; the daemon must be stopped.
    DeadLetters {
        #[command(subcommand)]
        command: DeadLettersCommand,
    },
    /// List, print, set or delete what scripts have stored; the daemon must be stopped.
    Values {
        #[command(subcommand)]
        command: ValuesCommand,
    },
    /// Print a completion script for a shell.
    ///
    /// Example: palabre completions bash > /etc/bash_completion.d/palabre
    Completions(completions::Args),
    /// Print the JSON Schema of bots.yaml, for editors.
    Schema,
    /// Print the reference of the script API as Markdown.
    Reference,
}
