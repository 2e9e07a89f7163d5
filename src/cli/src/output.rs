//! Output of the commands: results go to standard output, errors to standard error.

use std::io::Write;

/// Prints a line to standard output. A closed pipe is not an error.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{text}").and_then(|()| out.flush()));
}

/// Returns a number with what it counts, such as `1 bot` or `3 bots`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Prints an error to standard error.
pub(crate) fn error(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "palabre: {text}"));
}
