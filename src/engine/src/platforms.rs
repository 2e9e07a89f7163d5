//! The bots of an engine, each with its adapter, its condition and its outbox.

use std::collections::HashMap;
use std::sync::Arc;

use palabre_outbox::{BotOutbox, Bots, OutboxBot, RecentDeliveries};
use palabre_platform::{Adapter, Condition, Metric};
use palabre_runner::Settings;
use palabre_types::{Bot, BotName, CommandSpec};
use tokio::sync::watch;

use crate::refusals::Refusals;
use crate::status::{BotState, BotStatus};

/// One bot: its adapter, condition and commands.
pub(crate) struct Attached {
    pub(crate) bot: Bot,
    pub(crate) adapter: Arc<dyn Adapter>,
    pub(crate) condition: watch::Sender<Condition>,
    pub(crate) commands: watch::Sender<Arc<Vec<CommandSpec>>>,
}

/// All bots, with their adapters. Fixed for the life of an engine.
pub(crate) struct Platforms {
    bots: Vec<Attached>,
    /// The bots as the outbox uses them, each with its outbox.
    pub(crate) outbox_bots: Arc<Bots>,
    pub(crate) recent_deliveries: Arc<RecentDeliveries>,
    pub(crate) refusals: Refusals,
    by_name: HashMap<BotName, usize>,
}

impl Platforms {
    pub(crate) fn new(bots: Vec<(Bot, Arc<dyn Adapter>)>, settings: &Settings) -> Self {
        let by_name = bots.iter().enumerate().map(|(index, (bot, _))| (bot.name.clone(), index)).collect();
        let attached = |(bot, adapter): (Bot, Arc<dyn Adapter>)| Attached {
            bot,
            adapter,
            condition: watch::Sender::default(),
            commands: watch::Sender::new(Arc::default()),
        };
        let bots: Vec<Attached> = bots.into_iter().map(attached).collect();
        let outbox_bot = |attached: &Attached| {
            let name = attached.bot.name.clone();
            let limits = settings.get(&name).map(|settings| settings.outbox).unwrap_or_default();
            let (adapter, condition) = (Arc::clone(&attached.adapter), attached.condition.subscribe());
            (name, OutboxBot { adapter, condition, outbox: BotOutbox::new(limits) })
        };
        let outbox_bots = Arc::new(Bots::new(bots.iter().map(outbox_bot).collect()));
        Self { bots, outbox_bots, recent_deliveries: Arc::default(), refusals: Refusals::default(), by_name }
    }

    pub(crate) fn bots(&self) -> &[Attached] {
        &self.bots
    }

    /// Returns the outbox of a bot.
    pub(crate) fn outbox(&self, bot: &str) -> &BotOutbox {
        self.outbox_bots.outbox(bot)
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
            .map(|Attached { bot, condition, .. }| {
                let outbox = self.outbox(bot.name.as_str());
                let (waiting_actions, waiting_bytes) = outbox.usage();
                BotStatus {
                    name: bot.name.clone(),
                    platform: bot.platform.to_string(),
                    state: BotState::from(&*condition.borrow()),
                    waiting_actions,
                    waiting_bytes,
                    is_full: outbox.is_full(false),
                    held_back: outbox.held_back(),
                }
            })
            .collect()
    }
}
