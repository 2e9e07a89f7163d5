//! Time that went back. A clock that was ahead and has been corrected leaves ends behind in a future that never was: timers, cooldowns,
//! due times of tasks. This is the one place that notices; what is to be done about it is known where each of those times is kept.

use std::sync::Arc;

use crossbeam_channel::Sender;
use palabre_model::{Batch, Clock, Millis, iso8601};
use palabre_store::{Direction, Result, Snapshot};
use serde::{Deserialize, Serialize};

use crate::sequencer::Note;
use crate::tables::{CLOCK, JOURNAL, unpacked};

/// A clock is stepped by seconds now and then; nothing is done about less than this.
const TOLERANCE: Millis = 60_000;
/// A clock that goes ahead by more is remembered: should it go back again, that time never was.
const LEAP: Millis = 3_600_000;
/// How often the clock is looked at.
const LOOK: Millis = 1_000;
/// The one row.
const KEY: &str = "clock";

/// The clock went back, from `last` to `now`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WentBack {
    pub(crate) now: Millis,
    pub(crate) last: Millis,
    /// When the time that never was began, by the clock that was wrong.
    pub(crate) from: Millis,
}

impl WentBack {
    /// Returns what becomes of an end of which it is not known when it was set: one in the time that never was, or after it, comes as much
    /// earlier as the clock went back.
    pub(crate) fn end(&self, end: Millis) -> Millis {
        if end < self.from { end } else { end.saturating_sub(self.last - self.now).max(self.now) }
    }

    /// Returns when something is due that was set at `set`, if that changes: after the whole time that it was set for.
    pub(crate) fn due(&self, set: Option<Millis>, due: Millis) -> Option<Millis> {
        match set {
            Some(set) if set <= self.now => None,
            Some(set) => Some(self.now.saturating_add(due.saturating_sub(set))),
            None => Some(self.end(due)).filter(|end| *end != due),
        }
    }

    /// Says it to the operator.
    pub(crate) fn sentence(&self) -> String {
        format!(
            "The clock went back from {} to {}. What was set meanwhile (timers, cooldowns, tasks) counts from now on; set the clock \
             right before Palabre starts, or some of it comes too early or too late",
            iso8601(self.last),
            iso8601(self.now)
        )
    }
}

/// What is remembered of the clock over restarts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClockRow {
    /// The time when it was last looked at.
    seen: Millis,
    /// When it went furthest ahead, or nobody looked for longest: from when to when.
    #[serde(default)]
    leap: Option<(Millis, Millis)>,
    /// When somebody looked for the first time.
    #[serde(default)]
    first: Millis,
    /// Blocks up to this number may say a time that never was; they are at least as old as this.
    #[serde(default)]
    back: Option<(u64, Millis)>,
}

impl ClockRow {
    pub(crate) fn read(snapshot: &Snapshot) -> Result<Self> {
        Ok(CLOCK.get(snapshot, &KEY.to_owned())?.unwrap_or_default())
    }

    /// When a block was closed, so far as that is known.
    pub(crate) fn true_time(&self, block: u64, at: Millis) -> Millis {
        match self.back {
            Some((last, since)) if block <= last => at.min(since),
            _ => at,
        }
    }

    /// Takes up what the last daemon knew of the clock, and says whether it has gone back since.
    pub(crate) fn begin(snapshot: &Snapshot, now: Millis) -> Result<(Self, Option<WentBack>)> {
        let mut row = Self::read(snapshot)?;
        let newest = JOURNAL.scan(snapshot, &Vec::new(), Direction::Backward)?.map(unpacked).next().transpose()?;
        let number = newest.as_ref().map_or(0, |(number, _)| *number);
        // A block says more exactly when somebody last looked, unless it is from before a correction.
        let closed = newest.filter(|(number, _)| row.back.is_none_or(|(last, _)| *number > last));
        let last = row.seen.max(closed.map_or(0, |(_, block)| block.at));
        if last == 0 {
            (row.seen, row.first) = (now, now);
            return Ok((row, None));
        }
        let back = row.look(last, now, number);
        Ok((row, back))
    }

