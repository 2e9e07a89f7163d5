//! The bytes that scripts store are counted when rows are written, removed and swept.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;

use palabre_store::{Direction, Disk, MemoryDisk, Store, Table};
use palabre_types::{Batch, Millis, TableId};
use proptest::prelude::*;

const VALUES: Table<(String, String), Vec<u8>> = Table::new(TableId::ScriptValues);
const USAGE: Table<String, u64> = Table::new(TableId::ScriptUsage);
const SCRIPTS: [&str; 3] = ["a", "ab", "a\0b"];

fn key(script: u8, name: u8) -> (String, String) {
    (SCRIPTS[usize::from(script) % SCRIPTS.len()].to_owned(), format!("key {}", name % 8))
}

/// Adds up the bytes of all rows by script, including expired ones.
fn added_up(store: &Store) -> BTreeMap<String, u64> {
    let snapshot = store.snapshot(0).unwrap();
    let mut sums = BTreeMap::new();
    for row in snapshot.scan(TableId::ScriptValues, &[], None, Direction::Forward).unwrap() {
        let (key, row) = row.unwrap();
        let (script, _) = <(String, String) as palabre_types::Key>::decode(&mut &key[..]).unwrap();
        let owner = palabre_types::Key::to_bytes(&script).len();
        *sums.entry(script).or_default() += (key.len() - owner + row.value.len()) as u64;
    }
    sums
}

fn check(store: &Store) {
    let snapshot = store.snapshot(0).unwrap();
    let noted: BTreeMap<String, u64> =
        USAGE.scan(&snapshot, &Vec::new(), Direction::Forward).unwrap().map(|row| row.unwrap()).collect();
    assert_eq!(noted, added_up(store));
    for script in SCRIPTS {
        let shown = store.stored_bytes(script).unwrap().load(Acquire);
        assert_eq!(shown, noted.get(script).copied().unwrap_or(0), "{script}");
    }
    let findings = store.inspect().unwrap().findings;
    assert!(findings.is_empty(), "{findings:?}");
}

#[derive(Debug, Clone)]
enum Step {
    Set {
        script: u8,
        name: u8,
        size: usize,
        ttl: Option<Millis>,
    },
    Delete {
        script: u8,
        name: u8,
    },
    /// Several changes in one batch, and the same number in a batch that is refused.
    Many(Vec<(u8, u8, usize)>),
    Sweep,
    Later(Millis),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let ttl = proptest::option::of(1..50_u64);
    prop_oneof![
        6 => (any::<u8>(), any::<u8>(), 0..300_usize, ttl)
            .prop_map(|(script, name, size, ttl)| Step::Set { script, name, size, ttl }),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(script, name)| Step::Delete { script, name }),
        2 => proptest::collection::vec((any::<u8>(), any::<u8>(), 0..300_usize), 1..10).prop_map(Step::Many),
        2 => Just(Step::Sweep),
        3 => (1..40_u64).prop_map(Step::Later),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn usage_is_the_sum_of_what_is_stored_whatever_is_set_removed_swept_and_reopened(
        steps in proptest::collection::vec(step(), 1..60)
    ) {
        let disk = Arc::new(MemoryDisk::default()) as Arc<dyn Disk>;
        let mut store = Store::on_disk(Arc::clone(&disk)).unwrap();
        let mut now = 1_000;
        for step in steps {
            let mut batch = Batch::default();
            match step {
                Step::Set { script, name, size, ttl } => {
                    VALUES.put_until(&mut batch, &key(script, name), &vec![7; size], ttl.map(|ttl| now + ttl));
                }
                Step::Delete { script, name } => VALUES.delete(&mut batch, &key(script, name)),
                Step::Many(changes) => {
                    let mut refused = Batch::default();
                    VALUES.require_equals(&mut refused, &key(0, 0), &b"never".to_vec());
                    for (script, name, size) in changes {
                        VALUES.put(&mut batch, &key(script, name), &vec![7; size]);
                        VALUES.put(&mut refused, &key(script, name), &vec![7; size + 1]);
                    }
                    prop_assert!(store.commit(refused).wait().is_err());
                }
                Step::Sweep => store.commit(store.expired(now).unwrap()).wait().unwrap(),
                Step::Later(by) => now += by,
                Step::Reopen => {
                    drop(store);
                    store = Store::on_disk(Arc::clone(&disk)).unwrap();
                }
            }
            store.commit(batch).wait().unwrap();
            check(&store);
        }
    }
}

#[test]
fn a_sweep_releases_the_usage_of_expired_rows() {
    let store = Store::in_memory().unwrap();
    let usage = store.stored_bytes("a").unwrap();
    let mut batch = Batch::default();
    for n in 0..1_100 {
        VALUES.put_until(&mut batch, &("a".to_owned(), n.to_string()), &vec![7; 900], Some(5_000));
    }
    store.commit(batch).wait().unwrap();
    assert!(usage.load(Acquire) > 990_000);

    store.commit(store.expired(130_000).unwrap()).wait().unwrap();

    assert_eq!(usage.load(Acquire), 0);
    check(&store);
}

#[test]
fn writing_over_a_row_that_has_expired_and_was_not_swept_counts_once() {
    let store = Store::in_memory().unwrap();
    let usage = store.stored_bytes("a").unwrap();
    let put = |until| {
        let mut batch = Batch::default();
        VALUES.put_until(&mut batch, &key(0, 1), &vec![7; 900], until);
        store.commit(batch).wait().unwrap();
        usage.load(Acquire)
    };
    assert_eq!(put(Some(5_000)), put(Some(200_000)));
    // The index still has the first expiry.
    store.commit(store.expired(130_000).unwrap()).wait().unwrap();
    assert_eq!(put(None), usage.load(Acquire));
    check(&store);
}

#[test]
fn wrong_sums_are_found_and_corrected() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut batch = Batch::default();
    VALUES.put(&mut batch, &key(0, 1), &vec![7; 900]);
    store.commit(batch).wait().unwrap();
    let mut batch = Batch::default();
    USAGE.put(&mut batch, &"a".to_owned(), &123_456);
    USAGE.put(&mut batch, &"gone".to_owned(), &1);
    store.commit(batch).wait().unwrap();
    store.close();

    let found = palabre_store::verify(&folder.path().join("palabre.redb")).unwrap().findings;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].to_string().contains("123456 bytes"), "{}", found[0]);

    let store = Store::open(folder.path()).unwrap();
    store.recount().unwrap();
    check(&store);
}
