//! Removal of white space that is not visible.

use super::entity::Span;
use super::normalise::normalise;
use super::ranges::{self, Ranges};

/// Normalises the spans, and removes invisible white space.
///
/// These are spaces at the ends of lines, except in blocks of code, and white space at both ends of
/// the text, which Telegram removes too.
pub(super) fn tidy(text: &str, mut spans: Vec<Span>) -> (String, Vec<Span>) {
    Span::sort(&mut spans);
    let spans = normalise(text, &spans);
    let code = ranges::union(spans.iter().filter(|span| span.kind.is_pre()).map(|span| span.start..span.end));
    let body = ranges::trim(text, 0..text.len()).unwrap_or(0..0);
    let mut gone = Vec::new();
    let mut at = 0;
    for line in text.split('\n') {
        let kept = line.trim_end_matches([' ', '\t']).len();
        gone.push(at + kept..at + line.len());
        at += line.len() + 1;
    }
    let gone = ranges::subtract(&ranges::union(gone), &code);
    let ends = [0..body.start, body.end..text.len()];
    let (text, spans) = remove(text, spans, &ranges::union(gone.into_iter().chain(ends)));
    let spans = normalise(&text, &spans);
    (text, spans)
}

/// Removes ranges from a text, and moves the spans accordingly.
fn remove(text: &str, spans: Vec<Span>, gone: &Ranges) -> (String, Vec<Span>) {
    // The number of bytes that are removed before each range.
    let mut before = Vec::with_capacity(gone.len());
    let mut sum = 0;
    for range in gone {
        before.push(sum);
        sum += range.len();
    }
    let moved = |at: usize| match gone.partition_point(|range| range.start < at).checked_sub(1) {
        Some(last) => at - before[last] - gone[last].len().min(at - gone[last].start),
        None => at,
    };
    let mut kept = String::with_capacity(text.len() - sum);
    for range in ranges::subtract(std::slice::from_ref(&(0..text.len())), gone) {
        kept.push_str(&text[range]);
    }
    let spans = spans.into_iter().map(|span| Span::new(moved(span.start), moved(span.end), span.kind));
    (kept, spans.filter(|span| span.start < span.end).collect())
}
