//! Errors of a script, in the script's own terms: its files and lines, without the host's.

use mlua::Error as LuaError;
use palabre_model::Fault;

use crate::limits::{Limit, Limits};

/// How a stretch of a run failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What to tell.
    pub fault: Box<Fault>,
    /// The limit that ended it, if one did.
    pub limit: Option<Limit>,
    /// The VM cannot be trusted any more and must be replaced.
    pub spoiled: bool,
}

impl Failure {
    /// A failure that is told in one sentence.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        let fault = Fault { message: message.into(), traceback: None, hook: None, action: None, event: None };
        Self { fault: Box::new(fault), limit: None, spoiled: false }
    }

    pub(crate) fn from_lua(
        error: &LuaError,
        tripped: Option<Limit>,
        stopped_at: Option<&str>,
        limits: &Limits,
    ) -> Self {
        let mut told = tell(error);
        if let Some(trace) = stopped_at.filter(|_| tripped.is_some()) {
            told.traceback = clean(trace);
        }
        let limit = tripped.or(match told.kind {
            Kind::Memory => Some(Limit::Memory(limits.memory_mb)),
            Kind::Recursion => Some(Limit::Recursion),
            Kind::Other => None,
        });
        let spoiled = matches!(limit, Some(Limit::Memory(_)));
        let message = match &limit {
            // Where it was when it was stopped is worth a word.
            Some(limit) => match told.traceback.as_deref().and_then(|trace| trace.lines().next()) {
                Some(line) => format!("{limit}, at {}", line.trim()),
                None => limit.to_string(),
            },
            None => readable(&without_addresses(&in_script(&told.message, told.traceback.as_deref()))),
        };
        Self {
            fault: Box::new(Fault { message, traceback: told.traceback, hook: None, action: None, event: None }),
            limit,
            spoiled,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Lines that a script has put into its error must not look like lines of the log.
        f.write_str(&self.fault.message.replace('\n', "\n  | "))?;
        match &self.fault.traceback {
            Some(trace) => write!(f, "\n{trace}"),
            None => Ok(()),
        }
    }
}

/// What Lua calls the values that it writes as an address, since they have no text of their own.
const ADDRESSED: [&str; 8] = ["table", "function", "thread", "userdata", "lightuserdata", "buffer", "object", "class"];

/// The text without addresses of memory, which are nobody's business and others at each run: `table: 0x0000000020001235` and
/// `<table 0x20001235>` are tables. An error that is such a value and nothing else says so.
pub(crate) fn without_addresses(text: &str) -> String {
    // An address of zero is written in words.
    let text = &text.replace(": (nil)", ": 0x0");
    let mut told = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("0x") {
        let (before, address) = rest.split_at(at);
        let digits = address[2..].bytes().take_while(u8::is_ascii_hexdigit).count();
        let after = &address[2 + digits..];
        // As luaL_tolstring writes it, and as mlua does.
        let colon = before.strip_suffix(": ").filter(|before| ends_with_kind(before));
        let angle = before.strip_suffix(' ').filter(|before| ends_with_kind(before) && after.starts_with('>'));
        match colon.or(angle) {
            Some(before) if digits > 0 => told.push_str(before),
            _ => {
                told.push_str(before);
                told.push_str(&address[..2 + digits]);
            }
        }
        rest = after;
    }
    told.push_str(rest);
    let alone = told.trim_start_matches('<').trim_end_matches('>');
    if told != *text && ADDRESSED.contains(&alone) {
        return format!("a {alone} was raised as an error, which says nothing; raise a text: error(\"…\")");
    }
    told
}

fn ends_with_kind(text: &str) -> bool {
    ADDRESSED.iter().any(|kind| text.ends_with(kind))
}

enum Kind {
    Memory,
    Recursion,
    Other,
}

struct Told {
    message: String,
    traceback: Option<String>,
    kind: Kind,
}

fn tell(error: &LuaError) -> Told {
    let (message, traceback) = match error {
        LuaError::MemoryError(_) => ("not enough memory".to_owned(), None),
        LuaError::SyntaxError { message, .. } => (message.clone(), None),
        LuaError::CallbackError { traceback, cause } => {
            let inner = tell(cause);
            let trace = clean(traceback);
            return Told { traceback: trace.or(inner.traceback), ..inner };
        }
        LuaError::RuntimeError(text) => split(text),
        other => split(&other.to_string()),
    };
    let kind = if matches!(error, LuaError::MemoryError(_)) {
        Kind::Memory
    } else if message.ends_with("stack overflow") {
        Kind::Recursion
    } else {
        Kind::Other
    };
    Told { message, traceback, kind }
}

/// The message, and the trace that mlua appends to it.
fn split(text: &str) -> (String, Option<String>) {
    match text.split_once("\nstack traceback:\n") {
        Some((message, trace)) => (message.to_owned(), clean(trace)),
        None => (text.to_owned(), None),
    }
}

/// The message with the script's own line in front, where a function of the library was replaced and raised it.
fn in_script(message: &str, trace: Option<&str>) -> String {
    let place = message.strip_prefix("[palabre]:").and_then(|rest| rest.split_once(": "));
    let Some((_, what)) = place.filter(|(line, _)| line.bytes().all(|byte| byte.is_ascii_digit())) else {
        return message.to_owned();
    };
    let caller = trace.and_then(|trace| trace.lines().next()?.split_whitespace().next());
    let caller = caller.map(|caller| caller.trim_end_matches(':'));
    caller.map_or_else(|| what.to_owned(), |caller| format!("{caller}: {what}"))
}

/// A message of a script: no longer than a screen, and nothing in it that a terminal obeys.
fn readable(message: &str) -> String {
    const LONGEST: usize = 2_000;
    let mut end = message.len().min(LONGEST);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    let mut text: String =
        message[..end].chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { ' ' } else { c }).collect();
    if end < message.len() {
        text.push('…');
    }
    text
}

/// A deep recursion would fill the screen.
const TRACE_LINES: usize = 20;

/// The trace without frames of the host.
fn clean(trace: &str) -> Option<String> {
    let mut lines: Vec<String> = trace
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && *line != "stack traceback:")
        .filter(|line| {
            !line.starts_with("[C]") && !line.contains("[palabre]") && !line.contains("traceback unavailable")
        })
        .map(|line| format!("  {line}"))
        .collect();
    if lines.len() > TRACE_LINES {
        let left_out = lines.len() - TRACE_LINES;
        lines.truncate(TRACE_LINES);
        lines.push(format!("  … and {left_out} more"));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_is_left_in_a_text() {
        for (text, told) in [
            (
                "table: 0x0000000020001235",
                "a table was raised as an error, which says nothing; raise a text: error(\"…\")",
            ),
            ("<thread 0x7f00aa>", "a thread was raised as an error, which says nothing; raise a text: error(\"…\")"),
            ("a.luau:1: function: 0x0001 and buffer: 0x00ff!", "a.luau:1: function and buffer!"),
            ("<userdata 0x12> is none", "<userdata> is none"),
            ("the colour: 0xff00ff", "the colour: 0xff00ff"),
            ("table: 0x", "table: 0x"),
            ("0x", "0x"),
            ("table", "table"),
            ("é 0xé table: 0x1é", "é 0xé tableé"),
        ] {
            assert_eq!(without_addresses(text), told);
        }
    }
}
