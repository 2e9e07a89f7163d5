//! Conversion of overlapping entities into nested ones.

use std::cmp::Reverse;

use super::entity::Span;
use super::ranges;

/// Splits emphases that overlap another span, so that all spans are nested or disjoint.
///
/// The spans must be sorted and normalised. In the result, outer spans come before inner ones.
pub(super) fn nest(text: &str, spans: Vec<Span>) -> Vec<Span> {
    let mut nested = Nested { text, open: Vec::new(), done: Vec::with_capacity(spans.len()) };
    for span in spans {
        nested.close_until(span.start);
        nested.open(span);
    }
    nested.close_until(usize::MAX);
    let mut done = nested.done;
    done.sort_by_key(|(depth, span)| (span.start, Reverse(span.end), *depth));
    done.into_iter().map(|(_, span)| span).collect()
}

struct Nested<'a> {
    text: &'a str,
    /// Open spans. Each ends where the one before it does, or earlier.
    open: Vec<Span>,
    /// Finished spans, with their depth.
    done: Vec<(usize, Span)>,
}

impl Nested<'_> {
    fn close_until(&mut self, at: usize) {
        while let Some(end) = self.open.iter().map(|span| span.end).min().filter(|end| *end <= at) {
            let first = self.open.iter().position(|span| span.end == end).unwrap_or_default();
            let reopened = self.interrupt(first, end);
            self.open.extend(reopened);
        }
    }

    fn open(&mut self, span: Span) {
        let fixed = self.open.iter().rposition(|open| !open.kind.is_emphasis()).map_or(0, |at| at + 1);
        let shorter = self.open[fixed..].iter().position(|open| open.end < span.end);
        let first = shorter.map_or(self.open.len(), |at| fixed + at);
        let reopened = self.interrupt(first, span.start);
        self.open.push(span);
        self.open.extend(reopened);
    }

    /// Ends the open spans from `first` on, and returns those to reopen at `at`.
    fn interrupt(&mut self, first: usize, at: usize) -> Vec<Span> {
        let ended = self.open.split_off(first);
        for (depth, span) in ended.iter().enumerate() {
            let end = at.min(span.end);
            let whole = Some(span.start..end).filter(|range| !range.is_empty());
            let range = if span.kind.is_emphasis() { whole.and_then(|r| ranges::trim(self.text, r)) } else { whole };
            self.done.extend(range.map(|range| (first + depth, Span::new(range.start, range.end, span.kind.clone()))));
        }
        ended.into_iter().filter(|span| span.end > at).map(|span| Span { start: at, ..span }).collect()
    }
}
