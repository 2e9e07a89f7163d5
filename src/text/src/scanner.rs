use std::sync::{Arc, OnceLock};

use crate::error::TextError;
use crate::patterns::PatternSet;
use crate::prepared::Prepared;
use crate::word_index::WordIndex;
use crate::words::{Found, check_words};

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

/// Patterns and word lists, so that a message is read once for all of them.
///
/// What finds the words is made when it is first needed, or by [`Scanner::prepare`]. [`Scanner::rebuilt`] keeps what is the same.
#[derive(Debug)]
pub struct Scanner<K> {
    keys: Vec<K>,
    patterns: PatternSet<usize>,
    plain: Lists,
    normalised: Lists,
}

/// What was heard in a message, as far as it was searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan<K> {
    /// What was heard, in the order of the entries.
    pub hits: Vec<Hit<K>>,
    /// Whether everything was looked for.
    pub is_whole: bool,
}

/// The word lists that are looked for in the same reading of the message.
#[derive(Debug, Default)]
struct Lists {
    words: Arc<Words>,
    /// The entry of each list.
    entries: Vec<usize>,
}

/// Word lists, and what finds them, which is made when it is first needed.
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

    /// Makes what is needed to find the words, where that is not done yet.
    ///
    /// # Errors
    ///
    /// When the lists are too large to be searched for together. Nothing is found of them then.
    pub fn prepare(&self) -> Result<(), TextError> {
        for lists in [&self.plain, &self.normalised] {
            lists.words.index().as_ref().map_err(TextError::clone)?;
        }
        Ok(())
    }

    /// Whether it looks for any words.
    #[must_use]
    pub fn has_words(&self) -> bool {
        [&self.plain, &self.normalised].iter().any(|lists| !lists.entries.is_empty())
    }

    /// Makes the readings of the message that a scan needs, which other scanners can use too.
    pub fn read(&self, message: &Prepared<'_>) {
        message.folded();
        if !self.normalised.entries.is_empty() {
            message.squeezed();
        }
    }

    /// What is heard in a message, in the order of the entries.
    #[must_use]
    pub fn scan(&self, text: &str) -> Vec<Hit<&K>> {
        self.scan_while(&Prepared::new(text), &|| true).hits
    }

    /// The same for a message that others scan too, as long as `goes_on`, which is asked again and again.
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
