//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{DeadLettersCommand, ScriptsCommand};
use crate::testing::TestArgs;

/// A chat-bot runtime: rooms, scripts in Lua, and nothing lost.
#[derive(Debug, Parser)]
#[command(
    name = "palabre",
    version,
    about,
    after_help = "Examples:\n  palabre new my-bots && cd my-bots && palabre\n  palabre check\n  palabre test\n  palabre chat\n\n\
                  Set PALABRE_LOG=debug (or trace, warn, palabre_engine=debug, …) to see more or less."
)]
pub(crate) struct Args {
    /// The configuration file; paths in it are relative to its folder.
    #[arg(short, long, global = true, default_value = "bots.yaml", env = "PALABRE_CONFIG", value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// Write the log as JSON, one object a line.
    #[arg(long, global = true)]
    pub(crate) json_log: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the daemon (the default): bots, scripts and the room service, until Ctrl-C or SIGTERM.
    Run {
        /// Listen here instead of where the configuration says, as ADDRESS:PORT; port 0 takes any that is free.
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
    },
    /// Make a project: bots.yaml, a first script, types for your editor.
    New {
        /// A folder that does not exist yet, or is empty.
        dir: PathBuf,
    },
    /// Check the configuration, the scripts and every page of the store. Exit code 0: all is well; 1: a script is not; 2: the
    /// configuration is not; 65: the store is damaged.
    Check {
        /// Ask the platforms too: whether they take the tokens, and what each bot lacks in which server.
        #[arg(long)]
        online: bool,
        /// Count anew how much each script stores.
        #[arg(long)]
        repair: bool,
    },
    /// Run the tests beside the scripts, on a simulated platform with a virtual clock. Exit code 1 when one fails.
    Test(TestArgs),
    /// Show, install, update and remove scripts, and switch them on and off.
    Scripts {
        #[command(subcommand)]
        command: ScriptsCommand,
    },
    /// Talk to the scripts from the terminal, on a simulated platform. Nothing is kept.
    Chat {
        /// Who you are; more than one, separated by commas, for a talk of several.
        #[arg(long = "as", default_value = "you", value_name = "NAME")]
        name: String,
        /// Where you are.
        #[arg(long, default_value = "general")]
        room: String,
    },
    /// Copy the store into one file, while no daemon has it.
    Backup {
        /// A file that does not exist yet.
        file: PathBuf,
    },
    /// Put a backup in the place of the store; what is there is kept beside it, each time under another name.
    Restore {
        /// A file that `palabre backup` made.
        file: PathBuf,
        /// Say what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Show events and actions that were given up, have them tried again, or forget them; while no daemon has the store.
    DeadLetters {
        #[command(subcommand)]
        command: DeadLettersCommand,
    },
    /// Print completions for a shell: palabre completions bash > /etc/bash_completion.d/palabre
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the JSON Schema of bots.yaml, for editors.
    Schema,
    /// Print the reference of what scripts have, as Markdown.
    Reference,
}
