//! Members of the service: roles, nicknames, mutes and bans.
//!
//! Mutes and bans expire by comparison with the clock when they are checked.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use palabre_store::{Direction, Result as StoreResult, Store, Table};
use palabre_text::skeleton;
use palabre_types::TableId;
use palabre_types::{Batch, Measure, Member, Millis, UserId, iso8601};
use serde::{Deserialize, Serialize};

/// Members by lower-case username; a member without roles, nickname, mute or ban has no row.
const MEMBERS: Table<String, MemberRow> = Table::new(TableId::RoomMembers);

/// Maximum length of a role or nickname, in characters.
const NAME_MAX: usize = 64;
/// Maximum number of roles of a member.
const ROLES_MAX: usize = 64;
/// Clock corrections up to this are ignored, in milliseconds.
const CLOCK_STEP_MAX: Millis = 60_000;

/// Roles, nickname, mute and ban of one member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MemberRow {
    pub(crate) roles: Vec<String>,
    /// Id of the guest who holds the roles; another guest under the same name has none.
    pub(crate) role_holder: Option<String>,
    pub(crate) nickname: Option<String>,
    /// `Millis::MAX` is indefinite.
    pub(crate) muted_until: Option<Millis>,
    /// `Millis::MAX` is indefinite.
    pub(crate) banned_until: Option<Millis>,
    /// Start of the mute, in Unix milliseconds.
    pub(crate) muted_at: Option<Millis>,
    /// Start of the ban, in Unix milliseconds.
    pub(crate) banned_at: Option<Millis>,
    /// Reason of the last mute or ban.
    pub(crate) reason: Option<String>,
    /// Id of the muted or banned guest, to whom it applies under any name.
    pub(crate) barred_guest: Option<String>,
}

/// All members. Memory has what the store has, or will have once pending commits are durable.
#[derive(Default)]
pub(crate) struct Members {
    rows: Mutex<Rows>,
}

/// The rows, with indexes of muted and banned names by skeleton of the name and by guest.
#[derive(Default)]
struct Rows {
    by_name: HashMap<String, MemberRow>,
    barred_by_skeleton: HashMap<String, BTreeSet<String>>,
    barred_by_guest: HashMap<String, BTreeSet<String>>,
}

/// Reverts a measure that could not be saved.
pub(crate) struct Undo {
    name: String,
    before: MemberRow,
    after: MemberRow,
}

impl MemberRow {
    /// Returns the member in the form of events; `guest` is the id of the guest who uses the name.
    pub(crate) fn member(&self, user: UserId, guest: Option<&str>, now: Millis) -> Member {
        let holds_roles = guest.is_some() && guest == self.role_holder.as_deref();
        Member {
            user,
            roles: if holds_roles { self.roles.clone() } else { Vec::new() },
            nickname: self.nickname.clone(),
            muted: self.is_muted(now),
            permission: None,
        }
    }

    pub(crate) fn is_muted(&self, now: Millis) -> bool {
        self.muted_until.is_some_and(|until| now < until)
    }

    pub(crate) fn is_banned(&self, now: Millis) -> bool {
        self.banned_until.is_some_and(|until| now < until)
    }

    /// Returns the reason why the member may not write, if muted.
    pub(crate) fn muted(&self, now: Millis) -> Option<String> {
        self.is_muted(now).then(|| self.sentence("you are muted", self.muted_until))
    }

    /// Returns the reason why the member may not join, if banned.
    pub(crate) fn banned(&self, now: Millis) -> Option<String> {
        self.is_banned(now).then(|| self.sentence("you are banned", self.banned_until))
    }

    fn sentence(&self, what: &str, until: Option<Millis>) -> String {
        let term = match until {
            Some(until) if until < Millis::MAX => format!(" until {}", iso8601(until)),
            _ => String::new(),
        };
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{what}{term}{reason}")
    }

    /// Whether there is a mute or ban, expired or not.
    fn is_barred(&self) -> bool {
        self.muted_until.is_some() || self.banned_until.is_some()
    }

    /// Returns the row after a measure at `now`; `guest` is the id of the guest who uses the name.
    fn after(&self, measure: &Measure, reason: Option<&str>, guest: Option<&str>, now: Millis) -> Self {
        let mut row = self.clone();
        match measure {
            Measure::Mute { until } => {
                set_term((&mut row.muted_at, &mut row.muted_until), until.unwrap_or(Millis::MAX), now);
                row.reason = reason.map(ToOwned::to_owned);
            }
            Measure::Unmute => (row.muted_at, row.muted_until) = (None, None),
            Measure::Kick => {}
            Measure::Ban { until, .. } => {
                set_term((&mut row.banned_at, &mut row.banned_until), until.unwrap_or(Millis::MAX), now);
                row.reason = reason.map(ToOwned::to_owned);
            }
            Measure::Unban => (row.banned_at, row.banned_until) = (None, None),
            Measure::AddRole(role) => {
                if guest.is_some() && guest != row.role_holder.as_deref() {
                    // Another guest uses the name now and does not inherit the roles.
                    row.roles.clear();
                    row.role_holder = guest.map(ToOwned::to_owned);
                }
                if !row.roles.contains(role) {
                    row.roles.push(role.clone());
                }
            }
            Measure::RemoveRole(role) => {
                row.roles.retain(|other| other != role);
                if row.roles.is_empty() {
                    row.role_holder = None;
                }
            }
            Measure::Rename(name) => row.nickname = (!name.is_empty()).then(|| name.clone()),
        }
        if !row.is_barred() {
            (row.reason, row.barred_guest) = (None, None);
        } else if matches!(measure, Measure::Mute { .. } | Measure::Ban { .. }) && guest.is_some() {
            row.barred_guest = guest.map(ToOwned::to_owned);
        }
        row
    }
}

