//! The stored values of one script: reads see its own writes before they are durable.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Acquire};

use bytes::Bytes;
use palabre_script::Stored;
use palabre_state::{KeyMap, WentBack, value_key};
use palabre_store::{Direction, Result, Snapshot, Store};
use palabre_types::{Change, Millis, ScriptName, TableId};

/// Maximum number of cached values, not counting those that are not durable yet.
///
/// The cache is right as long as this worker alone writes them. A step that has not seen another
/// write is refused, and the cache goes with its instance.
const CACHED_VALUES_MAX: usize = 65_536;

/// The bytes of keys and values that a script stores.
///
/// The sum of the store's own count, which covers what is durable and what was swept, and of the
/// changes in run batches that are not durable yet.
struct Usage {
    stored: Arc<AtomicU64>,
    undurable: RefCell<VecDeque<(u64, i64)>>,
}

impl Usage {
    fn add(&self, run_batch: u64, after: u64, before: u64) {
        let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let change = size(after) - size(before);
        let mut undurable = self.undurable.borrow_mut();
        match undurable.back_mut() {
            Some((last, sum)) if *last == run_batch => *sum += change,
            _ => undurable.push_back((run_batch, change)),
        }
    }

    /// Returns the bytes, given the last run batch that is durable.
    fn bytes(&self, durable: u64) -> u64 {
        let mut undurable = self.undurable.borrow_mut();
        while undurable.front().is_some_and(|(run_batch, _)| *run_batch <= durable) {
            undurable.pop_front();
        }
        let growth: i64 = undurable.iter().map(|(_, change)| change).sum();
        self.stored.load(Acquire).saturating_add_signed(growth)
    }
}

/// The values, with those in memory that may differ from the store's.
pub(super) struct Values {
    script: ScriptName,
    store: Store,
    /// The value, and the run batch that wrote it (0: read from the store).
    cached: RefCell<KeyMap<(Option<Stored>, u64)>>,
    /// Keys of run batches that the snapshot may not contain, in order, for scans.
    unflushed: RefCell<VecDeque<(u64, Bytes)>>,
    snapshot: RefCell<Option<Snapshot>>,
    usage: Usage,
    durable: Arc<AtomicU64>,
}

impl Values {
    pub(super) fn new(script: ScriptName, store: Store) -> Self {
        let stored = store.stored_bytes(script.as_str()).unwrap_or_else(|error| {
            tracing::error!(script = %script, "cannot read how much it stores; counting from 0: {error}");
            Arc::default()
        });
        Self {
            script,
            store,
            cached: RefCell::default(),
            unflushed: RefCell::default(),
            snapshot: RefCell::new(None),
            usage: Usage { stored, undurable: RefCell::default() },
            durable: Arc::default(),
        }
    }

    /// Returns the number of the last durable run batch; the commit of entry batches advances it.
    pub(super) fn durable(&self) -> &Arc<AtomicU64> {
        &self.durable
    }

    /// Applies a write of a successful step, so that later steps read it.
    pub(super) fn apply(&self, key: &Bytes, change: &Change, run_batch: u64) {
        let new = match change {
            Change::Set { value, expires } => Some(Stored { value: value.clone(), expires: *expires }),
            Change::Delete => None,
        };
        let size =
            |stored: &Option<Stored>| stored.as_ref().map_or(0, |stored| (key.len() + stored.value.len()) as u64);
        let after = size(&new);
        // A run reads what it overwrites, so the old value is in memory, unless the last tidying
        // dropped it: the store counts exactly as it writes.
        let before = self.cached.borrow_mut().insert(key.clone(), (new, run_batch)).map_or(0, |(old, _)| size(&old));
        self.usage.add(run_batch, after, before);
        self.unflushed.borrow_mut().push_back((run_batch, key.clone()));
    }

    /// Drops the snapshot.
    ///
    /// While one is open, the store keeps every page that it shows, and its file grows.
    pub(super) fn drop_snapshot(&self) {
        *self.snapshot.borrow_mut() = None;
    }

