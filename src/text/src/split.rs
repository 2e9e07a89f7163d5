//! Splits long texts into parts.

mod layout;

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use layout::Layout;

/// Splits a text into parts of at most `units_max` UTF-16 units.
///
/// Discord and Telegram count in these units. A part ends after a paragraph, or else a line, a
/// sentence or a word; never inside a link or a mention, unless that alone is longer. Formatting
/// across a cut, such as a code block or a spoiler, is closed in one part and opened again in the
/// next. White space at a cut is dropped. An empty text has no parts.
#[must_use]
pub fn split(text: &str, units_max: usize) -> Vec<String> {
    let text = text.trim_end();
    let layout = Layout::of(text);
    let (mut parts, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let opening = opening(&layout, text, at, units_max);
        if units(&opening) + units(&text[at..]) <= units_max {
            parts.push(format!("{opening}{}", &text[at..]));
            break;
        }
        let (end, closing) = first_part(&layout, &text[at..], at, units_max, units(&opening));
        let body = text[at..at + end].trim_end();
        if !body.trim().is_empty() {
            parts.push(format!("{opening}{body}{closing}"));
        }
        at += end;
        // Indentation in code is significant.
        let is_code = layout.open_at(at).iter().any(|span| span.is_block);
        let left_out: &[char] = if is_code { &['\n'] } else { &['\n', ' '] };
        at = text.len() - text[at..].trim_start_matches(left_out).len();
    }
    parts
}

/// Returns the delimiters that reopen at that byte the formatting that is open there.
fn opening(layout: &Layout, text: &str, at: usize, units_max: usize) -> String {
    let open = layout.open_at(at);
    let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let is_code = open.iter().any(|span| span.is_block);
    let quote = if is_code {
        ""
    } else if layout.is_quoted(at) {
        ">>> "
    } else if line < at && text[line..].starts_with("> ") {
        "> "
    } else {
        ""
    };
    let opening: String = std::iter::once(quote).chain(open.iter().map(|span| span.opening.as_str())).collect();
    // Delimiters must not use up the part.
    if units(&opening) > units_max / 3 { String::new() } else { opening }
}

/// Returns the end of the first part of a text, and the delimiters that close what is open there.
///
/// The text starts at byte `at` of the whole. With the `opened` units before it, it has more than
/// `units_max`.
fn first_part(layout: &Layout, text: &str, at: usize, units_max: usize, opened: usize) -> (usize, String) {
    let mut limit = units_max.saturating_sub(opened).max(1);
    loop {
        let end = end_within(layout, text, at, limit);
        let closing: String = layout.open_at(at + end).iter().rev().map(|span| span.closing.as_str()).collect();
        let used = opened + units(text[..end].trim_end()) + units(&closing);
        if used <= units_max {
            return (end, closing);
        }
        let over = used - units_max;
        if limit <= over || units(&closing) > units_max / 3 {
            return (fitting(text, units_max.saturating_sub(opened).max(1)), String::new());
        }
        limit -= over;
    }
}

/// Returns the best place to cut a text within its first `limit` units.
///
/// It is in the second half of what fits, or else as late as possible.
fn end_within(layout: &Layout, text: &str, at: usize, limit: usize) -> usize {
    let end = fitting(text, limit);
    // White space at the cut is dropped, so it need not fit.
    let end = if text[end..].starts_with(['\n', ' ']) { end + 1 } else { end };
    let fits = &text[..end];
    let is_fit = |cut: &usize| layout.may_cut(at + cut) && is_border(text, *cut);
    let behind = |pattern: &&str| {
        let ends = fits.rmatch_indices(*pattern).map(|(start, found)| start + found.len());
        ends.take_while(|cut| *cut > end / 2).find(is_fit)
    };
    let good = ["\n\n", "\n", ". ", " "].iter().find_map(behind);
    let late = || {
        let borders = fits.grapheme_indices(true).rev().map(|(start, _)| start).filter(|start| *start > 0);
        std::iter::once(end).chain(borders).find(is_fit)
    };
    good.or_else(late).unwrap_or(end)
}

/// Returns the end, in bytes, of the first part of a text: at most `units_max` UTF-16 units.
///
/// It is after a paragraph, or else a line, a sentence or a word, and not inside a grapheme cluster,
/// unless that alone is longer. It is greater than 0 unless the text is empty.
#[must_use]
pub fn end_of_part(text: &str, units_max: usize) -> usize {
    let end = fitting(text, units_max);
    if end == text.len() {
        return end;
    }
    // White space at the cut is dropped, so it need not fit.
    cut(text, if text[end..].starts_with(['\n', ' ']) { end + 1 } else { end })
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Returns the length in bytes of the longest prefix of whole graphemes of at most `units_max`.
///
/// If not even one grapheme fits, it is cut between characters; the prefix has at least one character.
fn fitting(text: &str, units_max: usize) -> usize {
    let (mut used, mut end) = (0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        used += units(grapheme);
        if used > units_max {
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
        if used > units_max && at > 0 {
            return at;
        }
    }
    text.len()
}

/// Returns the best place to cut in the second half of what fits; if there is none, all that fits.
fn cut(text: &str, end: usize) -> usize {
    let fits = &text[..end];
    let behind = |pattern: &&str| {
        let ends = fits.rmatch_indices(*pattern).map(|(at, found)| at + found.len());
        ends.take_while(|at| *at > end / 2).find(|at| is_border(text, *at))
    };
    ["\n\n", "\n", ". ", " "].iter().find_map(behind).unwrap_or(end)
}

/// Whether this is a boundary of grapheme clusters; after a space that carries an accent it is not.
fn is_border(text: &str, at: usize) -> bool {
    GraphemeCursor::new(at, text.len(), true).is_boundary(text, 0).unwrap_or(true)
}
