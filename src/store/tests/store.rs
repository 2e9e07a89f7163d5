//! The guarantees of the store.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use std::sync::Arc;

use palabre_store::{Direction, Error, MemoryDisk, Store, Table};
use palabre_types::{Batch, TableId};

const VALUES: Table<(String, String), String> = Table::new(TableId::ScriptValues);

fn key(script: &str, name: &str) -> (String, String) {
    (script.to_owned(), name.to_owned())
}

fn put(store: &Store, name: &str, value: &str) {
    let mut batch = Batch::default();
    VALUES.put(&mut batch, &key("s", name), &value.to_owned());
    store.commit(batch).wait().unwrap();
}

fn get(store: &Store, name: &str) -> Option<String> {
    VALUES.get(&store.snapshot(0).unwrap(), &key("s", name)).unwrap()
}

#[test]
fn a_batch_is_done_whole_or_refused_whole_and_alone() {
    let store = Store::in_memory().unwrap();
    put(&store, "taken", "first");

    let mut refused = Batch::default();
    VALUES.require_absent(&mut refused, &key("s", "taken"));
    VALUES.put(&mut refused, &key("s", "other"), &"never".to_owned());
    let mut held = Batch::default();
    VALUES.require_equals(&mut held, &key("s", "taken"), &"first".to_owned());
    VALUES.put(&mut held, &key("s", "taken"), &"second".to_owned());
    let (refused, held) = (store.commit(refused), store.commit(held));

    assert!(matches!(refused.wait(), Err(Error::Refused { table: TableId::ScriptValues, .. })));
    held.wait().unwrap();
    assert_eq!(get(&store, "other"), None);
    assert_eq!(get(&store, "taken").as_deref(), Some("second"));
}

#[test]
fn a_snapshot_does_not_see_what_comes_after_it() {
    let store = Store::in_memory().unwrap();
    put(&store, "a", "old");
    let snapshot = store.snapshot(0).unwrap();
    put(&store, "a", "new");
    assert_eq!(VALUES.get(&snapshot, &key("s", "a")).unwrap().as_deref(), Some("old"));
    assert_eq!(get(&store, "a").as_deref(), Some("new"));
}

#[test]
fn rows_come_in_key_order_both_ways_and_stay_within_their_prefix() {
    let store = Store::in_memory().unwrap();
    let mut batch = Batch::default();
    for (script, name) in [("a", "z"), ("ab", "1"), ("b", "2"), ("b", "1"), ("b", "3"), ("b\0", "4"), ("c", "0")] {
        VALUES.put(&mut batch, &key(script, name), &format!("{script}/{name}"));
    }
    store.commit(batch).wait().unwrap();
    let snapshot = store.snapshot(0).unwrap();
    let names = |direction| -> Vec<String> {
        let rows = VALUES.scan(&snapshot, &"b".to_owned(), direction).unwrap();
        rows.map(|row| row.unwrap().1).collect()
    };
    assert_eq!(names(Direction::Forward), ["b/1", "b/2", "b/3"]);
    assert_eq!(names(Direction::Backward), ["b/3", "b/2", "b/1"]);
    let after = VALUES.scan_after(&snapshot, &"b".to_owned(), &key("b", "2"), Direction::Backward).unwrap();
    assert_eq!(after.map(|row| row.unwrap().1).collect::<Vec<_>>(), ["b/1"]);
}

#[test]
fn an_expired_row_is_invisible_at_once_and_gone_after_the_sweep() {
    let store = Store::in_memory().unwrap();
    let mut batch = Batch::default();
    VALUES.put_until(&mut batch, &key("s", "brief"), &"x".to_owned(), Some(1_000));
    VALUES.put_until(&mut batch, &key("s", "renewed"), &"x".to_owned(), Some(1_000));
    VALUES.put_until(&mut batch, &key("s", "renewed"), &"y".to_owned(), Some(5_000));
    store.commit(batch).wait().unwrap();
    let brief = |now| VALUES.get(&store.snapshot(now).unwrap(), &key("s", "brief")).unwrap();
    assert_eq!((brief(999).is_some(), brief(1_000).is_some()), (true, false));

    let expired = store.expired(2_000).unwrap();
    assert_eq!(expired.ops.len(), 2);
    store.commit(expired).wait().unwrap();

    assert_eq!(store.snapshot(0).unwrap().len(TableId::ScriptValues).unwrap(), 1);
    assert_eq!(store.snapshot(0).unwrap().len(TableId::Expiry).unwrap(), 1);
    assert_eq!(get(&store, "renewed").as_deref(), Some("y"));
}

