//! Patterns without atoms, which run together over every message.

use std::sync::{Mutex, PoisonError};

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;

use crate::stepwise::{Outcome, config, search};

/// The maximum memory of the combined automaton, in bytes. Above it, the patterns run one by one.
const COMBINED_MEMORY_MAX: usize = 16 << 20;

/// Patterns that are searched for in one pass.
#[derive(Debug, Default)]
pub(crate) struct CombinedPatterns {
    /// The entry of each pattern.
    patterns: Vec<usize>,
    searcher: Option<(DFA, Mutex<Cache>)>,
}

impl CombinedPatterns {
    /// Compiles the patterns of these entries.
    pub(crate) fn new(patterns: Vec<usize>, texts: &[&str]) -> Self {
        let searcher = if texts.is_empty() { None } else { compiled(texts) };
        Self { patterns, searcher }
    }

    /// Returns the entries of all patterns.
    pub(crate) fn all(&self) -> &[usize] {
        &self.patterns
    }

    /// Adds the entries whose patterns may match. Returns false once `goes_on` returns false.
    pub(crate) fn candidates(&self, text: &str, found: &mut Vec<usize>, goes_on: &dyn Fn() -> bool) -> bool {
        let Some((dfa, cache)) = &self.searcher else {
            found.extend(&self.patterns);
            return true;
        };
        let mut seen = vec![false; self.patterns.len()];
        let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
        match search(dfa, &mut cache, text, &mut seen, goes_on) {
            Outcome::Complete => {
                let seen = self.patterns.iter().zip(seen).filter(|(_, seen)| *seen);
                found.extend(seen.map(|(pattern, _)| *pattern));
                true
            }
            Outcome::Unsupported => {
                found.extend(&self.patterns);
                true
            }
            Outcome::Stopped => false,
        }
    }
}

fn compiled(texts: &[&str]) -> Option<(DFA, Mutex<Cache>)> {
    let limit = thompson::Config::new().nfa_size_limit(Some(COMBINED_MEMORY_MAX));
    let dfa = DFA::builder().configure(config()).thompson(limit).build_many(texts).ok()?;
    let cache = Mutex::new(dfa.create_cache());
    Some((dfa, cache))
}
