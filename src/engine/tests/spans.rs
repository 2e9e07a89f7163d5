//! The spans of the log, by which the lines about one event are found.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use palabre_engine::journal;
use palabre_types::EventName;
use support::{Harness, script};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The fields of a span as text, by name.
#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

/// Collects the spans of the engine, the runner and the outbox, of all threads.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(&'static str, Fields)>>>);

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().starts_with("palabre_")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        let mut spans = self.0.lock().unwrap();
        spans.push((span.metadata().name(), fields));
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Collector {
    /// Returns the spans with this value of a field, each as its name and the values of `shown`, sorted.
    fn with(&self, field: &str, value: &str, shown: &[&str]) -> Vec<String> {
        let spans = self.0.lock().unwrap();
        let fitting = spans.iter().filter(|(_, fields)| fields.0.get(field).is_some_and(|found| found == value));
        let mut described: Vec<String> = fitting
            .map(|(name, Fields(fields))| {
                let values = shown.iter().filter_map(|field| fields.get(*field).map(String::as_str));
                std::iter::once(*name).chain(values).collect::<Vec<_>>().join(" ")
            })
            .collect();
        described.sort();
        described
    }
}

/// The only test of this file: the subscriber is that of the whole process.
#[tokio::test(flavor = "multi_thread")]
async fn one_span_for_each_event_run_and_action_carries_the_number_of_the_event() {
    let spans = Collector::default();
    tracing::subscriber::set_global_default(spans.clone()).unwrap();
    let echo = "function on_message(event) event:reply(event.text) end";
    let harness = Harness::new(vec![script("echo", echo), script("other", echo)]).await;
    for text in ["one", "two"] {
        harness.alice(text).await;
    }
    let snapshot = harness.store.snapshot(0).unwrap();
    let events = journal(&snapshot).unwrap().flat_map(|batch| batch.unwrap().1.into_events());
    let messages: Vec<u64> =
        events.filter(|record| record.event.kind.name() == EventName::Message).map(|record| record.seq).collect();
    assert_eq!(messages.len(), 2);
    for seq in messages {
        let found = spans.with("seq", &seq.to_string(), &["script", "index"]);
        assert_eq!(found, ["action echo 0", "action other 0", "event", "run echo", "run other"], "event {seq}");
    }
    harness.engine.shutdown().await;
}
