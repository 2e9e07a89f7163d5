//! Events on their way into the journal. One that the store did not take is offered again: a platform tells it only once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use crate::{Batch, EmitError, Event, EventSink, Receipt};

/// So many events may be under way before no more frames are read.
const MOST: usize = 2_000;
/// How long the store is left alone after it took nothing.
const PAUSE: Duration = Duration::from_millis(500);

/// Events that a platform has told, and of which it is not yet known that they are durable.
pub struct Flight {
    sink: Arc<dyn EventSink>,
    waiting: VecDeque<Waiting>,
    /// When the store is offered again what it did not take; until then nothing new is offered, which would overtake it.
    again: Option<Instant>,
}

struct Waiting {
    event: Event,
    rows: Batch,
    /// `None` where the store took nothing, and is to be asked again.
    receipt: Option<Receipt>,
}

impl Flight {
    /// None under way.
    #[must_use]
    pub fn new(sink: &Arc<dyn EventSink>) -> Self {
        Self { sink: Arc::clone(sink), waiting: VecDeque::new(), again: None }
    }

    /// Hands an event over, with rows that are committed together with it.
    pub fn send(&mut self, event: Event, rows: Batch) {
        // Nobody waits for it: what is not durable when the daemon dies comes again.
        let receipt = self.again.is_none().then(|| self.sink.emit_unhurried(event.clone(), rows.clone()));
        self.waiting.push_back(Waiting { event, rows, receipt });
    }

    /// Whether nothing more should be taken in for now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= MOST
    }

    /// Whether all are durable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Waits until something has become of the oldest. `false` when the daemon is stopping and takes no more. Can be dropped at any
    /// time: what was under way stays so.
    pub async fn land(&mut self) -> bool {
        if let Some(again) = self.again {
            tokio::time::sleep_until(again).await;
            self.again = None;
            for waiting in self.waiting.iter_mut().filter(|waiting| waiting.receipt.is_none()) {
                waiting.receipt = Some(self.sink.emit_unhurried(waiting.event.clone(), waiting.rows.clone()));
            }
            return true;
        }
        let Some(receipt) = self.waiting.front_mut().and_then(|oldest| oldest.receipt.as_mut()) else { return true };
        match receipt.await {
            Ok(_) => drop(self.waiting.pop_front()),
            Err(EmitError::Stopped) => return false,
            Err(EmitError::Stalled(_)) => self.hold_back(),
        }
        true
    }

    /// The store took the oldest not, and perhaps some that came behind it: all of those are offered again, in their order.
    fn hold_back(&mut self) {
        self.again = Some(Instant::now() + PAUSE);
        if let Some(oldest) = self.waiting.front_mut() {
            oldest.receipt = None;
        }
        self.waiting.retain_mut(|waiting| match waiting.receipt.as_mut().map(FutureExt::now_or_never) {
            Some(Some(Ok(_))) => false,
            Some(Some(Err(_))) => {
                waiting.receipt = None;
                true
            }
            Some(None) | None => true,
        });
    }
}
