//! A stand-in for the sequencer, where a test watches an adapter alone: commits its rows at once.

use palabre_platform::{EmitError, Receipt};
use palabre_store::{Error, Store};
use palabre_types::Batch;

/// Commits rows in order of arrival. The receipt resolves to `seq` once they are durable.
pub fn commit_rows(store: &Store, rows: Batch, seq: u64) -> Receipt {
    let (answer, receipt) = Receipt::channel();
    store.commit_with_callback(rows, None, move |_, done| {
        let result = match done {
            Ok(_) => Ok(seq),
            Err(Error::Refused { .. }) => Err(EmitError::Refused),
            Err(error) => Err(EmitError::Stalled(error.to_string())),
        };
        // A sender that needs no answer has dropped the receiver.
        drop(answer.send(result));
    });
    receipt
}
