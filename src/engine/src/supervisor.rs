//! Supervises the bots: each adapter has a task of its own, which is restarted when it ends.
//!
//! It is restarted soon if it lost its platform, and slowly if the platform refuses it. A panic in
//! one adapter affects no other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use palabre_model::{
    Adapter, AdapterContext, AdapterError, Batch, Bot, BotName, CommandSpec, Condition, Event, EventKind, Metric,
};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::operators::Settings;
use crate::outbox::BotOutbox;
use crate::recent_deliveries::RecentDeliveries;
use crate::refusals::Refusals;
use crate::status::{BotState, BotStatus};

const RESTART_DELAY_FIRST: Duration = Duration::from_secs(1);
const RESTART_DELAY_MAX: Duration = Duration::from_secs(60);
/// First delay before a refused bot is started again; it doubles from then on.
///
/// It is tried again because a token may be corrected, and a refusal may have been a mistake.
const REFUSED_DELAY_FIRST: Duration = Duration::from_secs(60);
const REFUSED_DELAY_MAX: Duration = Duration::from_secs(15 * 60);

/// One bot: its adapter, condition, commands and outbox.
struct Attached {
    bot: Bot,
    adapter: Arc<dyn Adapter>,
    condition: watch::Sender<Condition>,
    commands: watch::Sender<Arc<Vec<CommandSpec>>>,
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

/// Starts every adapter. The tasks end at shutdown.
pub(crate) fn start(platforms: &Arc<Platforms>, context: &AdapterContext, tasks: &mut JoinSet<()>) {
    for index in 0..platforms.bots.len() {
        let platforms = Arc::clone(platforms);
        let mut context = context.clone();
        context.bot = platforms.bots[index].bot.clone();
        context.commands = platforms.bots[index].commands.subscribe();
        context.condition = platforms.bots[index].condition.clone();
        tasks.spawn(async move { supervise(&platforms, index, context).await });
    }
}

async fn supervise(platforms: &Platforms, index: usize, context: AdapterContext) {
    let Attached { bot, adapter, condition, .. } = &platforms.bots[index];
    let (mut pause, mut refused_pause) = (RESTART_DELAY_FIRST, REFUSED_DELAY_FIRST);
    loop {
        let began = context.clock.now();
        // A separate task, which contains a panic.
        let mut run = JoinSet::new();
        let (adapter, inner) = (Arc::clone(adapter), context.clone());
        run.spawn(async move { adapter.run(inner).await });
        let ended = match run.join_next().await {
            Some(Ok(ended)) => ended,
            Some(Err(error)) => {
                Err(AdapterError::Lost(format!("its adapter failed ({error}); this is a bug in Palabre")))
            }
            None => Ok(()),
        };
        if context.shutdown.is_requested() {
            return;
        }
        if context.clock.now().saturating_sub(began) > 60_000 {
            (pause, refused_pause) = (RESTART_DELAY_FIRST, REFUSED_DELAY_FIRST);
        }
        let (reason, wait) = match ended {
            Err(AdapterError::Refused(reason)) => {
                tracing::error!(bot = %bot.name, "refused, tries again in {refused_pause:?}: {reason}");
                condition.send_replace(Condition::Refused(reason.clone()));
                let wait = refused_pause;
                refused_pause = (refused_pause * 2).min(REFUSED_DELAY_MAX);
                (reason, wait)
            }
            ended => {
                let reason = match ended {
                    Err(error) => error.to_string(),
                    Ok(()) => "its adapter ended".to_owned(),
                };
                tracing::warn!(bot = %bot.name, "lost its platform, tries again in {pause:?}: {reason}");
                condition.send_replace(Condition::Down(reason.clone()));
                let wait = pause;
                pause = (pause * 2).min(RESTART_DELAY_MAX);
                (reason, wait)
            }
        };
        emit_lost(&context, reason);
        let until = context.clock.now() + u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let mut shutdown = context.shutdown.clone();
        tokio::select! {
            () = context.clock.sleep_until(until) => {}
            () = shutdown.requested() => return,
        }
    }
}

fn emit_lost(context: &AdapterContext, reason: String) {
    let kind = EventKind::Lost { reason: Some(reason) };
    let event = Event::without_place(context.bot.clone(), context.clock.now(), kind);
    // Nobody waits for this receipt.
    drop(context.sink.emit(event, Batch::default()));
}
