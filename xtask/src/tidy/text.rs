//! Rules about lines, whatever the language.

use super::files::Files;
use super::violation::Violation;

/// The maximum number of lines of a file.
const FILE_LINES_MAX: usize = 400;
/// The maximum number of columns of a line of code.
const COLUMNS_MAX: usize = 120;
/// The maximum number of columns of a line of Markdown. Tables, links and code blocks cannot be wrapped.
const MARKDOWN_COLUMNS_MAX: usize = 100;

pub(crate) fn check(files: &Files, violations: &mut Vec<Violation>) {
    for (name, text) in files.with(&["rs", "js", "css"]) {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            let message = format!("{lines} lines, at most {FILE_LINES_MAX}");
            violations.push(violation("file-lines", name, lines, 1, message));
        }
        let long = text.lines().enumerate().filter(|(_, line)| line.chars().count() > COLUMNS_MAX);
        check_columns(name, long.map(|(index, _)| index + 1).collect(), COLUMNS_MAX, violations);
    }
    for (name, text) in files.with(&["md"]) {
        check_columns(name, long_prose(text), MARKDOWN_COLUMNS_MAX, violations);
    }
}

/// Returns the numbers of the lines of prose that are too long.
fn long_prose(text: &str) -> Vec<usize> {
    let mut is_code = false;
    let mut long = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        let cannot_wrap = is_code || line.trim_start().starts_with(['|', '#', '<']) || !line.trim().contains(' ');
        if !cannot_wrap && line.chars().count() > MARKDOWN_COLUMNS_MAX {
            long.push(index + 1);
        }
    }
    long
}

fn check_columns(name: &str, long: Vec<usize>, columns_max: usize, violations: &mut Vec<Violation>) {
    if let Some(first) = long.first() {
        let message = format!("{} lines of more than {columns_max} columns", long.len());
        violations.push(violation("columns", name, long.len(), *first, message));
    }
}

fn violation(rule: &'static str, file: &str, size: usize, line: usize, message: String) -> Violation {
    Violation { rule, file: file.to_owned(), item: String::new(), size, line, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prose_of_markdown_is_measured() {
        let long = "word ".repeat(30);
        let text = format!("{long}\n| {long} |\n```\n{long}\n```\n# {long}\nshort\n");
        assert_eq!(long_prose(&text), [1]);
    }
}
