//! Rate limiting of the runtime's own log lines about a script.
//!
//! The same line is written at most once a minute, with the number of repetitions.

use std::collections::HashMap;

use palabre_types::Millis;

/// The time during which the same line is not written again, in milliseconds.
const REPEAT_INTERVAL: Millis = 60_000;
/// The maximum number of different lines about one script within [`REPEAT_INTERVAL`].
const LINES_MAX: usize = 100;

/// Recent log lines about one script.
#[derive(Debug, Default)]
pub struct RepeatLimiter {
    written: HashMap<String, Written>,
    left_out: u32,
}

#[derive(Debug)]
struct Written {
    at: Millis,
    repeats: u32,
}

impl Written {
    fn is_recent(&self, now: Millis) -> bool {
        (self.at..self.at.saturating_add(REPEAT_INTERVAL)).contains(&now)
    }
}

impl RepeatLimiter {
    /// Returns the line to write for `text`, or `None` if it was written recently.
    pub fn due(&mut self, now: Millis, text: &str) -> Option<String> {
        if let Some(written) = self.written.get_mut(text) {
            if written.is_recent(now) {
                written.repeats = written.repeats.saturating_add(1);
                return None;
            }
            written.at = now;
            return Some(match std::mem::take(&mut written.repeats) {
                0 => text.to_owned(),
                repeats => format!("{text} (and {repeats} more times since it was last logged)"),
            });
        }
        if self.written.len() >= LINES_MAX {
            self.written.retain(|_, written| written.is_recent(now));
        }
        if self.written.len() >= LINES_MAX {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.written.insert(text.to_owned(), Written { at: now, repeats: 0 });
        Some(match std::mem::take(&mut self.left_out) {
            0 => text.to_owned(),
            left_out => format!("{text} (before it, {left_out} other lines about the script were left out)"),
        })
    }
}
