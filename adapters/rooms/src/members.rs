//! Members of the service as moderators have made them: roles, names, mutes, bans. Terms end by themselves: they are
//! compared with the clock when it matters.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use palabre_model::{Batch, Measure, Member, Millis, UserId, iso8601};
use palabre_store::{Direction, Result as StoreResult, Store, Table, TableId};
use serde::{Deserialize, Serialize};

/// Members by lower-case username; those of whom there is nothing to say have no row.
const MEMBERS: Table<String, MemberRow> = Table::new(TableId::RoomMembers);

/// The longest name of a person, a role, or in a role's place, in characters.
const NAME: usize = 64;
/// How many roles a member has at most.
const ROLES: usize = 64;

/// What there is to say of a member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MemberRow {
    pub(crate) roles: Vec<String>,
    pub(crate) nickname: Option<String>,
    /// `Millis::MAX` is until somebody ends it.
    pub(crate) muted_until: Option<Millis>,
    /// As `muted_until`.
    pub(crate) banned_until: Option<Millis>,
    /// Why, of the last mute or ban.
    pub(crate) reason: Option<String>,
}

/// All members. What is in memory is what the store has, or is about to have.
#[derive(Default)]
pub(crate) struct Members {
    rows: Mutex<HashMap<String, MemberRow>>,
}

/// Takes a measure back that could not be saved.
pub(crate) struct Undo {
    name: String,
    before: MemberRow,
    after: MemberRow,
}

impl MemberRow {
    /// The member as events have it.
    pub(crate) fn member(&self, user: UserId, now: Millis) -> Member {
        Member {
            user,
            roles: self.roles.clone(),
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

    fn after(&self, measure: &Measure, reason: Option<&str>) -> Self {
        let mut row = self.clone();
        match measure {
            Measure::Mute { until } => {
                row.muted_until = Some(until.unwrap_or(Millis::MAX));
                row.reason = reason.map(ToOwned::to_owned);
            }
            Measure::Unmute => row.muted_until = None,
            Measure::Kick => {}
            Measure::Ban { until, .. } => {
                row.banned_until = Some(until.unwrap_or(Millis::MAX));
                row.reason = reason.map(ToOwned::to_owned);
            }
            Measure::Unban => row.banned_until = None,
            Measure::AddRole(role) if row.roles.contains(role) => {}
            Measure::AddRole(role) => row.roles.push(role.clone()),
            Measure::RemoveRole(role) => row.roles.retain(|other| other != role),
            Measure::Rename(name) => row.nickname = (!name.is_empty()).then(|| name.clone()),
        }
        if row.muted_until.is_none() && row.banned_until.is_none() {
            row.reason = None;
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
    pub(crate) fn fill(&self, rows: HashMap<String, MemberRow>) {
        *self.lock() = rows;
    }

    /// What there is to say of somebody, by lower-case username.
    pub(crate) fn row(&self, name: &str) -> MemberRow {
        self.lock().get(name).cloned().unwrap_or_default()
    }

    /// Why `measure` cannot be taken against `name`, if so.
    pub(crate) fn check(&self, name: &str, measure: &Measure) -> Option<String> {
        let is_long = |text: &str| text.chars().count() > NAME;
        match measure {
            Measure::AddRole(role) if role.is_empty() || is_long(role) => {
                Some(format!("a role's name has 1 to {NAME} characters"))
            }
            Measure::AddRole(_) if self.row(name).roles.len() >= ROLES => {
                Some(format!("{name} has {ROLES} roles already, which is the limit"))
            }
            Measure::Rename(nickname) if is_long(nickname) => Some(format!("a nickname has at most {NAME} characters")),
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
    pub(crate) fn take<R>(
        &self,
        name: &str,
        measure: &Measure,
        reason: Option<&str>,
        hand_over: impl FnOnce(&MemberRow, &MemberRow, Batch) -> R,
    ) -> Option<(Undo, R)> {
        let mut rows = self.lock();
        let before = rows.get(name).cloned().unwrap_or_default();
        let after = before.after(measure, reason);
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
        set(&mut rows, name, &after);
        Some((Undo { name: name.to_owned(), before, after }, handed))
    }

    /// Takes a measure back, unless another was taken since.
    pub(crate) fn undo(&self, undo: Undo) {
        let mut rows = self.lock();
        if rows.get(&undo.name).cloned().unwrap_or_default() == undo.after {
            set(&mut rows, &undo.name, &undo.before);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, MemberRow>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set(rows: &mut HashMap<String, MemberRow>, name: &str, row: &MemberRow) {
    if *row == MemberRow::default() {
        rows.remove(name);
    } else {
        rows.insert(name.to_owned(), row.clone());
    }
}
