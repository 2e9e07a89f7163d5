//! The sink through which events of platforms reach the sequencer.

use crossbeam_channel::Sender;
use palabre_platform::{EventSink, Receipt};
use palabre_types::{Batch, Event};

use crate::message::CoreMessage;

/// Hands events over to the sequencer.
pub(crate) struct Sink(pub(crate) Sender<CoreMessage>);

impl EventSink for Sink {
    fn emit(&self, event: Event, rows: Batch) -> Receipt {
        self.hand_over(event, rows, true)
    }

    fn emit_deferred(&self, event: Event, rows: Batch) -> Receipt {
        self.hand_over(event, rows, false)
    }
}

impl Sink {
    fn hand_over(&self, event: Event, rows: Batch, is_urgent: bool) -> Receipt {
        let (sender, receipt) = Receipt::channel();
        // A sequencer that has stopped drops the sender, and the receipt reports that.
        drop(self.0.send(CoreMessage::Emit { event, rows, receipt: sender, is_urgent }));
        receipt
    }
}
