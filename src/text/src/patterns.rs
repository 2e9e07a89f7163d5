//! Matches many patterns against a message at the cost of a few.
//!
//! Most patterns contain some literal text (their *atoms*), and one automaton finds the atoms of all of
//! them. A pattern runs only if one of its atoms is in the message. Patterns without atoms run
//! together in one automaton.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aho_corasick::AhoCorasick;

use crate::combined::CombinedPatterns;
use crate::error::TextError;
use crate::pattern::Pattern;
use crate::prepared::Prepared;

/// The steps above which a search that can be stopped checks first whether the pattern matches.
///
/// In the worst case they take 10 ms.
const UNCHECKED_STEPS_MAX: usize = 1 << 20;
/// The steps above which a match is not reported: a sixth of a second in the worst case.
///
/// A pattern of 1,000 states, which is large, is still reported for messages of 16 kB.
const REPORTED_STEPS_MAX: usize = 16 << 20;
/// The number of atom hits between two calls of `goes_on`.
const HITS_PER_CHECK: usize = 1_024;

/// A set of patterns, each with a key of the caller.
#[derive(Debug)]
pub struct PatternSet<K> {
    entries: Vec<(K, Arc<Pattern>)>,
    atoms: Option<AhoCorasick>,
    /// For each atom, the entries whose pattern has it.
    owners: Vec<Vec<usize>>,
    /// The patterns without atoms and without Unicode word boundaries.
    loose: CombinedPatterns,
    /// The patterns without atoms and with Unicode word boundaries.
    loose_with_word_ends: CombinedPatterns,
}

/// The first match of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match<'p, K> {
    /// The key of the pattern.
    pub key: &'p K,
    /// The texts of its groups; the whole match first.
    pub captures: Vec<Option<String>>,
    /// The named groups, with their indices in `captures`.
    pub names: Vec<(String, usize)>,
}

impl<K> Default for PatternSet<K> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            atoms: None,
            owners: Vec::new(),
            loose: CombinedPatterns::default(),
            loose_with_word_ends: CombinedPatterns::default(),
        }
    }
}

impl<K> PatternSet<K> {
    /// Compiles patterns, with the limits of [`check_pattern`](crate::check_pattern()).
    ///
    /// # Errors
    ///
    /// If one of them is invalid or too large.
    pub fn new(entries: Vec<(K, String)>) -> Result<Self, TextError> {
        Self::default().rebuilt(entries)
    }

    /// Builds a set of other patterns, reusing the compiled ones of this set.
    ///
    /// # Errors
    ///
    /// If one of them is invalid or too large.
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
        set.filter()?;
        Ok(set)
    }

    /// Builds the automata that select the patterns to run.
    fn filter(&mut self) -> Result<(), TextError> {
        let mut owners: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut without = [Vec::new(), Vec::new()];
        for (entry, (_, pattern)) in self.entries.iter().enumerate() {
            match &pattern.atoms {
                Some(atoms) => atoms.iter().for_each(|atom| owners.entry(atom).or_default().push(entry)),
                None => without[usize::from(pattern.has_word_ends)].push(entry),
            }
        }
        let [plain, with_word_ends] = without;
        self.loose = self.combined(plain);
        self.loose_with_word_ends = self.combined(with_word_ends);
        self.atoms = if owners.is_empty() { None } else { Some(automaton(owners.keys())?) };
        self.owners = owners.into_values().collect();
        Ok(())
    }

    fn combined(&self, patterns: Vec<usize>) -> CombinedPatterns {
        let texts: Vec<&str> = patterns.iter().map(|entry| self.entries[*entry].1.regex.as_str()).collect();
        CombinedPatterns::new(patterns, &texts)
    }

    /// Returns the first match of each pattern that matches, in the order of the entries.
    #[must_use]
    pub fn matches(&self, text: &str) -> Vec<Match<'_, K>> {
        self.matches_in(&Prepared::new(text))
    }

    /// Does the same for a message that is shared with other searches.
    #[must_use]
    pub fn matches_in(&self, message: &Prepared<'_>) -> Vec<Match<'_, K>> {
        self.matches_while(message, &|| true).0
    }

    /// Does the same as [`PatternSet::matches_in`] while `goes_on` returns true.
    ///
    /// Also returns whether every pattern was tried.
    pub(crate) fn matches_while(
        &self,
        message: &Prepared<'_>,
        goes_on: &dyn Fn() -> bool,
    ) -> (Vec<Match<'_, K>>, bool) {
        let mut found = Vec::new();
        let Some(candidates) = self.candidates(message, goes_on) else { return (found, false) };
        let mut is_whole = true;
        for entry in candidates {
            let (_, pattern) = &self.entries[entry];
            let steps = pattern.steps(message.text());
            let may_match =
                if steps > UNCHECKED_STEPS_MAX { pattern.may_match(message.text(), goes_on) } else { Some(true) };
            match may_match {
                Some(false) => continue,
                Some(true) if steps > REPORTED_STEPS_MAX => {
                    is_whole = false;
                    continue;
                }
                Some(true) if goes_on() => {}
                Some(true) | None => return (found, false),
            }
            found.extend(first_match(&self.entries[entry], message.text()));
        }
        (found, is_whole)
    }

    /// Returns the entries that may match; `None` once `goes_on` returns false.
    fn candidates(&self, message: &Prepared<'_>, goes_on: &dyn Fn() -> bool) -> Option<Vec<usize>> {
        let mut found: Vec<usize> = Vec::new();
        if let Some(atoms) = &self.atoms {
            // A repeated atom adds no new entries.
            let mut seen = vec![false; self.owners.len()];
            for (count, atom) in atoms.find_overlapping_iter(message.folded()).enumerate() {
                if count % HITS_PER_CHECK == 0 && !goes_on() {
                    return None;
                }
                let atom = atom.pattern().as_usize();
                if !std::mem::replace(&mut seen[atom], true) {
                    found.extend(&self.owners[atom]);
                }
            }
        }
        if !self.loose.candidates(message.text(), &mut found, goes_on) {
            return None;
        }
        if !message.text().is_ascii() {
            // The automaton stops at the first non-ASCII character.
            found.extend(self.loose_with_word_ends.all());
        } else if !self.loose_with_word_ends.candidates(message.text(), &mut found, goes_on) {
            return None;
        }
        found.sort_unstable();
        found.dedup();
        Some(found)
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
