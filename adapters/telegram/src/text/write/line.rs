//! One line with the marks of its spans.

use std::ops::Range;

use super::Care;
use crate::text::entity::{EntityKind, Span};
use crate::text::escape::{begins_reference, escape};
use crate::text::target;

/// The shortest fence of a block of code.
pub(super) const LEAST_FENCE: usize = 3;
/// So many columns make a block of code of what stands behind an empty line.
const CODE_COLUMNS: usize = 4;

/// A line that is neither code nor the mark of a quotation.
pub(super) struct Line<'a> {
    text: &'a str,
    range: Range<usize>,
    care: Care,
    begins_paragraph: bool,
    open: Vec<Open<'a>>,
    /// Whether a mark has just ended that could not end before a letter.
    is_tight: bool,
}

struct Open<'a> {
    span: &'a Span,
    closing: String,
}

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str, range: Range<usize>, care: Care, begins_paragraph: bool) -> Self {
        Self { text, range, care, begins_paragraph, open: Vec::new(), is_tight: false }
    }

    /// Writes the line with spans that nest.
    pub(super) fn write(mut self, spans: &'a [Span], out: &mut String) {
        let mut at = self.indent(spans, out);
        let mut spans = spans.iter().peekable();
        loop {
            let begin = spans.peek().map(|span| span.start);
            let end = self.open.last().map(|open| open.span.end);
            match (begin, end) {
                (begin, Some(end)) if begin.is_none_or(|begin| end <= begin) => {
                    self.plain(at..end, out);
                    self.close(out);
                    at = end;
                }
                (Some(begin), _) => {
                    self.plain(at..begin, out);
                    let group: Vec<_> = std::iter::from_fn(|| spans.next_if(|span| span.start == begin)).collect();
                    at = self.begin(&group, out);
                }
                (None, _) => break,
            }
        }
        self.plain(at..self.range.end, out);
    }

    /// White space at the beginning that would make code of the line: a reference in place of its first character.
    fn indent(&self, spans: &[Span], out: &mut String) -> usize {
        let line = &self.text[self.range.clone()];
        let spaces = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        let is_code = spaces.len() >= CODE_COLUMNS || spaces.contains('\t');
        let is_marked = spans.first().is_some_and(|span| span.start == self.range.start);
        if !self.begins_paragraph || !is_code || is_marked {
            return self.range.start;
        }
        out.push_str(if spaces.starts_with('\t') { "&#9;" } else { "&#32;" });
        self.range.start + 1
    }

    fn plain(&mut self, mut part: Range<usize>, out: &mut String) {
        if part.is_empty() {
            return;
        }
        let first = self.text[part.start..].chars().next().unwrap_or_default();
        if std::mem::take(&mut self.is_tight) && self.care != Care::None && !stands_apart(first) {
            push_reference(first, out);
            part.start += first.len_utf8();
        }
        if self.care == Care::None {
            out.push_str(&self.text[part]);
            return;
        }
        let is_in_link = self.open.iter().any(|open| open.span.kind.is_whole());
        let begin = self.range.start;
        escape(&self.text[self.range.clone()], part.start - begin..part.end - begin, is_in_link, out);
    }

    /// Writes the marks of spans that begin at the same place, and the whole of code.
    fn begin(&mut self, group: &[&'a Span], out: &mut String) -> usize {
        let Some(start) = group.first().map(|span| span.start) else { return self.range.end };
        self.is_tight = false;
        for (at, span) in group.iter().enumerate() {
            if span.kind.is_code() {
                push_code(&self.text[span.start..span.end], out);
                return span.end;
            }
            let (opening, closing) = self.marks(span);
            let is_letter = at + 1 == group.len() && self.text[start..].starts_with(char::is_alphanumeric);
            if is_flanked(opening) && (!is_letter || self.care == Care::Apart) {
                self.set_apart(out);
            }
            out.push_str(opening);
            self.open.push(Open { span, closing });
        }
        start
    }

    /// A letter before a mark that only opens behind something else becomes a reference, which ends with a semicolon.
    fn set_apart(&self, out: &mut String) {
        if let Some(last) = out.chars().next_back()
            && self.care != Care::None
            && !stands_apart(last)
        {
            out.pop();
            // Before a letter a backslash is one.
            if (out.len() - out.trim_end_matches('\\').len()) % 2 == 1 {
                out.push('\\');
            }
            push_reference(last, out);
        }
    }

    fn close(&mut self, out: &mut String) {
        let is_letter = out.ends_with(char::is_alphanumeric);
        if let Some(open) = self.open.pop() {
            out.push_str(&open.closing);
            self.is_tight = is_flanked(&open.closing) && (!is_letter || self.care == Care::Apart);
        }
    }

    fn marks(&self, span: &Span) -> (&'static str, String) {
        let both = |mark: &'static str| (mark, mark.to_owned());
        match span.kind {
            EntityKind::Bold => both("**"),
            EntityKind::Italic if self.care == Care::Apart || self.is_word(span) => both("_"),
            EntityKind::Italic => both("*"),
            EntityKind::Strikethrough => both("~~"),
            EntityKind::Spoiler => both("||"),
            EntityKind::Underline => ("<u>", "</u>".to_owned()),
            _ => target::written(&span.kind).unwrap_or_default(),
        }
    }

    /// Whether it stands between spaces or the like, where `_` is a mark.
    fn is_word(&self, span: &Span) -> bool {
        let before = self.text[..span.start].chars().next_back();
        let behind = self.text[span.end..].chars().next();
        before.is_none_or(stands_apart) && behind.is_none_or(stands_apart)
    }
}

/// Whether a mark depends on what stands around it.
fn is_flanked(mark: &str) -> bool {
    matches!(mark, "*" | "_" | "**" | "~~")
}

fn stands_apart(c: char) -> bool {
    c.is_whitespace() || c.is_ascii_punctuation()
}

fn push_reference(c: char, out: &mut String) {
    out.push_str(&format!("&#{};", u32::from(c)));
}

/// More backticks than there are in a row in the text, and at least so many.
pub(super) fn fence(text: &str, least: usize) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(least.max(longest + 1))
}

fn push_code(code: &str, out: &mut String) {
    let fence = fence(code, 1);
    // A space at both ends is not part of the code.
    let is_padded = code.starts_with('`') || code.ends_with('`') || code.starts_with(' ') && code.ends_with(' ');
    let padding = if is_padded { " " } else { "" };
    out.push_str(&format!("{fence}{padding}{code}{padding}{fence}"));
}

pub(super) fn push_language(out: &mut String, kind: &EntityKind) {
    let EntityKind::Pre { language: Some(language) } = kind else { return };
    for (at, c) in language.char_indices() {
        if c == '\\' || begins_reference(&language[at..]) {
            out.push('\\');
        }
        out.push(c);
    }
}
