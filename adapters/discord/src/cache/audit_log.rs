//! Recent entries of the audit log, which name the authors of events.

use std::collections::VecDeque;

use palabre_types::{Millis, User};

use crate::frames;

/// The longest time from an entry to the event that it belongs to.
const ENTRY_LIFETIME: Millis = 10_000;
/// The most entries kept.
const ENTRIES_MAX: usize = 64;

/// An entry about a user.
#[derive(Debug, Clone)]
pub(crate) struct Audited {
    pub(crate) guild: u64,
    pub(crate) target: u64,
    /// The type of the entry.
    pub(crate) what: u16,
    pub(crate) by: User,
    pub(crate) reason: Option<String>,
    /// The time at which it was received.
    pub(crate) at: Millis,
}

impl Audited {
    /// Whether it was created from `entry`.
    fn is_of(&self, entry: &frames::Audit) -> bool {
        (self.guild, self.target, self.what) == (entry.guild_id.get(), entry.target_id.get(), entry.action_type)
    }
}

/// Recent entries, oldest first.
#[derive(Default)]
pub(crate) struct AuditLog(VecDeque<Audited>);

impl AuditLog {
    /// Appends an entry, and drops the oldest one if there are too many.
    pub(crate) fn push(&mut self, entry: Audited) {
        self.0.push_back(entry);
        if self.0.len() > ENTRIES_MAX {
            self.0.pop_front();
        }
    }

    /// Returns the recent entry of an event.
    pub(crate) fn find(&self, guild: u64, target: u64, what: u16, now: Millis) -> Option<&Audited> {
        self.0.get(self.position(guild, target, what, now)?)
    }

    /// Removes and returns the recent entry of an event.
    pub(crate) fn take(&mut self, guild: u64, target: u64, what: u16, now: Millis) -> Option<Audited> {
        let index = self.position(guild, target, what, now)?;
        self.0.remove(index)
    }

    /// Removes the last entry if it was created from `entry`.
    pub(crate) fn retract(&mut self, entry: &frames::Audit) {
        self.0.pop_back_if(|last| last.is_of(entry));
    }

    fn position(&self, guild: u64, target: u64, what: u16, now: Millis) -> Option<usize> {
        let is_it = |entry: &Audited| entry.guild == guild && entry.target == target && entry.what == what;
        self.0.iter().position(|entry| is_it(entry) && entry.at + ENTRY_LIFETIME >= now)
    }
}
