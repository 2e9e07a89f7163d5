//! Long texts in parts.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

/// A fence begins and ends a block of code.
const FENCE: &str = "```";

/// The text in parts of at most `most` UTF-16 units, which is how Discord and Telegram count. A part ends behind a paragraph, or else a
/// line, a sentence, a word; a block of code that goes over parts is closed in one and opened again in the next, with its language. White
/// space where it is cut is left out. Nothing becomes no part at all.
#[must_use]
pub fn split(text: &str, most: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim_end().to_owned();
    while units(&rest) > most {
        // What closes a block has to have room too.
        let room = most.saturating_sub(FENCE.len() + 1).max(1);
        let (part, after) = rest.split_at(end_of_part(&rest, room));
        let (mut part, mut after) = (part.trim_end().to_owned(), after.trim_start_matches(['\n', ' ']).to_owned());
        if let Some(language) = open_block(&part) {
            // A language that is longer than a part would never end.
            let opening = if units(language) < most / 2 { language } else { "" };
            after = format!("{FENCE}{opening}\n{after}");
            part.push('\n');
            part.push_str(FENCE);
        }
        if after.len() >= rest.len() {
            // Nothing but a fence was cut off; what is left is cut without regard to it.
            let end = fitting(&rest, most);
            parts.push(rest[..end].to_owned());
            rest = rest[end..].to_owned();
            continue;
        }
        if !part.trim().is_empty() {
            parts.push(part);
        }
        rest = after;
    }
    if !rest.trim().is_empty() {
        parts.push(rest);
    }
    parts
}

/// Where the first part of a text ends which has at most so many UTF-16 units, in bytes: behind a paragraph, or else a line, a sentence, a
/// word, and not within what a reader takes for one character, unless that alone is longer. Beyond the beginning, if there is a text.
#[must_use]
pub fn end_of_part(text: &str, most: usize) -> usize {
    let end = fitting(text, most);
    if end == text.len() {
        return end;
    }
    // White space is left out, so it need not fit.
    cut(text, if text[end..].starts_with(['\n', ' ']) { end + 1 } else { end })
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// How many bytes of the text have at most so many units, in whole graphemes; at least one character.
fn fitting(text: &str, most: usize) -> usize {
    let (mut used, mut end) = (0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        used += units(grapheme);
        if used > most {
            break;
        }
        end = at + grapheme.len();
    }
    if end > 0 {
        return end;
    }
    let mut used = 0;
    for (at, character) in text.char_indices() {
        used += character.len_utf16();
        if used > most && at > 0 {
            return at;
        }
    }
    text.len()
}

/// The best place to cut in the second half of what fits; where there is none, all that fits.
fn cut(text: &str, end: usize) -> usize {
    let fits = &text[..end];
    // A space that carries an accent is no place to cut.
    let is_border = |at: &usize| GraphemeCursor::new(*at, text.len(), true).is_boundary(text, 0).unwrap_or(true);
    let behind = |pattern: &&str| {
        let ends = fits.rmatch_indices(*pattern).map(|(at, found)| at + found.len());
        ends.take_while(|at| *at > end / 2).find(is_border)
    };
    ["\n\n", "\n", ". ", " "].iter().find_map(behind).unwrap_or(end)
}

/// The language of a block of code that is open where the text ends.
fn open_block(text: &str) -> Option<&str> {
    let fences = text.lines().filter_map(|line| line.trim_start().strip_prefix(FENCE));
    fences.fold(None, |open, language| match open {
        Some(_) => None,
        None => Some(language.trim()),
    })
}
