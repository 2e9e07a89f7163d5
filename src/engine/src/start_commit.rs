//! Commits of a start, which wait while the disk is full.

use std::time::Duration;

use palabre_store::{Error, Result, Store};
use palabre_types::Batch;

/// Delay before a commit that the full disk refused is tried again.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Commits a batch. While the disk is full, it is tried again.
///
/// Nothing else is running yet that could lose anything meanwhile. Other errors end the start: they
/// rarely pass by themselves.
pub(crate) async fn commit(store: &Store, batch: Batch) -> Result<()> {
    let mut is_waiting = false;
    loop {
        match store.commit(batch.clone()).await {
            Err(error @ Error::DiskFull { .. }) => {
                if !is_waiting {
                    tracing::error!("the start waits: {error}");
                }
                is_waiting = true;
                tokio::time::sleep(RETRY_DELAY).await;
            }
            done => {
                if is_waiting && done.is_ok() {
                    tracing::info!("the store accepts writes, and the start goes on");
                }
                return done;
            }
        }
    }
}