    /// Corrects expiry times after the clock went back.
    ///
    /// The store has corrected its rows, so they are read again; values that are not durable yet
    /// are corrected here.
    pub(super) fn went_back(&self, back: &WentBack) {
        self.drop_snapshot();
        let durable = self.durable.load(Acquire);
        self.cached.borrow_mut().retain(|_, (stored, run_batch)| {
            if let Some(stored) = stored {
                stored.expires = stored.expires.map(|end| back.end(end));
            }
            *run_batch > durable
        });
    }

    /// Drops what can be read from the store again. Called between run batches.
    pub(super) fn tidy(&self) {
        let durable = self.durable.load(Acquire);
        let mut unflushed = self.unflushed.borrow_mut();
        if unflushed.front().is_some_and(|(run_batch, _)| *run_batch <= durable) {
            // An older snapshot would miss the keys that are dropped here.
            self.drop_snapshot();
            while unflushed.front().is_some_and(|(run_batch, _)| *run_batch <= durable) {
                unflushed.pop_front();
            }
        }
        let mut cached = self.cached.borrow_mut();
        if cached.len() > CACHED_VALUES_MAX {
            cached.retain(|_, (_, run_batch)| *run_batch > durable);
        }
    }

    /// Returns the bytes of all keys and values.
    pub(super) fn bytes(&self) -> u64 {
        self.usage.bytes(self.durable.load(Acquire))
    }

    pub(super) fn get(&self, key: &[u8], now: Millis) -> Result<Option<Stored>> {
        if let Some((stored, _)) = self.cached.borrow().get(key) {
            return Ok(stored.clone().filter(|stored| stored.expires.is_none_or(|at| at > now)));
        }
        let full = value_key(&self.script, key);
        let stored = self.with_snapshot(now, |snapshot| {
            let row = snapshot.get(TableId::ScriptValues, &full)?;
            Ok(row.map(|row| Stored { value: row.value.into(), expires: row.expires }))
        })?;
        self.cached.borrow_mut().insert(Bytes::copy_from_slice(key), (stored.clone(), 0));
        // The snapshot may be from before it expired.
        Ok(stored.filter(|stored| stored.expires.is_none_or(|at| at > now)))
    }

    pub(super) fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        backward: bool,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<(Vec<u8>, Stored)>> {
        let skip = value_key(&self.script, &[]).len();
        let unflushed: BTreeSet<Bytes> = self
            .unflushed
            .borrow()
            .iter()
            .filter(|(_, key)| key.starts_with(prefix))
            .map(|(_, key)| key.clone())
            .collect();
        let full_prefix = value_key(&self.script, prefix);
        let full_after = after.map(|after| value_key(&self.script, after));
        let direction = if backward { Direction::Backward } else { Direction::Forward };
        let mut rows: BTreeMap<Vec<u8>, Stored> = self.with_snapshot(now, |snapshot| {
            snapshot
                .scan(TableId::ScriptValues, &full_prefix, full_after.as_deref(), direction)?
                // Newer writes are taken from memory below.
                .filter(|row| row.as_ref().map_or(true, |(key, _)| !unflushed.contains(&key[skip..])))
                // The snapshot may be from before some of them expired.
                .filter(|row| row.as_ref().map_or(true, |(_, row)| row.expires.is_none_or(|at| at > now)))
                .take(limit)
                .map(|row| {
                    let (key, row) = row?;
                    Ok((key[skip..].to_vec(), Stored { value: row.value.into(), expires: row.expires }))
                })
                .collect()
        })?;
        for key in &unflushed {
            let within = after.is_none_or(|after| if backward { &**key < after } else { &**key > after });
            if within && let Some(stored) = self.get(key, now)? {
                rows.insert(key.to_vec(), stored);
            }
        }
        Ok(if backward { rows.into_iter().rev().take(limit).collect() } else { rows.into_iter().take(limit).collect() })
    }

    fn with_snapshot<T>(&self, now: Millis, read: impl FnOnce(&Snapshot) -> Result<T>) -> Result<T> {
        let mut current = self.snapshot.borrow_mut();
        let snapshot = match current.take() {
            Some(snapshot) => snapshot,
            None => self.store.snapshot(now)?,
        };
        let outcome = read(&snapshot);
        if outcome.is_ok() {
            *current = Some(snapshot);
        }
        outcome
    }
}
