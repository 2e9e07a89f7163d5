//! Case folding, and scripts without spaces between words.

/// Folds a character to one that is the same for all its cases.
///
/// This is not Unicode case folding, which maps some characters to several: patterns and words only
/// need a function that treats both sides alike.
pub(crate) fn same_case(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    // Via upper case, so that `ſ` and `s`, and `ς` and `σ`, fold to the same character.
    let capital = only(c.to_uppercase()).unwrap_or(c);
    only(capital.to_lowercase()).unwrap_or(capital)
}

/// Applies [`same_case`] to each character.
pub(crate) fn fold(text: &str) -> String {
    text.chars().map(same_case).collect()
}

/// Returns the character if there is exactly one.
pub(crate) fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
    match (chars.next(), chars.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

/// Whether this is a letter of a script without spaces between words.
///
/// These are Thai, Lao, Burmese, Khmer, Japanese and Chinese.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3040}'..='\u{30FF}'
        | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF66}'..='\u{FF9F}' | '\u{20000}'..='\u{3FFFF}')
}
