//! Where a script fails: a room or space in which it fails again and again is suspended there first, so that others are served on.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use palabre_model::{Event, EventName, Millis};

/// So many failures in a row, and the script rests there.
pub(crate) const FAILURES_IN_A_ROW: u32 = 10;
const FIRST_REST: Millis = 1_000;
pub(crate) const LONGEST_REST: Millis = 300_000;
/// So many places are remembered in which a script has failed of late.
const REMEMBERED: usize = 10_000;

/// The space of an event, or its room where that is in none.
pub(crate) type Place = Arc<str>;

/// Returns where an event happened. What is of no place, and what somebody waits for, is nowhere.
pub(crate) fn place_of(event: &Event) -> Option<Place> {
    if event.kind.name() == EventName::Request {
        return None;
    }
    let space = event.space.as_ref().map(|space| space.id.as_str());
    Some(space.or_else(|| event.room.as_ref().map(|room| room.id.as_str()))?.into())
}

/// Returns how long to rest for the n-th time in a row.
pub(crate) fn pause(rests: u32) -> Millis {
    (FIRST_REST << rests.min(16)).min(LONGEST_REST)
}

/// The places in which a script has failed since it last succeeded there, or has left events aside.
#[derive(Default)]
pub(crate) struct Places {
    known: HashMap<Place, State>,
    /// Where it has failed since it last succeeded anywhere.
    failing: HashSet<Place>,
}

#[derive(Default)]
struct State {
    failures: u32,
    rests: u32,
    until: Option<Millis>,
    /// Events that were set aside and are not done.
    aside: u64,
    /// The last one of them that is done.
    done_through: u64,
}

impl Places {
    /// Starts with the events that were set aside before a restart.
    pub(crate) fn new(aside: impl IntoIterator<Item = (Place, u64)>) -> Self {
        let known = aside.into_iter().map(|(place, aside)| (place, State { aside, ..State::default() }));
        Self { known: known.collect(), failing: HashSet::new() }
    }

    /// A run has succeeded.
    pub(crate) fn succeeded(&mut self, place: Option<&Place>) {
        self.failing.clear();
        if let Some(state) = place.and_then(|place| self.known.get_mut(place)) {
            (state.failures, state.rests) = (0, 0);
        }
        if let Some(place) = place
            && self.known.get(place).is_some_and(|state| state.aside == 0 && state.until.is_none())
        {
            self.known.remove(place);
        }
    }

    /// A run has failed. Returns how long the script rests there, if it does from now on.
    pub(crate) fn failed(&mut self, place: &Place, now: Millis) -> Option<Millis> {
        self.failing.insert(Arc::clone(place));
        if self.known.len() >= REMEMBERED && !self.known.contains_key(place) {
            self.known.retain(|_, state| state.aside > 0 || state.until.is_some());
        }
        let state = self.known.entry(Arc::clone(place)).or_default();
        state.failures += 1;
        if state.failures < FAILURES_IN_A_ROW {
            return None;
        }
        let rest = pause(state.rests);
        // After the rest one more failure is enough.
        (state.failures, state.rests) = (FAILURES_IN_A_ROW - 1, state.rests + 1);
        state.until = Some(now.saturating_add(rest));
        Some(rest)
    }

    /// Whether it has failed in several places since it last succeeded anywhere: then it is the script, and not the place.
    pub(crate) fn fails_everywhere(&self) -> bool {
        self.failing.len() > 1
    }

    /// Whether it rests somewhere and has succeeded nowhere since.
    pub(crate) fn is_resting(&self) -> bool {
        self.failing.iter().any(|place| self.known.get(place).is_some_and(|state| state.until.is_some()))
    }

    /// Whether events of a place wait: the script rests there, or has to take those first that were set aside.
    pub(crate) fn waits(&self, place: Option<&Place>) -> bool {
        let state = place.and_then(|place| self.known.get(place));
        state.is_some_and(|state| state.until.is_some() || state.aside > 0)
    }

    /// Ends the rests that are over by `now`.
    pub(crate) fn wake(&mut self, now: Millis) {
        for state in self.known.values_mut() {
            state.until = state.until.filter(|until| *until > now && *until <= now.saturating_add(LONGEST_REST));
        }
    }

    /// Ends all rests: another version may do better.
    pub(crate) fn forgive(&mut self) {
        self.failing.clear();
        self.known.retain(|_, state| state.aside > 0);
        for state in self.known.values_mut() {
            (state.failures, state.rests, state.until) = (0, 0, None);
        }
    }

    pub(crate) fn set_aside(&mut self, place: &Place) {
        self.known.entry(Arc::clone(place)).or_default().aside += 1;
    }

    /// A place with events aside in which the script does not rest, and the last of those that is done.
    pub(crate) fn next_with_aside(&self) -> Option<(Place, u64)> {
        let next = self.known.iter().find(|(_, state)| state.aside > 0 && state.until.is_none());
        next.map(|(place, state)| (Arc::clone(place), state.done_through))
    }

    /// An event that was set aside is done.
    pub(crate) fn done_aside(&mut self, place: &Place, seq: u64) {
        if let Some(state) = self.known.get_mut(place) {
            state.aside = state.aside.saturating_sub(1);
            state.done_through = seq;
            if state.aside == 0 && state.failures == 0 {
                self.known.remove(place);
            }
        }
    }

    /// How many events are aside.
    pub(crate) fn aside(&self) -> u64 {
        self.known.values().map(|state| state.aside).sum()
    }
}
