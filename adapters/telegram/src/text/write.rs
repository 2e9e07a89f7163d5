//! Conversion of Telegram's text and entities into CommonMark.

use std::ops::Range;

use super::encode::read;
use super::entity::{Entity, EntityKind, Span};
use super::nest::nest;
use super::tidy::tidy;
use super::{ranges, target, units};

mod line;

use line::{Care, Line};

/// Converts a text with entities into CommonMark.
///
/// [`to_telegram`](super::to_telegram) turns the result into the same text and formatting again. It
/// has no more backslashes than that takes.
///
/// Spaces at the ends of lines are left out, as are entities that Telegram finds by itself. A block
/// of code that begins or ends within a line becomes inline code; an expandable quotation becomes a
/// plain one.
#[must_use]
pub fn to_commonmark(text: &str, entities: &[Entity]) -> String {
    let spans = units::spans(text, entities);
    let spans = spans.into_iter().filter_map(|span| Some(Span { kind: target::writable(&span.kind)?, ..span }));
    let (text, mut spans) = tidy(text, spans.collect());
    // An address in the text is a link by itself.
    spans.retain(|span| !matches!(&span.kind, EntityKind::TextLink { url } if *url == text[span.start..span.end]));
    let meant = (text, spans);
    let mut written = String::new();
    for care in [Care::None, Care::Escaped, Care::Apart] {
        written = write(&meant.0, &meant.1, care);
        if read(&written, &|_| None) == meant {
            break;
        }
    }
    written
}

fn write(text: &str, spans: &[Span], care: Care) -> String {
    let (blocks, inline): (Vec<_>, Vec<_>) =
        spans.iter().cloned().partition(|span| span.kind.is_quote() || span.kind.is_pre());
    let (quotes, pres): (Vec<_>, Vec<_>) = blocks.into_iter().partition(|span| span.kind.is_quote());
    let inline = nest(text, on_lines(text, inline));
    let mut quotes = Cursor::new(&quotes);
    let mut pres = Cursor::new(&pres);
    let mut inline = &inline[..];
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let (mut was_in, mut is_first, mut is_apart) = (None, true, true);
    let mut paragraph_begins = true;
    let mut at = 0;
    for line in text.split('\n') {
        let range = at..at + line.len();
        at = range.end + 1;
        let quote = quotes.containing(range.start);
        if !is_first {
            out.push('\n');
        }
        if quote != was_in {
            // A blank line, which is not shown, separates the quotation; one is enough between two.
            if !is_apart {
                out.push('\n');
            }
            is_apart = true;
            paragraph_begins = true;
        }
        is_apart &= line.is_empty();
        (was_in, is_first) = (quote, false);
        let prefix = match quote {
            None => "",
            Some(_) if line.is_empty() => ">",
            Some(_) => "> ",
        };
        out.push_str(prefix);
        if let Some(pre) = pres.containing(range.start) {
            push_code_line(text, range, &pres.spans[pre], prefix, &mut out);
            paragraph_begins = true;
            continue;
        }
        let count = inline.partition_point(|span| span.start < range.end);
        let (here, later) = inline.split_at(count);
        inline = later;
        Line::new(text, range, care, paragraph_begins).write(here, &mut out);
        paragraph_begins = line.is_empty();
    }
    out
}

/// Writes a line of a block of code, with the fence before the first and after the last.
fn push_code_line(text: &str, line: Range<usize>, pre: &Span, prefix: &str, out: &mut String) {
    if pre.start == line.start {
        out.push_str(&line::fence(&text[pre.start..pre.end], line::FENCE_MIN));
        line::push_language(out, &pre.kind);
        out.push('\n');
        out.push_str(prefix);
    }
    out.push_str(&text[line.clone()]);
    if pre.end == line.end {
        out.push('\n');
        out.push_str(prefix);
        out.push_str(&line::fence(&text[pre.start..pre.end], line::FENCE_MIN));
    }
}

/// Splits spans at the ends of lines.
fn on_lines(text: &str, spans: Vec<Span>) -> Vec<Span> {
    let newlines: Vec<usize> = text.match_indices('\n').flat_map(|(at, _)| [at, at + 1]).collect();
    let mut parts = Vec::with_capacity(spans.len());
    for span in spans {
        for range in ranges::split_at(span.start..span.end, &newlines) {
            let range = if span.kind.is_code() { Some(range) } else { ranges::trim(text, range) };
            parts.extend(range.map(|range| Span::new(range.start, range.end, span.kind.clone())));
        }
    }
    Span::sort(&mut parts);
    parts
}

/// Finds the span around each of several ascending positions.
struct Cursor<'a> {
    spans: &'a [Span],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn new(spans: &'a [Span]) -> Self {
        Self { spans, at: 0 }
    }

    fn containing(&mut self, place: usize) -> Option<usize> {
        while self.spans.get(self.at).is_some_and(|span| span.end < place) {
            self.at += 1;
        }
        self.spans.get(self.at).filter(|span| span.start <= place).map(|_| self.at)
    }
}
