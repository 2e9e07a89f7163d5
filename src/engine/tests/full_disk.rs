//! The disk fills up under a running engine, and is emptied again.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use palabre_model::EmitError;
use palabre_sim::{Sim, Unsaid};
use palabre_store::{Disk, MemoryDisk, Store};
use support::*;

#[derive(Debug, Default)]
struct FillingDisk {
    disk: MemoryDisk,
    full: AtomicBool,
}

impl FillingDisk {
    fn room(&self) -> io::Result<()> {
        if self.full.load(SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Disk for FillingDisk {
    fn size(&self) -> io::Result<u64> {
        self.disk.size()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.room().and_then(|()| self.disk.set_len(len))
    }

    fn sync(&self) -> io::Result<()> {
        self.room().and_then(|()| self.disk.sync())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.room().and_then(|()| self.disk.write(offset, data))
    }
}

const COUNTER: &str = r#"function on_message(event) event:reply(event.text .. " " .. store.incr("n")) end"#;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_while_the_disk_is_full_and_nothing_is_lost_when_there_is_room_again() {
    let disk = Arc::new(FillingDisk::default());
    let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    let house = House::on(store, Sim::new("sim"), vec![script("counter", COUNTER)]).await;
    house.alice("before").await;

    disk.full.store(true, SeqCst);
    let alice = house.sim.person("alice", "general");
    let (_, waiting) = alice.say("while it is full").await.unwrap();
    house.until("the engine notices", |house| house.engine.status().stalled.is_some()).await;
    assert!(house.engine.status().stalled.unwrap().contains("is full"));
    assert!(
        matches!(alice.says("refused").await, Err(Unsaid::NotTaken(EmitError::Stalled(reason))) if reason.contains("is full"))
    );
    assert_eq!(house.replies(), ["before 1"], "nothing leaves before what it rests on is durable");

    disk.full.store(false, SeqCst);
    let sent = tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("an answer");
    assert!(sent.is_ok(), "what had been taken is saved in the end");
    house.until("the engine goes on", |house| house.engine.status().stalled.is_none()).await;
    house.alice("after").await;
    assert_eq!(house.replies(), ["before 1", "while it is full 2", "after 3"]);
    let Ok(()) = tokio::time::timeout(Duration::from_secs(20), house.engine.shutdown()).await else {
        panic!("it does not stop")
    };
}
