use regex::{Regex, RegexBuilder};
use regex_automata::hybrid::dfa::DFA;
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};

use crate::atoms::atoms;
use crate::error::{TextError, beginning};
use crate::stepwise::{Outcome, config, search};

const PATTERN_BYTES_MAX: usize = 4_096;
/// The maximum memory of a compiled pattern, in bytes.
const PATTERN_MEMORY_MAX: usize = 1 << 20;

/// A compiled pattern, with the properties that decide how it is matched.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) regex: Regex,
    /// The named groups, with their indices.
    pub(crate) names: Vec<(String, usize)>,
    /// At least one of these is in the folded form of every text that matches.
    pub(crate) atoms: Option<Vec<String>>,
    /// Whether it has a Unicode word boundary, such as `\b`.
    ///
    /// If so, the lazy DFA that matches many patterns at once stops at the first non-ASCII character.
    pub(crate) has_word_ends: bool,
    /// The number of states of its NFA. In the worst case a search visits all of them per byte.
    states: usize,
    /// Tells whether it matches at all, in a search that can be stopped.
    dfa: Option<DFA>,
    /// The memory of its NFA, in bytes.
    size: usize,
}

impl Pattern {
    pub(crate) fn compile(text: &str) -> Result<Self, TextError> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(TextError::PatternTooLong { pattern: beginning(text), bytes: text.len() });
        }
        let regex = RegexBuilder::new(text)
            .size_limit(PATTERN_MEMORY_MAX)
            .build()
            .map_err(|error| TextError::BadPattern { pattern: beginning(text), cause: error.to_string() })?;
        let nfa = automaton(text).map_err(|cause| TextError::BadPattern { pattern: beginning(text), cause })?;
        let names = regex.capture_names().enumerate();
        let names = names.filter_map(|(group, name)| Some((name?.to_owned(), group))).collect();
        let syntax = regex_syntax::parse(text).ok();
        Ok(Self {
            names,
            atoms: syntax.as_ref().and_then(atoms),
            has_word_ends: syntax.is_none_or(|syntax| syntax.properties().look_set().contains_word_unicode()),
            states: nfa.states().len(),
            size: nfa.memory_usage(),
            dfa: DFA::builder().configure(config()).build_from_nfa(nfa).ok(),
            regex,
        })
    }

    /// Returns the number of steps that a search of this text takes in the worst case.
    pub(crate) fn steps(&self, text: &str) -> usize {
        self.states.saturating_mul(text.len())
    }

    /// Returns whether it may match anywhere in the text; `None` once `goes_on` returns false.
    pub(crate) fn may_match(&self, text: &str, goes_on: &dyn Fn() -> bool) -> Option<bool> {
        let Some(dfa) = &self.dfa else { return Some(true) };
        let mut seen = [false];
        match search(dfa, &mut dfa.create_cache(), text, &mut seen, goes_on) {
            Outcome::Complete => Some(seen[0]),
            Outcome::Unsupported => Some(true),
            Outcome::Stopped => None,
        }
    }
}

fn automaton(text: &str) -> Result<NFA, String> {
    let config = thompson::Config::new().nfa_size_limit(Some(PATTERN_MEMORY_MAX)).which_captures(WhichCaptures::None);
    NFA::compiler().configure(config).build(text).map_err(|error| error.to_string())
}

/// Checks a pattern.
///
/// It must be a Rust regular expression of at most 4,096 bytes that compiles to at most 1 MiB.
///
/// # Errors
///
/// If the pattern is invalid or too large; the error says where and why.
pub fn check_pattern(pattern: &str) -> Result<(), TextError> {
    pattern_size(pattern).map(drop)
}

/// Returns the size of a compiled pattern, in bytes.
///
/// # Errors
///
/// If the pattern is invalid or too large.
pub fn pattern_size(pattern: &str) -> Result<usize, TextError> {
    Pattern::compile(pattern).map(|pattern| pattern.size)
}
