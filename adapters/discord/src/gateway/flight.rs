//! Events on their way into the journal. One that the store did not take is offered again: Discord tells it only once in a session.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use palabre_model::{Batch, EmitError, Event, EventSink, Receipt};

/// So many events may be under way before no more frames are read.
const MOST: usize = 2_000;
/// How long the store is left alone after it took nothing.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Flight {
    sink: Arc<dyn EventSink>,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    event: Event,
    rows: Batch,
    /// `None` where the store took nothing, and is to be asked again.
    receipt: Option<Receipt>,
}

impl Flight {
    pub(super) fn new(sink: &Arc<dyn EventSink>) -> Self {
        Self { sink: Arc::clone(sink), waiting: VecDeque::new() }
    }

    pub(super) fn send(&mut self, event: Event, rows: Batch) {
        let receipt = Some(self.sink.emit(event.clone(), rows.clone()));
        self.waiting.push_back(Waiting { event, rows, receipt });
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Waits until something has become of the oldest. `false` when the daemon is stopping and takes no more. Can be dropped at any
    /// time: what was under way stays so.
    pub(super) async fn land(&mut self) -> bool {
        let Some(oldest) = self.waiting.front_mut() else { return true };
        let Some(receipt) = &mut oldest.receipt else {
            tokio::time::sleep(PAUSE).await;
            oldest.receipt = Some(self.sink.emit(oldest.event.clone(), oldest.rows.clone()));
            return true;
        };
        match receipt.await {
            Ok(_) => drop(self.waiting.pop_front()),
            Err(EmitError::Stopped) => return false,
            Err(EmitError::Stalled(_)) => oldest.receipt = None,
        }
        true
    }
}
