//! Parsing of scripts.

use full_moon::ast::Ast;
use full_moon::{Error, LuaVersion, parse_fallible};
use palabre_script::syntax_error;

use crate::finding::RawFinding;

/// The maximum nesting of brackets.
///
/// The parser recurses for each bracket. It also recurses for operators and blocks, which Luau's
/// own parser limits.
const BRACKETS_MAX: usize = 400;

pub(crate) fn parse(text: &str) -> Result<Ast, Vec<RawFinding>> {
    if let Some(at) = too_deep(text) {
        let message = format!("more than {BRACKETS_MAX} brackets are open here, which exceeds the linter's limit");
        return Err(vec![RawFinding::error((at, at + 1), "syntax", message)]);
    }
    if let Some((line, reason)) = syntax_error(text) {
        return Err(vec![RawFinding::error(range_of(text, line), "syntax", reason)]);
    }
    let parsed = parse_fallible(text, LuaVersion::luau());
    if parsed.errors().is_empty() {
        return Ok(parsed.into_ast());
    }
    Err(parsed.errors().iter().map(syntax_finding).collect())
}

/// Returns the range in bytes of the text in a line, counted from 1.
fn range_of(text: &str, line: usize) -> (usize, usize) {
    let mut lines = text.split_inclusive('\n');
    let start: usize = lines.by_ref().take(line.saturating_sub(1)).map(str::len).sum();
    let content = lines.next().unwrap_or_default().trim_end();
    let indent = content.len() - content.trim_start().len();
    (start + indent, start + content.len())
}

/// Converts an error of the linter's parser in a file that Luau's parser accepts.
fn syntax_finding(error: &Error) -> RawFinding {
    let (start, end) = error.range();
    let message = match error {
        Error::AstError(error) => {
            let token = error.token().to_string();
            let found = if token.trim().is_empty() { "the end of the file".to_owned() } else { format!("`{token}`") };
            format!("{}; found {found}", error.error_message())
        }
        Error::TokenizerError(error) => error.error().to_string(),
    };
    RawFinding::error((start.bytes(), end.bytes()), "syntax", message)
}

/// Returns the position at which too many brackets are open. Brackets in strings do not count.
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut escaped) = (0_usize, false);
    let mut quote: Option<u8> = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            // A quote that is not closed on its line is an apostrophe in a comment.
            (Some(_), b'\n') => quote = None,
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > BRACKETS_MAX {
            return Some(at);
        }
    }
    None
}
