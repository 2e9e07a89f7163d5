//! Removal of mentions that should notify nobody.

use super::entity::{EntityKind, Rich, Span};
use super::units;

/// Follows the `@` of an unwanted mention: it is invisible, and cannot be part of a username.
const JOINER: char = '\u{2060}';

/// A mentioned user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mentioned<'a> {
    /// By id.
    Id(i64),
    /// By username, without `@`.
    Name(&'a str),
}

/// Removes the mentions that are not meant, but keeps their text.
///
/// A mention by an entity loses the entity. In one by `@`, an invisible character separates the `@`
/// from the name.
#[must_use]
pub fn quiet(rich: &Rich, is_meant: impl Fn(Mentioned<'_>) -> bool) -> Rich {
    let mut spans = units::spans(&rich.text, &rich.entities);
    spans.retain(|span| match &span.kind {
        EntityKind::TextMention { user } => is_meant(Mentioned::Id(user.id)),
        // A link that is a mention can be written in several ways.
        EntityKind::TextLink { url } => {
            let url = url.trim().to_lowercase();
            !url.strip_prefix("tg:").is_some_and(|rest| rest.trim_start_matches('/').starts_with("user"))
        }
        _ => true,
    });
    // Telegram does not look for usernames in those.
    let is_inert = |span: &&Span| span.kind.is_code() || span.kind.is_pre() || span.kind.is_whole();
    let inert = super::ranges::union(spans.iter().filter(is_inert).map(|span| span.start..span.end));
    let mut joints = Vec::new();
    for (at, _) in rich.text.match_indices('@') {
        let behind = &rich.text[at + 1..];
        let is_in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = &behind[..behind.find(|c| !is_in_name(c)).unwrap_or(behind.len())];
        let is_address = rich.text[..at].ends_with(is_in_name);
        let next = inert.partition_point(|range| range.end <= at);
        let is_inert = inert.get(next).is_some_and(|range| range.start <= at);
        if !name.is_empty() && !is_address && !is_inert && !is_meant(Mentioned::Name(name)) {
            joints.push(at + 1);
        }
    }
    let moved = |at: usize, is_end: bool| {
        let before = joints.partition_point(|joint| *joint < at + usize::from(!is_end));
        at + before * JOINER.len_utf8()
    };
    let spans =
        spans.into_iter().map(|span| Span::new(moved(span.start, false), moved(span.end, true), span.kind)).collect();
    let mut text = String::with_capacity(rich.text.len() + joints.len() * JOINER.len_utf8());
    let mut done = 0;
    for joint in joints {
        text.push_str(&rich.text[done..joint]);
        text.push(JOINER);
        done = joint;
    }
    text.push_str(&rich.text[done..]);
    units::rich(text, spans)
}
