//! What the linter has to say, and where.

use std::fmt;

use serde::Serialize;

/// Something in a script that its author may want to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file, as the caller names it.
    pub path: String,
    /// The line where it begins, from 1.
    pub line: usize,
    /// The column where it begins, in characters, from 1.
    pub column: usize,
    /// The line where it ends.
    pub end_line: usize,
    /// The column after its last character.
    pub end_column: usize,
    /// How bad it is.
    pub severity: Severity,
    /// The name of the lint; `-- selene: allow(name)` above the line silences it.
    pub code: String,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It fails when it runs.
    Error,
    /// It runs, and hardly does what is meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, column, severity, code, message, .. } = self;
        write!(formatter, "{path}:{line}:{column}: {severity}[{code}]: {message}")?;
        match &self.help {
            Some(help) => write!(formatter, "\n    {help}"),
            None => Ok(()),
        }
    }
}

/// A finding that knows its place in bytes alone.
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) range: (usize, usize),
    pub(crate) severity: Severity,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Note {
    pub(crate) fn warning(range: (usize, usize), code: &str, message: String, help: Option<String>) -> Self {
        Self { range, severity: Severity::Warning, code: code.to_owned(), message, help }
    }

    pub(crate) fn error(range: (usize, usize), code: &str, message: String) -> Self {
        Self { range, severity: Severity::Error, code: code.to_owned(), message, help: None }
    }

    pub(crate) fn place(self, path: &str, lines: &Lines<'_>) -> Finding {
        let Self { range: (start, end), severity, code, message, help } = self;
        let (line, column) = lines.position(start);
        let (end_line, end_column) = lines.position(end.max(start));
        Finding { path: path.to_owned(), line, column, end_line, end_column, severity, code, message, help }
    }
}

/// Where the lines of a text begin.
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// Line and column of a byte, both from 1.
    fn position(&self, byte: usize) -> (usize, usize) {
        let byte = byte.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column = self.text.get(start..byte).map_or(byte - start, |before| before.chars().count());
        (line, column + 1)
    }
}
