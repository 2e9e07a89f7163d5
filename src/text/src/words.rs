use crate::error::{TextError, beginning};
use crate::prepared::Prepared;
use crate::word_index::WordIndex;

const MOST_WORDS: usize = 100_000;
const LONGEST_WORD: usize = 128;

/// A word of a list, found in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The word, as the list has it.
    pub word: String,
    /// The first byte of the message that belongs to it.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// Words and phrases to look for.
///
/// Only whole words are found, without regard to case. A word ends where a letter or digit meets anything else;
/// pictures and the scripts that do not put spaces between words (such as Chinese and Thai) have no such ends, and are
/// found anywhere.
#[derive(Debug)]
pub struct WordList {
    index: WordIndex,
}

impl WordList {
    /// A list of at most 100,000 words of at most 128 bytes; blank ones are passed over. With `normalise`, they are
    /// found in disguise too, as [`normalise`](crate::normalise()) tells.
    ///
    /// # Errors
    ///
    /// When there are too many words, or one is too long.
    pub fn new(words: impl IntoIterator<Item = impl AsRef<str>>, normalise: bool) -> Result<Self, TextError> {
        let words = words.into_iter().map(|word| word.as_ref().to_owned()).collect();
        Ok(Self { index: WordIndex::build(vec![words], normalise)? })
    }

    /// The first 32 words in the message, in its order. Where two overlap, it is the one that begins first; where both
    /// begin at the same place, the longer.
    #[must_use]
    pub fn find(&self, message: &Prepared<'_>) -> Vec<Found> {
        self.index.find(message, &|| true).0.into_iter().flat_map(|(_, found)| found).collect()
    }
}

/// Whether a list of these words can be made.
///
/// # Errors
///
/// When there are too many words, or one is too long.
pub fn check_words(words: &[impl AsRef<str>]) -> Result<(), TextError> {
    if words.len() > MOST_WORDS {
        return Err(TextError::TooManyWords { words: words.len() });
    }
    for word in words {
        let word: &str = word.as_ref();
        if word.len() > LONGEST_WORD {
            return Err(TextError::WordTooLong { word: beginning(word), bytes: word.len() });
        }
    }
    Ok(())
}
