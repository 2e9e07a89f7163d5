//! Schedules of tasks: cron expressions in a time zone, and intervals.

use croner::Cron;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use palabre_types::{Millis, parse_duration};

use crate::declarations::TaskSpec;

/// The minimum interval: one second, as in cron expressions.
const INTERVAL_MIN: Millis = 1_000;

/// 1 January 4960, forty years before the library ends its search.
///
/// Every combination of date and weekday occurs within 28 years of it. To find out that an expression never
/// matches, a search from today would go through three thousand years.
const SEARCH_START: Millis = 94_355_280_000_000;

/// The parsed schedule of a task.
#[derive(Debug, Clone)]
pub enum Schedule {
    /// An interval, counted from the last due time.
    Every(Millis),
    /// A cron expression in a time zone.
    ///
    /// Times in the gap, when clocks are set forward, are due at its end. Times in the repeated hour, when they are
    /// set back, are due the first time.
    Cron {
        /// The expression.
        cron: Box<Cron>,
        /// The time zone.
        zone: TimeZone,
    },
}

impl Schedule {
    /// Parses the schedule of a task.
    ///
    /// # Errors
    /// Returns the problem of the expression or the zone.
    pub fn of(task: &TaskSpec) -> Result<Self, String> {
        if let Some(every) = parse_duration(&task.schedule.replace(" ms", "ms")) {
            let every = u64::try_from(every.as_millis()).unwrap_or(Millis::MAX);
            if every < INTERVAL_MIN {
                return Err("an interval is at least one second".to_owned());
            }
            return Ok(Self::Every(every));
        }
        let fields = task.schedule.split_whitespace().count();
        if !(5..=7).contains(&fields) && !task.schedule.starts_with('@') {
            return Err(format!(
                "a cron expression has 5 fields (minute hour day month weekday), or 6 with seconds before them, or 7 \
                 with a year at the end; this one has {fields}"
            ));
        }
        let cron: Cron = task.schedule.parse().map_err(|error| format!("this is not a cron expression: {error}"))?;
        let zone = match &task.zone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name)
                .ok()
                .ok_or_else(|| format!("\"{name}\" is not a time zone; write it like \"Europe/Paris\""))?,
        };
        let schedule = Self::Cron { cron: Box::new(cron), zone };
        let has_year = fields == 7;
        if schedule.next(SEARCH_START).is_none() && !(has_year && schedule.next(0).is_some()) {
            return Err("no such date ever comes; check the day against the month, and the year".to_owned());
        }
        Ok(schedule)
    }

    /// Whether it is an interval.
    #[must_use]
    pub const fn is_interval(&self) -> bool {
        matches!(self, Self::Every(_))
    }

    /// Returns the first due time after `after`; `None` if there is none.
    #[must_use]
    pub fn next(&self, after: Millis) -> Option<Millis> {
        match self {
            Self::Every(every) => after.checked_add(*every),
            Self::Cron { cron, zone } => {
                let after = zoned(after, zone)?;
                let next = cron.find_next_occurrence(&after, false).ok()?;
                u64::try_from(next.timestamp().as_millisecond()).ok()
            }
        }
    }

    /// Returns the calendar day of a time in the schedule's zone, as a number for comparison.
    #[must_use]
    pub fn day(&self, time: Millis) -> i64 {
        let zone = match self {
            Self::Every(_) => &TimeZone::UTC,
            Self::Cron { zone, .. } => zone,
        };
        zoned(time, zone).map_or(0, |time| {
            let date = time.date();
            i64::from(date.year()) * 1_000 + i64::from(date.day_of_year())
        })
    }
}

fn zoned(time: Millis, zone: &TimeZone) -> Option<Zoned> {
    let time = Timestamp::from_millisecond(i64::try_from(time).ok()?).ok()?;
    Some(time.to_zoned(zone.clone()))
}
