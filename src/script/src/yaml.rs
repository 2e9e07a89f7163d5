//! Errors in YAML files of operators and authors: where, the lines, what was expected, and what was probably meant.

use serde_saphyr::{Error, Location};

/// The longest word for which a similar one is looked for, in bytes.
const LONGEST_MEANT: usize = 128;
/// How many characters of a line are shown, around the column.
const SHOWN: usize = 120;
/// The longest message, in characters: some repeat what stands in the file.
const LONGEST_MESSAGE: usize = 1_000;

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}{lines}")]
pub struct YamlError {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, counted from 1.
    pub line: u64,
    /// The column, counted from 1.
    pub column: u64,
    /// What is wrong.
    pub message: String,
    /// The line with its neighbours and a mark under the column. Each stands on a line of its own, the first as well.
    pub lines: String,
}

/// The file that an error is in.
#[derive(Debug, Clone, Copy)]
pub struct YamlFile<'f> {
    /// As errors call it.
    pub file: &'f str,
    /// What is in it.
    pub text: &'f str,
}

impl YamlFile<'_> {
    /// Something is wrong at `location` that the parser does not know of.
    #[must_use]
    pub fn wrong(&self, location: &Location, message: String) -> YamlError {
        self.at(location.line(), location.column(), message)
    }

    /// What the parser says, as a person reads it.
    #[must_use]
    pub fn unparsed(&self, error: &Error) -> YamlError {
        let mut message = match error.without_snippet() {
            Error::MultipleDocuments { .. } => {
                "there can be one document only; remove the --- before this line, or what follows it".to_owned()
            }
            Error::InvalidScalar { ty: ty @ ("u64" | "u32" | "u16" | "u8" | "usize"), location } => {
                whole_number(ty, self.number_at(location.line(), location.column()))
            }
            error => error.to_string(),
        };
        let (line, column) = error.location().map_or((1, 1), |location| (location.line(), location.column()));
        // The position stands in front already.
        message = message.replace(&format!(" at line {line}, column {column}"), "");
        // The parser's words for whoever programs with it.
        message = message.replace("duplicate mapping key: ", "this key is there twice: ");
        message = message.replace(", set DuplicateKeyPolicy in Options if acceptable", "");
        if let Some(meant) = meant(&message) {
            message.push_str(&meant);
        }
        if let Some(long) = message.split('`').nth(1).filter(|word| word.len() > LONGEST_MEANT).map(ToOwned::to_owned) {
            let start: String = long.chars().take(LONGEST_MEANT / 2).collect();
            message = message.replacen(&long, &format!("{start}…"), 1);
        }
        self.at(line, column, message)
    }

    /// Something is wrong with what stands in the file as `literal`; where it stands in it more than once, the first is shown.
    #[must_use]
    pub fn wrong_literal(&self, literal: &str, message: String) -> YamlError {
        let before = self.text.split_once(literal).map_or("", |(before, _)| before);
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
        self.at(before.matches('\n').count() as u64 + 1, column as u64 + 1, message)
    }

    /// Returns the digits that stand at a place, where there is nothing else.
    fn number_at(&self, line: u64, column: u64) -> Option<&str> {
        let line = self.text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
        let (start, _) = line.char_indices().nth(usize::try_from(column).ok()?.checked_sub(1)?)?;
        let value = line[start..].split([' ', ',', '}', '#']).next()?;
        value.bytes().all(|byte| byte.is_ascii_digit()).then_some(value).filter(|value| !value.is_empty())
    }

    fn at(&self, line: u64, column: u64, message: String) -> YamlError {
        // What the parser has no place for is told of the beginning.
        let (line, column) = (line.max(1), column.max(1));
        let message = match message.char_indices().nth(LONGEST_MESSAGE) {
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

/// The line with its neighbours and a mark.
fn lines(text: &str, line: usize, column: usize) -> String {
    let mut shown = String::new();
    // All three lines from the same column on, so that what belongs together stands together.
    let start = if column > SHOWN * 3 / 4 { column - SHOWN / 2 } else { 0 };
    for (number, content) in (1..).zip(text.lines()).skip(line.saturating_sub(2)).take(3) {
        let mark = if number == line { ">" } else { " " };
        // A stranger's file; a terminal would take some characters for orders.
        let mut rest = content.chars().map(|c| if c.is_control() { ' ' } else { c }).skip(start);
        let content: String = rest.by_ref().take(SHOWN).collect();
        let (cut_before, cut_after) = (if start > 0 { "…" } else { "" }, if rest.next().is_some() { "…" } else { "" });
        shown.push_str(&format!("\n{mark} {number:>4} | {cut_before}{content}{cut_after}"));
        if number == line {
            let width = column.saturating_sub(1 + start) + cut_before.chars().count();
            shown.push_str(&format!("\n       | {}^", " ".repeat(width)));
        }
    }
    shown.truncate(shown.trim_end().len());
    shown
}

/// Says what is wrong with a value that does not fit a whole number of the type `ty`: not a number, or `number` is too large.
fn whole_number(ty: &str, number: Option<&str>) -> String {
    let most = match ty {
        "u8" => u8::MAX.into(),
        "u16" => u16::MAX.into(),
        "u32" => u32::MAX.into(),
        _ => u64::MAX,
    };
    match number {
        Some(_) => format!("this number is too large; it can be at most {most}"),
        None => "a whole number is expected here".to_owned(),
    }
}

/// "; did you mean `needs`?", for a message that names what is not known and what is.
fn meant(message: &str) -> Option<String> {
    let unknown = message.contains("unknown field") || message.contains("unknown variant");
    let wrong = message.split('`').nth(1).filter(|_| unknown)?;
    let (_, known) = message.split_once("expected")?;
    let hint = nearest(wrong, known.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| word.len() > 2));
    (!hint.is_empty()).then_some(hint)
}

/// "; did you mean …?" with the nearest of `known`, or nothing when none is near.
#[must_use]
pub fn nearest<'k>(wrong: &str, known: impl Iterator<Item = &'k str>) -> String {
    // Likeness takes the product of both lengths, and nobody meant what is longer.
    if wrong.len() > LONGEST_MEANT {
        return String::new();
    }
    let likeness = |name: &str| strsim::jaro_winkler(wrong, name);
    match known.max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(name) if likeness(name) > 0.75 => format!("; did you mean {name}?"),
        _ => String::new(),
    }
}
