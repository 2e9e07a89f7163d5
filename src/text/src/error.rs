/// Why a pattern, a word list or a set of forms cannot be used. For the author of the script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A pattern has too many bytes.
    #[error("the pattern `{pattern}` has {bytes} bytes; a pattern may have 4,096")]
    PatternTooLong {
        /// How it begins.
        pattern: String,
        /// Its bytes.
        bytes: usize,
    },
    /// A pattern is not a regular expression, or one that takes too much memory.
    #[error("the pattern `{pattern}` cannot be used: {cause}")]
    BadPattern {
        /// How it begins.
        pattern: String,
        /// The compiler's own words.
        cause: String,
    },
    /// A word list has too many words.
    #[error("a word list has {words} words; a list may have 100,000")]
    TooManyWords {
        /// How many it has.
        words: usize,
    },
    /// A word of a word list has too many bytes.
    #[error("the word `{word}` has {bytes} bytes; a word may have 128")]
    WordTooLong {
        /// How it begins.
        word: String,
        /// Its bytes.
        bytes: usize,
    },
    /// The searcher for all words or patterns together could not be made.
    #[error("the word lists and patterns are too large to be searched for together: {cause}")]
    TooLargeTogether {
        /// The compiler's own words.
        cause: String,
    },
    /// The form that a number asks for is not there.
    #[error("there is no plural form `{category}` and no form `other`; give at least `other`")]
    NoPluralForm {
        /// The category that the language's rules chose.
        category: &'static str,
    },
}

/// How a text begins, for a message about it.
pub(crate) fn beginning(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
