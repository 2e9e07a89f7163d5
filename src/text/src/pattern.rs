use regex::{Regex, RegexBuilder};
use regex_automata::hybrid::dfa::DFA;
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};

use crate::atoms::atoms;
use crate::error::{TextError, beginning};
use crate::stepwise::{End, config, search};

const LONGEST_PATTERN: usize = 4_096;
/// How much memory a compiled pattern may take.
const MOST_MEMORY: usize = 1 << 20;

/// One pattern, and what is known of it before it is tried.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) regex: Regex,
    /// The named groups, with their numbers.
    pub(crate) names: Vec<(String, usize)>,
    /// One of these is in the folded form of every text that matches.
    pub(crate) atoms: Option<Vec<String>>,
    /// It has a `\b` or the like: the automata that match many patterns at once stop at the first letter beyond ASCII.
    pub(crate) has_word_ends: bool,
    /// The states of its automaton. In the worst case a search looks at all of them for each byte of the text.
    states: usize,
    /// Looks whether it matches at all, and can be stopped.
    dfa: Option<DFA>,
    /// The memory of its automaton, in bytes.
    size: usize,
}

impl Pattern {
    pub(crate) fn compile(text: &str) -> Result<Self, TextError> {
        if text.len() > LONGEST_PATTERN {
            return Err(TextError::PatternTooLong { pattern: beginning(text), bytes: text.len() });
        }
        let regex = RegexBuilder::new(text)
            .size_limit(MOST_MEMORY)
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

    /// How many steps a search of this text can take at the worst.
    pub(crate) fn steps(&self, text: &str) -> usize {
        self.states.saturating_mul(text.len())
    }

    /// Whether it may match anywhere in the text; `None` where `goes_on` said no.
    pub(crate) fn may_match(&self, text: &str, goes_on: &dyn Fn() -> bool) -> Option<bool> {
        let Some(dfa) = &self.dfa else { return Some(true) };
        let mut seen = [false];
        match search(dfa, &mut dfa.create_cache(), text, &mut seen, goes_on) {
            End::Whole => Some(seen[0]),
            End::Unfit => Some(true),
            End::Stopped => None,
        }
    }
}

fn automaton(text: &str) -> Result<NFA, String> {
    let config = thompson::Config::new().nfa_size_limit(Some(MOST_MEMORY)).which_captures(WhichCaptures::None);
    NFA::compiler().configure(config).build(text).map_err(|error| error.to_string())
}

/// Whether a pattern can be used: a Rust regular expression of at most 4,096 bytes that compiles to at most one
/// mebibyte.
///
/// # Errors
///
/// When it cannot be used; the error says where and why.
pub fn check_pattern(pattern: &str) -> Result<(), TextError> {
    pattern_size(pattern).map(drop)
}

/// How many bytes a pattern takes once it is compiled.
///
/// # Errors
///
/// When it cannot be used.
pub fn pattern_size(pattern: &str) -> Result<usize, TextError> {
    Pattern::compile(pattern).map(|pattern| pattern.size)
}
