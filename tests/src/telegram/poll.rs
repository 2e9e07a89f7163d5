//! The votes of polls.

use std::collections::BTreeMap;

/// The votes of a poll.
#[derive(Debug, Clone)]
pub(super) struct Ballot {
    pub(super) chat: i64,
    pub(super) message: i64,
    /// The chosen options by user.
    pub(super) votes: BTreeMap<i64, Vec<usize>>,
}
