//! `palabre completions`: prints a completion script for a shell.

/// The arguments of `palabre completions`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Shell to complete for.
    shell: clap_complete::Shell,
}

/// Prints the script that completes `command`.
pub(super) fn completions(command: &mut clap::Command, args: &Args) {
    clap_complete::generate(args.shell, command, "palabre", &mut std::io::stdout());
}
