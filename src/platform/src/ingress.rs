//! The ingress buffer: events on their way into the journal.
//!
//! Events that the store did not accept are emitted again, because a platform delivers each only
//! once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use palabre_types::{Batch, Event};
use tokio::time::Instant;

use crate::adapter::{EmitError, EventSink, Receipt};

/// The number of events at which the adapter stops reading further frames.
const EVENTS_MAX: usize = 2_000;
/// The delay before events are emitted again that the store did not accept.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Events of a platform that are not known to be durable yet.
pub struct IngressBuffer {
    sink: Arc<dyn EventSink>,
    waiting: VecDeque<Waiting>,
    /// The time at which refused events are emitted again.
    ///
    /// Until then no new event is emitted, because it would overtake them.
    retry_at: Option<Instant>,
}

struct Waiting {
    event: Event,
    rows: Batch,
    /// `None` while the event waits to be emitted, for the first time or again.
    receipt: Option<Receipt>,
}

impl IngressBuffer {
    /// Creates an empty buffer.
    #[must_use]
    pub fn new(sink: &Arc<dyn EventSink>) -> Self {
        Self { sink: Arc::clone(sink), waiting: VecDeque::new(), retry_at: None }
    }

    /// Adds an event and emits it, with rows that are committed together with it.
    pub fn send(&mut self, event: Event, rows: Batch) {
        // Nobody waits for it: the platform delivers it again if the daemon dies before it is
        // durable.
        let receipt = self.retry_at.is_none().then(|| self.sink.emit_deferred(event.clone(), rows.clone()));
        self.waiting.push_back(Waiting { event, rows, receipt });
    }

    /// Whether the caller should stop accepting events for now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= EVENTS_MAX
    }

    /// Whether all events are durable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Waits until the oldest event is durable or refused.
    ///
    /// Returns `false` when the daemon is shutting down and accepts no more. Cancel-safe: events in
    /// flight remain so.
    pub async fn next_ack(&mut self) -> bool {
        if let Some(retry_at) = self.retry_at {
            tokio::time::sleep_until(retry_at).await;
            self.retry_at = None;
            for waiting in self.waiting.iter_mut().filter(|waiting| waiting.receipt.is_none()) {
                waiting.receipt = Some(self.sink.emit_deferred(waiting.event.clone(), waiting.rows.clone()));
            }
            return true;
        }
        let Some(receipt) = self.waiting.front_mut().and_then(|oldest| oldest.receipt.as_mut()) else { return true };
        match receipt.await {
            Ok(_) => drop(self.waiting.pop_front()),
            Err(EmitError::Stopped) => return false,
            // Rows of events have no conditions.
            Err(EmitError::Stalled(_) | EmitError::Refused) => self.schedule_retry(),
        }
        true
    }

    /// Schedules all refused events to be emitted again in order.
    fn schedule_retry(&mut self) {
        self.retry_at = Some(Instant::now() + RETRY_DELAY);
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
