//! Output of the commands: results go to standard output, errors to standard error.

use std::io::Write;

/// Prints a line to standard output. A closed pipe is not an error.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{text}").and_then(|()| out.flush()));
}

/// Prints an error to standard error.
pub(crate) fn error(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "palabre: {text}"));
}
