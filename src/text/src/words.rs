//! Word lists: words and phrases to search for in messages.

use crate::error::TextError;
use crate::prepared::Prepared;
use crate::word_index::{Found, WordIndex};

/// Words and phrases to search for.
///
/// Only whole words are found, regardless of case. A word ends between a letter or digit and anything
/// else. Pictographs and scripts without spaces between words (such as Chinese and Thai) have no such
/// boundaries, and are found anywhere.
#[derive(Debug)]
pub struct WordList {
    index: WordIndex,
}

impl WordList {
    /// Builds a list of at most 100,000 words of at most 128 bytes. Blank words are ignored.
    ///
    /// With `normalise`, words are found in disguise too, see [`normalise`](crate::normalise()).
    ///
    /// # Errors
    ///
    /// If there are too many words, or one is too long.
    pub fn new(words: impl IntoIterator<Item = impl AsRef<str>>, normalise: bool) -> Result<Self, TextError> {
        let words = words.into_iter().map(|word| word.as_ref().to_owned()).collect();
        Ok(Self { index: WordIndex::build(vec![words], normalise)? })
    }

    /// Returns the first 32 words in the message, in order.
    ///
    /// Of overlapping words, the one that begins first is returned; if both begin at the same place, the
    /// longer.
    #[must_use]
    pub fn find(&self, message: &Prepared<'_>) -> Vec<Found> {
        self.index.find(message, &|| true).0.into_iter().flat_map(|(_, found)| found).collect()
    }
}
