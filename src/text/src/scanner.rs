use std::sync::Arc;

use crate::error::TextError;
use crate::patterns::PatternSet;
use crate::prepared::Prepared;
use crate::word_index::WordIndex;
use crate::words::Found;

/// What someone listens for.
#[derive(Debug, Clone)]
pub enum Entry<K> {
    /// A regular expression.
    Pattern {
        /// Who listens.
        key: K,
        /// The expression.
        pattern: String,
    },
    /// A word list.
    Words {
        /// Who listens.
        key: K,
        /// The words.
        words: Arc<[String]>,
        /// Whether the words are found in disguise too.
        normalise: bool,
    },
}

/// What was heard in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hit<K> {
    /// A pattern matched.
    Pattern {
        /// Who listens.
        key: K,
        /// What the groups of its first match are; the whole match first.
        captures: Vec<Option<String>>,
        /// The named groups, with their places in `captures`.
        names: Vec<(String, usize)>,
    },
    /// A list has words in the message.
    Words {
        /// Who listens.
        key: K,
        /// The words, in the order of the message.
        found: Vec<Found>,
    },
}

/// The patterns and word lists of everybody, so that a message is read once for all.
///
/// Made anew whenever someone comes, goes or changes: [`Scanner::rebuilt`] keeps what is the same.
#[derive(Debug)]
pub struct Scanner<K> {
    keys: Vec<K>,
    patterns: PatternSet<usize>,
    plain: Lists,
    normalised: Lists,
}

/// The word lists that are looked for in the same reading of the message.
#[derive(Debug, Default)]
struct Lists {
    index: Arc<WordIndex>,
    /// The entry of each list.
    entries: Vec<usize>,
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
    /// A scanner for these entries.
    ///
    /// # Errors
    ///
    /// When a pattern or a list cannot be used; [`check_pattern`](crate::check_pattern()) and
    /// [`check_words`](crate::check_words()) tell so for each before.
    pub fn new(entries: Vec<Entry<K>>) -> Result<Self, TextError> {
        Self::default().rebuilt(entries)
    }

    /// A scanner for other entries. Patterns that this one has are not compiled again, nor are the word lists if they
    /// are all the same.
    ///
    /// # Errors
    ///
    /// When a pattern or a list cannot be used.
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

    /// What is heard in a message, in the order of the entries.
    #[must_use]
    pub fn scan(&self, text: &str) -> Vec<Hit<&K>> {
        let message = Prepared::new(text);
        let mut hits: Vec<(usize, Hit<&K>)> = Vec::new();
        for found in self.patterns.matches_in(&message) {
            let (at, captures, names) = (*found.key, found.captures, found.names);
            hits.push((at, Hit::Pattern { key: &self.keys[at], captures, names }));
        }
        for lists in [&self.plain, &self.normalised] {
            for (list, found) in lists.index.find(&message) {
                let at = lists.entries[list];
                hits.push((at, Hit::Words { key: &self.keys[at], found }));
            }
        }
        hits.sort_by_key(|(at, _)| *at);
        hits.into_iter().map(|(_, hit)| hit).collect()
    }
}

impl Lists {
    fn rebuilt(&self, lists: Vec<(usize, Arc<[String]>)>, normalise: bool) -> Result<Self, TextError> {
        let (entries, words): (Vec<usize>, Vec<Arc<[String]>>) = lists.into_iter().unzip();
        let index = if words == self.index.lists() {
            Arc::clone(&self.index)
        } else {
            Arc::new(WordIndex::build(words, normalise)?)
        };
        Ok(Self { index, entries })
    }
}
