//! The journal describes every row: applied to an empty store, it gives the same tables.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::time::Duration;

use palabre_engine::rebuild;
use palabre_store::Table;
use palabre_types::{Batch, TableId};
use support::{Harness, script};

const BUSY: &str = r#"
    function on_message(event)
      store.set("last", event.text) store.set("brief", 1, { ttl = "10s" })
      timers.set("later", { after = "30s", key = event.text }, { n = 1 })
      event:reply("heard " .. event.text)
      sleep("5s")
      store.delete("last")
    end
    every("20s", function() store.incr("ticks") end)
    on_timer("later", function(payload) store.incr("timers", payload.n) end)"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_what_the_journal_gives() {
    let harness = Harness::new(vec![script("busy", BUSY)]).await;
    for text in ["one", "two", "three"] {
        harness.sim.person("alice", "general").says(text).await.unwrap();
        harness.advance(Duration::from_secs(7)).await;
    }
    let harness = harness.restart(vec![script("busy", BUSY)]).await;
    harness.advance(Duration::from_secs(120)).await;
    harness.engine.quiesce().await;
    let rebuilt = |harness: &Harness| {
        let snapshot = harness.store.snapshot(0).unwrap();
        std::thread::scope(|scope| scope.spawn(|| rebuild(&snapshot).unwrap()).join().unwrap())
    };
    assert_eq!(rebuilt(&harness), []);
    let snapshot = harness.store.snapshot(0).unwrap();
    for table in [TableId::ScriptValues, TableId::ScriptCursors, TableId::Tasks, TableId::QueueCursors] {
        assert!(snapshot.len(table).unwrap() > 0, "{table:?} is empty, which shows nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_no_entry_gives_is_found() {
    let mut harness = Harness::new(vec![script("busy", BUSY)]).await;
    harness.rebuilt.not();
    let mut rows = Batch::default();
    let values: Table<(String, String), u64> = Table::new(TableId::ScriptValues);
    values.put(&mut rows, &("busy".to_owned(), "forged".to_owned()), &1);
    harness.store.commit(rows).await.unwrap();
    let snapshot = harness.store.snapshot(0).unwrap();
    let found = std::thread::scope(|scope| scope.spawn(|| rebuild(&snapshot).unwrap()).join().unwrap());
    let tables: Vec<_> = found.iter().map(|difference| difference.table).collect();
    // With the row its size, which is counted for each script.
    assert_eq!(tables, [TableId::ScriptValues, TableId::ScriptUsage]);
    assert!(found.iter().all(|difference| difference.rebuilt.is_none()));
}
