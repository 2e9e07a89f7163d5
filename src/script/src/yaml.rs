//! Errors in YAML files of operators and authors: the position, the lines around it, and suggestions.

use serde_saphyr::{Error, Location};

/// The maximum length of a word for which a suggestion is made, in bytes.
const SUGGESTION_MAX: usize = 128;
/// The number of characters of a line that are shown, around the column.
const SHOWN_CHARS: usize = 120;
/// The maximum length of a message, in characters: some repeat text of the file.
const MESSAGE_MAX: usize = 1_000;

/// A problem in a file, with its position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}{lines}")]
pub struct YamlError {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, counted from 1.
    pub line: u64,
    /// The column, counted from 1.
    pub column: u64,
    /// The problem.
    pub message: String,
    /// The line with its neighbours and a marker under the column.
    ///
    /// Each begins with a line break, the first as well.
    pub lines: String,
}

/// The file of an error.
#[derive(Debug, Clone, Copy)]
pub struct YamlFile<'f> {
    /// Its name in errors.
    pub file: &'f str,
    /// Its text.
    pub text: &'f str,
}

impl YamlFile<'_> {
    /// Returns an error at `location` that the parser does not know of.
    #[must_use]
    pub fn wrong(&self, location: &Location, message: String) -> YamlError {
        self.at(location.line(), location.column(), message)
    }

    /// Converts an error of the parser for people.
    #[must_use]
    pub fn unparsed(&self, error: &Error) -> YamlError {
        let mut message = match error.without_snippet() {
            Error::MultipleDocuments { .. } => {
                "only one document is allowed; remove the --- before this line, or everything after it".to_owned()
            }
            Error::InvalidScalar { ty: ty @ ("u64" | "u32" | "u16" | "u8" | "usize"), location } => {
                whole_number(ty, self.number_at(location.line(), location.column()))
            }
            error => error.to_string(),
        };
        let (line, column) = error.location().map_or((1, 1), |location| (location.line(), location.column()));
        // The position is at the start of the error already.
        message = message.replace(&format!(" at line {line}, column {column}"), "");
        // The parser's words are meant for programmers who use it.
        message = message.replace("duplicate mapping key: ", "this key occurs twice: ");
        message = message.replace(", set DuplicateKeyPolicy in Options if acceptable", "");
        if let Some(suggestion) = suggestion(&message) {
            message.push_str(&suggestion);
        }
        if let Some(long) = message.split('`').nth(1).filter(|word| word.len() > SUGGESTION_MAX).map(ToOwned::to_owned)
        {
            let start: String = long.chars().take(SUGGESTION_MAX / 2).collect();
            message = message.replacen(&long, &format!("{start}…"), 1);
        }
        self.at(line, column, message)
    }

    /// Returns an error at the first occurrence of `literal` in the file.
    #[must_use]
    pub fn wrong_literal(&self, literal: &str, message: String) -> YamlError {
        let before = self.text.split_once(literal).map_or("", |(before, _)| before);
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
        self.at(before.matches('\n').count() as u64 + 1, column as u64 + 1, message)
    }

    /// Returns the value at a position if it consists of digits.
    fn number_at(&self, line: u64, column: u64) -> Option<&str> {
        let line = self.text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
        let (start, _) = line.char_indices().nth(usize::try_from(column).ok()?.checked_sub(1)?)?;
        let value = line[start..].split([' ', ',', '}', '#']).next()?;
        value.bytes().all(|byte| byte.is_ascii_digit()).then_some(value).filter(|value| !value.is_empty())
    }

    fn at(&self, line: u64, column: u64, message: String) -> YamlError {
        // An error without a position is reported at the start of the file.
        let (line, column) = (line.max(1), column.max(1));
        let message = match message.char_indices().nth(MESSAGE_MAX) {
            Some((end, _)) => format!("{}…", &message[..end]),
            None => message,
        };
        YamlError {
            file: self.file.to_owned(),
            line,
            column,
            message,
            lines: lines(self.text, usize::try_from(line).unwrap_or(1), usize::try_from(column).unwrap_or(1)),
        }
    }
}

/// Returns the line with its neighbours and a marker.
fn lines(text: &str, line: usize, column: usize) -> String {
    let mut shown = String::new();
    // All three lines start at the same column, so that they stay aligned.
    let start = if column > SHOWN_CHARS * 3 / 4 { column - SHOWN_CHARS / 2 } else { 0 };
    for (number, content) in (1..).zip(text.lines()).skip(line.saturating_sub(2)).take(3) {
        let marker = if number == line { ">" } else { " " };
        // The file is untrusted: a terminal would interpret some control characters.
        let mut rest = content.chars().map(|c| if c.is_control() { ' ' } else { c }).skip(start);
        let content: String = rest.by_ref().take(SHOWN_CHARS).collect();
        let (cut_before, cut_after) = (if start > 0 { "…" } else { "" }, if rest.next().is_some() { "…" } else { "" });
        shown.push_str(&format!("\n{marker} {number:>4} | {cut_before}{content}{cut_after}"));
        if number == line {
            let width = column.saturating_sub(1 + start) + cut_before.chars().count();
            shown.push_str(&format!("\n       | {}^", " ".repeat(width)));
        }
    }
    shown.truncate(shown.trim_end().len());
    shown
}

/// Describes a value that is not a whole number of the type `ty`; `number` is its text where it consists of digits.
fn whole_number(ty: &str, number: Option<&str>) -> String {
    let largest: u64 = match ty {
        "u8" => u8::MAX.into(),
        "u16" => u16::MAX.into(),
        "u32" => u32::MAX.into(),
        _ => u64::MAX,
    };
    match number {
        Some(_) => format!("this number is too large; it can be at most {largest}"),
        None => "a whole number is expected here".to_owned(),
    }
}

/// Returns "; did you mean `needs`?" for a message that names an unknown word and the known ones.
fn suggestion(message: &str) -> Option<String> {
    let unknown = message.contains("unknown field") || message.contains("unknown variant");
    let wrong = message.split('`').nth(1).filter(|_| unknown)?;
    let (_, known) = message.split_once("expected")?;
    let hint = nearest(wrong, known.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| word.len() > 2));
    (!hint.is_empty()).then_some(hint)
}

/// Returns "; did you mean …?" with the most similar of `known`, or nothing if none is similar.
#[must_use]
pub fn nearest<'k>(wrong: &str, known: impl Iterator<Item = &'k str>) -> String {
    // Similarity takes the product of both lengths, and real names are short.
    if wrong.len() > SUGGESTION_MAX {
        return String::new();
    }
    let likeness = |name: &str| strsim::jaro_winkler(wrong, name);
    match known.max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(name) if likeness(name) > 0.75 => format!("; did you mean {name}?"),
        _ => String::new(),
    }
}
