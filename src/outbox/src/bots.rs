//! The bots whose actions the outbox performs.

use std::collections::HashMap;
use std::sync::Arc;

use palabre_platform::{Adapter, Condition};
use palabre_types::BotName;
use tokio::sync::watch;

use crate::bot::BotOutbox;

/// One bot, as far as the outbox uses it.
pub struct OutboxBot {
    /// Performs its actions.
    pub adapter: Arc<dyn Adapter>,
    /// The state of its connection, as the adapter reports it.
    pub condition: watch::Receiver<Condition>,
    /// Its outbox.
    pub outbox: BotOutbox,
}

/// The bots whose actions the outbox performs. Fixed for the life of an outbox.
pub struct Bots {
    by_name: HashMap<BotName, OutboxBot>,
    /// The outbox for what is left of bots that are not configured any more.
    no_bot: BotOutbox,
}

impl Bots {
    /// Returns bots by their names.
    #[must_use]
    pub fn new(by_name: HashMap<BotName, OutboxBot>) -> Self {
        Self { by_name, no_bot: BotOutbox::default() }
    }

    /// Returns the outbox of a bot. Bots that are not configured any more share one.
    #[must_use]
    pub fn outbox(&self, bot: &str) -> &BotOutbox {
        self.by_name.get(bot).map_or(&self.no_bot, |known| &known.outbox)
    }

    /// Whether the bot is connected, as its adapter reports.
    pub(crate) fn is_up(&self, bot: &str) -> bool {
        self.by_name.get(bot).is_some_and(|known| *known.condition.borrow() == Condition::Up)
    }

    /// Returns the adapter of a bot; `None` if the bot is not configured any more.
    #[must_use]
    pub fn adapter(&self, bot: &str) -> Option<&Arc<dyn Adapter>> {
        Some(&self.by_name.get(bot)?.adapter)
    }
}
