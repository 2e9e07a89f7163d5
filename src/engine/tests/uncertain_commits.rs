//! A commit is reported as failed, but is in the file when that is opened again.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::io;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use palabre_platform::{EmitError, Receipt};
use palabre_script::RouteSpec;
use palabre_sim::Sim;
use palabre_store::{Disk, MemoryDisk, Store, Table};
use palabre_types::{Batch, TableId};
use serde_json::{Value, json};
use support::*;

/// A table of an adapter, with the number of the write.
const ROWS: Table<String, u64> = Table::new(TableId::TelegramUpdates);
/// More writes than the sequencer takes until it closes a batch and takes its next message.
const FILLING_WRITES: u64 = 17_000;

/// A disk whose syncs wait for a verdict. One that is refused loses nothing that was written.
#[derive(Debug, Default)]
struct UnsureDisk {
    disk: MemoryDisk,
    syncs: Mutex<Syncs>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Syncs {
    is_held: bool,
    is_waiting: bool,
    verdict: Option<bool>,
}

impl UnsureDisk {
    /// Holds the next sync up.
    fn hold(&self) {
        self.syncs.lock().unwrap().is_held = true;
    }

    /// Blocks until a sync waits for its verdict.
    fn until_waiting(&self) {
        let syncs = self.syncs.lock().unwrap();
        drop(self.changed.wait_while(syncs, |syncs| !syncs.is_waiting).unwrap());
    }

    /// Ends the sync that waits.
    fn decide(&self, is_done: bool, is_next_held: bool) {
        *self.syncs.lock().unwrap() = Syncs { is_held: is_next_held, is_waiting: false, verdict: Some(is_done) };
        self.changed.notify_all();
    }
}

impl Disk for UnsureDisk {
    fn size(&self) -> io::Result<u64> {
        self.disk.size()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        let mut syncs = self.syncs.lock().unwrap();
        if !syncs.is_held {
            return self.disk.sync();
        }
        syncs.is_waiting = true;
        self.changed.notify_all();
        let mut syncs = self.changed.wait_while(syncs, |syncs| syncs.verdict.is_none()).unwrap();
        match syncs.verdict.take() {
            Some(false) => Err(io::ErrorKind::StorageFull.into()),
            _ => self.disk.sync(),
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write(offset, data)
    }
}

fn row(number: u64) -> Batch {
    let mut rows = Batch::default();
    ROWS.put(&mut rows, &format!("{number:05}"), &number);
    rows
}

/// Returns a row that is written only if it is not there.
fn new_row(number: u64) -> Batch {
    let mut rows = row(number);
    ROWS.require_absent(&mut rows, &format!("{number:05}"));
    rows
}

async fn answered(receipt: Receipt) -> Result<u64, EmitError> {
    tokio::time::timeout(Duration::from_secs(20), receipt).await.expect("every write is answered")
}

/// Returns the answer of a receipt that was sent before.
async fn answered_before(receipt: Receipt) -> Result<u64, EmitError> {
    tokio::time::timeout(Duration::ZERO, receipt).await.expect("earlier batches are released first")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_a_failed_commit_left_in_the_file_is_released_in_order_and_as_it_was() {
    let disk = Arc::new(UnsureDisk::default());
    let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    let harness = Harness::on(store, Sim::new("sim"), vec![]).await;
    let (sink, bot) = (harness.engine.sink(), harness.sim.bot().name);
    answered(sink.write(&bot, "a test", row(1))).await.unwrap();

    // While one batch is being written, the next is filled.
    disk.hold();
    drop(sink.write(&bot, "a test", row(2)));
    disk.until_waiting();
    let unconditional = sink.write(&bot, "a test", row(3));
    let applied = sink.write(&bot, "a test", new_row(4));
    let refused = sink.write(&bot, "a test", new_row(1));
    disk.decide(true, true);
    disk.until_waiting();

    // While that is being written, the one after it is filled until it is submitted too.
    let later = sink.write(&bot, "a test", row(5));
    for number in 0..FILLING_WRITES {
        drop(sink.write_deferred(&bot, "a test", row(100 + number)));
    }
    let route: RouteSpec = serde_json::from_value(json!({ "method": "GET", "path": "/" })).unwrap();
    let reply = harness.engine.request(&"nobody".into(), &route, Value::Null).await;
    assert!(reply.is_err(), "answered once everything before it is taken");

    disk.decide(false, false);
    assert!(answered(later).await.is_ok());
    assert!(answered_before(unconditional).await.is_ok());
    assert!(answered_before(applied).await.is_ok());
    assert_eq!(answered_before(refused).await, Err(EmitError::Refused));
    harness.until("the engine goes on", |harness| harness.engine.status().stalled.is_none()).await;
    answered(sink.write(&bot, "a test", row(6))).await.unwrap();
    harness.engine.shutdown().await;
    let snapshot = harness.store.snapshot(0).unwrap();
    assert_eq!(snapshot.len(TableId::TelegramUpdates).unwrap(), 6 + FILLING_WRITES);
}
