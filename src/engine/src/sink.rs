//! The sink through which events, rows and results of actions reach the sequencer.

use crossbeam_channel::Sender;
use palabre_outbox::{Completed, DeliverySink};
use palabre_platform::{EmitError, EventSink, Receipt};
use palabre_types::{Batch, BotName, Event};

use crate::message::{CoreMessage, RowsWrite};

/// Hands events, rows and results over to the sequencer.
pub(crate) struct Sink(pub(crate) Sender<CoreMessage>);

impl EventSink for Sink {
    fn emit(&self, event: Event, rows: Batch) -> Receipt {
        self.emit_event(event, rows, true)
    }

    fn emit_deferred(&self, event: Event, rows: Batch) -> Receipt {
        self.emit_event(event, rows, false)
    }

    fn write(&self, bot: &BotName, reason: &'static str, rows: Batch) -> Receipt {
        self.write_rows(RowsWrite { source: bot.to_string(), reason, rows }, true)
    }

    fn write_deferred(&self, bot: &BotName, reason: &'static str, rows: Batch) -> Receipt {
        self.write_rows(RowsWrite { source: bot.to_string(), reason, rows }, false)
    }
}

impl DeliverySink for Sink {
    fn completed(&self, completed: Vec<Completed>) {
        // The sequencer outlives the queues; if it is gone, the next start handles these again, by
        // their keys.
        drop(self.0.send(CoreMessage::Completed(completed)));
    }

    fn record_attempt(&self, reason: &'static str, rows: Batch) -> Receipt {
        self.write_rows(RowsWrite { source: "outbox".to_owned(), reason, rows }, false)
    }
}

impl Sink {
    fn emit_event(&self, event: Event, rows: Batch, is_urgent: bool) -> Receipt {
        let (sender, receipt) = Receipt::channel();
        if !rows.requires.is_empty() {
            // An event is accepted whatever the rows are.
            tracing::error!(bot = %event.bot.name, "an event came with conditional rows (a bug in the adapter)");
            drop(sender.send(Err(EmitError::Refused)));
            return receipt;
        }
        // A sequencer that has stopped drops the sender, and the receipt reports that.
        drop(self.0.send(CoreMessage::Emit { event, rows, receipt: sender, is_urgent }));
        receipt
    }

    pub(crate) fn write_rows(&self, write: RowsWrite, is_urgent: bool) -> Receipt {
        let (sender, receipt) = Receipt::channel();
        // As above.
        drop(self.0.send(CoreMessage::Write { write, receipt: sender, is_urgent }));
        receipt
    }
}
