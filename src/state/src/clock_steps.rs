//! Detects steps of the clock between two readings, and corrects times that were set before.
//!
//! A clock that was ahead and has been corrected leaves behind times in a future that never was: of
//! timers, cooldowns and tasks. Only this module detects the correction; each component that keeps
//! such times applies it.

use palabre_types::{Millis, iso8601};
use serde::{Deserialize, Serialize};

/// Steps back of up to this many milliseconds are ignored: clocks are often corrected by seconds.
pub const STEP_BACK_TOLERANCE: Millis = 60_000;
/// Steps ahead of more milliseconds are remembered: if the clock goes back, that time never was.
const LEAP_MIN: Millis = 3_600_000;

/// Whether the clock was stepped between two readings.
pub fn is_step(before: Millis, now: Millis) -> bool {
    now > before.saturating_add(LEAP_MIN) || now.saturating_add(STEP_BACK_TOLERANCE) < before
}

/// A correction: the clock went back, from `last` to `now`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WentBack {
    /// The time after the step.
    pub now: Millis,
    /// The last reading before it.
    pub last: Millis,
    /// Start of the time that never was, as the wrong clock showed it.
    pub from: Millis,
}

impl WentBack {
    /// Returns the corrected expiry of something that was set at an unknown time.
    ///
    /// An expiry in the time that never was, or after it, moves back as far as the clock did,
    /// though not before now.
    pub fn end(&self, end: Millis) -> Millis {
        if end < self.from { end } else { end.saturating_sub(self.last - self.now).max(self.now) }
    }

    /// Returns the corrected due time of something that was set at `set`, if it changes.
    ///
    /// It is due after the full duration that it was set for; without `set`, [`Self::end`] decides.
    pub fn due(&self, set: Option<Millis>, due: Millis) -> Option<Millis> {
        match set {
            Some(set) if set <= self.now => None,
            Some(set) => Some(self.now.saturating_add(due.saturating_sub(set))),
            None => Some(self.end(due)).filter(|end| *end != due),
        }
    }

    /// Returns the message to the operator.
    pub fn sentence(&self) -> String {
        format!(
            "The clock went back from {} to {}. Timers, cooldowns and tasks that were set in between count from now \
             on; set the clock before Palabre starts, or some of them come too early or too late",
            iso8601(self.last),
            iso8601(self.now)
        )
    }
}

/// State of the clock that is kept over restarts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockRow {
    /// The time of the last reading.
    seen: Millis,
    /// The times before and after the largest step ahead, or the longest time without a reading.
    #[serde(default)]
    leap: Option<(Millis, Millis)>,
    /// The time of the first reading.
    #[serde(default)]
    first: Millis,
    /// A batch number and a time: batches up to that number may carry a time that never was.
    ///
    /// They are at least as old as the given time.
    #[serde(default)]
    back: Option<(u64, Millis)>,
}

impl ClockRow {
    /// Returns the time when a batch was closed, as far as it is known.
    pub fn true_time(&self, block: u64, at: Millis) -> Millis {
        match self.back {
            Some((last, since)) if block <= last => at.min(since),
            _ => at,
        }
    }

    /// Continues the state of the previous process. Returns a correction if the clock went back since.
    ///
    /// `newest` is the number of the newest batch, and the time when it was closed.
    pub fn resume(mut self, newest: Option<(u64, Millis)>, now: Millis) -> (Self, Option<WentBack>) {
        let number = newest.map_or(0, |(number, _)| number);
        // The time of the newest batch is a later reading than the row's, unless it is from before
        // a correction.
        let closed = newest.filter(|(number, _)| self.back.is_none_or(|(last, _)| *number > last));
        let last = self.seen.max(closed.map_or(0, |(_, at)| at));
        if last == 0 {
            (self.seen, self.first) = (now, now);
            return (self, None);
        }
        let back = self.observe(last, now, number);
        (self, back)
    }

