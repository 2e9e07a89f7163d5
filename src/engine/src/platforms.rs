//! The bots of an engine, each with its adapter, its condition and its outbox.

use std::collections::HashMap;
use std::sync::Arc;

use palabre_platform::{Adapter, Condition, Metric};
use palabre_types::{Bot, BotName, CommandSpec};
use tokio::sync::watch;

use crate::operators::Settings;
use crate::outbox::bot::BotOutbox;
use crate::recent_deliveries::RecentDeliveries;
use crate::refusals::Refusals;
use crate::status::{BotState, BotStatus};

/// One bot: its adapter, condition, commands and outbox.
pub(crate) struct Attached {
    pub(crate) bot: Bot,
    pub(crate) adapter: Arc<dyn Adapter>,
    pub(crate) condition: watch::Sender<Condition>,
    pub(crate) commands: watch::Sender<Arc<Vec<CommandSpec>>>,
    outbox: BotOutbox,
}

/// All bots, with their adapters. Fixed for the life of an engine.
#[derive(Default)]
pub(crate) struct Platforms {
    bots: Vec<Attached>,
    pub(crate) recent_deliveries: RecentDeliveries,
    pub(crate) refusals: Refusals,
    by_name: HashMap<BotName, usize>,
    /// The outbox for what is left of bots that are not configured any more.
    no_bot: BotOutbox,
}

impl Platforms {
    pub(crate) fn new(bots: Vec<(Bot, Arc<dyn Adapter>)>, settings: &Settings) -> Self {
        let by_name = bots.iter().enumerate().map(|(index, (bot, _))| (bot.name.clone(), index)).collect();
        let attached = |(bot, adapter): (Bot, Arc<dyn Adapter>)| Attached {
            outbox: BotOutbox::new(settings.get(&bot.name).map(|settings| settings.outbox).unwrap_or_default()),
            bot,
            adapter,
            condition: watch::Sender::default(),
            commands: watch::Sender::new(Arc::default()),
        };
        let bots = bots.into_iter().map(attached).collect();
        Self {
            bots,
            recent_deliveries: RecentDeliveries::default(),
            refusals: Refusals::default(),
            by_name,
            no_bot: BotOutbox::default(),
        }
    }

    pub(crate) fn bots(&self) -> &[Attached] {
        &self.bots
    }

    /// Returns the outbox of a bot.
    pub(crate) fn outbox(&self, bot: &str) -> &BotOutbox {
        self.by_name.get(bot).and_then(|index| self.bots.get(*index)).map_or(&self.no_bot, |attached| &attached.outbox)
    }

    /// Whether the bot is connected, as its adapter reports.
    pub(crate) fn is_up(&self, bot: &str) -> bool {
        let attached = self.by_name.get(bot).and_then(|index| self.bots.get(*index));
        attached.is_some_and(|attached| *attached.condition.borrow() == Condition::Up)
    }

    pub(crate) fn adapter(&self, bot: &str) -> Option<&Arc<dyn Adapter>> {
        Some(&self.bots.get(*self.by_name.get(bot)?)?.adapter)
    }

    /// Publishes to each platform the commands that `of_bot` returns.
    pub(crate) fn offer(&self, of_bot: impl Fn(&BotName) -> Vec<CommandSpec>) {
        for attached in &self.bots {
            let commands = of_bot(&attached.bot.name);
            attached.commands.send_if_modified(|known| {
                let is_news = **known != commands;
                *known = Arc::new(commands);
                is_news
            });
        }
    }

    /// Returns the figures of all adapters, each with its bot.
    pub(crate) fn figures(&self) -> Vec<(BotName, Metric)> {
        let of = |attached: &Attached| {
            let name = attached.bot.name.clone();
            attached.adapter.figures().into_iter().map(move |figure| (name.clone(), figure))
        };
        self.bots.iter().flat_map(of).collect()
    }

    pub(crate) fn status(&self) -> Vec<BotStatus> {
        self.bots
            .iter()
            .map(|Attached { bot, condition, outbox, .. }| {
                let (waiting_actions, waiting_bytes) = outbox.usage();
                BotStatus {
                    name: bot.name.clone(),
                    platform: bot.platform.to_string(),
                    state: BotState::from(&*condition.borrow()),
                    waiting_actions,
                    waiting_bytes,
                    is_full: outbox.check(bot.name.as_str(), false).is_some(),
                    held_back: outbox.breaker.reason(),
                }
            })
            .collect()
    }
}
