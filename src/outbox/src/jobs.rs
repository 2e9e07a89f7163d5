//! The jobs of the outbox, each in a task of its own.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::outbox::{Job, Outbox, OutboxContext};
use crate::{load, ordered_queue, retry_chain};

/// Creates an empty outbox. Its actions begin once it is opened: see [`Outbox::open`].
#[must_use]
pub fn create_outbox(cx: OutboxContext) -> Arc<Outbox> {
    Outbox::new(cx, run)
}

/// Does a job, and the jobs that follow from it in tasks of their own.
fn run(outbox: Arc<Outbox>, job: Job) -> BoxFuture<'static, ()> {
    match job {
        Job::Queue(room, class) => Box::pin(ordered_queue::run(outbox, room, class)),
        Job::Chain(chain) => Box::pin(retry_chain::run(outbox, chain)),
        Job::Load(bot, class) => Box::pin(async move { load::run(&outbox, &bot, class).await }),
    }
}
