//! Prints the results: each test, and for a failed one the error and the chat.

use super::{Outcome, nothing};
use crate::tell;

pub(super) fn print(outcomes: &[Outcome], seed: u64) {
    if outcomes.is_empty() {
        return nothing();
    }
    let mut suite = "";
    for outcome in outcomes {
        if outcome.suite != suite {
            suite = &outcome.suite;
            tell::line(suite);
        }
        let Some(failed) = &outcome.failure else {
            tell::line(&format!("  ok    {}", outcome.test));
            if let Some(error) = &outcome.script_error {
                tell::line(&format!("        (script error: {})", error.lines().next().unwrap_or_default()));
            }
            continue;
        };
        tell::line(&format!("  FAIL  {}", outcome.test));
        tell::line(&format!("        {}", failed.message));
        for line in &failed.chat {
            let room = if line.room.is_empty() { "private" } else { &line.room };
            tell::line(&format!("        | #{room} {line}"));
        }
        if let Some(error) = &failed.script_error {
            for (index, line) in error.lines().enumerate() {
                tell::line(&format!("        {}{line}", if index == 0 { "script error: " } else { "" }));
            }
        }
    }
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    tell::line(&format!("{} passed, {failed} failed (seed {seed})", outcomes.len() - failed));
}
