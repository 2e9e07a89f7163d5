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
    // Without an installed default, rustls fails at its first use if two providers are compiled in.
    drop(rustls::crypto::ring::default_provider().install_default());
    tell::start_log(&args);
    tell::keep_caught_panics_off_the_terminal();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell::error(&format!("cannot start the async runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(commands::run(args));
    // The thread that reads the terminal may still be blocked; do not wait for it.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(problem) => {
            tell::error(&problem.to_string());
            problem.exit_code()
        }
    }
}
