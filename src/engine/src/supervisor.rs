//! Supervises the bots: each adapter has a task of its own, which is restarted when it ends.
//!
//! It is restarted soon if it lost its platform, and slowly if the platform refuses it. A panic in
//! one adapter affects no other.

use std::sync::Arc;
use std::time::Duration;

use palabre_platform::{AdapterContext, AdapterError, Backoff, Condition};
use palabre_types::{Batch, Event, EventKind};
use tokio::task::JoinSet;

use crate::platforms::{Attached, Platforms};

const RESTART_BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
/// The delays before a refused bot is started again.
///
/// It is tried again because a token may be corrected, and a refusal may have been a mistake.
const REFUSED_BACKOFF: Backoff = Backoff::new(Duration::from_secs(60), Duration::from_secs(15 * 60));

/// Starts every adapter. The tasks end at shutdown.
pub(crate) fn start(platforms: &Arc<Platforms>, context: &AdapterContext, tasks: &mut JoinSet<()>) {
    for (index, attached) in platforms.bots().iter().enumerate() {
        let platforms = Arc::clone(platforms);
        let mut context = context.clone();
        context.bot = attached.bot.clone();
        context.commands = attached.commands.subscribe();
        context.condition = attached.condition.clone();
        tasks.spawn(async move { supervise(&platforms.bots()[index], context).await });
    }
}

async fn supervise(attached: &Attached, context: AdapterContext) {
    let Attached { bot, adapter, condition, .. } = attached;
    let (mut restart_delays, mut refused_delays) = (RESTART_BACKOFF.delays(), REFUSED_BACKOFF.delays());
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
            restart_delays.reset();
            refused_delays.reset();
        }
        let (reason, wait) = match ended {
            Err(AdapterError::Refused(reason)) => {
                let wait = refused_delays.next_delay();
                tracing::error!(bot = %bot.name, "refused, tries again in {wait:?}: {reason}");
                condition.send_replace(Condition::Refused(reason.clone()));
                (reason, wait)
            }
            ended => {
                let reason = match ended {
                    Err(error) => error.to_string(),
                    Ok(()) => "its adapter ended".to_owned(),
                };
                let wait = restart_delays.next_delay();
                tracing::warn!(bot = %bot.name, "lost its platform, tries again in {wait:?}: {reason}");
                condition.send_replace(Condition::Down(reason.clone()));
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
