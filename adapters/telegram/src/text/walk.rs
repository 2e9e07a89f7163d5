//! Conversion of the CommonMark parser's events into plain text with spans.

mod blocks;
mod inline;

use std::collections::BTreeMap;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Tag, TagEnd};

use super::delimiters::Delimiter;
use super::entity::{EntityKind, Span};
use super::table::Table;
use super::target;

/// A thematic break.
const LINE: &str = "──────────";

/// The text so far, and the position in the source.
pub(super) struct Walk<'a> {
    source: &'a str,
    delimiters: BTreeMap<usize, Delimiter>,
    name: &'a dyn Fn(i64) -> Option<String>,
    out: String,
    spans: Vec<Span>,
    /// Open elements with their start; `None` for those that are shown as plain text.
    open: Vec<(Option<EntityKind>, usize)>,
    open_delimiters: Vec<(EntityKind, usize)>,
    /// The next number of each open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    /// The indentation of each open item.
    indents: Vec<usize>,
    table: Option<Table>,
    quotes: usize,
    quote: Option<usize>,
    /// The end of the written part of the source.
    end: usize,
    /// Whether a block has ended since the last output.
    is_between: bool,
    /// Whether the bullet or number of an item has been written, and nothing after it.
    is_item: bool,
    /// Whether a quotation begins or ends here: it is set apart by itself.
    is_border: bool,
    in_code: bool,
    /// The position up to which the source's text has been handled.
    skip: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        source: &'a str,
        delimiters: BTreeMap<usize, Delimiter>,
        name: &'a dyn Fn(i64) -> Option<String>,
    ) -> Self {
        Self {
            source,
            delimiters,
            name,
            out: String::with_capacity(source.len()),
            spans: Vec::new(),
            open: Vec::new(),
            open_delimiters: Vec::new(),
            lists: Vec::new(),
            indents: Vec::new(),
            table: None,
            quotes: 0,
            quote: None,
            end: 0,
            is_between: false,
            is_item: false,
            is_border: false,
            in_code: false,
            skip: 0,
        }
    }

    pub(super) fn finish(self) -> (String, Vec<Span>) {
        (self.out, self.spans)
    }

    pub(super) fn step(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => return self.start(tag, range),
            Event::End(tag) => return self.end(tag, range),
            Event::Text(text) => {
                self.inline(range.start);
                if self.in_code { self.out.push_str(&text) } else { self.text(&text, &range) }
            }
            Event::Code(text) => {
                self.inline(range.start);
                let start = self.out.len();
                self.out.push_str(&text);
                self.span(start, EntityKind::Code);
            }
            Event::InlineHtml(html) => {
                self.inline(range.start);
                if self.delimiters.contains_key(&range.start) {
                    self.verbatim(&range);
                } else {
                    self.out.push_str(&html);
                }
            }
            Event::SoftBreak | Event::HardBreak => self.line_break(range.start),
            Event::Rule => {
                self.lead(range.start);
                self.out.push_str(LINE);
                self.is_between = true;
            }
            Event::Html(text) | Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.inline(range.start);
                self.out.push_str(&text);
            }
            Event::TaskListMarker(_) => {}
        }
        self.end = self.end.max(range.end);
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Paragraph => {
                let is_item = self.is_item;
                self.lead(range.start);
                let line = self.source[..range.start].rfind('\n').map_or(0, |newline| newline + 1);
                if !is_item && self.source[line..range.start].ends_with([' ', '\t']) {
                    self.indentation(line);
                }
            }
            Tag::Heading { .. } => {
                self.lead(range.start);
                self.open.push((Some(EntityKind::Bold), self.out.len()));
            }
            Tag::BlockQuote(_) => {
                self.quotes += 1;
                self.is_border |= self.quotes == 1;
            }
            Tag::CodeBlock(kind) => {
                self.lead_block(range.start);
                self.in_code = true;
                let language = match kind {
                    CodeBlockKind::Fenced(info) => target::language(&info),
                    CodeBlockKind::Indented => None,
                };
                self.open.push((Some(EntityKind::Pre { language }), self.out.len()));
            }
            Tag::HtmlBlock => self.lead(range.start),
            Tag::List(number) => self.lists.push(number),
            Tag::Item => self.item(&range),
            Tag::Table(alignments) => {
                self.lead_block(range.start);
                self.open.push((Some(EntityKind::Pre { language: None }), self.out.len()));
                self.table = Some(Table::new(alignments));
            }
            Tag::TableHead | Tag::TableRow => self.table.iter_mut().for_each(|table| table.rows.push(Vec::new())),
            Tag::TableCell => self.open.push((None, self.out.len())),
            Tag::Emphasis => self.begin(range.start, Some(EntityKind::Italic)),
            Tag::Strong => self.begin(range.start, Some(EntityKind::Bold)),
            // A single tilde is literal.
            Tag::Strikethrough if !self.source[range.clone()].starts_with("~~") => {
                self.begin(range.start, None);
                self.out.push('~');
            }
            Tag::Strikethrough => self.begin(range.start, Some(EntityKind::Strikethrough)),
            Tag::Link { link_type: LinkType::Autolink | LinkType::Email, .. } => self.begin(range.start, None),
            Tag::Link { dest_url, .. } => self.begin_whole(range.start, target::of_link(&dest_url)),
            Tag::Image { dest_url, .. } => self.begin_whole(range.start, target::of_image(&dest_url)),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Paragraph => self.is_between = true,
            TagEnd::Heading(_) => {
                self.finish_open();
                self.is_between = true;
            }
            TagEnd::BlockQuote(_) => return self.end_quote(),
            TagEnd::CodeBlock => {
                self.without_newline();
                self.finish_open();
                self.in_code = false;
                self.is_between = true;
            }
            TagEnd::HtmlBlock => {
                self.without_newline();
                self.is_between = true;
            }
            TagEnd::List(_) => {
                self.lists.pop();
                return;
            }
            TagEnd::Item => {
                self.indents.pop();
                self.is_between = true;
                self.is_item = false;
            }
            TagEnd::Table => {
                let table = self.table.take().unwrap_or_default();
                self.out.push_str(&table.written());
                self.finish_open();
                self.is_between = true;
            }
            TagEnd::TableCell => self.end_cell(),
            TagEnd::Strikethrough => {
                if self.open.last().is_some_and(|(kind, _)| kind.is_none()) {
                    self.out.push('~');
                }
                self.finish_open();
            }
            TagEnd::Link | TagEnd::Image => self.end_link(),
            TagEnd::Emphasis | TagEnd::Strong => self.finish_open(),
            _ => return,
        }
        // The range of an item may include the blank lines after it.
        if tag != TagEnd::Item {
            self.end = self.end.max(range.end);
        }
    }
}
