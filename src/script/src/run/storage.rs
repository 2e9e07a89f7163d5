//! Stored values as the run sees them: those of the host below its own writes.

use std::collections::BTreeMap;
use std::ops::Bound;

use palabre_types::Change;

use super::Run;
use crate::host_api::Stored;
use crate::limits::Limit;
use crate::reply::Problem;
use crate::watch::STOPPED;

impl Run {
    pub(crate) fn read(&self, key: &[u8]) -> Result<Option<Stored>, Problem> {
        let now = self.now();
        match self.writes.get(key) {
            Some(Change::Delete) => Ok(None),
            Some(Change::Set { expires: Some(at), .. }) if *at <= now => Ok(None),
            Some(Change::Set { value, expires }) => Ok(Some(Stored { value: value.clone(), expires: *expires })),
            None => self.host.get(key, now),
        }
    }

    pub(crate) fn write(&mut self, key: Vec<u8>, change: Change) -> Result<(), Problem> {
        self.input()?;
        let old = self.read(&key)?.map_or(0, |old| key.len() + old.value.len());
        self.write_over(key, old, change)
    }

    /// Like `write`, for a caller that knows the row's old size in bytes.
    ///
    /// The size is that of key and value, or 0 if there is no row.
    pub(crate) fn write_over(&mut self, key: Vec<u8>, old: usize, change: Change) -> Result<(), Problem> {
        let new = match &change {
            Change::Set { value, .. } => key.len() + value.len(),
            Change::Delete => 0,
        };
        self.spend_output(key.len() + new)?;
        self.growth += new as i64 - old as i64;
        let stored = i64::try_from(self.host.stored_bytes()).unwrap_or(i64::MAX).saturating_add(self.growth);
        let limit = self.limits.storage_mb;
        if new > old && stored > i64::try_from(limit.saturating_mul(1 << 20)).unwrap_or(i64::MAX) {
            return Err(self.trip(Limit::Storage(limit)));
        }
        self.writes.insert(key.into(), change);
        Ok(())
    }

    /// Returns the stored rows with `prefix` after `after`, including writes of this run.
    pub(crate) fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        backward: bool,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Stored)>, Problem> {
        let mut rows = BTreeMap::new();
        let mut from = after.map(<[u8]>::to_vec);
        // Rows that this run has deleted do not count, so filling a page may take several scans.
        loop {
            if self.is_stopped() {
                return Err(STOPPED.to_owned());
            }
            let page = self.host.scan(prefix, from.as_deref(), backward, limit, self.now())?;
            let full = page.len() == limit;
            from = page.last().map(|(key, _)| key.clone());
            rows.extend(page.into_iter().filter(|(key, _)| !self.writes.contains_key(key.as_slice())));
            if !full || rows.len() >= limit {
                break;
            }
        }
        let own = self.writes.range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded));
        for (key, change) in own.take_while(|(key, _)| key.starts_with(prefix)) {
            let within = after.is_none_or(|after| if backward { &**key < after } else { &**key > after });
            if within && let Change::Set { value, expires } = change {
                rows.insert(key.to_vec(), Stored { value: value.clone(), expires: *expires });
            }
        }
        // A full page may end before rows that this run has written; those come with the next page.
        Ok(if backward { rows.into_iter().rev().take(limit).collect() } else { rows.into_iter().take(limit).collect() })
    }
}
