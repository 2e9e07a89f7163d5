//! The operator's terminal: untrusted text on it, and questions.

use std::io::IsTerminal;

use crate::output;
use crate::problem::Problem;

/// Replaces control characters of untrusted text, which a terminal would interpret.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Asks for confirmation on the terminal. `None` if there is no terminal.
pub(super) fn confirmed(question: &str) -> Result<Option<bool>, Problem> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    output::line(&format!("{question} [y/N]"));
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Problem::Other(format!("cannot read the answer: {error}; pass --yes to skip the question")))?;
    Ok(Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")))
}
