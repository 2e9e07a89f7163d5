//! Executes the steps that a daemon has recorded again.

use palabre_engine::reexecute_journal;
use palabre_script::Ticker;
use palabre_store::Store;

use crate::daemon::Project;

/// Checks that every step in a project's journal does the same when it is executed again.
///
/// The daemon must have ended.
///
/// # Panics
/// With the differences, if there are some.
pub fn assert_reexecutable(project: &Project) {
    let store = Store::open_for_inspection(&project.path().join("data")).expect("a store");
    let ticker = Ticker::start().expect("a thread");
    let snapshot = store.snapshot(0).expect("a snapshot");
    let differences = reexecute_journal(&snapshot, &ticker).expect("a journal");
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "executed again, these steps do something else:\n{}", shown.join("\n"));
}
