//! Checks that the journal of a store describes every row of it.

use std::path::Path;
use std::time::{Duration, Instant};

use palabre_engine::{RowDifference, journal, rebuild};
use palabre_store::{Error, Snapshot, Store};

/// Differences that a failure shows.
const SHOWN: usize = 5;
/// The maximum wait for a daemon that was killed to release its folder.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);

/// Asserts that the rows that the journal gives equal those of the store.
///
/// Does nothing if the journal does not reach back to the start.
///
/// # Panics
/// If a row differs.
pub fn assert_rebuilt(snapshot: &Snapshot) {
    let first = journal(snapshot).ok().and_then(|mut batches| batches.next()).and_then(Result::ok);
    if first.is_none_or(|(number, _)| number != 1) {
        return;
    }
    // In a thread of its own: a commit blocks, and tests drive asynchronous tasks.
    let rebuilt = std::thread::scope(|scope| scope.spawn(|| rebuild(snapshot)).join());
    let differences = rebuilt.expect("it does not panic").expect("the journal can be applied");
    let shown: Vec<String> = differences.iter().take(SHOWN).map(shown).collect();
    assert!(differences.is_empty(), "{} rows are not what the journal gives:\n{}", differences.len(), shown.join("\n"));
}

/// Asserts the same for the store of a project, unless there is none or a daemon still uses it.
pub(crate) fn assert_folder_rebuilt(data: &Path) {
    let began = Instant::now();
    let store = loop {
        match Store::open_for_inspection(data) {
            Ok(store) => break store,
            // The kernel ends a killed process whenever it does.
            Err(Error::Locked { .. }) if began.elapsed() < LOCK_WAIT_MAX => std::thread::yield_now(),
            // There is none, or the test has damaged it.
            Err(_) => return,
        }
    };
    if let Ok(snapshot) = store.snapshot(0) {
        assert_rebuilt(&snapshot);
    }
}

fn shown(difference: &RowDifference) -> String {
    let RowDifference { table, key, stored, rebuilt } = difference;
    let key = String::from_utf8_lossy(key);
    format!("{table:?} {key:?}: stored {stored:?}, rebuilt {rebuilt:?}")
}
