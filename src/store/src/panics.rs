//! Panics of redb at damaged pages that it does not expect, reported as damage like any other.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Whether the store catches panics of this thread and reports them as damage.
///
/// A panic hook need not print those.
#[must_use]
pub fn is_panic_caught() -> bool {
    CATCHING.get()
}

/// Runs code that may panic at a damaged page.
pub(crate) fn catch<T>(read: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    let outer = CATCHING.replace(true);
    let done = catch_unwind(AssertUnwindSafe(read));
    CATCHING.set(outer);
    done
}
