//! Escaping of characters that CommonMark would take for markup.

use std::ops::Range;

/// Whether a text begins with a character reference such as `&amp;`, or with something like one.
pub(super) fn begins_reference(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('&') else { return false };
    let name = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '#');
    name.len() < rest.len() && name.starts_with(';')
}

/// Writes a part of a line, with backslashes so that it is plain text.
///
/// The rest of the line counts too. A delimiter may be written after the part.
pub(super) fn escape(line: &str, part: Range<usize>, is_in_link: bool, into: &mut String) {
    let escaped = block_escape(line);
    for (offset, c) in line[part.clone()].char_indices() {
        let at = part.start + offset;
        if escaped == Some(at) || is_in_link && matches!(c, '[' | ']') || is_special(line, at, c, &part) {
            into.push('\\');
        }
        into.push(c);
    }
}

fn is_special(line: &str, at: usize, c: char, part: &Range<usize>) -> bool {
    let before = line[..at].chars().next_back();
    let behind = &line[at + c.len_utf8()..];
    let next = behind.chars().next();
    let is_first = at == part.start;
    let is_last = at + c.len_utf8() == part.end;
    match c {
        '\\' => is_last || next.is_none_or(|next| next.is_ascii_punctuation()),
        '`' | '*' | '~' => true,
        // Literal within a word, unless a neighbouring letter may yet become a character reference.
        '_' => {
            let before = line[part.start..at].trim_end_matches('_');
            let behind = line[at..part.end].trim_start_matches('_');
            let is_in_word = before.ends_with(char::is_alphanumeric) && behind.starts_with(char::is_alphanumeric);
            !is_in_word || before.chars().nth(1).is_none() || behind.chars().nth(1).is_none()
        }
        '|' => is_first || is_last || before == Some('|') || next == Some('|'),
        ']' => is_last || matches!(next, Some('(' | '[' | ':')),
        '[' => false,
        '!' => is_last && next.is_some(),
        '<' => is_last || next.is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?' | '@')),
        '&' => begins_reference(&line[at..]),
        _ => false,
    }
}

/// Returns the position of the backslash without which the line would begin a block.
///
/// Blocks are headings, quotations, list items, thematic breaks, tables and link definitions.
fn block_escape(line: &str) -> Option<usize> {
    let text = line.trim_start_matches([' ', '\t']);
    let at = line.len() - text.len();
    let ends_marker = |rest: &str| rest.is_empty() || rest.starts_with([' ', '\t']);
    let hashes = text.len() - text.trim_start_matches('#').len();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let is_item = |rest: &str| rest.strip_prefix(['.', ')']).is_some_and(ends_marker);
    if (1..=6).contains(&hashes) && ends_marker(&text[hashes..])
        || text.starts_with('>')
        // Link definitions take precedence over code: [`a]: `b
        || text.starts_with('[')
        || text.strip_prefix(['-', '+']).is_some_and(ends_marker)
        || is_line(text)
    {
        Some(at)
    } else if (1..=9).contains(&digits) && is_item(&text[digits..]) {
        Some(at + digits)
    } else {
        None
    }
}

/// Whether the text could be a thematic break, or the underline of a heading or a table.
fn is_line(text: &str) -> bool {
    !text.is_empty()
        && (text.chars().all(|c| matches!(c, '-' | '|' | ':' | ' ' | '\t'))
            || text.chars().all(|c| matches!(c, '=' | ' ' | '\t')))
        && text.contains(['-', '='])
}
