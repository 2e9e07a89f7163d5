//! Disks that fill up and lose power, and the store compared to a plain map.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use palabre_store::{Applied, BatchIdentity, Direction, Disk, Error, MemoryDisk, Store, Table};
use palabre_types::{Batch, Op, TableId};
use proptest::prelude::*;

const VALUES: Table<Vec<u8>, Vec<u8>> = Table::new(TableId::ScriptValues);

/// A disk with a write cache: unsynced writes are lost, in whole or in part, when the power fails.
#[derive(Debug, Default)]
struct PowerlessDisk {
    now: MemoryDisk,
    synced: Mutex<Vec<u8>>,
    unsynced: Mutex<Vec<Write>>,
    full: AtomicBool,
}

#[derive(Debug, Clone)]
enum Write {
    Bytes(u64, Vec<u8>),
    Length(u64),
}

impl PowerlessDisk {
    fn with_content(content: Vec<u8>) -> Self {
        Self { now: MemoryDisk::with_content(content.clone()), synced: Mutex::new(content), ..Self::default() }
    }

    /// Returns the content after a power failure that the first `kept` unsynced writes survived.
    fn after_power_loss(&self, kept: usize) -> Vec<u8> {
        let disk = MemoryDisk::with_content(self.synced.lock().unwrap().clone());
        for write in self.unsynced.lock().unwrap().iter().take(kept) {
            match write {
                Write::Bytes(offset, data) => disk.write(*offset, data).unwrap(),
                Write::Length(len) => disk.set_len(*len).unwrap(),
            }
        }
        disk.content()
    }

    fn room(&self) -> io::Result<()> {
        if self.full.load(SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Disk for PowerlessDisk {
    fn size(&self) -> io::Result<u64> {
        self.now.size()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.now.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.room()?;
        self.unsynced.lock().unwrap().push(Write::Length(len));
        self.now.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.room()?;
        self.unsynced.lock().unwrap().clear();
        *self.synced.lock().unwrap() = self.now.content();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.room()?;
        self.unsynced.lock().unwrap().push(Write::Bytes(offset, data.to_vec()));
        self.now.write(offset, data)
    }
}

fn all(store: &Store) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let snapshot = store.snapshot(0).unwrap();
    VALUES.scan(&snapshot, &Vec::new(), Direction::Forward).unwrap().map(|row| row.unwrap()).collect()
}

fn batch(changes: &[(u8, Option<Vec<u8>>)]) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in changes {
        match value {
            Some(value) => VALUES.put(&mut batch, &vec![*key], value),
            None => VALUES.delete(&mut batch, &vec![*key]),
        }
    }
    batch
}

#[test]
fn a_full_disk_is_reported_loses_nothing_and_commits_resume_when_there_is_space() {
    let disk = Arc::new(PowerlessDisk::default());
    let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    store.commit(batch(&[(1, Some(vec![1]))])).wait().unwrap();

    disk.full.store(true, SeqCst);
    for _ in 0..3 {
        let error = store.commit(batch(&[(2, Some(vec![0; 100_000]))])).wait().unwrap_err();
        assert!(matches!(error, Error::DiskFull { .. }), "{error}");
        assert!(error.is_temporary());
    }
    disk.full.store(false, SeqCst);

    store.commit(batch(&[(3, Some(vec![3]))])).wait().unwrap();
    assert_eq!(all(&store), BTreeMap::from([(vec![1], vec![1]), (vec![3], vec![3])]));
}

#[test]
fn a_snapshot_open_while_the_disk_fails_delays_nothing() {
    let disk = Arc::new(PowerlessDisk::default());
    let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    store.commit(batch(&[(1, Some(vec![1]))])).wait().unwrap();
    let snapshot = store.snapshot(0).unwrap();
    disk.full.store(true, SeqCst);
    store.commit(batch(&[(2, Some(vec![2]))])).wait().unwrap_err();
    disk.full.store(false, SeqCst);

    store.commit(batch(&[(2, Some(vec![2]))])).wait().unwrap();
    assert_eq!(all(&store).len(), 2);
    // It fails, or sees the state from before; nothing else.
    assert!(
        VALUES.get(&snapshot, &vec![2]).is_ok_and(|found| found.is_none())
            || snapshot.len(TableId::ScriptValues).is_err()
    );
}

/// A disk whose next sync can be refused, although everything written before it stays.
#[derive(Debug, Default)]
struct UnsureDisk {
    disk: MemoryDisk,
    is_sync_refused: AtomicBool,
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
        let is_refused = self.is_sync_refused.swap(false, SeqCst);
        if is_refused { Err(io::ErrorKind::StorageFull.into()) } else { self.disk.sync() }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write(offset, data)
    }
}

/// The row that holds the number of the last batch.
const LAST: u8 = 0;

