//! The position in the stream of updates: the last one, and those before it that are missing.
//!
//! It is committed together with the events. Telegram keeps the order of updates within a chat
//! only, and one that was not accepted comes again later.

use std::collections::BTreeSet;

use palabre_store::{Snapshot, Table};
use palabre_types::TableId;
use palabre_types::{Batch, BotName, Millis};
use serde::{Deserialize, Serialize};

const POSITIONS: Table<String, Position> = Table::new(TableId::TelegramUpdates);
/// After a week without updates, Telegram may continue with any number.
/// <https://core.telegram.org/bots/api#update>
const WEEK: Millis = 7 * 86_400_000;
/// Maximum number of missing updates that are remembered; the oldest are forgotten.
const MISSING_MAX: usize = 1_000;

/// The number of the last update, the time at which it was handled, and the missing ones before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Position {
    /// The bot's own id: another account may get the bot's name.
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
    /// Whether an update was handled before.
    pub(super) fn has_passed(&self, id: i64, now: Millis) -> bool {
        id <= self.last && !self.missing.contains(&id) && now.saturating_sub(self.time) < WEEK
    }

    /// Starts over: none of the next updates was handled before.
    pub(super) fn reset(&mut self) {
        *self = Self { bot: self.bot, ..Self::default() };
    }

    /// Returns the first update to request; `None` if any number may come.
    pub(super) fn next(&self, now: Millis) -> Option<i64> {
        (self.last > 0 && now.saturating_sub(self.time) < WEEK).then_some(self.last + 1)
    }

    /// Records that an update was handled.
    pub(super) fn pass(&mut self, rows: &mut Batch, bot: &BotName, id: i64, now: Millis) {
        if !self.missing.remove(&id) {
            if self.last > 0 && id > self.last {
                let first = (self.last + 1).max(id.saturating_sub(i64::try_from(MISSING_MAX).unwrap_or(i64::MAX)));
                self.missing.extend(first..id);
            }
            self.last = id;
        }
        self.time = now;
        while self.missing.len() > MISSING_MAX {
            self.missing.pop_first();
        }
        POSITIONS.put(rows, &bot.to_string(), self);
    }
}
