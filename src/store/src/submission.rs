//! A batch that waits for the writer thread, and its result.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use palabre_types::{Batch, Require};
use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// A batch that was applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The conditional parts whose conditions did not hold, by their position among all of them.
    pub refused: Vec<usize>,
}

/// The identity of a batch that may be submitted again after a commit that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchIdentity {
    /// Its number. Batches are numbered in the order in which they are applied.
    pub number: u64,
    /// A condition that holds from the batch on, and not before it.
    pub is_applied: Require,
}

/// The pending result of a commit.
///
/// Dropping it does not withdraw the batch.
#[derive(Debug)]
pub struct Ticket(pub(crate) oneshot::Receiver<Result<()>>);

impl Ticket {
    /// Blocks until the batch is durable or refused. In async code, await the ticket instead.
    pub fn wait(self) -> Result<()> {
        self.0.blocking_recv().unwrap_or(Err(Error::Closed))
    }
}

impl Future for Ticket {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(Error::Closed)))
    }
}

pub(crate) struct Submission {
    pub(crate) batch: Batch,
    pub(crate) identity: Option<BatchIdentity>,
    pub(crate) answer: Answer,
}

/// The recipient of a commit's result.
pub(crate) enum Answer {
    Ticket(oneshot::Sender<Result<()>>),
    /// A callback on the writer's thread, which gets the batch back.
    Then(Box<dyn FnOnce(Batch, Result<Applied>) + Send>),
}

impl Submission {
    /// Passes on the result.
    pub(crate) fn complete(self, result: Result<Applied>) {
        match self.answer {
            // A caller that has dropped its ticket needs no result.
            Answer::Ticket(sender) => drop(sender.send(result.map(drop))),
            Answer::Then(then) => then(self.batch, result),
        }
    }
}
