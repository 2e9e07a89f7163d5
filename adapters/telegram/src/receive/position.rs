//! Which updates were taken in: the number of the last one is committed with it, and which before it are missing. Telegram brings them
//! in order for each chat alone, and one that could not be taken comes again later.

use std::collections::BTreeSet;

use palabre_model::{Batch, BotName, Millis};
use palabre_store::{Snapshot, Table, TableId};
use serde::{Deserialize, Serialize};

const POSITIONS: Table<String, Position> = Table::new(TableId::TelegramUpdates);
/// After a week without an update Telegram may go on with any number.
/// <https://core.telegram.org/bots/api#update>
const WEEK: Millis = 7 * 86_400_000;
/// So many missing ones are remembered, the latest.
const MISSING: usize = 1_000;

/// The number of the last update, when it was taken in, and those before it that were not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Position {
    /// Whose updates they are: another bot may get the name.
    bot: i64,
    last: i64,
    time: Millis,
    missing: BTreeSet<i64>,
}

pub(super) fn read(snapshot: &Snapshot, bot: &str, me: i64) -> palabre_store::Result<Position> {
    let known = POSITIONS.get(snapshot, &bot.to_owned())?.filter(|position| position.bot == me);
    Ok(known.unwrap_or(Position { bot: me, ..Position::default() }))
}

impl Position {
    /// Whether an update was taken in before.
    pub(super) fn has_passed(&self, id: i64, now: Millis) -> bool {
        id <= self.last && !self.missing.contains(&id) && now.saturating_sub(self.time) < WEEK
    }

    /// Nothing was taken in of those that come now.
    pub(super) fn begin_anew(&mut self) {
        *self = Self { bot: self.bot, ..Self::default() };
    }

    /// The first update that is asked for; none where any number may come.
    pub(super) fn next(&self, now: Millis) -> Option<i64> {
        (self.last > 0 && now.saturating_sub(self.time) < WEEK).then_some(self.last + 1)
    }

    /// An update is taken in.
    pub(super) fn pass(&mut self, rows: &mut Batch, bot: &BotName, id: i64, now: Millis) {
        if !self.missing.remove(&id) {
            if self.last > 0 && id > self.last {
                let first = (self.last + 1).max(id.saturating_sub(i64::try_from(MISSING).unwrap_or(i64::MAX)));
                self.missing.extend(first..id);
            }
            self.last = id;
        }
        self.time = now;
        while self.missing.len() > MISSING {
            self.missing.pop_first();
        }
        POSITIONS.put(rows, &bot.to_string(), self);
    }
}
