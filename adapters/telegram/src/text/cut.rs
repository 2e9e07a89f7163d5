//! Division of long texts into parts.

use super::entity::{EntityKind, Rich, Span};
use super::units;

/// Maximum number of entities of a message: Telegram drops those beyond without an error.
const ENTITIES_MAX: usize = 100;

/// Cuts a text into parts of at most `limit` UTF-16 units: 4,096 in a message, 1,024 in a caption.
///
/// A part ends after a paragraph, or else a line, a sentence, a word; entities that span several
/// parts continue in the next. White space at a cut is dropped. An empty text has no parts.
///
/// A part has at most 100 entities, as many as Telegram shows. It ends before the 101st link,
/// mention, emoji, time or spoiler; of the others, emphases are left out first, then quotations,
/// then code.
#[must_use]
pub fn cut(rich: &Rich, limit: usize) -> Vec<Rich> {
    cut_within(rich, limit, limit)
}

/// Same as [`cut`], with a limit of its own for the first part.
#[must_use]
pub fn cut_within(rich: &Rich, first: usize, rest: usize) -> Vec<Rich> {
    let text = &rich.text;
    let spans = units::spans(text, &rich.entities);
    let mut parts = Vec::new();
    let mut at = text.len() - text.trim_start().len();
    while at < text.len() {
        let limit = if parts.is_empty() { first } else { rest };
        let end = at + palabre_text::end_of_part(&text[at..], limit);
        let end = end_with_few(text, at, end, &spans);
        let part = text[at..end].trim_end();
        if !part.is_empty() {
            parts.push(self::part(part, at, &spans));
        }
        at = end + (text[end..].len() - text[end..].trim_start().len());
    }
    parts
}

fn part(text: &str, start: usize, spans: &[Span]) -> Rich {
    let within = |at: usize| at.saturating_sub(start).min(text.len());
    let spans = spans.iter().map(|span| Span::new(within(span.start), within(span.end), span.kind.clone()));
    units::rich(text.to_owned(), thinned(spans.filter(|span| span.start < span.end).collect()))
}

/// Whether the entity has a meaning that is lost in the plain text.
fn is_needed(kind: &EntityKind) -> bool {
    kind.is_whole() || *kind == EntityKind::Spoiler
}

/// Returns the end of a part within `at..end`, so that it does not have too many needed entities.
fn end_with_few(text: &str, at: usize, end: usize, spans: &[Span]) -> usize {
    let mut needed: Vec<usize> = spans
        .iter()
        .filter(|span| is_needed(&span.kind) && span.start < end && span.end > at)
        .map(|span| span.start.max(at))
        .collect();
    needed.sort_unstable();
    match needed.get(ENTITIES_MAX) {
        Some(first_beyond) if *first_beyond > at => {
            let max = text[at..*first_beyond].encode_utf16().count();
            at + palabre_text::end_of_part(&text[at..end], max)
        }
        _ => end,
    }
}

/// Drops the least important entities beyond the limit, and keeps the order of the others.
fn thinned(mut spans: Vec<Span>) -> Vec<Span> {
    if spans.len() <= ENTITIES_MAX {
        return spans;
    }
    let importance = |kind: &EntityKind| match kind {
        kind if is_needed(kind) => 0,
        kind if kind.is_code() || kind.is_pre() => 1,
        kind if kind.is_quote() => 2,
        _ => 3,
    };
    let mut order: Vec<usize> = (0..spans.len()).collect();
    // The sort is stable: of the same kind, the first ones stay.
    order.sort_by_key(|index| importance(&spans[*index].kind));
    let mut stay = vec![false; spans.len()];
    order.iter().take(ENTITIES_MAX).for_each(|index| stay[*index] = true);
    let mut stay = stay.into_iter();
    spans.retain(|_| stay.next() == Some(true));
    spans
}
