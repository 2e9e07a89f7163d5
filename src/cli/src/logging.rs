//! The log, which goes to standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::args::{Args, Command};

/// Starts the log. The default level depends on the command; `PALABRE_LOG` overrides it.
pub(crate) fn start(args: &Args) {
    // Here the log is mixed with the output, so only important lines are shown.
    let quiet = matches!(args.command, Some(Command::Chat(_) | Command::Check(_)));
    let default = match args.command {
        // Failed tests show the errors themselves.
        Some(Command::Test(_)) => "off",
        _ if quiet => "error,script=info",
        _ => "info",
    };
    let filter = EnvFilter::try_from_env("PALABRE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    if args.json_log {
        log.json().init();
    } else {
        log.with_ansi(std::io::stderr().is_terminal()).init();
    }
}

/// Logs caught panics of the storage engine at debug level; other panics are printed as usual.
///
/// The caught ones are reported as damage of the store.
pub(crate) fn hide_caught_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if palabre_store::is_panic_caught() { tracing::debug!("{panic}") } else { print(panic) }
    }));
}