#[test]
fn many_batches_that_wait_share_one_transaction() {
    let store = Store::in_memory().unwrap();
    let tickets: Vec<_> = (0..10_000)
        .map(|n| {
            let mut batch = Batch::default();
            VALUES.put(&mut batch, &key("s", &(n % 100).to_string()), &n.to_string());
            store.commit(batch)
        })
        .collect();
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    let stats = store.stats();
    assert_eq!(stats.batches, 10_000);
    assert!(stats.groups < 5_000, "{stats:?}");
    assert_eq!(get(&store, "99").as_deref(), Some("9999"), "the last batch on a key wins");
}

#[test]
fn a_second_process_is_refused_with_the_holder_of_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let first = Store::open(folder.path()).unwrap();
    let Err(error) = Store::open(folder.path()) else { panic!("two daemons on one store") };
    assert!(
        matches!(&error, Error::Locked { holder, .. } if holder.contains(&std::process::id().to_string())),
        "{error}"
    );
    drop(first);
    Store::open(folder.path()).unwrap();
}

#[test]
fn a_file_that_is_not_a_store_is_reported_as_damaged_and_left_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("palabre.redb");
    let junk = b"this is not a database, it is a letter to a friend ".repeat(400);
    std::fs::write(&path, &junk).unwrap();
    let Err(error) = Store::open(folder.path()) else { panic!("opened a file that is not a store") };
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("backup"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), junk);
}

#[test]
fn a_truncated_file_is_reported_as_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("palabre.redb");
    let store = Store::open(folder.path()).unwrap();
    for n in 0..200 {
        put(&store, &n.to_string(), &"x".repeat(1_000));
    }
    drop(store);
    let whole = std::fs::read(&path).unwrap();
    for length in [whole.len() / 2, 5_000, 100, 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        match Store::open(folder.path()) {
            Err(Error::Damaged { .. } | Error::Io { .. }) => {}
            Err(other) => panic!("cut to {length}: {other}"),
            Ok(store) => {
                let found = store.inspect().map_or(1, |inspection| inspection.findings.len());
                assert!(found > 0, "the damage of a file cut to {length} bytes was not found");
            }
        }
    }
}

#[test]
fn a_backup_taken_while_writing_goes_on_opens_as_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    put(&store, "a", "before");
    let other = tempfile::tempdir().unwrap();
    let target = other.path().join("palabre.redb");
    store.backup(&target).unwrap();
    put(&store, "a", "after");
    assert!(matches!(store.backup(&target), Err(Error::Io { .. })), "an older backup is not overwritten");

    let restored = Store::open(other.path()).unwrap();
    assert_eq!(get(&restored, "a").as_deref(), Some("before"));
    assert!(restored.inspect().unwrap().findings.is_empty());
}

#[test]
fn a_row_that_does_not_decode_is_reported() {
    const AS_NUMBERS: Table<(String, String), u64> = Table::new(TableId::ScriptValues);
    let store = Store::in_memory().unwrap();
    put(&store, "a", "text");
    let error = AS_NUMBERS.get(&store.snapshot(0).unwrap(), &key("s", "a")).unwrap_err();
    assert!(error.to_string().contains("script_values"), "{error}");
}

