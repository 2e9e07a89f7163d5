use regex::{Regex, RegexBuilder};

use crate::atoms::atoms;
use crate::error::{TextError, beginning};

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
        let names = regex.capture_names().enumerate();
        let names = names.filter_map(|(group, name)| Some((name?.to_owned(), group))).collect();
        let syntax = regex_syntax::parse(text).ok();
        Ok(Self {
            names,
            atoms: syntax.as_ref().and_then(atoms),
            has_word_ends: syntax.is_none_or(|syntax| syntax.properties().look_set().contains_word_unicode()),
            regex,
        })
    }
}

/// Whether a pattern can be used: a Rust regular expression of at most 4,096 bytes that compiles to at most one
/// mebibyte.
///
/// # Errors
///
/// When it cannot be used; the error says where and why.
pub fn check_pattern(pattern: &str) -> Result<(), TextError> {
    Pattern::compile(pattern).map(drop)
}
