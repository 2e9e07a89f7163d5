//! Findings of the linter, with their positions.

use std::fmt;

use serde::Serialize;

/// A problem in a script that its author may want to fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file, as the caller names it.
    pub path: String,
    /// The line of its start, from 1.
    pub line: usize,
    /// The column of its start, in characters, from 1.
    pub column: usize,
    /// The line of its end.
    pub end_line: usize,
    /// The column after its last character.
    pub end_column: usize,
    /// The severity.
    pub severity: Severity,
    /// The name of the lint; `-- selene: allow(name)` above the line silences it.
    pub code: String,
    /// The problem, in one sentence.
    pub message: String,
    /// A way to fix it.
    pub help: Option<String>,
}

/// The severity of a [`Finding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The code fails when it runs.
    Error,
    /// The code runs, but hardly does what was intended.
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

/// A finding with a range in bytes, not yet converted to lines and columns.
#[derive(Debug)]
pub(crate) struct RawFinding {
    pub(crate) range: (usize, usize),
    pub(crate) severity: Severity,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl RawFinding {
    pub(crate) fn warning(range: (usize, usize), code: &str, message: String, help: Option<String>) -> Self {
        Self { range, severity: Severity::Warning, code: code.to_owned(), message, help }
    }

    pub(crate) fn error(range: (usize, usize), code: &str, message: String) -> Self {
        Self { range, severity: Severity::Error, code: code.to_owned(), message, help: None }
    }

    pub(crate) fn locate(self, path: &str, lines: &Lines<'_>) -> Finding {
        let Self { range: (start, end), severity, code, message, help } = self;
        let (line, column) = lines.position(start);
        let (end_line, end_column) = lines.position(end.max(start));
        Finding { path: path.to_owned(), line, column, end_line, end_column, severity, code, message, help }
    }
}

/// The positions of the line starts of a text.
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// Returns the line and column of a byte, both from 1.
    fn position(&self, byte: usize) -> (usize, usize) {
        let byte = byte.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column = self.text.get(start..byte).map_or(byte - start, |before| before.chars().count());
        (line, column + 1)
    }
}
