use unicode_segmentation::UnicodeSegmentation;

/// The number of characters of a text that are compared: time is the product of both lengths.
const COMPARED_CHARS_MAX: usize = 500;

/// Escapes all Markdown punctuation with backslashes, so that the text is shown literally.
///
/// Works for CommonMark, Discord and Telegram. Mentions stay mentions.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        // All characters of Telegram, which include those of the others, and `&` for CommonMark's entities.
        if matches!(c, '\\' | '`' | '*' | '_' | '~' | '|' | '#' | '+' | '-' | '=' | '.' | '!' | '<' | '>' | '&')
            || matches!(c, '[' | ']' | '(' | ')' | '{' | '}')
        {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Shortens a text to at most `max_chars` characters, including the ellipsis.
///
/// A shorter text is returned as it is. Grapheme clusters, such as a flag or a letter with its accents,
/// are not split; nor are words, unless half of the space would be left empty. An ellipsis that does
/// not fit is left out.
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

/// Returns the similarity of two texts, from 0 to 1.
///
/// It is 1 minus the Damerau-Levenshtein distance (letters added, left out, changed, or swapped with
/// the next one) divided by the greater length. Case matters. Only the first 500 characters are
/// compared.
#[must_use]
pub fn similarity(a: &str, b: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(beginning(a), beginning(b))
}

fn beginning(text: &str) -> &str {
    text.char_indices().nth(COMPARED_CHARS_MAX).map_or(text, |(end, _)| &text[..end])
}
