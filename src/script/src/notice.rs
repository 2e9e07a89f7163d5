//! What the runtime itself has to say about a script, again and again: the same thing is written once a minute, with how often it
//! would have been written.

use std::collections::HashMap;

use palabre_model::Millis;

/// How long the same is not written again.
const PAUSE: Millis = 60_000;
/// So many different things are written about one script in that time.
const MOST: usize = 100;

/// What was written about one script.
#[derive(Debug, Default)]
pub struct Notices {
    written: HashMap<String, Written>,
    left_out: u32,
}

#[derive(Debug)]
struct Written {
    at: Millis,
    again: u32,
}

impl Written {
    fn is_recent(&self, now: Millis) -> bool {
        (self.at..self.at.saturating_add(PAUSE)).contains(&now)
    }
}

impl Notices {
    /// What is to be written of `text` at `now`; `None` while it has been written a short time ago.
    pub fn due(&mut self, now: Millis, text: &str) -> Option<String> {
        if let Some(written) = self.written.get_mut(text) {
            if written.is_recent(now) {
                written.again = written.again.saturating_add(1);
                return None;
            }
            written.at = now;
            return Some(match std::mem::take(&mut written.again) {
                0 => text.to_owned(),
                again => format!("{text} (and {again} times more since it was told last)"),
            });
        }
        if self.written.len() >= MOST {
            self.written.retain(|_, written| written.is_recent(now));
        }
        if self.written.len() >= MOST {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.written.insert(text.to_owned(), Written { at: now, again: 0 });
        Some(match std::mem::take(&mut self.left_out) {
            0 => text.to_owned(),
            left_out => format!("{text} (before it, {left_out} other lines about the script were left out)"),
        })
    }
}
