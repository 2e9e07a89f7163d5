use std::ops::Range;

const LONGEST_NAME: usize = 64;

/// Whom or what a mention is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MentionKind {
    /// A person.
    User,
    /// All who have a role.
    Role,
    /// A room.
    Room,
    /// All in the room.
    Everyone,
}

/// A mention in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Whom or what it is of.
    pub kind: MentionKind,
    /// The identifier, where it was mentioned by that.
    pub id: Option<String>,
    /// The name, where it was mentioned by that; `everyone` or `here` for everyone.
    pub name: Option<String>,
    /// Its first byte in the text.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

/// The mentions of a text, in its order: `<@1>`, `<@!1>`, `<@&1>`, `<#1>`, `@name`, `@everyone` and `@here`.
///
/// E-mail addresses and the parts of links are none, nor is anything in a `code` span.
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
    let fits = !id.is_empty() && id.len() <= LONGEST_NAME && text[last..].starts_with('>');
    fits.then(|| Mention { kind, id: Some(id.to_owned()), name: None, start, end: last + 1 })
}

fn by_name(text: &str, start: usize) -> Option<Mention> {
    // After a letter it is an e-mail address, after a slash part of a link, after a backslash it was escaped.
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-' | '/' | '\\' | '@' | '<');
    if text[..start].chars().next_back().is_some_and(inside) {
        return None;
    }
    let name = leading(&text[start + 1..], |c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
    let name = name.trim_end_matches(['.', '-']);
    let kind = if matches!(name, "everyone" | "here") { MentionKind::Everyone } else { MentionKind::User };
    let fits = !name.is_empty() && name.len() <= LONGEST_NAME;
    fits.then(|| Mention { kind, id: None, name: Some(name.to_owned()), start, end: start + 1 + name.len() })
}

/// The characters at the beginning that belong.
fn leading(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|c: char| !belongs(c)).unwrap_or(text.len())]
}

/// The parts of a text between as many backticks as before them, as in CommonMark.
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
