//! Inline elements.

use std::ops::Range;

use super::Walk;
use crate::text::delimiters::{DelimiterKind, verbatim};
use crate::text::entity::{EntityKind, Person};

impl Walk<'_> {
    /// Begins the text of an item: in a tight list, there is no paragraph around it.
    pub(super) fn inline(&mut self, start: usize) {
        if self.is_between || self.is_item {
            self.lead(start);
        }
    }

    pub(super) fn text(&mut self, text: &str, range: &Range<usize>) {
        match verbatim(self.source, text, range) {
            Some(range) => self.verbatim(&range),
            None => self.out.push_str(text),
        }
    }

    /// Writes a part of the source literally, except for the delimiters in it.
    pub(super) fn verbatim(&mut self, range: &Range<usize>) {
        let mut at = range.start.max(self.skip);
        while at < range.end {
            let next = self.delimiters.range(at..range.end).next().map(|(start, found)| (*start, found.clone()));
            let Some((start, delimiter)) = next else { break };
            self.out.push_str(&self.source[at..start]);
            match delimiter.kind {
                DelimiterKind::Open(kind) => self.open_delimiters.push((kind, self.out.len())),
                DelimiterKind::Close(kind) => {
                    if let Some(open) = self.open_delimiters.iter().rposition(|(open, _)| *open == kind) {
                        let (kind, start) = self.open_delimiters.remove(open);
                        self.span(start, kind);
                    }
                }
                DelimiterKind::Person(id) => {
                    let start = self.out.len();
                    let name = (self.name)(id).filter(|name| !name.trim().is_empty());
                    self.out.push_str(&name.unwrap_or_else(|| format!("@{id}")));
                    self.span(start, EntityKind::TextMention { user: Person { id, ..Person::default() } });
                }
            }
            at = delimiter.end;
        }
        self.skip = self.skip.max(at);
        if at < range.end {
            self.out.push_str(&self.source[at..range.end]);
        }
    }

    pub(super) fn begin(&mut self, start: usize, kind: Option<EntityKind>) {
        self.inline(start);
        self.open.push((kind, self.out.len()));
    }

    /// Begins a link or an image. Of nested ones, only the outer one counts.
    pub(super) fn begin_whole(&mut self, start: usize, kind: Option<EntityKind>) {
        let is_within = self.open.iter().flat_map(|(kind, _)| kind).any(EntityKind::is_whole);
        self.begin(start, kind.filter(|_| !is_within));
    }

    pub(super) fn end_link(&mut self) {
        if let Some((Some(EntityKind::TextLink { url }), start)) = self.open.last().cloned() {
            if self.out[start..].trim().is_empty() {
                self.cut_off(start);
                self.out.push_str(&url);
            }
            // Telegram recognises addresses by itself.
            if self.out[start..] == *url {
                self.open.pop();
                return;
            }
        }
        self.finish_open();
    }

    pub(super) fn finish_open(&mut self) {
        if let Some((Some(kind), start)) = self.open.pop() {
            self.span(start, kind);
        }
    }
}
