//! The progress of an action that takes several requests, so that a retry repeats none of them.

use crate::cache::Parts;

/// The form in which a part carries text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    Text,
    Caption,
    Nothing,
}

/// The progress of an action that takes several requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    pub(super) chat: i64,
    /// The number of completed requests.
    pub(super) done: usize,
    /// The message that stands for all: the last one.
    pub(super) head: Option<i64>,
    pub(super) parts: Parts,
}

impl Progress {
    /// Records a completed request, and the messages that it created.
    pub(super) fn add(&mut self, carries: Carries, ids: &[i64]) {
        self.done += 1;
        ids.iter().for_each(|id| self.parts.add(*id));
        self.head = ids.last().copied().or(self.head);
        if carries != Carries::Nothing {
            self.parts.texts.extend(ids.last());
            self.parts.has_caption = carries == Carries::Caption;
        }
    }
}
