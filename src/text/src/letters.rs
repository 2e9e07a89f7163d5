//! Which letters are the same, and which end no words.

/// The one character that stands for `c` in all its cases. Not Unicode's case folding, which turns some characters into
/// several: patterns and words only need a function that treats both sides alike.
pub(crate) fn same_case(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    // By way of the capital, so that `ſ` meets `s` and `ς` meets `σ`.
    let capital = only(c.to_uppercase()).unwrap_or(c);
    only(capital.to_lowercase()).unwrap_or(capital)
}

/// [`same_case`] of each character.
pub(crate) fn fold(text: &str) -> String {
    text.chars().map(same_case).collect()
}

/// The character, where there is exactly one.
pub(crate) fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
    match (chars.next(), chars.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

/// Letters of scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Japanese and Chinese.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3040}'..='\u{30FF}'
        | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF66}'..='\u{FF9F}' | '\u{20000}'..='\u{3FFFF}')
}