impl Members {
    /// Reads all members from the store.
    pub(crate) fn read(store: &Store) -> StoreResult<HashMap<String, MemberRow>> {
        let snapshot = store.snapshot(0)?;
        MEMBERS.scan(&snapshot, &Vec::new(), Direction::Forward)?.collect()
    }

    /// Replaces the members in memory with those read from the store.
    pub(crate) fn fill(&self, read: HashMap<String, MemberRow>) {
        let mut rows = Rows::default();
        read.iter().for_each(|(name, row)| rows.set(name, row));
        *self.lock() = rows;
    }

    /// Returns the row of a lower-case username.
    fn row(&self, name: &str) -> MemberRow {
        self.lock().by_name.get(name).cloned().unwrap_or_default()
    }

    /// Returns the member in the form of events; `guest` is the id of the guest who uses the name.
    pub(crate) fn member(&self, user: UserId, guest: Option<&str>, now: Millis) -> Member {
        let rows = self.lock();
        let name = user.native().to_owned();
        let muted = rows.concerning(&name, guest).any(|row| row.is_muted(now));
        let member = rows.by_name.get(&name).cloned().unwrap_or_default().member(user, guest, now);
        Member { muted, ..member }
    }

    /// Returns the id of the guest who holds the roles of a name.
    pub(crate) fn role_holder(&self, name: &str) -> Option<Arc<str>> {
        self.lock().by_name.get(name)?.role_holder.as_deref().map(Into::into)
    }

    /// Returns the row that bans `name`, a name that looks like it, or the guest.
    pub(crate) fn banning(&self, name: &str, guest: &str, now: Millis) -> Option<MemberRow> {
        self.lock().concerning(name, Some(guest)).find(|row| row.is_banned(now)).cloned()
    }

    /// Returns the row that mutes `name`, a name that looks like it, or the guest.
    pub(crate) fn muting(&self, name: &str, guest: &str, now: Millis) -> Option<MemberRow> {
        self.lock().concerning(name, Some(guest)).find(|row| row.is_muted(now)).cloned()
    }

    /// Returns the reason why `measure` cannot be applied to `name`, if there is one.
    ///
    /// `guest` is the id of the guest who uses the name.
    pub(crate) fn check(&self, name: &str, measure: &Measure, guest: Option<&str>) -> Option<String> {
        let is_long = |text: &str| text.chars().count() > NAME_MAX;
        match measure {
            Measure::AddRole(role) if role.is_empty() || is_long(role) => {
                Some(format!("the name of a role must have 1 to {NAME_MAX} characters"))
            }
            Measure::AddRole(role) if guest.is_none() && !self.row(name).roles.contains(role) => {
                let problem = "is not online; roles are given to guests who are online, not to names";
                Some(format!("{name} {problem}"))
            }
            Measure::AddRole(role)
                if self.row(name).roles.len() >= ROLES_MAX && !self.row(name).roles.contains(role) =>
            {
                Some(format!("{name} already has {ROLES_MAX} roles, which is the limit; remove one first"))
            }
            Measure::Rename(nickname) if is_long(nickname) => {
                Some(format!("a nickname must have at most {NAME_MAX} characters"))
            }
            Measure::Mute { .. }
            | Measure::Unmute
            | Measure::Kick
            | Measure::Ban { .. }
            | Measure::Unban
            | Measure::AddRole(_)
            | Measure::RemoveRole(_)
            | Measure::Rename(_) => None,
        }
    }

    /// Applies a measure. Returns `None` when nothing changes.
    ///
    /// `hand_over` gets the row before and after, and the batch to write. It is called under the
    /// lock, so that measures reach the store in the order in which they are applied.
    pub(crate) fn apply<R>(
        &self,
        name: &str,
        measure: &Measure,
        reason: Option<&str>,
        (guest, now): (Option<&str>, Millis),
        hand_over: impl FnOnce(&MemberRow, &MemberRow, Batch) -> R,
    ) -> Option<(Undo, R)> {
        let mut rows = self.lock();
        let before = rows.by_name.get(name).cloned().unwrap_or_default();
        let after = before.after(measure, reason, guest, now);
        if before == after {
            return None;
        }
        let mut batch = Batch::default();
        if after == MemberRow::default() {
            MEMBERS.delete(&mut batch, &name.to_owned());
        } else {
            MEMBERS.put(&mut batch, &name.to_owned(), &after);
        }
        let handed = hand_over(&before, &after, batch);
        rows.set(name, &after);
        Some((Undo { name: name.to_owned(), before, after }, handed))
    }

