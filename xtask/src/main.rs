//! Developer commands.
//!
//! `cargo xtask ci` runs everything that has to pass before a change lands, `cargo xtask tidy` checks house rules.

mod ci;
mod problem;
mod tidy;

use std::process::ExitCode;

use clap::Parser;

/// Developer commands of Palabre.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Runs everything that has to pass before a change lands
    Ci(ci::Options),
    /// Checks module cycles, sizes, line lengths, dead files and terms
    Tidy(tidy::Options),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Ci(options) => ci::run(&options),
        Command::Tidy(options) => tidy::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}
