//! Rows that adapters write through the engine, which belong to no event.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::time::Duration;

use palabre_platform::{EmitError, Receipt};
use palabre_store::Table;
use palabre_types::{Batch, TableId};
use support::*;

/// A table of an adapter, with the number of the write.
const ROWS: Table<String, u64> = Table::new(TableId::TelegramUpdates);

fn row(number: u64) -> Batch {
    let mut rows = Batch::default();
    ROWS.put(&mut rows, &format!("{number:03}"), &number);
    rows
}

async fn answered(receipt: Receipt) -> Result<u64, EmitError> {
    tokio::time::timeout(Duration::from_secs(20), receipt).await.expect("every write is answered")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_adapter_writes_before_the_engine_has_stopped_is_durable_and_later_writes_are_refused() {
    let harness = Harness::new(vec![]).await;
    let (sink, bot) = (harness.engine.sink(), harness.sim.bot().name);
    let receipts: Vec<Receipt> = (0..100)
        .map(|number| match number % 2 {
            0 => sink.write(&bot, "a test", row(number)),
            _ => sink.write_deferred(&bot, "a test", row(number)),
        })
        .collect();
    harness.engine.shutdown().await;
    for receipt in receipts {
        assert!(answered(receipt).await.is_ok());
    }
    assert_eq!(answered(sink.write(&bot, "a test", row(100))).await, Err(EmitError::Stopped));
    let snapshot = harness.store.snapshot(0).unwrap();
    assert_eq!(ROWS.get(&snapshot, &"099".to_owned()).unwrap(), Some(99));
    assert_eq!(ROWS.get(&snapshot, &"100".to_owned()).unwrap(), None);
}
