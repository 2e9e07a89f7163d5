//! A regex search that can be stopped.
//!
//! A search of the regex crate cannot be stopped, and in the worst case takes time proportional to the
//! text times the pattern.

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::{Input, MatchKind};

/// The number of bytes between two calls of `goes_on`.
const BYTES_PER_CHECK: usize = 256;
/// The capacity of the cache of lazily built DFA states, in bytes.
const DFA_CACHE_BYTES: usize = 1 << 20;

/// The outcome of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The search is complete.
    Complete,
    /// The automaton cannot handle this text.
    Unsupported,
    /// `goes_on` returned false.
    Stopped,
}

/// Returns the configuration of the automata for [`search`].
pub(crate) fn config() -> Config {
    DFA::config()
        .match_kind(MatchKind::All)
        .unicode_word_boundary(true)
        .cache_capacity(DFA_CACHE_BYTES)
        .skip_cache_capacity_check(true)
}

/// Sets `seen` for each pattern of the automaton that matches anywhere in the text.
pub(crate) fn search(
    dfa: &DFA,
    cache: &mut Cache,
    text: &str,
    seen: &mut [bool],
    goes_on: &dyn Fn() -> bool,
) -> Outcome {
    let Ok(mut state) = dfa.start_state_forward(cache, &Input::new(text)) else { return Outcome::Unsupported };
    for (at, byte) in text.bytes().enumerate() {
        if at % BYTES_PER_CHECK == 0 && !goes_on() {
            return Outcome::Stopped;
        }
        let Ok(next) = dfa.next_state(cache, state, byte) else { return Outcome::Unsupported };
        state = next;
        if state.is_match() {
            record_matches(dfa, cache, state, seen);
            if let [true] = seen {
                return Outcome::Complete;
            }
        } else if state.is_dead() {
            return Outcome::Complete;
        } else if state.is_quit() {
            return Outcome::Unsupported;
        }
    }
    let Ok(last) = dfa.next_eoi_state(cache, state) else { return Outcome::Unsupported };
    if last.is_match() {
        record_matches(dfa, cache, last, seen);
    }
    Outcome::Complete
}

fn record_matches(dfa: &DFA, cache: &Cache, state: LazyStateID, seen: &mut [bool]) {
    for index in 0..dfa.match_len(cache, state) {
        if let Some(seen) = seen.get_mut(dfa.match_pattern(cache, state, index).as_usize()) {
            *seen = true;
        }
    }
}
