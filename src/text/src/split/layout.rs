//! Finds out where a text must not be cut, and which formatting is open at a position.
//!
//! The syntax is CommonMark with the additions of chats, `||spoilers||` and `__underlined__`.

use std::ops::Range;

/// The longest label of a link, in bytes.
const LABEL_MAX: usize = 512;
/// The longest address of a link or text in angle brackets, in bytes.
const ADDRESS_MAX: usize = 2_048;
/// The longest inline code, in bytes.
const CODE_MAX: usize = 16_384;
/// The longest info string of a code fence that is repeated, in bytes.
const INFO_MAX: usize = 40;
/// The delimiters of emphasis, longer ones first.
const DELIMITERS: [&str; 6] = ["**", "__", "~~", "||", "*", "_"];

/// A span of formatted text.
pub(super) struct Span {
    start: usize,
    /// The text between the delimiters.
    inner: Range<usize>,
    pub(super) opening: String,
    pub(super) closing: String,
    /// Whether it is a code block, whose lines are kept as they are.
    pub(super) is_block: bool,
}

/// The layout of a text.
#[derive(Default)]
pub(super) struct Layout {
    /// The formatted spans, sorted by start.
    spans: Vec<Span>,
    /// The ranges that must not be cut, in order.
    whole: Vec<Range<usize>>,
    /// The byte from which on all lines are part of a quotation (`>>> `).
    quoted_from: Option<usize>,
}

impl Layout {
    pub(super) fn of(text: &str) -> Self {
        let mut scanner = Scanner { text, at: 0, open: Vec::new(), layout: Self::default() };
        while scanner.at < text.len() {
            scanner.step();
        }
        let mut layout = scanner.layout;
        layout.spans.sort_by_key(|span| span.start);
        layout.whole.sort_by_key(|range| range.start);
        layout.whole.dedup_by(|next, before| {
            let overlaps = next.start < before.end;
            if overlaps {
                before.end = before.end.max(next.end);
            }
            overlaps
        });
        layout
    }

    /// Whether the text can be cut at that byte.
    pub(super) fn may_cut(&self, at: usize) -> bool {
        let before = self.whole.partition_point(|range| range.start < at);
        before.checked_sub(1).is_none_or(|last| self.whole[last].end <= at)
    }

    /// Returns the spans that are open at that byte, the outermost first.
    pub(super) fn open_at(&self, at: usize) -> Vec<&Span> {
        let begun = self.spans.iter().take_while(|span| span.start < at);
        begun.filter(|span| span.inner.start <= at && at <= span.inner.end).collect()
    }

    /// Whether that byte is inside a quotation that began earlier and reaches to the end.
    pub(super) fn is_quoted(&self, at: usize) -> bool {
        self.quoted_from.is_some_and(|from| from < at)
    }
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// The delimiters that are not closed yet, with their positions. Each occurs at most once.
    open: Vec<(&'static str, usize)>,
    layout: Layout,
}

impl Scanner<'_> {
    fn step(&mut self) {
        let rest = &self.text[self.at..];
        if self.at == 0 || self.text[..self.at].ends_with('\n') {
            if rest.starts_with(">>> ") {
                self.layout.quoted_from.get_or_insert(self.at);
            }
            if self.fence() {
                return;
            }
        }
        let length = rest.chars().next().map_or(1, char::len_utf8);
        let whole = match rest.as_bytes()[0] {
            b'\\' => Some(length + rest[length..].chars().next().map_or(0, char::len_utf8)),
            b'<' => reference(rest),
            b'[' => link(rest),
            b'h' => address(rest),
            b'`' => return self.code(),
            b'*' | b'_' | b'~' | b'|' => return self.delimiter(),
            _ => None,
        };
        if let Some(whole) = whole {
            self.layout.whole.push(self.at..self.at + whole);
        }
        self.at += whole.unwrap_or(length);
    }

    /// Scans a fenced code block, if one begins here.
    fn fence(&mut self) -> bool {
        let (text, start) = (self.text, self.at);
        let line = text[start..].split('\n').next().unwrap_or_default();
        let bare = line.trim_start_matches(' ');
        let Some(fence_char @ ('`' | '~')) = bare.chars().next() else { return false };
        let fence = &bare[..bare.len() - bare.trim_start_matches(fence_char).len()];
        let info = bare[fence.len()..].trim();
        if line.len() - bare.len() > 3 || fence.len() < 3 || (fence_char == '`' && info.contains('`')) {
            return false;
        }
        // Emphasis does not extend across a code block.
        self.open.clear();
        let content = (start + line.len() + 1).min(text.len());
        let (inner_end, end) = end_of_block(text, content, fence, fence_char);
        let info = if info.len() <= INFO_MAX && info.bytes().all(|byte| byte.is_ascii_graphic()) { info } else { "" };
        self.add(
            Span {
                start,
                inner: content..inner_end,
                opening: format!("{fence}{info}\n"),
                closing: format!("\n{fence}"),
                is_block: true,
            },
            end,
        );
        self.at = end.max(start + 1);
        true
    }

    /// Scans inline code, which ends at the same number of backticks.
    fn code(&mut self) {
        let (start, rest) = (self.at, &self.text[self.at..]);
        let run = rest.len() - rest.trim_start_matches('`').len();
        let ticks = &rest[..run];
        let near = &rest[..floor(rest, CODE_MAX)];
        // Three or more make a block, which may contain empty lines.
        let over = if run < 3 { near.find("\n\n") } else { None };
        let near = &near[..over.unwrap_or(near.len())];
        let mut from = run;
        while let Some(found) = near[from..].find(ticks) {
            let close = from + found;
            let length = near[close..].len() - near[close..].trim_start_matches('`').len();
            if length == run {
                let inner = start + run..start + close;
                let fence = ticks.to_owned();
                let span = Span { start, inner, opening: fence.clone(), closing: fence, is_block: false };
                self.add(span, start + close + run);
                self.at = start + close + run;
                return;
            }
            from = close + length;
        }
        self.at += run;
    }

