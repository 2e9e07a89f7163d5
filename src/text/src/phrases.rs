use unicode_segmentation::UnicodeSegmentation;

/// How many characters of a text are compared: the work is the product of both lengths.
const MOST_COMPARED: usize = 500;

/// Puts a backslash before all punctuation that Markdown gives a meaning, so that the text shows as it is. Right for
/// CommonMark, Discord and Telegram. Mentions stay mentions.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        // All that Telegram wants escaped, which holds what the others know, and `&` for CommonMark's entities.
        if matches!(c, '\\' | '`' | '*' | '_' | '~' | '|' | '#' | '+' | '-' | '=' | '.' | '!' | '<' | '>' | '&')
            || matches!(c, '[' | ']' | '(' | ')' | '{' | '}')
        {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// The text if it has at most `max_chars` characters, else its beginning and the ellipsis, together at most as many.
///
/// What a reader takes for one character, such as a flag or a letter with its accents, is not cut in two; nor is a
/// word, unless half of the room would be left empty. An ellipsis that does not fit is left out.
#[must_use]
pub fn truncate(text: &str, max_chars: usize, ellipsis: &str) -> String {
    if text.chars().nth(max_chars).is_none() {
        return text.to_owned();
    }
    let ellipsis = if ellipsis.chars().nth(max_chars).is_none() { ellipsis } else { "" };
    let room = max_chars - ellipsis.chars().count();
    let mut used = 0;
    let mut end = 0;
    for (start, grapheme) in text.grapheme_indices(true) {
        used += grapheme.chars().count();
        if used > room {
            break;
        }
        end = start + grapheme.len();
    }
    let (kept, rest) = text.split_at(end);
    let cut = if rest.starts_with(char::is_whitespace) { None } else { kept.rfind(char::is_whitespace) };
    let kept = cut.filter(|cut| *cut >= end / 2).map_or(kept, |cut| &kept[..cut]);
    format!("{}{ellipsis}", kept.trim_end())
}

/// How alike two texts are, from 0 to 1: the Damerau-Levenshtein distance (letters added, left out, changed or swapped
/// with their neighbour) as a part of the longer length, taken from 1. Case counts. Only the first 500 characters are
/// compared.
#[must_use]
pub fn similarity(a: &str, b: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(beginning(a), beginning(b))
}

fn beginning(text: &str) -> &str {
    text.char_indices().nth(MOST_COMPARED).map_or(text, |(end, _)| &text[..end])
}
