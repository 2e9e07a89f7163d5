//! Conversion between UTF-16 units, in which Telegram counts, and bytes.

use super::entity::{Entity, Rich, Span};

/// The byte at which each UTF-16 unit of a text begins, and the length of the text at the end.
///
/// Both halves of a surrogate pair have the byte of the pair.
struct Units(Vec<usize>);

impl Units {
    fn of(text: &str) -> Self {
        let each = text.char_indices().flat_map(|(at, c)| std::iter::repeat_n(at, c.len_utf16()));
        Self(each.chain([text.len()]).collect())
    }

    /// Returns the byte at an offset, clamped to the text and to the start of its character.
    fn byte(&self, offset: i64) -> usize {
        let last = self.0.len() - 1;
        self.0[usize::try_from(offset.max(0)).map_or(last, |offset| offset.min(last))]
    }

    fn unit(&self, byte: usize) -> i64 {
        i64::try_from(self.0.partition_point(|start| *start < byte)).unwrap_or(i64::MAX)
    }
}

/// Returns the ranges of the entities in the text. Empty ones are dropped.
pub(super) fn spans(text: &str, entities: &[Entity]) -> Vec<Span> {
    let units = Units::of(text);
    let span = |entity: &Entity| {
        let (start, end) = (units.byte(entity.offset), units.byte(entity.offset.saturating_add(entity.length)));
        (start < end).then(|| Span::new(start, end, entity.kind.clone()))
    };
    entities.iter().filter_map(span).collect()
}

/// Returns the text with the spans as entities.
pub(super) fn rich(text: String, spans: Vec<Span>) -> Rich {
    let units = Units::of(&text);
    let entity = |span: Span| {
        let (offset, end) = (units.unit(span.start), units.unit(span.end));
        Entity { kind: span.kind, offset, length: end - offset }
    };
    let entities = spans.into_iter().map(entity).collect();
    Rich { text, entities }
}
