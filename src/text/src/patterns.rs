//! All patterns of all scripts, tried on a message at the cost of few.
//!
//! Most patterns hold some literal text (their *atoms*), and one automaton finds the atoms of all of them; only
//! a pattern whose atom is in the message is run. The rest are run together as one set.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use regex::{RegexSet, RegexSetBuilder};

use crate::error::TextError;
use crate::pattern::Pattern;
use crate::prepared::Prepared;

/// How much memory the patterns without atoms may take together; beyond it they are run one by one.
const MOST_MEMORY: usize = 16 << 20;

/// Patterns, each with the caller's key.
#[derive(Debug)]
pub struct PatternSet<K> {
    entries: Vec<(K, Arc<Pattern>)>,
    atoms: Option<AhoCorasick>,
    /// For each atom, the patterns that have it.
    owners: Vec<Vec<usize>>,
    loose: Together,
    loose_with_word_ends: Together,
}

/// The first match of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match<'p, K> {
    /// The key of the pattern.
    pub key: &'p K,
    /// What its groups matched; the whole match first.
    pub captures: Vec<Option<String>>,
    /// The named groups, with their places in `captures`.
    pub names: Vec<(String, usize)>,
}

/// Patterns without atoms.
#[derive(Debug, Default)]
struct Together {
    patterns: Vec<usize>,
    set: Option<RegexSet>,
}

impl<K> Default for PatternSet<K> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            atoms: None,
            owners: Vec::new(),
            loose: Together::default(),
            loose_with_word_ends: Together::default(),
        }
    }
}

impl<K> PatternSet<K> {
    /// Compiles patterns, each as [`check_pattern`](crate::check_pattern()) would.
    ///
    /// # Errors
    ///
    /// When one of them cannot be used.
    pub fn new(entries: Vec<(K, String)>) -> Result<Self, TextError> {
        Self::default().rebuilt(entries)
    }

    /// A set of other patterns; those that are in this one too are not compiled again.
    ///
    /// # Errors
    ///
    /// When one of them cannot be used.
    pub fn rebuilt<J>(&self, entries: Vec<(J, String)>) -> Result<PatternSet<J>, TextError> {
        let compiled = self.entries.iter().map(|(_, pattern)| (pattern.regex.as_str().to_owned(), Arc::clone(pattern)));
        let mut compiled: HashMap<String, Arc<Pattern>> = compiled.collect();
        let mut set = PatternSet::default();
        for (key, text) in entries {
            let pattern = match compiled.get(&text) {
                Some(pattern) => Arc::clone(pattern),
                None => {
                    let pattern = Arc::new(Pattern::compile(&text)?);
                    compiled.insert(text, Arc::clone(&pattern));
                    pattern
                }
            };
            set.entries.push((key, pattern));
        }
        set.filter(&self.loose, &self.loose_with_word_ends)?;
        Ok(set)
    }

    /// Sorts the entries by how they are tried. What was compiled for the sets before is used again where it still
    /// fits.
    fn filter(&mut self, loose: &Together, loose_with_word_ends: &Together) -> Result<(), TextError> {
        let mut owners: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut without = [Vec::new(), Vec::new()];
        for (entry, (_, pattern)) in self.entries.iter().enumerate() {
            match &pattern.atoms {
                Some(atoms) => atoms.iter().for_each(|atom| owners.entry(atom).or_default().push(entry)),
                None => without[usize::from(pattern.has_word_ends)].push(entry),
            }
        }
        let [plain, with_word_ends] = without;
        self.loose = self.together(plain, loose);
        self.loose_with_word_ends = self.together(with_word_ends, loose_with_word_ends);
        self.atoms = if owners.is_empty() { None } else { Some(automaton(owners.keys())?) };
        self.owners = owners.into_values().collect();
        Ok(())
    }

    fn together(&self, patterns: Vec<usize>, before: &Together) -> Together {
        let texts: Vec<&str> = patterns.iter().map(|entry| self.entries[*entry].1.regex.as_str()).collect();
        let same =
            before.set.as_ref().filter(|set| set.patterns().iter().map(String::as_str).eq(texts.iter().copied()));
        let set = match same {
            Some(set) => Some(set.clone()),
            None => RegexSetBuilder::new(texts).size_limit(MOST_MEMORY).build().ok(),
        };
        Together { patterns, set }
    }

    /// The first match of each pattern that matches, in the order of the entries.
    #[must_use]
    pub fn matches(&self, text: &str) -> Vec<Match<'_, K>> {
        self.matches_in(&Prepared::new(text))
    }

    /// The same for a message that other searchers read too.
    #[must_use]
    pub fn matches_in(&self, message: &Prepared<'_>) -> Vec<Match<'_, K>> {
        let candidates = self.candidates(message).into_iter();
        candidates.filter_map(|entry| first_match(&self.entries[entry], message.text())).collect()
    }

    fn candidates(&self, message: &Prepared<'_>) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        if let Some(atoms) = &self.atoms {
            for atom in atoms.find_overlapping_iter(message.folded()) {
                found.extend(&self.owners[atom.pattern().as_usize()]);
            }
        }
        self.loose.candidates(message.text(), &mut found);
        if message.text().is_ascii() {
            self.loose_with_word_ends.candidates(message.text(), &mut found);
        } else {
            // As a set they would be slower than each alone.
            found.extend(&self.loose_with_word_ends.patterns);
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl Together {
    fn candidates(&self, text: &str, found: &mut Vec<usize>) {
        match &self.set {
            Some(set) => found.extend(set.matches(text).into_iter().map(|at| self.patterns[at])),
            None => found.extend(&self.patterns),
        }
    }
}

fn automaton(atoms: impl Iterator<Item = impl AsRef<[u8]>>) -> Result<AhoCorasick, TextError> {
    AhoCorasick::new(atoms).map_err(|error| TextError::TooLargeTogether { cause: error.to_string() })
}

fn first_match<'p, K>((key, pattern): &'p (K, Arc<Pattern>), text: &str) -> Option<Match<'p, K>> {
    let captures = pattern.regex.captures(text)?;
    let captures = captures.iter().map(|group| group.map(|group| group.as_str().to_owned())).collect();
    Some(Match { key, captures, names: pattern.names.clone() })
}
