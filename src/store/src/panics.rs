//! Panics of redb's at pages that are damaged in a way it does not expect: to us that is one more kind of damage.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether a panic of this thread is caught by the store and reported as damage, so that a panic hook need not print it.
#[must_use]
pub fn is_panic_caught() -> bool {
    CATCHING.get()
}

/// Runs what may panic at a damaged page.
pub(crate) fn caught<T>(read: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    let outer = CATCHING.replace(true);
    let done = catch_unwind(AssertUnwindSafe(read));
    CATCHING.set(outer);
    done
}
