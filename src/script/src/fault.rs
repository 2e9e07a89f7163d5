//! Errors of a script in terms of its own files and lines, without frames of the host.

use mlua::Error as LuaError;
use palabre_types::{Fault, Limits};

use crate::limits::Limit;

/// The failure of a step of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The error as it is reported.
    pub fault: Box<Fault>,
    /// The limit that ended the step, if any.
    pub limit: Option<Limit>,
    /// Whether the VM may be inconsistent and must be rebuilt.
    pub is_tainted: bool,
}

impl Failure {
    /// Returns a failure with a message and no traceback.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        let fault = Fault { message: message.into(), traceback: None, hook: None, action: None, event: None };
        Self { fault: Box::new(fault), limit: None, is_tainted: false }
    }

    pub(crate) fn from_lua(
        error: &LuaError,
        tripped: Option<Limit>,
        stopped_at: Option<&str>,
        limits: &Limits,
    ) -> Self {
        let mut parsed = parse(error);
        if let Some(trace) = stopped_at.filter(|_| tripped.is_some()) {
            parsed.traceback = clean(trace);
        }
        let limit = tripped.or(match parsed.kind {
            Kind::Memory => Some(Limit::Memory(limits.memory_mb)),
            Kind::Recursion => Some(Limit::Recursion),
            Kind::Other => None,
        });
        let is_tainted = matches!(limit, Some(Limit::Memory(_)));
        let message = match &limit {
            // The place at which the script was stopped is part of the message.
            Some(limit) => match parsed.traceback.as_deref().and_then(|trace| trace.lines().next()) {
                Some(line) => format!("{limit}, at {}", line.trim()),
                None => limit.to_string(),
            },
            None => readable(&without_addresses(&in_script(&parsed.message, parsed.traceback.as_deref()))),
        };
        Self {
            fault: Box::new(Fault { message, traceback: parsed.traceback, hook: None, action: None, event: None }),
            limit,
            is_tainted,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Lines in a script's error must not look like lines of the log.
        f.write_str(&self.fault.message.replace('\n', "\n  | "))?;
        match &self.fault.traceback {
            Some(trace) => write!(f, "\n{trace}"),
            None => Ok(()),
        }
    }
}

/// The kinds of values that Lua formats as an address, because they have no text of their own.
const ADDRESSED: [&str; 8] = ["table", "function", "thread", "userdata", "lightuserdata", "buffer", "object", "class"];

/// Removes memory addresses, which differ at each run and must not be exposed.
///
/// `table: 0x0000000020001235` and `<table 0x20001235>` become `table`. A text that is nothing else is
/// replaced by a message that explains it.
pub(crate) fn without_addresses(text: &str) -> String {
    // A null address is formatted as "(nil)".
    let text = &text.replace(": (nil)", ": 0x0");
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("0x") {
        let (before, address) = rest.split_at(at);
        let digits = address[2..].bytes().take_while(u8::is_ascii_hexdigit).count();
        let after = &address[2 + digits..];
        // The formats of luaL_tolstring and of mlua.
        let colon = before.strip_suffix(": ").filter(|before| ends_with_kind(before));
        let angle = before.strip_suffix(' ').filter(|before| ends_with_kind(before) && after.starts_with('>'));
        match colon.or(angle) {
            Some(before) if digits > 0 => cleaned.push_str(before),
            _ => {
                cleaned.push_str(before);
                cleaned.push_str(&address[..2 + digits]);
            }
        }
        rest = after;
    }
    cleaned.push_str(rest);
    let alone = cleaned.trim_start_matches('<').trim_end_matches('>');
    if cleaned != *text && ADDRESSED.contains(&alone) {
        return format!("a {alone} was raised as an error, which has no text; raise a string: error(\"…\")");
    }
    cleaned
}

fn ends_with_kind(text: &str) -> bool {
    ADDRESSED.iter().any(|kind| text.ends_with(kind))
}

enum Kind {
    Memory,
    Recursion,
    Other,
}

struct Parsed {
    message: String,
    traceback: Option<String>,
    kind: Kind,
}

fn parse(error: &LuaError) -> Parsed {
    let (message, traceback) = match error {
        LuaError::MemoryError(_) => ("not enough memory".to_owned(), None),
        LuaError::SyntaxError { message, .. } => (message.clone(), None),
        LuaError::CallbackError { traceback, cause } => {
            let inner = parse(cause);
            let trace = clean(traceback);
            return Parsed { traceback: trace.or(inner.traceback), ..inner };
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
    Parsed { message, traceback, kind }
}

/// Splits a text into the message and the traceback that mlua appends.
fn split(text: &str) -> (String, Option<String>) {
    match text.split_once("\nstack traceback:\n") {
        Some((message, trace)) => (message.to_owned(), clean(trace)),
        None => (text.to_owned(), None),
    }
}

/// Replaces the prelude's position in a message by the script's own line.
///
/// Messages of replaced library functions begin with a position in the prelude.
fn in_script(message: &str, trace: Option<&str>) -> String {
    let place = message.strip_prefix("[palabre]:").and_then(|rest| rest.split_once(": "));
    let Some((_, what)) = place.filter(|(line, _)| line.bytes().all(|byte| byte.is_ascii_digit())) else {
        return message.to_owned();
    };
    let caller = trace.and_then(|trace| trace.lines().next()?.split_whitespace().next());
    let caller = caller.map(|caller| caller.trim_end_matches(':'));
    caller.map_or_else(|| what.to_owned(), |caller| format!("{caller}: {what}"))
}

/// Returns a message that is bounded and free of control characters for terminals.
fn readable(message: &str) -> String {
    const MESSAGE_MAX: usize = 2_000;
    let mut end = message.len().min(MESSAGE_MAX);
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

/// The maximum number of lines of a traceback: a deep recursion would fill the screen.
const TRACE_LINES_MAX: usize = 20;

/// Removes the host's frames from a traceback.
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
    if lines.len() > TRACE_LINES_MAX {
        let left_out = lines.len() - TRACE_LINES_MAX;
        lines.truncate(TRACE_LINES_MAX);
        lines.push(format!("  … and {left_out} more"));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_is_left_in_a_text() {
        for (text, expected) in [
            (
                "table: 0x0000000020001235",
                "a table was raised as an error, which has no text; raise a string: error(\"…\")",
            ),
            ("<thread 0x7f00aa>", "a thread was raised as an error, which has no text; raise a string: error(\"…\")"),
            ("a.luau:1: function: 0x0001 and buffer: 0x00ff!", "a.luau:1: function and buffer!"),
            ("<userdata 0x12> is none", "<userdata> is none"),
            ("the colour: 0xff00ff", "the colour: 0xff00ff"),
            ("table: 0x", "table: 0x"),
            ("0x", "0x"),
            ("table", "table"),
            ("é 0xé table: 0x1é", "é 0xé tableé"),
        ] {
            assert_eq!(without_addresses(text), expected);
        }
    }
}
