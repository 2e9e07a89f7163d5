//! Delimiters that CommonMark does not have: `||spoilers||`, `<u>underlined</u>`, mentions `<@12>`.

use std::collections::BTreeMap;
use std::ops::Range;

use pulldown_cmark::{Event, Tag, TagEnd};

use super::entity::EntityKind;
use super::target;

/// A delimiter in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delimiter {
    /// The byte after it.
    pub(super) end: usize,
    pub(super) kind: DelimiterKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DelimiterKind {
    Open(EntityKind),
    Close(EntityKind),
    Person(i64),
}

/// Finds mentions, and delimiters that are paired within a paragraph, by their start.
pub(super) fn delimiters(source: &str, events: &[(Event<'_>, Range<usize>)]) -> BTreeMap<usize, Delimiter> {
    let mut finder = Finder { source, ..Finder::default() };
    for (event, range) in events {
        match event {
            Event::Text(text) if !finder.in_code => match verbatim(source, text, range) {
                Some(range) if finder.run.end == range.start && range.start > 0 => finder.run.end = range.end,
                Some(range) => {
                    finder.end_run();
                    finder.run = range;
                }
                None => finder.end_run(),
            },
            Event::InlineHtml(html) => {
                finder.end_run();
                finder.tag(html, range);
            }
            event => {
                finder.end_run();
                match event {
                    Event::Start(Tag::CodeBlock(_)) => finder.in_code = true,
                    Event::End(TagEnd::CodeBlock) => finder.in_code = false,
                    Event::Start(Tag::TableCell) => finder.in_cell = true,
                    Event::End(TagEnd::TableCell) => finder.in_cell = false,
                    _ => {}
                }
                if ends_paragraph(event) {
                    finder.end_paragraph();
                }
            }
        }
    }
    finder.end_run();
    finder.end_paragraph();
    finder.found
}

/// Returns the range of a text that is in the source literally, without a backslash before it.
pub(super) fn verbatim(source: &str, text: &str, range: &Range<usize>) -> Option<Range<usize>> {
    let written = source.get(range.clone())?;
    if written == text {
        return Some(range.clone());
    }
    (written.strip_prefix('\\') == Some(text)).then(|| range.start + 1..range.end)
}

fn ends_paragraph(event: &Event<'_>) -> bool {
    match event {
        Event::Start(tag) => {
            !matches!(tag, Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. })
        }
        Event::End(tag) => {
            !matches!(tag, TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image)
        }
        _ => false,
    }
}

#[derive(Default)]
struct Finder<'a> {
    source: &'a str,
    found: BTreeMap<usize, Delimiter>,
    /// A range of literal text.
    run: Range<usize>,
    bars: Vec<usize>,
    underlines: Vec<Range<usize>>,
    in_code: bool,
    in_cell: bool,
}

impl Finder<'_> {
    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        let bytes = self.source.as_bytes();
        let mut at = run.start;
        if !run.is_empty() && at > 0 && bytes[at - 1] == b'\\' {
            at += 1;
        }
        while at < run.end {
            if bytes[at..run.end].starts_with(b"||") && !self.in_cell {
                self.bars.push(at);
                at += 2;
            } else if let Some((end, id)) = person(self.source, at..run.end) {
                self.found.insert(at, Delimiter { end, kind: DelimiterKind::Person(id) });
                at = end;
            } else {
                at += 1;
            }
        }
    }

    fn tag(&mut self, html: &str, range: &Range<usize>) {
        if html.eq_ignore_ascii_case("<u>") {
            self.underlines.push(range.clone());
        } else if html.eq_ignore_ascii_case("</u>")
            && let Some(open) = self.underlines.pop()
        {
            self.pair(open, range.clone(), &EntityKind::Underline);
        }
    }

    fn end_paragraph(&mut self) {
        self.underlines.clear();
        let mut open = None;
        for at in std::mem::take(&mut self.bars) {
            match open.take() {
                None => open = Some(at),
                // `||||` hides nothing.
                Some(first) if first + 2 == at => {}
                Some(first) => self.pair(first..first + 2, at..at + 2, &EntityKind::Spoiler),
            }
        }
    }

    fn pair(&mut self, open: Range<usize>, close: Range<usize>, kind: &EntityKind) {
        self.found.insert(open.start, Delimiter { end: open.end, kind: DelimiterKind::Open(kind.clone()) });
        self.found.insert(close.start, Delimiter { end: close.end, kind: DelimiterKind::Close(kind.clone()) });
    }
}

/// Parses a mention, `<@12>` or `<@!12>`, at the start of a range. Returns its end and the id.
fn person(source: &str, range: Range<usize>) -> Option<(usize, i64)> {
    let rest = source.as_bytes()[range.clone()].strip_prefix(b"<@")?;
    let rest = rest.strip_prefix(b"!").unwrap_or(rest);
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let start = range.end - rest.len();
    let id = target::id(source.get(start..start + digits)?)?;
    rest[digits..].starts_with(b">").then_some((start + digits + 1, id))
}
