//! The `palabre` command.

mod args;
mod assemble;
mod commands;
mod config;
mod logging;
mod output;
mod platforms;
mod problem;
mod testing;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let args = args::Args::parse();
    // Without an installed default, rustls fails at its first use if two providers are compiled in.
    drop(rustls::crypto::ring::default_provider().install_default());
    logging::start(&args);
    logging::hide_caught_panics();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::error(&format!("cannot start the async runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(commands::run(&args.config, args.command));
    // The thread that reads the terminal may still be blocked; do not wait for it.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(problem) => {
            output::error(&problem.to_string());
            problem.exit_code()
        }
    }
}
