use std::sync::{Arc, OnceLock};

use crate::error::TextError;
use crate::patterns::PatternSet;
use crate::prepared::Prepared;
use crate::word_index::{Found, WordIndex, check_words};

/// One subscription: a pattern or a word list to search for.
#[derive(Debug, Clone)]
pub enum Entry<K> {
    /// A regular expression.
    Pattern {
        /// The key of the caller.
        key: K,
        /// The expression.
        pattern: String,
    },
    /// A word list.
    Words {
        /// The key of the caller.
        key: K,
        /// The words.
        words: Arc<[String]>,
        /// Whether disguised words are found too.
        normalise: bool,
    },
}

/// A match of one entry in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hit<K> {
    /// A pattern matched.
    Pattern {
        /// The key of the entry.
        key: K,
        /// The groups of its first match; the whole match first.
        captures: Vec<Option<String>>,
        /// The named groups, with their indices in `captures`.
        names: Vec<(String, usize)>,
    },
    /// Words of a list are in the message.
    Words {
        /// The key of the entry.
        key: K,
        /// The words, in the order of the message.
        found: Vec<Found>,
    },
}

/// Searches a message for many patterns and word lists in one pass.
///
/// The automaton for words is built on first use or by [`Scanner::prepare`]. [`Scanner::rebuilt`]
/// reuses the parts that are unchanged.
#[derive(Debug)]
pub struct Scanner<K> {
    keys: Vec<K>,
    patterns: PatternSet<usize>,
    plain: Lists,
    normalised: Lists,
}

/// The result of a scan that may have been stopped early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan<K> {
    /// The matches, in the order of the entries.
    pub hits: Vec<Hit<K>>,
    /// Whether the scan is complete: every entry was searched for.
    pub is_whole: bool,
}

/// The word lists that are searched for in the same form of the message, folded or normalised.
#[derive(Debug, Default)]
struct Lists {
    words: Arc<Words>,
    /// The index of the entry of each list.
    entries: Vec<usize>,
}

/// Word lists, and their automaton, which is built on first use.
#[derive(Debug, Default)]
struct Words {
    lists: Vec<Arc<[String]>>,
    normalise: bool,
    index: OnceLock<Result<WordIndex, TextError>>,
}

impl<K> Default for Scanner<K> {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            patterns: PatternSet::default(),
            plain: Lists::default(),
            normalised: Lists::default(),
        }
    }
}

impl<K> Scanner<K> {
    /// Builds a scanner for these entries.
    ///
    /// # Errors
    ///
    /// If a pattern or a list is invalid; [`check_pattern`](crate::check_pattern()) and
    /// [`check_words`](crate::check_words()) check a single one beforehand.
    pub fn new(entries: Vec<Entry<K>>) -> Result<Self, TextError> {
        Self::default().rebuilt(entries)
    }

    /// Builds a scanner for other entries.
    ///
    /// Patterns of this scanner are not compiled again, nor are the word lists if all are the same.
    ///
    /// # Errors
    ///
    /// If a pattern or a list is invalid.
    pub fn rebuilt(&self, entries: Vec<Entry<K>>) -> Result<Self, TextError> {
        let mut keys = Vec::with_capacity(entries.len());
        let mut patterns = Vec::new();
        let mut lists = [Vec::new(), Vec::new()];
        for (at, entry) in entries.into_iter().enumerate() {
            match entry {
                Entry::Pattern { key, pattern } => {
                    keys.push(key);
                    patterns.push((at, pattern));
                }
                Entry::Words { key, words, normalise } => {
                    keys.push(key);
                    lists[usize::from(normalise)].push((at, words));
                }
            }
        }
        let [plain, normalised] = lists;
        Ok(Self {
            keys,
            patterns: self.patterns.rebuilt(patterns)?,
            plain: self.plain.rebuilt(plain, false)?,
            normalised: self.normalised.rebuilt(normalised, true)?,
        })
    }

    /// Builds the automata for words, unless they exist.
    ///
    /// # Errors
    ///
    /// If the lists are too large to be searched for together. None of their words is found then.
    pub fn prepare(&self) -> Result<(), TextError> {
        for lists in [&self.plain, &self.normalised] {
            lists.words.index().as_ref().map_err(TextError::clone)?;
        }
        Ok(())
    }

    /// Whether it has any word lists.
    #[must_use]
    pub fn has_words(&self) -> bool {
        [&self.plain, &self.normalised].iter().any(|lists| !lists.entries.is_empty())
    }

    /// Computes the forms of the message that a scan needs; other scanners share them.
    pub fn read(&self, message: &Prepared<'_>) {
        message.folded();
        if !self.normalised.entries.is_empty() {
            message.squeezed();
        }
    }

    /// Returns the matches in a message, in the order of the entries.
    #[must_use]
    pub fn scan(&self, text: &str) -> Vec<Hit<&K>> {
        self.scan_while(&Prepared::new(text), &|| true).hits
    }

    /// Scans a message that is shared with other scanners, while `goes_on` returns true.
    ///
    /// `goes_on` is called many times during the scan.
    #[must_use]
    pub fn scan_while(&self, message: &Prepared<'_>, goes_on: &dyn Fn() -> bool) -> Scan<&K> {
        let mut hits: Vec<(usize, Hit<&K>)> = Vec::new();
        let (matches, mut is_whole) = self.patterns.matches_while(message, goes_on);
        for found in matches {
            let (at, captures, names) = (*found.key, found.captures, found.names);
            hits.push((at, Hit::Pattern { key: &self.keys[at], captures, names }));
        }
        for lists in [&self.plain, &self.normalised] {
            let Ok(index) = lists.words.index() else { continue };
            let (found, was_read) = index.find(message, goes_on);
            is_whole &= was_read;
            for (list, found) in found {
                let at = lists.entries[list];
                hits.push((at, Hit::Words { key: &self.keys[at], found }));
            }
        }
        hits.sort_by_key(|(at, _)| *at);
        Scan { hits: hits.into_iter().map(|(_, hit)| hit).collect(), is_whole }
    }
}

impl Lists {
    fn rebuilt(&self, lists: Vec<(usize, Arc<[String]>)>, normalise: bool) -> Result<Self, TextError> {
        let (entries, lists): (Vec<usize>, Vec<Arc<[String]>>) = lists.into_iter().unzip();
        if lists == self.words.lists {
            return Ok(Self { words: Arc::clone(&self.words), entries });
        }
        lists.iter().try_for_each(|words| check_words(&words[..]))?;
        Ok(Self { words: Arc::new(Words { lists, normalise, index: OnceLock::new() }), entries })
    }
}

impl Words {
    fn index(&self) -> &Result<WordIndex, TextError> {
        self.index.get_or_init(|| WordIndex::build(self.lists.clone(), self.normalise))
    }
}