#[tokio::test]
async fn a_ticket_can_be_awaited() {
    let store = Store::on_disk(Arc::new(MemoryDisk::default())).unwrap();
    let mut batch = Batch::default();
    VALUES.put(&mut batch, &key("s", "a"), &"b".to_owned());
    store.commit(batch).await.unwrap();
    assert_eq!(get(&store, "a").as_deref(), Some("b"));
}

#[test]
fn batches_that_build_on_one_that_failed_fail_too() {
    let store = Store::in_memory().unwrap();
    put(&store, "mark", "0");
    let step = |from: &str, to: &str| {
        let mut batch = Batch::default();
        VALUES.require_equals(&mut batch, &key("s", "mark"), &from.to_owned());
        VALUES.put(&mut batch, &key("s", "mark"), &to.to_owned());
        batch
    };
    let mut lost = step("0", "1");
    VALUES.require_absent(&mut lost, &key("s", "mark"));
    let (first, second, third) = (store.commit(lost), store.commit(step("1", "2")), store.commit(step("2", "3")));
    assert!(first.wait().is_err() && second.wait().is_err() && third.wait().is_err());
    assert_eq!(get(&store, "mark").as_deref(), Some("0"));
    store.commit(step("0", "1")).wait().unwrap();
}

#[test]
fn a_store_that_is_closed_is_closed_for_all_and_needs_no_repair() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (other, snapshot) = (store.clone(), store.snapshot(0).unwrap());
    let mut batch = Batch::default();
    VALUES.put(&mut batch, &key("s", "last"), &"written".to_owned());
    let last = store.commit(batch.clone());

    store.close();

    last.wait().unwrap();
    assert!(matches!(other.commit(batch).wait(), Err(Error::Closed)));
    assert!(matches!(other.snapshot(0).map(drop), Err(Error::Closed)));
    let reopened = Store::open(folder.path()).unwrap();
    assert!(!reopened.was_repaired());
    assert_eq!(get(&reopened, "last").as_deref(), Some("written"));
    drop((other, snapshot));
}

#[test]
fn a_store_that_was_not_closed_reports_its_repair_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    put(&store, "a", "b");
    let killed = tempfile::tempdir().unwrap();
    std::fs::copy(folder.path().join("palabre.redb"), killed.path().join("palabre.redb")).unwrap();
    drop(store);

    let found = Store::open(killed.path()).unwrap();
    assert!(found.was_repaired());
    assert_eq!(get(&found, "a").as_deref(), Some("b"));
    drop(found);
    assert!(!Store::open(killed.path()).unwrap().was_repaired());
}

#[test]
fn expiries_are_moved_only_for_rows_in_the_range() {
    let store = Store::in_memory().unwrap();
    let mut batch = Batch::default();
    for n in 0..5_000_u64 {
        VALUES.put_until(&mut batch, &key("late", &n.to_string()), &"x".to_owned(), Some(1_000_000 + n));
    }
    VALUES.put_until(&mut batch, &key("s", "early"), &"x".to_owned(), Some(5_000));
    VALUES.put_until(&mut batch, &key("s", "renewed"), &"x".to_owned(), Some(1_000_000));
    VALUES.put_until(&mut batch, &key("s", "renewed"), &"x".to_owned(), Some(6_000));
    store.commit(batch).wait().unwrap();

    assert_eq!(store.move_expiries(1_000_000, |end| end - 990_000, |batch| store.commit(batch).wait()).unwrap(), 5_001);

    let left = |now| {
        let snapshot = store.snapshot(now).unwrap();
        VALUES.scan(&snapshot, &Vec::new(), Direction::Forward).unwrap().count()
    };
    assert_eq!((left(4_999), left(5_500), left(9_999), left(12_500)), (5_002, 5_001, 5_000, 2_499));
    while let expired = store.expired(20_000).unwrap()
        && !expired.is_empty()
    {
        store.commit(expired).wait().unwrap();
    }
    assert_eq!(store.snapshot(0).unwrap().len(TableId::ScriptValues).unwrap(), 0);
    assert_eq!(store.snapshot(0).unwrap().len(TableId::Expiry).unwrap(), 0);
}
