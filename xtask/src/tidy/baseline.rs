//! The baseline: violations that are accepted for a reason. It can only shrink.

use std::collections::BTreeMap;
use std::path::Path;

use super::violation::Violation;
use crate::problem::Problem;

/// The identity of a violation: rule, file, item.
type Key = (String, String, String);

/// Accepted violations: the largest accepted size, and the reason.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Baseline {
    entries: BTreeMap<Key, (usize, String)>,
}

/// The result of a comparison.
pub(crate) struct Difference<'v> {
    /// Violations that are not accepted, or have grown.
    pub(crate) new: Vec<&'v Violation>,
    /// Entries that accept more than there is, as they stand in the file.
    pub(crate) outdated: Vec<String>,
    /// The baseline with outdated entries removed or lowered.
    pub(crate) shrunk: Baseline,
}

impl Baseline {
    /// Reads the baseline; a missing file is an empty one.
    ///
    /// # Errors
    /// When a line does not have five columns, or no reason.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let text = match std::fs::read_to_string(path) {
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            read => read.map_err(Problem::file("read", path))?,
        };
        Self::parse(&text).map_err(|what| Problem::Unreadable { path: path.to_owned(), what })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut entries = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let columns: Vec<&str> = line.split('\t').collect();
            let [rule, file, item, size, reason] = columns[..] else {
                return Err(format!("not rule, file, item, size and reason with tabs between them: {line}"));
            };
            let size = size.parse().map_err(|_not_a_number| format!("the size is not a number: {line}"))?;
            if reason.trim().is_empty() {
                return Err(format!("an entry has no reason: {line}"));
            }
            entries.insert((rule.to_owned(), file.to_owned(), item.to_owned()), (size, reason.to_owned()));
        }
        Ok(Self { entries })
    }

    /// Accepts all of `violations` for one reason.
    pub(crate) fn of(violations: &[Violation], reason: &str) -> Self {
        Self {
            entries: violations.iter().map(|violation| (key(violation), (violation.size, reason.to_owned()))).collect(),
        }
    }

    /// Compares the violations that there are with the accepted ones.
    pub(crate) fn compare<'v>(&self, violations: &'v [Violation]) -> Difference<'v> {
        let key = |violation: &Violation| (violation.rule.to_owned(), violation.file.clone(), violation.item.clone());
        let found: BTreeMap<Key, usize> = violations.iter().map(|violation| (key(violation), violation.size)).collect();
        let is_new =
            |violation: &&Violation| self.entries.get(&key(violation)).is_none_or(|(size, _)| violation.size > *size);
        let (mut outdated, mut shrunk) = (Vec::new(), Self::default());
        for (key, (size, reason)) in &self.entries {
            let now = found.get(key).copied();
            if now.is_none_or(|now| now < *size) {
                outdated.push(entry(key, *size, reason));
            }
            if let Some(now) = now {
                shrunk.entries.insert(key.clone(), (now.min(*size), reason.clone()));
            }
        }
        Difference { new: violations.iter().filter(is_new).collect(), outdated, shrunk }
    }

    /// Writes the baseline.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Problem> {
        let mut text =
            "# rule, file, item, size, reason. This list may only shrink: `cargo xtask tidy --shrink`.\n".to_owned();
        for (key, (size, reason)) in &self.entries {
            text.push_str(&entry(key, *size, reason));
            text.push('\n');
        }
        std::fs::write(path, text).map_err(Problem::file("write", path))
    }
}

fn key(violation: &Violation) -> Key {
    (violation.rule.to_owned(), violation.file.clone(), violation.item.clone())
}

fn entry((rule, file, item): &Key, size: usize, reason: &str) -> String {
    format!("{rule}\t{file}\t{item}\t{size}\t{reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(item: &str, size: usize) -> Violation {
        let (file, message) = ("a.rs".to_owned(), String::new());
        Violation { rule: "function-lines", file, item: item.to_owned(), size, line: 1, message }
    }

    #[test]
    fn what_is_new_or_has_grown_is_reported_and_what_has_shrunk_is_lowered() {
        let text = "function-lines\ta.rs\tkept\t80\twhy\nfunction-lines\ta.rs\tgrown\t80\twhy\n\
                    function-lines\ta.rs\tsmaller\t80\twhy\nfunction-lines\ta.rs\tgone\t80\twhy\n";
        let baseline = Baseline::parse(text).unwrap();
        let violations =
            [violation("kept", 80), violation("grown", 81), violation("smaller", 75), violation("new", 71)];
        let difference = baseline.compare(&violations);
        let new: Vec<&str> = difference.new.iter().map(|violation| violation.item.as_str()).collect();
        assert_eq!(new, ["grown", "new"]);
        assert_eq!(difference.outdated.len(), 2);
        let repeated = difference.shrunk.compare(&violations);
        assert!(repeated.outdated.is_empty());
        assert_eq!(repeated.new.len(), 2, "shrinking accepts nothing new");
    }

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        assert!(Baseline::parse("columns\ta.rs\t\t3\t \n").is_err());
        assert!(Baseline::parse("columns\ta.rs\t3\n").is_err());
        assert!(Baseline::parse("# a comment\n\n").unwrap().entries.is_empty());
    }
}
