//! Conversion of CommonMark into Telegram's text with entities.

use std::borrow::Cow;

use pulldown_cmark::{Options, Parser};

use super::delimiters::delimiters;
use super::entity::{Rich, Span};
use super::nest::nest;
use super::tidy::tidy;
use super::units;
use super::walk::Walk;

/// Converts CommonMark into a text with entities. A user mentioned by id alone is called `@12`.
#[must_use]
pub fn to_telegram(markdown: &str) -> Rich {
    to_telegram_with(markdown, &|_| None)
}

/// Same as [`to_telegram`], with the names of users who are mentioned by id alone.
#[must_use]
pub fn to_telegram_with(markdown: &str, name: &dyn Fn(i64) -> Option<String>) -> Rich {
    let (text, spans) = read(markdown, name);
    let spans = nest(&text, spans);
    units::rich(text, spans)
}

/// Returns the text that CommonMark stands for, and its normalised spans.
pub(super) fn read(markdown: &str, name: &dyn Fn(i64) -> Option<String>) -> (String, Vec<Span>) {
    let source = if markdown.contains('\r') {
        Cow::Owned(markdown.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(markdown)
    };
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES;
    let events: Vec<_> = Parser::new_ext(&source, options).into_offset_iter().collect();
    let mut walk = Walk::new(&source, delimiters(&source, &events), name);
    for (event, range) in events {
        walk.step(event, range);
    }
    let (text, spans) = walk.finish();
    tidy(&text, spans)
}
