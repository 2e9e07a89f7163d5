//! Violations of rules, as all checks report them.

/// One violation of a rule.
///
/// A rule, a file and an item identify it, so that moving lines around changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// The name of the rule.
    pub(crate) rule: &'static str,
    /// The file, relative to the root.
    pub(crate) file: String,
    /// The function, the word or the like; empty where the whole file is meant.
    pub(crate) item: String,
    /// The measured size, or the number of occurrences.
    pub(crate) size: usize,
    /// The line of the first occurrence, counted from 1.
    pub(crate) line: usize,
    /// An explanation for people.
    pub(crate) message: String,
}

impl Violation {
    /// Returns it as compilers print theirs.
    pub(crate) fn line(&self) -> String {
        format!("{}:{}: {} [{}]", self.file, self.line, self.message, self.rule)
    }
}
