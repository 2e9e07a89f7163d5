//! The `palabre` command.

mod args;
mod commands;
mod config;
mod house;
mod platforms;
mod problem;
mod tell;
mod testing;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let args = args::Args::parse();
    // With two providers compiled in, or none installed, rustls would fail at its first use.
    drop(rustls::crypto::ring::default_provider().install_default());
    tell::start_log(&args);
    tell::keep_caught_panics_off_the_terminal();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell::error(&format!("cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(commands::run(args));
    // A terminal that still waits for a line is not waited for.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(problem) => {
            tell::error(&problem.to_string());
            problem.exit_code()
        }
    }
}
