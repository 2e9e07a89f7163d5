//! Failures of a script by place: it is suspended in a failing room or space first.
//!
//! The other places are served meanwhile.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use palabre_platform::Backoff;
use palabre_types::{Event, EventName, Millis};

/// Failures in a row before the script is suspended in a place.
pub(crate) const FAILURES_IN_A_ROW: u32 = 10;
pub(crate) const SUSPENSION_MAX: Millis = 300_000;
const SUSPENSION_BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_millis(SUSPENSION_MAX));
/// Maximum number of places with recent failures that are tracked.
const PLACES_MAX: usize = 10_000;

/// The space of an event, or its room if it is in no space.
pub(crate) type Place = Arc<str>;

/// Returns the place of an event.
///
/// Events without a place, and HTTP requests, for which somebody waits, have none.
pub(crate) fn place_of(event: &Event) -> Option<Place> {
    if event.kind.name() == EventName::Request {
        return None;
    }
    let space = event.space.as_ref().map(|space| space.id.as_str());
    Some(space.or_else(|| event.room.as_ref().map(|room| room.id.as_str()))?.into())
}

/// Returns the duration of the suspension that follows `suspensions` others in a row.
pub(crate) fn suspension_time(suspensions: u32) -> Millis {
    SUSPENSION_BACKOFF.delay_millis(suspensions.saturating_add(1))
}

/// The places where a script has failed since its last success there, or has deferred events.
#[derive(Default)]
pub(crate) struct Places {
    states: HashMap<Place, State>,
    /// The places where it has failed since its last success anywhere.
    failing: HashSet<Place>,
}

#[derive(Default)]
struct State {
    failures: u32,
    suspensions: u32,
    until: Option<Millis>,
    /// Number of deferred events that are not handled.
    deferred: u64,
    /// The last deferred event that was handled.
    done_through: u64,
}

impl Places {
    /// Starts with the number of events that were deferred before a restart, by place.
    pub(crate) fn new(deferred: impl IntoIterator<Item = (Place, u64)>) -> Self {
        let states = deferred.into_iter().map(|(place, deferred)| (place, State { deferred, ..State::default() }));
        Self { states: states.collect(), failing: HashSet::new() }
    }

    /// Records a successful run.
    pub(crate) fn succeeded(&mut self, place: Option<&Place>) {
        self.failing.clear();
        if let Some(state) = place.and_then(|place| self.states.get_mut(place)) {
            (state.failures, state.suspensions) = (0, 0);
        }
        if let Some(place) = place
            && self.states.get(place).is_some_and(|state| state.deferred == 0 && state.until.is_none())
        {
            self.states.remove(place);
        }
    }

    /// Records a failed run. Returns the duration of the suspension there, if one begins now.
    pub(crate) fn failed(&mut self, place: &Place, now: Millis) -> Option<Millis> {
        self.failing.insert(Arc::clone(place));
        if self.states.len() >= PLACES_MAX && !self.states.contains_key(place) {
            self.states.retain(|_, state| state.deferred > 0 || state.until.is_some());
        }
        let state = self.states.entry(Arc::clone(place)).or_default();
        state.failures += 1;
        if state.failures < FAILURES_IN_A_ROW {
            return None;
        }
        let duration = suspension_time(state.suspensions);
        // After the suspension one more failure is enough.
        (state.failures, state.suspensions) = (FAILURES_IN_A_ROW - 1, state.suspensions + 1);
        state.until = Some(now.saturating_add(duration));
        Some(duration)
    }

    /// Whether it has failed in several places since its last success: then the script is at fault.
    pub(crate) fn fails_everywhere(&self) -> bool {
        self.failing.len() > 1
    }

    /// Whether it is suspended in a place, with no success anywhere since.
    pub(crate) fn is_suspended(&self) -> bool {
        self.failing.iter().any(|place| self.states.get(place).is_some_and(|state| state.until.is_some()))
    }

    /// Whether events of a place wait: it is suspended there, or deferred events come first.
    pub(crate) fn waits(&self, place: Option<&Place>) -> bool {
        let state = place.and_then(|place| self.states.get(place));
        state.is_some_and(|state| state.until.is_some() || state.deferred > 0)
    }

    /// Ends the suspensions that are over by `now`.
    pub(crate) fn wake(&mut self, now: Millis) {
        for state in self.states.values_mut() {
            state.until = state.until.filter(|until| *until > now && *until <= now.saturating_add(SUSPENSION_MAX));
        }
    }

    /// Ends all suspensions: another version may do better.
    pub(crate) fn reset(&mut self) {
        self.failing.clear();
        self.states.retain(|_, state| state.deferred > 0);
        for state in self.states.values_mut() {
            (state.failures, state.suspensions, state.until) = (0, 0, None);
        }
    }

    pub(crate) fn defer(&mut self, place: &Place) {
        self.states.entry(Arc::clone(place)).or_default().deferred += 1;
    }

    /// Returns a place with deferred events and no suspension, and the last one that was handled.
    pub(crate) fn next_with_deferred(&self) -> Option<(Place, u64)> {
        let next = self.states.iter().find(|(_, state)| state.deferred > 0 && state.until.is_none());
        next.map(|(place, state)| (Arc::clone(place), state.done_through))
    }

    /// Records that a deferred event was handled.
    pub(crate) fn done_deferred(&mut self, place: &Place, seq: u64) {
        if let Some(state) = self.states.get_mut(place) {
            state.deferred = state.deferred.saturating_sub(1);
            state.done_through = seq;
            if state.deferred == 0 && state.failures == 0 {
                self.states.remove(place);
            }
        }
    }

    /// Returns the number of deferred events.
    pub(crate) fn deferred(&self) -> u64 {
        self.states.values().map(|state| state.deferred).sum()
    }
}
