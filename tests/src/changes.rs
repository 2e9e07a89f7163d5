//! How a stand-in wakes the tests and the connections that wait for something.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinError;

/// How long anything may take before a test gives it up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A number that goes up with every change; whoever waits looks again then.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    number: watch::Sender<u64>,
    /// What went wrong within the stand-in itself.
    broken: Mutex<Option<String>>,
}

impl Changes {
    /// Something has changed.
    pub(crate) fn wake(&self) {
        self.number.send_modify(|number| *number += 1);
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.number.subscribe()
    }

    /// A connection has ended; if by a panic, the test hears of it at its next question.
    pub(crate) fn note_end(&self, ended: Result<(), JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
        {
            *self.broken.lock().expect("only a string is kept there") = Some(error.to_string());
            self.wake();
        }
    }

    /// Looks again at every change until there is something. `tell` says what a test that waits in vain would like to know.
    ///
    /// # Panics
    /// When nothing has come by then.
    pub(crate) async fn until<T>(
        &self,
        patience: Duration,
        what: &str,
        look: impl Fn() -> Option<T>,
        tell: impl Fn() -> String,
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
        match tokio::time::timeout(patience, found).await {
            Ok(found) => found,
            Err(_) => panic!("waited {patience:?} in vain for {what}; {}", tell()),
        }
    }
}
