//! Members of the service as moderators have made them: roles, names, mutes, bans. Terms end by themselves: they are
//! compared with the clock when it matters.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use palabre_model::{Batch, Measure, Member, Millis, UserId, iso8601};
use palabre_store::{Direction, Result as StoreResult, Store, Table, TableId};
use palabre_text::skeleton;
use serde::{Deserialize, Serialize};

/// Members by lower-case username; those of whom there is nothing to say have no row.
const MEMBERS: Table<String, MemberRow> = Table::new(TableId::RoomMembers);

/// The longest name of a person, a role, or in a role's place, in characters.
const NAME_MAX: usize = 64;
/// How many roles a member has at most.
const ROLES_MAX: usize = 64;
/// A clock is stepped by seconds now and then; nothing is done about less than this.
const CLOCK_STEP_MAX: Millis = 60_000;

/// What there is to say of a member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MemberRow {
    pub(crate) roles: Vec<String>,
    /// The id of the guest who has the roles: whoever else comes in under the name has none.
    pub(crate) role_holder: Option<String>,
    pub(crate) nickname: Option<String>,
    /// `Millis::MAX` is until somebody ends it.
    pub(crate) muted_until: Option<Millis>,
    /// As `muted_until`.
    pub(crate) banned_until: Option<Millis>,
    /// When the mute was set.
    pub(crate) muted_at: Option<Millis>,
    /// When the ban was set.
    pub(crate) banned_at: Option<Millis>,
    /// Why, of the last mute or ban.
    pub(crate) reason: Option<String>,
    /// The id of the guest whom the mute or ban concerns, whatever name they come in under.
    pub(crate) barred_guest: Option<String>,
}

/// All members. What is in memory is what the store has, or is about to have.
#[derive(Default)]
pub(crate) struct Members {
    rows: Mutex<Rows>,
}

/// The rows, and the names of those with a mute or a ban by what the name looks like and by guest.
#[derive(Default)]
struct Rows {
    by_name: HashMap<String, MemberRow>,
    barred_by_skeleton: HashMap<String, BTreeSet<String>>,
    barred_by_guest: HashMap<String, BTreeSet<String>>,
}

/// Takes a measure back that could not be saved.
pub(crate) struct Undo {
    name: String,
    before: MemberRow,
    after: MemberRow,
}

impl MemberRow {
    /// The member as events have it; `guest` is the id of the guest who goes by the name.
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

    /// Why the person may not speak, if so.
    pub(crate) fn muted(&self, now: Millis) -> Option<String> {
        self.is_muted(now).then(|| self.sentence("you are muted", self.muted_until))
    }

    /// Why the person may not come in, if so.
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

    /// Whether some measure keeps the person from speaking or from coming in.
    fn is_barred(&self) -> bool {
        self.muted_until.is_some() || self.banned_until.is_some()
    }

    /// The row after a measure that is taken at `now`; `guest` is the id of the guest who goes by the name at present.
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
                    // The name is somebody else's now; what its last holder had is not theirs.
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
    /// All that the store has.
    pub(crate) fn read(store: &Store) -> StoreResult<HashMap<String, MemberRow>> {
        let snapshot = store.snapshot(0)?;
        MEMBERS.scan(&snapshot, &Vec::new(), Direction::Forward)?.collect()
    }

    /// Takes what the store has for what there is.
    pub(crate) fn fill(&self, read: HashMap<String, MemberRow>) {
        let mut rows = Rows::default();
        read.iter().for_each(|(name, row)| rows.set(name, row));
        *self.lock() = rows;
    }

    /// What there is to say of somebody, by lower-case username.
    fn row(&self, name: &str) -> MemberRow {
        self.lock().by_name.get(name).cloned().unwrap_or_default()
    }

    /// The member as events have it, by user id; `guest` is the id of the guest who goes by the name.
    pub(crate) fn member(&self, user: UserId, guest: Option<&str>, now: Millis) -> Member {
        let rows = self.lock();
        let name = user.native().to_owned();
        let muted = rows.concerning(&name, guest).any(|row| row.is_muted(now));
        let member = rows.by_name.get(&name).cloned().unwrap_or_default().member(user, guest, now);
        Member { muted, ..member }
    }

    /// Returns the id of the guest who was given the roles of a name.
    pub(crate) fn role_holder(&self, name: &str) -> Option<Arc<str>> {
        self.lock().by_name.get(name)?.role_holder.as_deref().map(Into::into)
    }

    /// Returns the row that bans whoever comes under `name`, a name that looks like it, or as that guest under any other.
    pub(crate) fn banning(&self, name: &str, guest: &str, now: Millis) -> Option<MemberRow> {
        self.lock().concerning(name, Some(guest)).find(|row| row.is_banned(now)).cloned()
    }

    /// Returns the row that mutes somebody, as [`Members::banning`].
    pub(crate) fn muting(&self, name: &str, guest: &str, now: Millis) -> Option<MemberRow> {
        self.lock().concerning(name, Some(guest)).find(|row| row.is_muted(now)).cloned()
    }

    /// Why `measure` cannot be taken against `name`, if so; `guest` is the id of the guest who goes by it at present.
    pub(crate) fn check(&self, name: &str, measure: &Measure, guest: Option<&str>) -> Option<String> {
        let is_long = |text: &str| text.chars().count() > NAME_MAX;
        match measure {
            Measure::AddRole(role) if role.is_empty() || is_long(role) => {
                Some(format!("a role's name has 1 to {NAME_MAX} characters"))
            }
            Measure::AddRole(role) if guest.is_none() && !self.row(name).roles.contains(role) => {
                let problem = "is not online: a role is given to a guest and not to a name, so that nobody else has it under that name";
                Some(format!("{name} {problem}"))
            }
            Measure::AddRole(role)
                if self.row(name).roles.len() >= ROLES_MAX && !self.row(name).roles.contains(role) =>
            {
                Some(format!("{name} has {ROLES_MAX} roles already, which is the limit"))
            }
            Measure::Rename(nickname) if is_long(nickname) => {
                Some(format!("a nickname has at most {NAME_MAX} characters"))
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

    /// Takes a measure. `hand_over` gets the row before and after, and what is to be written; it is called while nobody
    /// else takes one, so that measures reach the store in the order in which they were taken. `None` when nothing
    /// changes.
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

    /// Lets mutes and bans begin now that were set in a time that never was, since the clock was ahead. Returns what is to be written.
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

    /// Takes a measure back, unless another was taken since.
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
    /// Puts a row, or takes it away when there is nothing to say any more.
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

    /// The rows with a mute or a ban that concern whoever goes by `name`, or that guest.
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

/// A mute or a ban until `end`. One that is the same as before was set when it was.
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
        assert!(members.restart_future_terms(2_000).is_empty(), "once");
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
