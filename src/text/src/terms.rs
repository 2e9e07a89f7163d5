//! Terms of texts, as a full-text search compares them.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Size at which a term ends, in bytes; the rest of a longer word is ignored.
const TERM_BYTES_MAX: usize = 128;

/// Returns the words of a text without case and accents, in their order.
///
/// In scripts that do not separate words, such as Chinese and Thai, each character is a term.
#[must_use]
pub fn terms(text: &str) -> Vec<String> {
    let (mut found, mut term) = (Vec::new(), String::new());
    for letter in text.nfkd().filter(|letter| !is_combining_mark(*letter) && !is_joiner(*letter)) {
        if !letter.is_alphanumeric() {
            end(&mut term, &mut found);
        } else if stands_alone(letter) {
            end(&mut term, &mut found);
            found.push(letter.to_string());
        } else if term.len() < TERM_BYTES_MAX {
            fold(letter, &mut term);
        }
    }
    end(&mut term, &mut found);
    found
}

fn end(term: &mut String, found: &mut Vec<String>) {
    if !term.is_empty() {
        found.push(std::mem::take(term));
    }
}

/// Adds a letter in lower case. Letters that have no decomposition are replaced by those that people type for them.
fn fold(letter: char, term: &mut String) {
    match letter {
        'ß' | 'ẞ' => term.push_str("ss"),
        'æ' | 'Æ' => term.push_str("ae"),
        'œ' | 'Œ' => term.push_str("oe"),
        'ø' | 'Ø' => term.push('o'),
        'ł' | 'Ł' => term.push('l'),
        'đ' | 'Đ' => term.push('d'),
        'ı' => term.push('i'),
        'ς' => term.push('σ'),
        other => term.extend(other.to_lowercase()),
    }
}

/// Whether a character is invisible within a word: a soft hyphen or a joiner.
const fn is_joiner(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}')
}

/// Whether a character belongs to a script without spaces between words.
const fn stands_alone(letter: char) -> bool {
    matches!(letter,
        '\u{0e00}'..='\u{0eff}' // Thai, Lao
        | '\u{1000}'..='\u{109f}' // Burmese
        | '\u{1780}'..='\u{17ff}' // Khmer
        | '\u{3040}'..='\u{30ff}' // Japanese syllables
        | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' // Chinese characters
    )
}

#[cfg(test)]
mod tests {
    use super::terms;

    #[test]
    fn terms_have_neither_case_nor_accents() {
        for (text, expected) in [
            ("Crème BRÛLÉE", vec!["creme", "brulee"]),
            ("cre\u{300}me", vec!["creme"]),
            ("Straße, STRASSE", vec!["strasse", "strasse"]),
            ("l'œuvre d'Øyvind", vec!["l", "oeuvre", "d", "oyvind"]),
            ("a-b_c 3.5 x", vec!["a", "b", "c", "3", "5", "x"]),
            ("ΟΔΟΣ οδός", vec!["οδοσ", "οδοσ"]),
            ("東京 tower", vec!["東", "京", "tower"]),
            ("!? … \u{1f600}", vec![]),
        ] {
            assert_eq!(terms(text), expected, "{text}");
        }
    }

    #[test]
    fn a_long_word_is_cut() {
        assert_eq!(terms(&"a".repeat(1_000)), ["a".repeat(128)]);
    }
}
