//! A search in steps, between which it is asked whether to go on. What the regex crate offers cannot be stopped, and takes the
//! product of a text and a pattern at the worst.

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::{Input, MatchKind};

/// So many bytes of a text, and it is asked whether to go on.
const STEP: usize = 256;
/// How much memory the states of an automaton may take, which are made as texts need them.
const STATES: usize = 1 << 20;

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// All that can match is known.
    Whole,
    /// The automaton cannot read this text.
    Unfit,
    /// It was told not to go on.
    Stopped,
}

/// How the automata are built that [`search`] works with.
pub(crate) fn config() -> Config {
    DFA::config()
        .match_kind(MatchKind::All)
        .unicode_word_boundary(true)
        .cache_capacity(STATES)
        .skip_cache_capacity_check(true)
}

/// Notes which patterns of the automaton match anywhere in the text.
pub(crate) fn search(dfa: &DFA, cache: &mut Cache, text: &str, seen: &mut [bool], goes_on: &dyn Fn() -> bool) -> End {
    let Ok(mut state) = dfa.start_state_forward(cache, &Input::new(text)) else { return End::Unfit };
    for (at, byte) in text.bytes().enumerate() {
        if at % STEP == 0 && !goes_on() {
            return End::Stopped;
        }
        let Ok(next) = dfa.next_state(cache, state, byte) else { return End::Unfit };
        state = next;
        if state.is_match() {
            note(dfa, cache, state, seen);
            if let [true] = seen {
                return End::Whole;
            }
        } else if state.is_dead() {
            return End::Whole;
        } else if state.is_quit() {
            return End::Unfit;
        }
    }
    let Ok(last) = dfa.next_eoi_state(cache, state) else { return End::Unfit };
    if last.is_match() {
        note(dfa, cache, last, seen);
    }
    End::Whole
}

fn note(dfa: &DFA, cache: &Cache, state: LazyStateID, seen: &mut [bool]) {
    for index in 0..dfa.match_len(cache, state) {
        if let Some(seen) = seen.get_mut(dfa.match_pattern(cache, state, index).as_usize()) {
            *seen = true;
        }
    }
}
