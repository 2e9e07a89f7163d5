//! Time that passes without a wait, for sockets that run in the test's own runtime.

use std::time::Duration;

/// Moves the time of this runtime, in which the stand-in measures its limits.
///
/// Only for tests in a runtime of one thread. The time goes on afterwards, because time that stands
/// still would jump to the next timeout whenever a socket is slow.
pub async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}
