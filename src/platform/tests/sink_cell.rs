//! The sink of an adapter: before its first run, over its restarts, and after the end of the daemon.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use std::sync::{Arc, Mutex};

use palabre_platform::{EmitError, EventSink, Receipt, SinkCell};
use palabre_types::{ActionError, Batch, BotName, Event};

/// A sink that records the reasons of writes, and answers all of them alike.
struct Recorder {
    reasons: Mutex<Vec<&'static str>>,
    answer: Result<u64, EmitError>,
}

impl Recorder {
    fn new(answer: Result<u64, EmitError>) -> Arc<Self> {
        Arc::new(Self { reasons: Mutex::default(), answer })
    }

    fn reasons(&self) -> Vec<&'static str> {
        self.reasons.lock().unwrap().clone()
    }
}

impl EventSink for Recorder {
    fn emit(&self, _: Event, _: Batch) -> Receipt {
        Receipt::channel().1
    }

    fn write(&self, _: &BotName, reason: &'static str, _: Batch) -> Receipt {
        self.reasons.lock().unwrap().push(reason);
        let (answer, receipt) = Receipt::channel();
        answer.send(self.answer.clone()).unwrap();
        receipt
    }
}

fn set(cell: &SinkCell, sink: &Arc<Recorder>) {
    cell.set(&(Arc::clone(sink) as Arc<dyn EventSink>));
}

async fn write(cell: &SinkCell, reason: &'static str) -> Result<(), EmitError> {
    cell.write(&"bot".into(), reason, Batch::default()).await
}

#[tokio::test]
async fn rows_wait_for_the_first_run_of_the_adapter() {
    let (cell, sink) = (SinkCell::default(), Recorder::new(Ok(1)));
    let run = async {
        tokio::task::yield_now().await;
        assert!(sink.reasons().is_empty());
        set(&cell, &sink);
    };
    let (written, ()) = tokio::join!(write(&cell, "early"), run);
    assert_eq!((written, sink.reasons()), (Ok(()), vec!["early"]));
}

#[tokio::test]
async fn rows_go_to_the_sink_of_the_last_run() {
    let (cell, first, second) = (SinkCell::default(), Recorder::new(Ok(1)), Recorder::new(Ok(2)));
    set(&cell, &first);
    write(&cell, "before").await.unwrap();
    set(&cell, &second);
    write(&cell, "after").await.unwrap();
    assert_eq!((first.reasons(), second.reasons()), (vec!["before"], vec!["after"]));
}

#[tokio::test]
async fn a_write_that_is_not_accepted_makes_the_bot_unavailable() {
    let cell = SinkCell::default();
    for error in [EmitError::Stopped, EmitError::Stalled("the disk is full".to_owned())] {
        set(&cell, &Recorder::new(Err(error.clone())));
        assert_eq!(write(&cell, "rows").await, Err(error.clone()));
        assert!(matches!(ActionError::from(error), ActionError::Unavailable(_)));
    }
}
