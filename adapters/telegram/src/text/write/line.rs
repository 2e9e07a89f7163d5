//! One line with the delimiters of its spans.

use std::ops::Range;

use crate::text::entity::{EntityKind, Span};
use crate::text::escape::{begins_reference, escape};
use crate::text::target;

/// Minimum length of the fence of a block of code.
pub(super) const FENCE_MIN: usize = 3;
/// Indentation, in columns, that makes a line after a blank one a block of code.
const CODE_INDENT_MIN: usize = 4;

/// The degree of escaping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// None: nearly all that people write reads the same, and scripts see the text as it was typed.
    None,
    /// Every possible delimiter gets a backslash.
    Escaped,
    /// As before, and no two kinds of delimiters use the same character.
    Apart,
}

/// A line of text: not code, and without the `>` of a quotation.
pub(super) struct Line<'a> {
    text: &'a str,
    range: Range<usize>,
    care: Care,
    begins_paragraph: bool,
    open: Vec<Open<'a>>,
    /// Whether the last delimiter cannot close before a letter.
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

    /// Writes the line. The spans must be nested.
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

    /// Writes a reference for leading white space that would make the line a block of code.
    fn indent(&self, spans: &[Span], out: &mut String) -> usize {
        let line = &self.text[self.range.clone()];
        let spaces = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        let is_code = spaces.len() >= CODE_INDENT_MIN || spaces.contains('\t');
        let begins_with_span = spans.first().is_some_and(|span| span.start == self.range.start);
        if !self.begins_paragraph || !is_code || begins_with_span {
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

    /// Writes the opening delimiters of spans with the same start, or inline code as a whole.
    fn begin(&mut self, group: &[&'a Span], out: &mut String) -> usize {
        let Some(start) = group.first().map(|span| span.start) else { return self.range.end };
        self.is_tight = false;
        for (at, span) in group.iter().enumerate() {
            if span.kind.is_code() {
                push_code(&self.text[span.start..span.end], out);
                return span.end;
            }
            let (opening, closing) = self.delimiters(span);
            let is_letter = at + 1 == group.len() && self.text[start..].starts_with(char::is_alphanumeric);
            if is_flanked(opening) && (!is_letter || self.care == Care::Apart) {
                self.set_apart(out);
            }
            out.push_str(opening);
            self.open.push(Open { span, closing });
        }
        start
    }

    /// Replaces a letter before an opening delimiter with a character reference.
    ///
    /// The delimiter would not open after a letter; a reference ends with a semicolon.
    fn set_apart(&self, out: &mut String) {
        if let Some(last) = out.chars().next_back()
            && self.care != Care::None
            && !stands_apart(last)
        {
            out.pop();
            // A backslash before a letter is literal, but not one before a reference.
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

    fn delimiters(&self, span: &Span) -> (&'static str, String) {
        let both = |delimiter: &'static str| (delimiter, delimiter.to_owned());
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

    /// Whether white space or punctuation surrounds the span, so that `_` is a delimiter.
    fn is_word(&self, span: &Span) -> bool {
        let before = self.text[..span.start].chars().next_back();
        let behind = self.text[span.end..].chars().next();
        before.is_none_or(stands_apart) && behind.is_none_or(stands_apart)
    }
}

/// Whether a delimiter depends on the characters around it.
fn is_flanked(delimiter: &str) -> bool {
    matches!(delimiter, "*" | "_" | "**" | "~~")
}

fn stands_apart(c: char) -> bool {
    c.is_whitespace() || c.is_ascii_punctuation()
}

fn push_reference(c: char, out: &mut String) {
    out.push_str(&format!("&#{};", u32::from(c)));
}

/// Returns more backticks than there are in a row in the text, and at least `min`.
pub(super) fn fence(text: &str, min: usize) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(min.max(longest + 1))
}

fn push_code(code: &str, out: &mut String) {
    let fence = fence(code, 1);
    // CommonMark strips a space from both ends of inline code.
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
