//! Searches for the words of many lists in one pass, with one automaton. Checks the limits of lists.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::AhoCorasick;

use crate::error::{TextError, beginning};
use crate::letters::{fold, is_unspaced};
use crate::normalise::normalise;
use crate::prepared::Prepared;
use crate::shape::warm_up;
use crate::squeezed::Squeezed;

/// The maximum number of words of a list.
const WORDS_MAX: usize = 100_000;
/// The maximum length of a word of a list.
const WORD_BYTES_MAX: usize = 128;
/// The maximum number of words of a list that are reported for one message.
const FOUND_MAX: usize = 32;
/// The maximum number of words of a list that differ only in which letters are doubled.
///
/// Further ones are not found: each is compared at every occurrence of the letters.
const FORMS_MAX: usize = 64;
/// The number of hits between two calls of `goes_on`.
const HITS_PER_CHECK: usize = 256;

/// A word of a list, found in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The word as in the list.
    pub word: String,
    /// The byte offset of its start in the message.
    pub start: usize,
    /// The byte offset after its end.
    pub end: usize,
}

/// The words of all lists, indexed by their letters.
#[derive(Debug, Default)]
pub(crate) struct WordIndex {
    lists: Vec<Arc<[String]>>,
    normalise: bool,
    automaton: Option<AhoCorasick>,
    /// For each pattern of the automaton, the words that have these letters.
    forms: Vec<Vec<Form>>,
}

/// A word of a list. Several may have the same letters and differ in the lengths of their runs.
#[derive(Debug)]
struct Form {
    list: usize,
    word: usize,
    runs: Box<[u8]>,
}

impl WordIndex {
    pub(crate) fn build(lists: Vec<Arc<[String]>>, normalise: bool) -> Result<Self, TextError> {
        if normalise && !lists.is_empty() {
            warm_up();
        }
        let mut forms: HashMap<String, Vec<Form>> = HashMap::new();
        for (list, words) in lists.iter().enumerate() {
            check_words(&words[..])?;
            for (word, text) in words.iter().enumerate() {
                for (letters, runs) in readings(text.trim(), normalise) {
                    if !letters.trim().is_empty() {
                        add(forms.entry(letters).or_default(), Form { list, word, runs });
                    }
                }
            }
        }
        let (letters, forms): (Vec<String>, Vec<Vec<Form>>) = forms.into_iter().unzip();
        let automaton = if letters.is_empty() { None } else { Some(automaton(&letters)?) };
        Ok(Self { lists, normalise, automaton, forms })
    }

    /// Returns the words found in the message, by list and in the order of the lists.
    ///
    /// Stops once `goes_on` returns false. Also returns whether the search is complete.
    pub(crate) fn find(&self, message: &Prepared<'_>, goes_on: &dyn Fn() -> bool) -> (Vec<(usize, Vec<Found>)>, bool) {
        // Overlapping occurrences are checked too: the longest may not be a whole word, or may be of
        // another list.
        let mut hits = Vec::new();
        let mut is_whole = true;
        if let Some(automaton) = &self.automaton {
            let text = if self.normalise { message.squeezed().text() } else { message.folded() };
            for (count, hit) in automaton.find_overlapping_iter(text).enumerate() {
                if count % HITS_PER_CHECK == 0 && !goes_on() {
                    is_whole = false;
                    break;
                }
                if !is_whole_word(text, &hit.range()) {
                    continue;
                }
                for form in &self.forms[hit.pattern().as_usize()] {
                    if !self.normalise || message.squeezed().agrees(&hit.range(), &form.runs) {
                        hits.push((form.list, hit.start(), Reverse(hit.end()), form.word));
                    }
                }
            }
        }
        hits.sort_unstable();
        let mut found: Vec<(usize, Vec<Found>)> = Vec::new();
        let mut free = 0;
        for (list, start, Reverse(end), word) in hits {
            if found.last().is_none_or(|(last, _)| *last != list) {
                found.push((list, Vec::new()));
                free = 0;
            }
            if let Some((_, found)) = found.last_mut()
                && start >= free
                && found.len() < FOUND_MAX
            {
                if !goes_on() {
                    is_whole = false;
                    break;
                }
                free = end;
                let Range { start, end } = self.original(message, start..end);
                found.push(Found { word: self.lists[list][word].clone(), start, end });
            }
        }
        found.retain(|(_, found)| !found.is_empty());
        (found, is_whole)
    }

    fn original(&self, message: &Prepared<'_>, range: Range<usize>) -> Range<usize> {
        if self.normalise { message.squeezed().original(&range) } else { message.original(range) }
    }
}

/// Checks the limits of a word list.
///
/// # Errors
///
/// If there are too many words, or one is too long.
pub fn check_words(words: &[impl AsRef<str>]) -> Result<(), TextError> {
    if words.len() > WORDS_MAX {
        return Err(TextError::TooManyWords { words: words.len() });
    }
    for word in words {
        let word: &str = word.as_ref();
        if word.len() > WORD_BYTES_MAX {
            return Err(TextError::WordTooLong { word: beginning(word), bytes: word.len() });
        }
    }
    Ok(())
}

/// Adds a word to those with the same letters, unless the list has it already.
fn add(forms: &mut Vec<Form>, form: Form) {
    let (mut of_list, mut is_there) = (0, false);
    for other in forms.iter().rev().take_while(|other| other.list == form.list) {
        of_list += 1;
        is_there |= other.runs == form.runs;
    }
    if !is_there && of_list < FORMS_MAX {
        forms.push(form);
    }
}

fn automaton(words: &[String]) -> Result<AhoCorasick, TextError> {
    AhoCorasick::new(words).map_err(|error| TextError::TooLargeTogether { cause: error.to_string() })
}

/// Returns the texts to search for in order to find a word, with the lengths of their runs.
fn readings(word: &str, normalised: bool) -> BTreeSet<(String, Box<[u8]>)> {
    if !normalised {
        return BTreeSet::from([(fold(word), Box::default())]);
    }
    let mut cases = vec![word.to_owned()];
    if !word.is_ascii() {
        // The shape of a look-alike depends on its case: `Ν` looks like an n and `ν` like a v.
        let mut chars = word.chars();
        let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
        cases.extend([word.to_lowercase(), word.to_uppercase(), first + &chars.as_str().to_lowercase()]);
    }
    let squeezed = cases.iter().map(|word| Squeezed::new(&normalise(word)));
    squeezed.map(|squeezed| (squeezed.text().to_owned(), squeezed.runs())).collect()
}

/// Whether the range is not part of a longer word.
fn is_whole_word(text: &str, range: &Range<usize>) -> bool {
    let found = &text[range.clone()];
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    !is_one_word(before, found.chars().next()) && !is_one_word(found.chars().next_back(), after)
}

/// Whether there is no word boundary between two adjacent characters.
fn is_one_word(left: Option<char>, right: Option<char>) -> bool {
    let in_word = |c: char| c.is_alphanumeric() && !is_unspaced(c);
    left.is_some_and(in_word) && right.is_some_and(in_word)
}
