//! The sink of an adapter, whose parts may have rows to write before the adapter runs.

use std::sync::Arc;

use palabre_types::{Batch, BotName};
use tokio::sync::watch;

use crate::adapter::{EmitError, EventSink};

/// The sink of an adapter: empty at first, and set by each of its runs.
///
/// The engine may hand actions over before it runs the adapter, and while it restarts it.
#[derive(Default)]
pub struct SinkCell(watch::Sender<Option<Arc<dyn EventSink>>>);

impl SinkCell {
    /// Sets the sink. To be called first by each run.
    pub fn set(&self, sink: &Arc<dyn EventSink>) {
        self.0.send_replace(Some(Arc::clone(sink)));
    }

    /// Writes rows that belong to no event, and returns once they are durable.
    ///
    /// Waits for the first run of the adapter. `reason` says why they are written, in a few words.
    ///
    /// # Errors
    /// Those of the receipt of [`EventSink::write`].
    pub async fn write(&self, bot: &BotName, reason: &'static str, rows: Batch) -> Result<(), EmitError> {
        let sink = self.0.subscribe().wait_for(Option::is_some).await.ok().and_then(|sink| sink.clone());
        // The sender is part of `self`, so the wait ends with a sink.
        let sink = sink.ok_or(EmitError::Stopped)?;
        sink.write(bot, reason, rows).await.map(drop)
    }
}