    /// Notes that the clock was at `before` and is at `now`. `newest` is the newest block.
    pub(crate) fn look(&mut self, before: Millis, now: Millis, newest: u64) -> Option<WentBack> {
        self.seen = now;
        if now > before.saturating_add(LEAP) {
            // The longest is the one that is most likely wrong.
            let longest = self.leap.is_none_or(|(from, to)| to - from <= now - before);
            self.leap = if longest { Some((before, now)) } else { self.leap };
            return None;
        }
        if now.saturating_add(TOLERANCE) >= before {
            return None;
        }
        // Within a leap: the leap never was. Before all that was ever seen: nothing of it was. Otherwise nobody knows since when it was ahead.
        let leap = self.leap.filter(|(from, to)| now.saturating_add(TOLERANCE) >= *from && now < *to);
        let began = leap.map(|(_, to)| to).or(Some(self.first).filter(|first| now < *first));
        self.leap = None;
        self.first = self.first.min(now);
        self.back = Some((newest, now));
        Some(WentBack { now, last: before, from: began.unwrap_or(before).min(before) })
    }

    pub(crate) fn put(&self, batch: &mut Batch) {
        CLOCK.put(batch, &KEY.to_owned(), self);
    }
}

/// Looks at the clock, and tells the sequencer of time that went back or far ahead. Runs until it is aborted.
pub(crate) async fn watch(clock: Arc<dyn Clock>, notes: Sender<Note>) {
    let mut before = clock.now();
    loop {
        clock.sleep_until(before.saturating_add(LOOK)).await;
        let now = clock.now();
        if now > before.saturating_add(LEAP) || now.saturating_add(TOLERANCE) < before {
            // The sequencer ends at shutdown alone.
            drop(notes.send(Note::Clock { before, now }));
        }
        before = now;
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
        assert_eq!(row.look(10 * YEAR, 11 * YEAR, 5), None);
        assert_eq!(row.look(11 * YEAR, 11 * YEAR + HOUR, 6), None);
        let back = row.look(11 * YEAR + HOUR, 10 * YEAR + HOUR, 7).unwrap();
        assert_eq!(back, WentBack { now: 10 * YEAR + HOUR, last: 11 * YEAR + HOUR, from: 11 * YEAR });
        assert_eq!(row.true_time(7, 11 * YEAR), 10 * YEAR + HOUR);
        assert_eq!(row.true_time(8, 10 * YEAR + 2 * HOUR), 10 * YEAR + 2 * HOUR);

        // Set before it went ahead, for a minute; set in the time that never was, for a minute; already over there.
        assert_eq!(back.end(10 * YEAR + 60_000), 10 * YEAR + 60_000);
        assert_eq!(back.end(11 * YEAR + HOUR + 60_000), 10 * YEAR + HOUR + 60_000);
        assert_eq!(back.end(11 * YEAR + 1), 10 * YEAR + HOUR);
        assert_eq!(back.due(Some(11 * YEAR), 11 * YEAR + 60_000), Some(10 * YEAR + HOUR + 60_000));
        assert_eq!(back.due(Some(10 * YEAR), 13 * YEAR), None);
    }

    #[test]
    fn a_store_that_was_made_in_a_time_that_never_was_has_nothing_from_before() {
        let mut row = ClockRow { seen: 10 * YEAR, first: 10 * YEAR, ..ClockRow::default() };
        let back = row.look(10 * YEAR + HOUR, HOUR, 3).unwrap();
        assert_eq!(back.from, 10 * YEAR);
        assert_eq!(back.end(10 * YEAR + 60_000), HOUR, "over already");
        assert_eq!(row.first, HOUR);
    }

    #[test]
    fn a_clock_that_is_stepped_by_seconds_changes_nothing() {
        let mut row = ClockRow::default();
        assert_eq!(row.look(10 * YEAR, 10 * YEAR - 59_000, 1), None);
        assert_eq!(row.back, None);
    }

    #[test]
    fn a_clock_that_was_ahead_for_nobody_knows_how_long_moves_what_ends_after_it() {
        let mut row = ClockRow { seen: 10 * YEAR, ..ClockRow::default() };
        let back = row.look(10 * YEAR, HOUR, 1).unwrap();
        assert_eq!(back.from, 10 * YEAR);
        assert_eq!(back.end(10 * YEAR + 5_000), HOUR + 5_000);
        assert_eq!(back.end(2 * HOUR), 2 * HOUR);
    }
}
