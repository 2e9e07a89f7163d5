//! Who looks after the bots: each adapter has a task of its own, which is started again when it ends, and reported when it
//! ends for good. A panic in one takes no other down.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use palabre_model::{Adapter, AdapterContext, AdapterError, Batch, Bot, BotName, CommandSpec, Event, EventKind};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::just_sent::JustSent;
use crate::status::{Board, BotState, BotStatus};

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// One bot: its platform, how it is, and the commands that its people have.
struct Attached {
    bot: Bot,
    adapter: Arc<dyn Adapter>,
    state: Board<BotState>,
    commands: watch::Sender<Arc<Vec<CommandSpec>>>,
}

/// Every bot with its adapter. Fixed for the life of an engine.
#[derive(Default)]
pub(crate) struct Platforms {
    bots: Vec<Attached>,
    pub(crate) just_sent: JustSent,
    by_name: HashMap<BotName, usize>,
}

impl Platforms {
    pub(crate) fn new(bots: Vec<(Bot, Arc<dyn Adapter>)>) -> Self {
        let by_name = bots.iter().enumerate().map(|(index, (bot, _))| (bot.name.clone(), index)).collect();
        let attached = |(bot, adapter)| Attached {
            bot,
            adapter,
            state: Board::new(BotState::Up),
            commands: watch::Sender::new(Arc::default()),
        };
        Self { bots: bots.into_iter().map(attached).collect(), just_sent: JustSent::default(), by_name }
    }

    pub(crate) fn adapter(&self, bot: &str) -> Option<&Arc<dyn Adapter>> {
        Some(&self.bots.get(*self.by_name.get(bot)?)?.adapter)
    }

    /// Tells every platform which commands its people have now; `of_bot` says which.
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

    pub(crate) fn status(&self) -> Vec<BotStatus> {
        self.bots
            .iter()
            .map(|Attached { bot, state, .. }| BotStatus {
                name: bot.name.clone(),
                platform: bot.platform.to_string(),
                state: state.read(),
            })
            .collect()
    }
}

/// Starts every adapter; the set's tasks end at shutdown, or for good when an adapter says so.
pub(crate) fn start(platforms: &Arc<Platforms>, context: &AdapterContext, tasks: &mut JoinSet<()>) {
    for index in 0..platforms.bots.len() {
        let platforms = Arc::clone(platforms);
        let mut context = context.clone();
        context.bot = platforms.bots[index].bot.clone();
        context.commands = platforms.bots[index].commands.subscribe();
        tasks.spawn(async move { look_after(&platforms, index, context).await });
    }
}

async fn look_after(platforms: &Platforms, index: usize, context: AdapterContext) {
    let Attached { bot, adapter, state, .. } = &platforms.bots[index];
    let mut pause = FIRST_PAUSE;
    loop {
        let began = context.clock.now();
        // A task of its own, so that a panic ends there.
        let mut run = JoinSet::new();
        let (adapter, inner) = (Arc::clone(adapter), context.clone());
        run.spawn(async move { adapter.run(inner).await });
        state.write(|state| *state = BotState::Up);
        let ended = match run.join_next().await {
            Some(Ok(ended)) => ended,
            Some(Err(error)) => {
                Err(AdapterError::Lost(format!("its adapter failed ({error}); this is a bug of Palabre's")))
            }
            None => Ok(()),
        };
        if context.shutdown.is_requested() {
            return;
        }
        let reason = match ended {
            Err(AdapterError::Final(reason)) => {
                tracing::error!(bot = %bot.name, "stopped for good: {reason}");
                state.write(|state| *state = BotState::Failed(reason.clone()));
                emit_lost(&context, reason);
                return;
            }
            Err(AdapterError::Lost(reason)) => reason,
            Ok(()) => "its adapter ended".to_owned(),
        };
        if context.clock.now().saturating_sub(began) > 60_000 {
            pause = FIRST_PAUSE;
        }
        tracing::warn!(bot = %bot.name, "lost its platform, tries again in {pause:?}: {reason}");
        state.write(|state| *state = BotState::Restarting(reason.clone()));
        emit_lost(&context, reason);
        let until = context.clock.now() + u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        let mut shutdown = context.shutdown.clone();
        tokio::select! {
            () = context.clock.sleep_until(until) => {}
            () = shutdown.requested() => return,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn emit_lost(context: &AdapterContext, reason: String) {
    let kind = EventKind::Lost { reason: Some(reason) };
    let event = Event::without_place(context.bot.clone(), context.clock.now(), kind);
    // Nobody waits for this one.
    drop(context.sink.emit(event, Batch::default()));
}
