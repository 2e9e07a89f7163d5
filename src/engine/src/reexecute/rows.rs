//! The values of a script in memory, as they were at some step.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use palabre_script::{HostRows, Stored};
use palabre_types::{Change, Millis, Write};

/// The values of a script, rebuilt from the writes of its steps.
#[derive(Debug, Clone, Default)]
pub struct MemoryRows(RefCell<BTreeMap<Bytes, Stored>>);

impl MemoryRows {
    /// Applies the writes of a step.
    pub fn apply(&self, writes: &[Write]) {
        let mut rows = self.0.borrow_mut();
        for Write { key, change } in writes {
            match change {
                Change::Set { value, expires } => {
                    rows.insert(key.clone(), Stored { value: value.clone(), expires: *expires });
                }
                Change::Delete => drop(rows.remove(key)),
            }
        }
    }
}

impl HostRows for MemoryRows {
    fn get(&self, key: &[u8], now: Millis) -> Option<Stored> {
        self.0.borrow().get(key).filter(|row| is_live(row, now)).cloned()
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        backward: bool,
        limit: usize,
        now: Millis,
    ) -> Vec<(Vec<u8>, Stored)> {
        let rows = self.0.borrow();
        let follows = |key: &[u8]| after.is_none_or(|after| if backward { key < after } else { key > after });
        let mut found: Vec<_> = rows
            .range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(key, row)| follows(key) && is_live(row, now))
            .map(|(key, row)| (key.to_vec(), row.clone()))
            .collect();
        if backward {
            found.reverse();
        }
        found.truncate(limit);
        found
    }
}

fn is_live(row: &Stored, now: Millis) -> bool {
    row.expires.is_none_or(|at| at > now)
}
