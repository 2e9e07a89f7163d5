//! The record of calls, and of what was wrong with them.

use std::collections::VecDeque;

/// The last calls of a client, its violations, and the stand-in's own errors.
#[derive(Debug)]
pub(crate) struct Recording<C, V> {
    calls: VecDeque<C>,
    /// The maximum number of kept calls; older ones are dropped, so that long tests stay small.
    calls_max: usize,
    /// Calls that do not conform to the platform's description or documentation.
    pub(crate) violations: Vec<V>,
    /// Answers and events of the stand-in that do not conform to the description.
    pub(crate) own_misfits: Vec<String>,
}

impl<C, V> Recording<C, V> {
    pub(crate) fn new(calls_max: usize) -> Self {
        Self { calls: VecDeque::new(), calls_max, violations: Vec::new(), own_misfits: Vec::new() }
    }

    pub(crate) fn record_call(&mut self, call: C) {
        self.calls.push_back(call);
        if self.calls.len() > self.calls_max {
            self.calls.pop_front();
        }
    }

    /// Returns the kept calls, the oldest first.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &C> {
        self.calls.iter()
    }
}
