//! Blocks: the beginnings and ends of paragraphs, items and quotations.

use std::ops::Range;

use super::Walk;
use crate::text::entity::{EntityKind, Span};

const BULLET: &str = "• ";
/// Maximum indentation of nested lists, in columns.
///
/// A phone has about 40 columns, and a hostile text could ask for any number.
const INDENT_MAX: usize = 20;

impl Walk<'_> {
    /// Begins a paragraph or the like on a new line, after as many blank lines as in the source.
    pub(super) fn lead(&mut self, start: usize) {
        self.begin_line(start, true);
    }

    fn begin_line(&mut self, start: usize, is_indented: bool) {
        if !self.out.is_empty() && !self.is_item {
            let blank = self.blank_lines(start);
            // Telegram draws a box around quotations: the blank line that CommonMark requires is
            // not shown.
            let newlines = if self.is_border { blank.max(1) } else { blank + 1 };
            self.out.extend(std::iter::repeat_n('\n', newlines));
            if is_indented {
                self.indent();
            }
        }
        (self.is_between, self.is_item, self.is_border) = (false, false, false);
        if self.quotes > 0 && self.quote.is_none() {
            self.quote = Some(self.out.len());
        }
    }

    /// Begins a block of whole lines, also in an item.
    pub(super) fn lead_block(&mut self, start: usize) {
        let is_item = self.is_item;
        self.begin_line(start, false);
        if is_item {
            self.out.push('\n');
        }
    }

    fn blank_lines(&self, start: usize) -> usize {
        let written = self.source[..self.end.min(start)].trim_end_matches([' ', '\t', '\n']).len();
        let between = self.source[written..start].split('\n').skip(1);
        let lines: Vec<_> = between.collect();
        let is_blank = |line: &&&str| line.trim_matches([' ', '\t', '>']).is_empty();
        lines.iter().take(lines.len().saturating_sub(1)).filter(is_blank).count()
    }

    pub(super) fn item(&mut self, range: &Range<usize>) {
        self.lead(range.start);
        let bullet = match self.lists.last_mut() {
            Some(Some(number)) => {
                let digits = self.source[range.clone()].trim_start_matches(|c: char| c.is_ascii_digit());
                let behind = if digits.starts_with(')') { ')' } else { '.' };
                let bullet = format!("{number}{behind} ");
                *number += 1;
                bullet
            }
            _ => BULLET.to_owned(),
        };
        self.out.push_str(&bullet);
        self.indents.push(bullet.chars().count());
        self.is_item = true;
        self.end = self.end.max(range.start + 1);
    }

    pub(super) fn end_quote(&mut self) {
        self.quotes = self.quotes.saturating_sub(1);
        if self.quotes > 0 {
            return;
        }
        if let Some(start) = self.quote.take() {
            self.span(start, EntityKind::Blockquote);
        }
        (self.is_between, self.is_border, self.is_item) = (true, true, false);
    }

    /// Begins the next line of a paragraph, with its leading white space, unless it is in an item.
    pub(super) fn line_break(&mut self, start: usize) {
        if self.table.is_some() {
            self.out.push(' ');
            return;
        }
        self.out.push('\n');
        self.indent();
        if let Some(newline) = self.source[start..].find('\n') {
            self.indentation(start + newline + 1);
        }
    }

    /// Writes the spaces at the beginning of a line of the source, after the `>` of quotations.
    pub(super) fn indentation(&mut self, line: usize) {
        if !self.indents.is_empty() {
            return;
        }
        let mut rest = &self.source[line..];
        for _ in 0..self.quotes {
            let Some(inner) = rest.trim_start_matches(' ').strip_prefix('>') else { break };
            rest = inner.strip_prefix(' ').unwrap_or(inner);
        }
        let spaces = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        self.out.push_str(&rest[..spaces]);
    }

    fn indent(&mut self) {
        let columns = self.indents.iter().take(INDENT_MAX).sum::<usize>().min(INDENT_MAX);
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    pub(super) fn without_newline(&mut self) {
        if self.out.ends_with('\n') && self.open.last().is_none_or(|(_, start)| *start < self.out.len()) {
            self.out.pop();
        }
    }

    pub(super) fn end_cell(&mut self) {
        let start = self.open.pop().map_or(self.out.len(), |(_, start)| start);
        let cell = self.cut_off(start);
        if let Some(table) = &mut self.table {
            table.add_cell(cell);
        }
    }

    /// Removes the output from `start` on, and returns it.
    pub(super) fn cut_off(&mut self, start: usize) -> String {
        self.spans.retain(|span| span.end <= start);
        self.out.split_off(start)
    }

    pub(super) fn span(&mut self, start: usize, kind: EntityKind) {
        if start < self.out.len() {
            self.spans.push(Span::new(start, self.out.len(), kind));
        }
    }
}
