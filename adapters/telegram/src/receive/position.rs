//! Which updates were taken in: the number of the last one is committed with it.

use palabre_model::{Batch, BotName, Millis};
use palabre_store::{Snapshot, Table, TableId};
use serde::{Deserialize, Serialize};

const POSITIONS: Table<String, Position> = Table::new(TableId::TelegramUpdates);
/// After a week without an update Telegram may go on with any number.
/// <https://core.telegram.org/bots/api#update>
const WEEK: Millis = 7 * 86_400_000;

/// The number of the last update, and when it was taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    last: i64,
    time: Millis,
}

pub(super) fn read(snapshot: &Snapshot, bot: &str) -> palabre_store::Result<Position> {
    Ok(POSITIONS.get(snapshot, &bot.to_owned())?.unwrap_or_default())
}

impl Position {
    /// Whether an update was taken in before.
    pub(super) const fn has_passed(&self, id: i64, now: Millis) -> bool {
        id <= self.last && now.saturating_sub(self.time) < WEEK
    }

    /// The first update that is asked for; none where any number may come.
    pub(super) fn next(&self, now: Millis) -> Option<i64> {
        (self.last > 0 && now.saturating_sub(self.time) < WEEK).then_some(self.last + 1)
    }

    /// An update is taken in.
    pub(super) fn pass(&mut self, rows: &mut Batch, bot: &BotName, id: i64, now: Millis) {
        *self = Self { last: id, time: now };
        POSITIONS.put(rows, &bot.to_string(), self);
    }
}
