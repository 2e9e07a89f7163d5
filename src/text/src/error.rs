/// The reason why a pattern, a word list or a set of plural forms cannot be used.
///
/// The texts are for the author of the script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A pattern has too many bytes.
    #[error("the pattern `{pattern}` has {bytes} bytes; a pattern may have at most 4,096")]
    PatternTooLong {
        /// The beginning of the pattern.
        pattern: String,
        /// Its length in bytes.
        bytes: usize,
    },
    /// A pattern is not a valid regular expression, or needs too much memory.
    #[error("the pattern `{pattern}` is invalid or too large: {cause}")]
    BadPattern {
        /// The beginning of the pattern.
        pattern: String,
        /// The error text of the regex compiler.
        cause: String,
    },
    /// A word list has too many words.
    #[error("a word list has {words} words; a list may have at most 100,000")]
    TooManyWords {
        /// The number of words.
        words: usize,
    },
    /// A word of a word list has too many bytes.
    #[error("the word `{word}` has {bytes} bytes; a word may have at most 128")]
    WordTooLong {
        /// The beginning of the word.
        word: String,
        /// Its length in bytes.
        bytes: usize,
    },
    /// The combined automaton of all words or patterns could not be built.
    #[error("the word lists and patterns together are too large: {cause}; use fewer or shorter ones")]
    TooLargeTogether {
        /// The error text of the automaton's builder.
        cause: String,
    },
    /// The plural form for a number is missing.
    #[error("there is no plural form `{category}` and no form `other`; give at least `other`")]
    NoPluralForm {
        /// The category chosen by the rules of the language.
        category: &'static str,
    },
}

/// Returns the beginning of a text, shortened for an error message.
pub(crate) fn beginning(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
