//! Long texts in parts.

use super::entity::{Rich, Span};
use super::units;

/// The text in parts of at most `limit` UTF-16 units: 4,096 in a message, 1,024 below a picture. A part ends behind a paragraph, or else a
/// line, a sentence, a word; entities that go over parts go on in the next. White space where it is cut is left out. Nothing becomes no
/// part at all.
#[must_use]
pub fn cut(rich: &Rich, limit: usize) -> Vec<Rich> {
    let text = &rich.text;
    let spans = units::spans(text, &rich.entities);
    let mut parts = Vec::new();
    let mut at = text.len() - text.trim_start().len();
    while at < text.len() {
        let end = at + palabre_text::end_of_part(&text[at..], limit);
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
    units::rich(text.to_owned(), spans.filter(|span| span.start < span.end).collect())
}
