//! Waits for what can only be asked for: the state of another process, of a browser, of a file.

use std::time::{Duration, Instant};

/// The pause between two looks, in real time: another process tells nobody when its state changes.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Looks repeatedly until there is a value. An error says what is there instead.
///
/// # Panics
/// If there is no value within `timeout`.
pub async fn eventually<T>(timeout: Duration, what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(instead) => assert!(began.elapsed() < timeout, "waited {timeout:?} in vain for {what}; {instead}"),
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}