/// Commits parts, each of which writes one key if it is absent, as the batch with a number.
fn commit_parts(store: &Store, number: u8, keys: &[u8]) -> Result<Applied, Error> {
    let mut parts = batch(&[(LAST, Some(vec![number]))]);
    for key in keys {
        let mut part = batch(&[(*key, Some(vec![number]))]);
        VALUES.require_absent(&mut part, &vec![*key]);
        parts.ops.push(Op::Conditional(part));
    }
    let is_applied = VALUES.one_of(&vec![LAST], [vec![number], vec![number + 1]]);
    let identity = BatchIdentity { number: number.into(), is_applied };
    let (sender, result) = std::sync::mpsc::channel();
    store.commit_with_callback(parts, Some(identity), move |_, done| sender.send(done).unwrap());
    result.recv().unwrap()
}

#[test]
fn a_batch_that_a_failed_commit_left_in_the_file_is_applied_once_and_keeps_its_result() {
    let disk = Arc::new(UnsureDisk::default());
    let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    assert_eq!(commit_parts(&store, 1, &[10]).unwrap().refused, [0; 0]);

    disk.is_sync_refused.store(true, SeqCst);
    assert!(commit_parts(&store, 2, &[20, 10, 21, 20]).is_err());
    // The next commit opens the file again.
    store.commit(Batch::default()).wait().unwrap();
    let found = all(&store);
    assert_eq!(found.get(&vec![20]), Some(&vec![2]), "the batch is in the file");

    assert_eq!(commit_parts(&store, 2, &[20, 10, 21, 20]).unwrap().refused, [1, 3]);
    assert_eq!(commit_parts(&store, 3, &[30]).unwrap().refused, [0; 0]);
    assert_eq!(commit_parts(&store, 2, &[20, 10, 21, 20]).unwrap().refused, [1, 3], "the next one is in the file too");
    assert_eq!(all(&store).get(&vec![LAST]), Some(&vec![3]));
}

#[test]
fn a_batch_that_a_failed_commit_did_not_leave_in_the_file_is_applied_when_it_is_submitted_again() {
    let disk = Arc::new(PowerlessDisk::default());
    let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    disk.full.store(true, SeqCst);
    assert!(commit_parts(&store, 1, &[10, 10]).is_err());
    disk.full.store(false, SeqCst);
    assert_eq!(commit_parts(&store, 1, &[10, 10]).unwrap().refused, [1]);
    assert_eq!(all(&store).get(&vec![10]), Some(&vec![1]));
}

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<(u8, Option<Vec<u8>>)>),
    /// A batch with a condition that cannot hold.
    Refused(u8),
    Reopen,
    /// A power failure that this share (in percent) of the unsynced writes survives.
    PowerLoss(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let change = (any::<u8>(), proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200)));
    prop_oneof![
        8 => proptest::collection::vec(change, 1..20).prop_map(Step::Commit),
        1 => any::<u8>().prop_map(Step::Refused),
        1 => Just(Step::Reopen),
        2 => (0..=100_usize).prop_map(Step::PowerLoss),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Any crash preserves every acknowledged batch, and nothing else except a batch in flight.
    #[test]
    fn the_store_is_a_map_that_survives(steps in proptest::collection::vec(step(), 1..30)) {
        let mut disk = Arc::new(PowerlessDisk::default());
        let mut store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
        let mut map = BTreeMap::new();
        for step in steps {
            match step {
                Step::Commit(changes) => {
                    store.commit(batch(&changes)).wait().unwrap();
                    for (key, value) in changes {
                        match value {
                            Some(value) => map.insert(vec![key], value),
                            None => map.remove(&vec![key]),
                        };
                    }
                }
                Step::Refused(key) => {
                    let mut refused = batch(&[(key, Some(b"never".to_vec()))]);
                    VALUES.require_equals(&mut refused, &vec![key], &b"no such value".to_vec());
                    prop_assert!(store.commit(refused).wait().is_err());
                }
                Step::Reopen => {
                    drop(store);
                    store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
                }
                Step::PowerLoss(share) => {
                    // Taken while the store is open, so that closing it writes nothing.
                    let unsynced = disk.unsynced.lock().unwrap().len();
                    let platter = disk.after_power_loss(unsynced * share / 100);
                    disk = Arc::new(PowerlessDisk::with_content(platter));
                    store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
                }
            }
            prop_assert_eq!(&all(&store), &map);
        }
        prop_assert!(store.inspect().unwrap().findings.is_empty());
    }

    /// The bytes of keys sort like the keys, and decode to them.
    #[test]
    fn keys_keep_their_order(a: (String, u64), b: (String, u64)) {
        use palabre_types::Key;
        let (encoded_a, encoded_b) = (a.to_bytes(), b.to_bytes());
        prop_assert_eq!(encoded_a.cmp(&encoded_b), (a.0.as_bytes(), a.1).cmp(&(b.0.as_bytes(), b.1)));
        prop_assert_eq!(<(String, u64)>::decode(&mut &encoded_a[..]), Some(a));
    }
}
