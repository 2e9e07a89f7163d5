//! Memory that waiting runs take outside the VM, where its memory limit does not apply.

use std::cell::Cell;
use std::rc::Rc;

use palabre_types::{EventKind, Wait, value_weight};

/// The overhead of a waiting run in addition to its texts, in bytes.
///
/// It covers its row in the store and its entry among the waits.
const OVERHEAD: usize = 1_024;

/// The memory of all waiting runs of one script, in bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct WaitingMemory(Rc<Cell<usize>>);

/// The share of one waiting run, released when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    all: WaitingMemory,
    bytes: usize,
}

impl WaitingMemory {
    /// Reserves memory, unless all shares together would exceed `max` bytes.
    pub(crate) fn take(&self, bytes: usize, max: usize) -> Option<Share> {
        let all = self.0.get().saturating_add(bytes);
        if all > max {
            return None;
        }
        self.0.set(all);
        Some(Share { all: self.clone(), bytes })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Self { all, bytes } = self;
        all.0.set(all.0.get().saturating_sub(*bytes));
    }
}

/// Returns the approximate memory of a run that waits for `wait` and was started by `event`, in bytes.
pub(crate) fn weight(wait: &Wait, event: &EventKind) -> usize {
    let of_wait = match wait {
        Wait::Http { request, .. } => {
            let headers: usize = request.headers.iter().map(|(name, value)| 64 + name.len() + value.len()).sum();
            // Held twice: by the run, and by the request in flight.
            2 * (request.url.len() + headers + request.body.as_ref().map_or(0, Vec::len))
        }
        // Held three times: by the run, by the suspended coroutine's record, and in its row.
        Wait::Choose { choices, .. } => {
            3 * choices.iter().map(|(action, label)| 64 + action.len() + label.len()).sum::<usize>()
        }
        Wait::Sleep { .. } | Wait::Ask { .. } | Wait::Delivery { .. } => 0,
    };
    let of_event = match event {
        EventKind::Request { request: data, .. }
        | EventKind::Timer { payload: data, .. }
        | EventKind::Form { values: data, .. }
        | EventKind::Native { data, .. } => value_weight(data),
        EventKind::Message { message } | EventKind::Heard { message, .. } => message.content.text.len(),
        EventKind::Command { arguments, .. } => arguments.len(),
        _ => 0,
    };
    OVERHEAD + of_wait + of_event
}
