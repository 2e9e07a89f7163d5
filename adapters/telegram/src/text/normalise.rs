//! Normalisation of entities, as Telegram does it.
//!
//! Two texts with the same normalised spans look the same.

use std::ops::Range;

use super::entity::{EntityKind, Span};
use super::ranges::{self, Ranges};

/// Normalises overlapping spans.
///
/// Rules:
///
/// - Of several that begin at the same place, the first takes precedence.
/// - A quotation covers whole lines.
/// - A block of code covers whole lines too; otherwise it is inline code.
/// - A block of code contains nothing else.
/// - Inline code contains nothing else, but gives way to links and spoilers: hidden text stays hidden.
/// - No emphasis or link begins or ends with white space.
pub(super) fn normalise(text: &str, spans: &[Span]) -> Vec<Span> {
    let quotes = quotes(text, spans);
    let mut borders: Vec<usize> = quotes.iter().flat_map(|quote| [quote.start, quote.end]).collect();
    borders.dedup();
    let of = |kind: &EntityKind| ranges::union(spans.iter().filter(|s| s.kind == *kind).map(|s| s.start..s.end));
    let (pres, in_lines) = blocks_of_code(text, spans, &borders);
    let no_pre = ranges::union(pres.iter().map(|pre| pre.start..pre.end));
    let wholes = wholes(text, spans, &no_pre, &borders);

    let above_code = of(&EntityKind::Spoiler).into_iter().chain(wholes.iter().map(|whole| whole.start..whole.end));
    let above_code = ranges::union(above_code.chain(no_pre.iter().cloned()));
    let code = ranges::union(of(&EntityKind::Code).into_iter().chain(in_lines));
    let code: Ranges = ranges::subtract(&code, &above_code).into_iter().flat_map(|range| lines(text, range)).collect();
    let no_emphasis = ranges::union(no_pre.into_iter().chain(code.iter().cloned()));

    let mut normalised = Vec::new();
    for kind in EntityKind::EMPHASES {
        let parts = ranges::subtract(&of(&kind), &no_emphasis);
        let parts: Ranges = parts.into_iter().filter_map(|range| ranges::trim(text, range)).collect();
        let parts = ranges::join(parts, |gap| joins(text, gap, &borders, &kind));
        let parts = parts.into_iter().flat_map(|range| ranges::split_at(range, &borders));
        let parts = parts.filter_map(|range| ranges::trim(text, range));
        normalised.extend(parts.map(|range| Span::new(range.start, range.end, kind.clone())));
    }
    normalised.extend(code.into_iter().map(|range| Span::new(range.start, range.end, EntityKind::Code)));
    normalised.extend(quotes.into_iter().chain(pres).chain(wholes));
    Span::sort(&mut normalised);
    normalised
}

/// Whether spans of a kind can be joined over the white space between them.
///
/// A bold space looks like a plain one, and so does a newline that is struck through.
fn joins(text: &str, gap: Range<usize>, borders: &[usize], kind: &EntityKind) -> bool {
    let is_invisible = matches!(kind, EntityKind::Bold | EntityKind::Italic);
    let space = &text[gap.clone()];
    space.chars().all(char::is_whitespace)
        && (is_invisible || space.contains('\n'))
        && borders.get(borders.partition_point(|border| *border < gap.start)).is_none_or(|border| *border > gap.end)
}

fn quotes(text: &str, spans: &[Span]) -> Vec<Span> {
    let mut quotes: Vec<Span> = Vec::new();
    let mut found: Vec<_> = spans.iter().filter(|span| span.kind.is_quote()).collect();
    found.sort_by_key(|span| span.start);
    for span in found {
        let Some(range) = ranges::trim(text, span.start..span.end) else { continue };
        let start = text[..range.start].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[range.end..].find('\n').map_or(text.len(), |newline| range.end + newline);
        match quotes.last_mut() {
            Some(last) if start < last.end => last.end = last.end.max(end),
            _ => quotes.push(Span::new(start, end, span.kind.clone())),
        }
    }
    quotes
}

/// Returns the blocks of code, and as inline code those that share a line with other text.
fn blocks_of_code(text: &str, spans: &[Span], borders: &[usize]) -> (Vec<Span>, Ranges) {
    let mut found: Vec<_> = spans.iter().filter(|span| span.kind.is_pre()).collect();
    found.sort_by_key(|span| span.start);
    let (mut blocks, mut in_lines) = (Vec::new(), Ranges::new());
    let mut taken = 0;
    for span in found {
        if span.end <= taken {
            continue;
        }
        for range in ranges::split_at(taken.max(span.start)..span.end, borders) {
            let within = &text[range.clone()];
            if within.trim().is_empty() {
                continue;
            }
            let start = range.start + (within.len() - within.trim_start_matches('\n').len());
            let end = start + within.trim_matches('\n').len();
            if (start == 0 || text[..start].ends_with('\n')) && (end == text.len() || text[end..].starts_with('\n')) {
                blocks.push(Span::new(start, end, span.kind.clone()));
            } else {
                in_lines.push(start..end);
            }
        }
        taken = span.end;
    }
    (blocks, in_lines)
}

fn wholes(text: &str, spans: &[Span], without: &Ranges, borders: &[usize]) -> Vec<Span> {
    let mut found: Vec<_> = spans.iter().filter(|span| span.kind.is_whole()).collect();
    found.sort_by_key(|span| span.start);
    let mut wholes: Vec<Span> = Vec::new();
    let mut taken = 0;
    for span in found {
        if span.end <= taken {
            continue;
        }
        let range = taken.max(span.start)..span.end;
        taken = span.end;
        for range in ranges::subtract(&[range], without).into_iter().flat_map(|r| ranges::split_at(r, borders)) {
            let Some(range) = ranges::trim(text, range) else { continue };
            // Adjacent emoji or times stay separate.
            let is_long = matches!(span.kind, EntityKind::TextLink { .. } | EntityKind::TextMention { .. });
            match wholes.last_mut() {
                Some(last)
                    if is_long
                        && last.kind == span.kind
                        && (last.end == range.start && !borders.contains(&last.end)
                            || last.end < range.start && joins(text, last.end..range.start, borders, &span.kind)) =>
                {
                    last.end = range.end;
                }
                _ => wholes.push(Span::new(range.start, range.end, span.kind.clone())),
            }
        }
    }
    wholes
}

/// Splits a range into lines, without blank ones.
fn lines(text: &str, range: Range<usize>) -> Ranges {
    let mut at = range.start;
    let mut parts = Ranges::new();
    for line in text[range].split('\n') {
        if !line.trim().is_empty() {
            parts.push(at..at + line.len());
        }
        at += line.len() + 1;
    }
    parts
}