    /// Scans characters that may open or close emphasis.
    fn delimiter(&mut self) {
        let (at, rest) = (self.at, &self.text[self.at..]);
        let run = rest.len() - rest.trim_start_matches(&rest[..1]).len();
        let single = &rest[..1];
        // Of three characters, the inner single delimiter closes first.
        let ends_single = run >= 3 && self.open.last().is_some_and(|(delimiter, _)| *delimiter == single);
        let Some(delimiter) = DELIMITERS
            .iter()
            .copied()
            .find(|delimiter| rest.starts_with(*delimiter) && !(ends_single && delimiter.len() > 1))
        else {
            self.at += run;
            return;
        };
        self.at += delimiter.len();
        let before = self.text[..at].chars().next_back();
        let after = self.text[self.at..].chars().next();
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_space = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let begins = delimiter == "||" || !(is_space(after) || (delimiter == "_" && is_letter(before)));
        let ends = delimiter == "||" || !(is_space(before) || (delimiter == "_" && is_letter(after)));
        let open = self.open.iter().position(|(open, _)| *open == delimiter).map(|index| (index, self.open[index].1));
        match open {
            Some((index, opened)) if ends && opened + delimiter.len() < at => {
                self.open.truncate(index);
                let (inner, closing) = (opened + delimiter.len()..at, delimiter.to_owned());
                let span = Span { start: opened, inner, opening: closing.clone(), closing, is_block: false };
                self.add(span, at + delimiter.len());
            }
            // A closing delimiter matches the nearest opening one.
            Some((index, _)) if begins => {
                self.open.truncate(index);
                self.open.push((delimiter, at));
            }
            None if begins => self.open.push((delimiter, at)),
            Some(_) | None => {}
        }
    }

    /// Adds a span that ends at `end`.
    ///
    /// Its delimiters stay with the adjacent text, so that no part has delimiters with nothing between.
    fn add(&mut self, span: Span, end: usize) {
        let is_empty = self.text[span.inner.clone()].trim().is_empty();
        if is_empty {
            self.layout.whole.push(span.start..end);
            return;
        }
        let after = &self.text[span.inner.start..];
        let visible = after.char_indices().find(|(_, c)| !c.is_whitespace());
        let first = visible.map_or(end, |(index, c)| span.inner.start + index + c.len_utf8());
        let last = self.text[..span.inner.end].trim_end().char_indices().next_back().map_or(0, |(index, _)| index);
        self.layout.whole.push(span.start..first);
        if end > span.inner.end {
            self.layout.whole.push(last..end);
        }
        self.layout.spans.push(span);
    }
}

/// Returns the end of the content of a code block, and the end of the block.
///
/// Chats end a block at the next three backticks, wherever those are. An unclosed block reaches to the
/// end of the text.
fn end_of_block(text: &str, content: usize, fence: &str, fence_char: char) -> (usize, usize) {
    if fence == "```" {
        let Some(found) = text[content..].find(fence) else { return (text.len(), text.len()) };
        let close = content + found;
        let inner = if text[content..close].ends_with('\n') { close - 1 } else { close };
        return (inner, close + fence.len());
    }
    let mut at = content;
    for line in text[content..].split_inclusive('\n') {
        let bare = line.trim();
        if bare.len() >= fence.len() && bare.chars().all(|c| c == fence_char) {
            return (at.saturating_sub(1).max(content), at + line.trim_end().len());
        }
        at += line.len();
    }
    (text.len(), text.len())
}

/// Returns the length of a reference in angle brackets at the beginning of a text.
///
/// It may be a mention, an emoji, a timestamp or an address.
fn reference(text: &str) -> Option<usize> {
    let near = &text[..floor(text, ADDRESS_MAX)];
    let inner = &near[1..near.find('>')?];
    let is_one = inner.starts_with(['@', '#', ':', '/'])
        || ["a:", "t:", "id:", "http:", "https:", "mailto:"].iter().any(|start| inner.starts_with(start));
    (is_one && !inner.contains(['\n', '<'])).then_some(inner.len() + 2)
}

/// Returns the length of a link at the beginning of a text, `[label](address)`.
fn link(text: &str) -> Option<usize> {
    let label = &text[..floor(text, LABEL_MAX)];
    let close = label.find("](")?;
    let from = close + 2;
    let near = &text[from..from + floor(&text[from..], ADDRESS_MAX)];
    let end = near.find([')', '\n', ' '])?;
    // A title may follow the address.
    let end = if near[end..].starts_with(' ') { near.find(')')? } else { end };
    let is_one = near[end..].starts_with(')') && !label[..close].contains("\n\n");
    is_one.then_some(from + end + 1)
}

/// Returns the length of a bare address at the beginning of a text.
fn address(text: &str) -> Option<usize> {
    if !(text.starts_with("https://") || text.starts_with("http://")) {
        return None;
    }
    let near = &text[..floor(text, ADDRESS_MAX)];
    let end = near.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '|')).unwrap_or(near.len());
    Some(near[..end].trim_end_matches(['*', '_', '~', '|', '`', ')', '.', ',', '!', '?']).len())
}

/// Returns the last character boundary up to that byte.
fn floor(text: &str, bytes_max: usize) -> usize {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}