    /// Records two readings of the clock. Returns a correction if it went back.
    ///
    /// `newest` is the number of the newest batch.
    pub fn observe(&mut self, before: Millis, now: Millis, newest: u64) -> Option<WentBack> {
        self.seen = now;
        if now > before.saturating_add(LEAP_MIN) {
            // The largest step is the one that is most likely wrong.
            let longest = self.leap.is_none_or(|(from, to)| to - from <= now - before);
            self.leap = if longest { Some((before, now)) } else { self.leap };
            return None;
        }
        if now.saturating_add(STEP_BACK_TOLERANCE) >= before {
            return None;
        }
        // Back into a remembered step ahead: everything after that step never was. Back before the
        // first reading: everything since then. Otherwise nobody knows since when the clock was
        // ahead.
        let leap = self.leap.filter(|(from, to)| now.saturating_add(STEP_BACK_TOLERANCE) >= *from && now < *to);
        let began = leap.map(|(_, to)| to).or(Some(self.first).filter(|first| now < *first));
        self.leap = None;
        self.first = self.first.min(now);
        self.back = Some((newest, now));
        Some(WentBack { now, last: before, from: began.unwrap_or(before).min(before) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Millis = 3_600_000;
    const YEAR: Millis = 365 * 24 * HOUR;

    #[test]
    fn a_year_ahead_and_back_is_a_year_that_never_was() {
        let mut row = ClockRow { seen: 10 * YEAR, ..ClockRow::default() };
        assert_eq!(row.observe(10 * YEAR, 11 * YEAR, 5), None);
        assert_eq!(row.observe(11 * YEAR, 11 * YEAR + HOUR, 6), None);
        let back = row.observe(11 * YEAR + HOUR, 10 * YEAR + HOUR, 7).unwrap();
        assert_eq!(back, WentBack { now: 10 * YEAR + HOUR, last: 11 * YEAR + HOUR, from: 11 * YEAR });
        assert_eq!(row.true_time(7, 11 * YEAR), 10 * YEAR + HOUR);
        assert_eq!(row.true_time(8, 10 * YEAR + 2 * HOUR), 10 * YEAR + 2 * HOUR);

        // Set for a minute before the step ahead; set for a minute after it; already expired after
        // it.
        assert_eq!(back.end(10 * YEAR + 60_000), 10 * YEAR + 60_000);
        assert_eq!(back.end(11 * YEAR + HOUR + 60_000), 10 * YEAR + HOUR + 60_000);
        assert_eq!(back.end(11 * YEAR + 1), 10 * YEAR + HOUR);
        assert_eq!(back.due(Some(11 * YEAR), 11 * YEAR + 60_000), Some(10 * YEAR + HOUR + 60_000));
        assert_eq!(back.due(Some(10 * YEAR), 13 * YEAR), None);
    }

    #[test]
    fn a_store_that_was_made_in_a_time_that_never_was_has_nothing_from_before() {
        let mut row = ClockRow { seen: 10 * YEAR, first: 10 * YEAR, ..ClockRow::default() };
        let back = row.observe(10 * YEAR + HOUR, HOUR, 3).unwrap();
        assert_eq!(back.from, 10 * YEAR);
        assert_eq!(back.end(10 * YEAR + 60_000), HOUR, "over already");
        assert_eq!(row.first, HOUR);
    }

    #[test]
    fn a_clock_that_is_stepped_by_seconds_changes_nothing() {
        let mut row = ClockRow::default();
        assert_eq!(row.observe(10 * YEAR, 10 * YEAR - 59_000, 1), None);
        assert_eq!(row.back, None);
    }

    #[test]
    fn a_clock_that_was_ahead_for_nobody_knows_how_long_moves_what_ends_after_it() {
        let mut row = ClockRow { seen: 10 * YEAR, ..ClockRow::default() };
        let back = row.observe(10 * YEAR, HOUR, 1).unwrap();
        assert_eq!(back.from, 10 * YEAR);
        assert_eq!(back.end(10 * YEAR + 5_000), HOUR + 5_000);
        assert_eq!(back.end(2 * HOUR), 2 * HOUR);
    }
}