    /// Restarts mutes and bans that were set in the future, while the clock was ahead.
    ///
    /// Returns the batch to write.
    pub(crate) fn restart_future_terms(&self, now: Millis) -> Batch {
        let mut batch = Batch::default();
        for (name, row) in &mut self.lock().by_name {
            let before = row.clone();
            restart_future_term(&mut row.muted_at, &mut row.muted_until, now);
            restart_future_term(&mut row.banned_at, &mut row.banned_until, now);
            if *row != before {
                MEMBERS.put(&mut batch, name, row);
            }
        }
        batch
    }

    /// Reverts a measure, unless the row has changed since.
    pub(crate) fn undo(&self, undo: Undo) {
        let mut rows = self.lock();
        if rows.by_name.get(&undo.name).cloned().unwrap_or_default() == undo.after {
            rows.set(&undo.name, &undo.before);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    /// Replaces a row, or removes it if it is empty, and updates the indexes.
    fn set(&mut self, name: &str, row: &MemberRow) {
        let shape = skeleton(name);
        let before = if *row == MemberRow::default() {
            self.by_name.remove(name)
        } else {
            self.by_name.insert(name.to_owned(), row.clone())
        };
        if let Some(before) = before.filter(MemberRow::is_barred) {
            take_name(&mut self.barred_by_skeleton, &shape, name);
            before.barred_guest.iter().for_each(|guest| take_name(&mut self.barred_by_guest, guest, name));
        }
        if row.is_barred() {
            self.barred_by_skeleton.entry(shape).or_default().insert(name.to_owned());
            if let Some(guest) = &row.barred_guest {
                self.barred_by_guest.entry(guest.clone()).or_default().insert(name.to_owned());
            }
        }
    }

    /// Returns the rows with a mute or ban that apply to `name` or to the guest.
    fn concerning(&self, name: &str, guest: Option<&str>) -> impl Iterator<Item = &MemberRow> {
        let shape = if self.barred_by_skeleton.is_empty() { String::new() } else { skeleton(name) };
        let by_name = self.barred_by_skeleton.get(&shape);
        let by_guest = guest.and_then(|guest| self.barred_by_guest.get(guest));
        by_name.into_iter().chain(by_guest).flatten().filter_map(move |name| self.by_name.get(name))
    }
}

fn take_name(index: &mut HashMap<String, BTreeSet<String>>, key: &str, name: &str) {
    let Some(names) = index.get_mut(key) else { return };
    names.remove(name);
    if names.is_empty() {
        index.remove(key);
    }
}

/// Sets a mute or ban that lasts until `end`. Repeating it keeps the time at which it was set.
fn set_term((at, until): (&mut Option<Millis>, &mut Option<Millis>), end: Millis, now: Millis) {
    if *until != Some(end) {
        (*at, *until) = (Some(now), Some(end));
    }
}

fn restart_future_term(at: &mut Option<Millis>, until: &mut Option<Millis>, now: Millis) {
    let (Some(set), Some(end)) = (*at, *until) else { return };
    if set > now.saturating_add(CLOCK_STEP_MAX) {
        *at = Some(now);
        if end < Millis::MAX {
            *until = Some(now.saturating_add(end.saturating_sub(set)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: Millis = 365 * 86_400_000;

    fn muted(at: Millis, until: Option<Millis>) -> Members {
        let members = Members::default();
        let taken = members.apply("bob", &Measure::Mute { until }, None, (None, at), |_, _, _| ());
        assert!(taken.is_some());
        members
    }

    #[test]
    fn a_mute_set_in_the_future_starts_again_now_and_lasts_as_long_as_it_should() {
        let members = muted(YEAR, Some(YEAR + 600_000));
        assert!(!members.restart_future_terms(1_000).is_empty());
        assert!(members.row("bob").is_muted(600_999) && !members.row("bob").is_muted(601_000));
        assert!(members.restart_future_terms(2_000).is_empty(), "only once");
    }

    #[test]
    fn a_mute_that_was_set_before_the_clock_went_ahead_stays_as_it_was() {
        let members = muted(1_000, Some(2 * YEAR));
        assert!(members.restart_future_terms(1_000).is_empty());
        assert!(members.row("bob").is_muted(2 * YEAR - 1));
    }

    #[test]
    fn a_mute_without_end_stays_without_end() {
        let members = muted(YEAR, None);
        drop(members.restart_future_terms(1_000));
        assert_eq!(members.row("bob").muted_until, Some(Millis::MAX));
    }
}
