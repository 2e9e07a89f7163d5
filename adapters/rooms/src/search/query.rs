//! The words and phrases that somebody searches for.

use palabre_text::terms;

/// Maximum length of a query, in characters.
const QUERY_CHARS_MAX: usize = 200;
/// Maximum number of terms of a query.
const TERMS_MAX: usize = 20;

/// Words and phrases, all of which a message has to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextQuery {
    /// The terms of each phrase. A word is a phrase too; `it's` has two terms.
    phrases: Vec<Vec<String>>,
}

impl TextQuery {
    /// Reads a query: words, and phrases in quotation marks.
    ///
    /// The last phrase need not be closed, so that people can see hits while they type.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let length = text.chars().count();
        if length > QUERY_CHARS_MAX {
            return Err(format!("q has {length} characters; the limit is {QUERY_CHARS_MAX}"));
        }
        let mut phrases = Vec::new();
        for (index, part) in text.split(is_quotation).enumerate() {
            if index % 2 == 1 {
                phrases.push(terms(part));
            } else {
                phrases.extend(part.split_whitespace().map(terms));
            }
        }
        phrases.retain(|phrase| !phrase.is_empty());
        if phrases.is_empty() {
            let problem = "q has no word to search for; give words, or a phrase in quotation marks: q=\"good morning\"";
            return Err(problem.to_owned());
        }
        let count: usize = phrases.iter().map(Vec::len).sum();
        if count > TERMS_MAX {
            return Err(format!("q has {count} words; the limit is {TERMS_MAX}"));
        }
        Ok(Self { phrases })
    }

    /// The terms of each phrase; at least one phrase, and at least one term each.
    pub(crate) fn phrases(&self) -> &[Vec<String>] {
        &self.phrases
    }

    /// Whether a text with these terms has all words and phrases.
    pub(crate) fn matches(&self, words: &[String]) -> bool {
        self.phrases.iter().all(|phrase| words.windows(phrase.len()).any(|part| part == phrase.as_slice()))
    }
}

const fn is_quotation(letter: char) -> bool {
    matches!(letter, '"' | '“' | '”' | '„' | '«' | '»')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_words_and_phrases() {
        for (text, expected) in [
            ("Good morning", vec![vec!["good"], vec!["morning"]]),
            ("\"Good morning\" café", vec![vec!["good", "morning"], vec!["cafe"]]),
            ("« bonne nuit »", vec![vec!["bonne", "nuit"]]),
            ("it's \"not clo", vec![vec!["it", "s"], vec!["not", "clo"]]),
        ] {
            assert_eq!(TextQuery::parse(text).unwrap().phrases, expected, "{text}");
        }
        for text in ["", "  ", "\"\"", "?!", &"a".repeat(201), &"a ".repeat(21)] {
            assert!(TextQuery::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_matches_if_it_has_everything() {
        for (query, expected) in [
            ("fox quick", true),
            ("\"quick brown\"", true),
            ("\"brown quick\"", false),
            ("fox cat", false),
            ("fo", false),
        ] {
            let matches = TextQuery::parse(query).unwrap().matches(&terms("The quick, BROWN fox"));
            assert_eq!(matches, expected, "{query}");
        }
    }
}
