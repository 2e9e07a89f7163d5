//! Change notification of a stand-in: wakes the tests and connections that wait for something.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinError;

/// The maximum wait before a test fails.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(20);

/// A counter that increases with every change and wakes everything that waits.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    number: watch::Sender<u64>,
    /// A panic within the stand-in itself.
    broken: Mutex<Option<String>>,
}

impl Changes {
    /// Reports a change.
    pub(crate) fn wake(&self) {
        self.number.send_modify(|number| *number += 1);
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.number.subscribe()
    }

    /// Records that a connection has ended. A panic fails the test at its next wait.
    pub(crate) fn record_end(&self, ended: Result<(), JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
        {
            *self.broken.lock().expect("only a string is kept there") = Some(error.to_string());
            self.wake();
        }
    }

    /// Evaluates `look` after every change until it returns a value.
    ///
    /// `describe` adds details to the failure message.
    ///
    /// # Panics
    /// If there is no value within `timeout`.
    pub(crate) async fn until<T>(
        &self,
        timeout: Duration,
        what: &str,
        look: impl Fn() -> Option<T>,
        describe: impl Fn() -> String,
    ) -> T {
        let mut changed = self.subscribe();
        let found = async {
            loop {
                changed.mark_unchanged();
                let broken = self.broken.lock().expect("only a string is kept there").clone();
                assert!(broken.is_none(), "the stand-in broke: {broken:?}");
                if let Some(found) = look() {
                    return found;
                }
                changed.changed().await.expect("the sender is ours");
            }
        };
        match tokio::time::timeout(timeout, found).await {
            Ok(found) => found,
            Err(_) => panic!("waited {timeout:?} in vain for {what}; {}", describe()),
        }
    }
}
