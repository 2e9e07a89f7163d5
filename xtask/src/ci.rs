//! `cargo xtask ci`: everything that has to pass before a change lands.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use clap::Args;

use crate::problem::Problem;

/// Options of `cargo xtask ci`.
#[derive(Args)]
pub(crate) struct Options {
    /// Runs only the steps with these names
    #[arg(value_name = "STEP")]
    only: Vec<String>,
    /// Prints the names of the steps
    #[arg(long)]
    list: bool,
}

/// A step: its name, and what is run.
struct Step {
    name: &'static str,
    run: fn() -> Result<(), Problem>,
}

const STEPS: &[Step] = &[
    Step { name: "format", run: || cargo(&["fmt", "--all", "--check"]) },
    Step { name: "tidy", run: || cargo(&["xtask", "tidy"]) },
    Step { name: "spelling", run: || call(Command::new("typos").args(["--format", "brief"])) },
    Step {
        name: "clippy",
        run: || cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]),
    },
    Step {
        name: "test",
        run: || cargo(&["test", "--quiet"]).and_then(|()| cargo(&["test", "--quiet", "-p", "xtask"])),
    },
    Step { name: "contract", run: contract },
    Step { name: "docs", run: documentation },
    Step { name: "check", run: || cargo(&["run", "--quiet", "--", "check"]) },
    Step { name: "dependencies", run: dependencies },
];

/// Runs the steps in order until one fails.
pub(crate) fn run(options: &Options) -> Result<(), Problem> {
    if options.list {
        STEPS.iter().for_each(|step| eprintln!("{}", step.name));
        return Ok(());
    }
    if let Some(unknown) = options.only.iter().find(|name| STEPS.iter().all(|step| step.name != *name)) {
        return Err(Problem::Found(format!("there is no step {unknown}; `cargo xtask ci --list` prints all")));
    }
    for step in STEPS.iter().filter(|step| options.only.is_empty() || options.only.iter().any(|name| name == step.name))
    {
        eprintln!("\n== {}", step.name);
        let began = Instant::now();
        (step.run)()?;
        eprintln!("{}: passed in {:.0?}", step.name, began.elapsed());
    }
    Ok(())
}

/// Tests the HTTP API against its own description, with schemathesis in an environment of its own.
fn contract() -> Result<(), Problem> {
    let environment = std::env::temp_dir().join("palabre-contract");
    let python = environment.join("bin/python");
    if !python.exists() {
        call(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    call(Command::new(&python).args(pip).args(["--requirement", ".ci/contract/requirements.txt"]))?;
    cargo(&["build", "--quiet"])?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let binary = target.join("debug/palabre");
    call(Command::new(&python).arg(".ci/contract/run.py").arg(binary).arg(environment.join("bin/schemathesis")))
}

fn documentation() -> Result<(), Problem> {
    let mut command = Command::new("cargo");
    call(command.env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--workspace", "--no-deps", "--quiet"]))
}

/// Checks licences, sources and advisories.
///
/// The advisory database lies outside the package registries: where it cannot be fetched, the other checks still count.
fn dependencies() -> Result<(), Problem> {
    if call(Command::new("cargo").args(["deny", "--version"])).is_err() {
        cargo(&["install", "--quiet", "--locked", "--force", "cargo-deny"])?;
    }
    cargo(&["deny", "--log-level", "error", "check", "bans", "licenses", "sources"])?;
    let advisories =
        call(Command::new("timeout").args(["60", "cargo", "deny", "--log-level", "error", "check", "advisories"]));
    if advisories.is_err() && has_advisories() {
        return advisories;
    }
    if advisories.is_err() {
        eprintln!("the advisory database could not be fetched; advisories were not checked");
    }
    Ok(())
}

fn has_advisories() -> bool {
    let home = std::env::var("CARGO_HOME").or_else(|_unset| std::env::var("HOME").map(|home| format!("{home}/.cargo")));
    let databases = home.map(|home| Path::new(&home).join("advisory-dbs"));
    let entries = databases.ok().and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    entries
        .into_iter()
        .any(|entry| std::fs::read_dir(entry.path().join("crates")).is_ok_and(|mut crates| crates.next().is_some()))
}

fn cargo(arguments: &[&str]) -> Result<(), Problem> {
    call(Command::new("cargo").args(arguments))
}

fn call(command: &mut Command) -> Result<(), Problem> {
    let program = command.get_program().to_string_lossy().into_owned();
    let arguments: Vec<String> = command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let status = command.status().map_err(|cause| Problem::Program { program: program.clone(), cause })?;
    if status.success() { Ok(()) } else { Err(Problem::Failed(format!("{program} {}", arguments.join(" ")))) }
}
