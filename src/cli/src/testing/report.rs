//! Prints the results: each test, and for a failed one the error and the chat.

use super::outcome::Outcome;
use crate::output;

pub(super) fn print(outcomes: &[Outcome], seed: u64) {
    if outcomes.is_empty() {
        output::line("no tests found; write the tests of dice.luau into dice.test.luau next to it");
        return;
    }
    let mut suite = "";
    for outcome in outcomes {
        if outcome.suite != suite {
            suite = &outcome.suite;
            output::line(suite);
        }
        let Some(failed) = &outcome.failure else {
            output::line(&format!("  ok    {}", outcome.test));
            if let Some(error) = &outcome.script_error {
                output::line(&format!("        (script error: {})", error.lines().next().unwrap_or_default()));
            }
            continue;
        };
        output::line(&format!("  FAIL  {}", outcome.test));
        output::line(&format!("        {}", failed.message));
        for line in &failed.chat {
            let room = if line.room.is_empty() { "private" } else { &line.room };
            output::line(&format!("        | #{room} {line}"));
        }
        if let Some(error) = &failed.script_error {
            for (index, line) in error.lines().enumerate() {
                output::line(&format!("        {}{line}", if index == 0 { "script error: " } else { "" }));
            }
        }
    }
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    output::line(&format!("{} passed, {failed} failed (seed {seed})", outcomes.len() - failed));
}
