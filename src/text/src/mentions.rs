use std::ops::Range;

const NAME_BYTES_MAX: usize = 64;

/// The kind of a mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MentionKind {
    /// A user.
    User,
    /// All members with a role.
    Role,
    /// A room.
    Room,
    /// Everyone in the room.
    Everyone,
}

/// A mention in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The kind.
    pub kind: MentionKind,
    /// The id, in a mention by id.
    pub id: Option<String>,
    /// The name, in a mention by name; `everyone` or `here` for everyone.
    pub name: Option<String>,
    /// The byte offset of its start in the text.
    pub start: usize,
    /// The byte offset after its end.
    pub end: usize,
}

/// Returns the mentions of a text in order.
///
/// These are `<@1>`, `<@!1>`, `<@&1>`, `<#1>`, `@name`, `@everyone` and `@here`. E-mail addresses,
/// parts of links and anything in a `code` span are not mentions.
#[must_use]
pub fn mentions(text: &str) -> Vec<Mention> {
    let mut code = code_spans(text).into_iter().peekable();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = text[at..].find(['<', '@']) {
        let start = at + offset;
        while code.next_if(|span| span.end <= start).is_some() {}
        if let Some(span) = code.peek()
            && span.contains(&start)
        {
            at = span.end;
            continue;
        }
        let mention = if text[start..].starts_with('<') { by_id(text, start) } else { by_name(text, start) };
        at = mention.as_ref().map_or(start + 1, |mention| mention.end);
        found.extend(mention);
    }
    found
}

fn by_id(text: &str, start: usize) -> Option<Mention> {
    const SIGILS: [(&str, MentionKind); 4] =
        [("<@!", MentionKind::User), ("<@&", MentionKind::Role), ("<@", MentionKind::User), ("<#", MentionKind::Room)];
    let (sigil, kind) = SIGILS.into_iter().find(|(sigil, _)| text[start..].starts_with(*sigil))?;
    let first = start + sigil.len();
    let id = leading(&text[first..], |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let last = first + id.len();
    let fits = !id.is_empty() && id.len() <= NAME_BYTES_MAX && text[last..].starts_with('>');
    fits.then(|| Mention { kind, id: Some(id.to_owned()), name: None, start, end: last + 1 })
}

fn by_name(text: &str, start: usize) -> Option<Mention> {
    // After a letter it is an e-mail address, after a slash part of a link, after a backslash escaped.
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-' | '/' | '\\' | '@' | '<');
    if text[..start].chars().next_back().is_some_and(inside) {
        return None;
    }
    let name = leading(&text[start + 1..], |c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
    let name = name.trim_end_matches(['.', '-']);
    let kind = if matches!(name, "everyone" | "here") { MentionKind::Everyone } else { MentionKind::User };
    let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX;
    fits.then(|| Mention { kind, id: None, name: Some(name.to_owned()), start, end: start + 1 + name.len() })
}

/// Returns the longest prefix of characters for which `belongs` is true.
fn leading(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|c: char| !belongs(c)).unwrap_or(text.len())]
}

/// Returns the code spans of a text.
///
/// As in CommonMark, a code span ends at the same number of backticks as it begins with.
fn code_spans(text: &str) -> Vec<Range<usize>> {
    let runs = backticks(text);
    let mut spans = Vec::new();
    let mut next = 0;
    while let Some(open) = runs.get(next) {
        next += 1;
        let backslashes = text[..open.start].bytes().rev().take_while(|byte| *byte == b'\\').count();
        let start = open.start + backslashes % 2;
        let close = runs[next..].iter().position(|run| run.len() == open.end - start);
        if let Some(close) = close {
            spans.push(start..runs[next + close].end);
            next += close + 1;
        }
    }
    spans
}

fn backticks(text: &str) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices('`') {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}
