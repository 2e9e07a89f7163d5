//! Messages in flight.
//!
//! A message is in its chat before Telegram's response contains its id, and a user may press its
//! button in between.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

/// Maximum wait of a button press for the response. All later updates wait too.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);

/// Requests that send messages and have no response yet, by chat.
#[derive(Default)]
pub(crate) struct InFlight {
    requests: Mutex<HashMap<i64, usize>>,
    answered: Notify,
}

/// A request in flight, until it is dropped.
pub(crate) struct Sending<'u> {
    in_flight: &'u InFlight,
    chat: i64,
}

impl InFlight {
    pub(crate) fn begin(&self, chat: i64) -> Sending<'_> {
        *self.lock().entry(chat).or_default() += 1;
        Sending { in_flight: self, chat }
    }

    /// Waits until nothing is in flight in a chat, or until the timeout has passed.
    pub(crate) async fn quiesce(&self, chat: i64) {
        let nothing = async {
            loop {
                let answered = self.answered.notified();
                tokio::pin!(answered);
                answered.as_mut().enable();
                if !self.lock().contains_key(&chat) {
                    return;
                }
                answered.await;
            }
        };
        drop(timeout(RESPONSE_TIMEOUT, nothing).await);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<i64, usize>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        let mut requests = self.in_flight.lock();
        if let Some(count) = requests.get_mut(&self.chat) {
            *count -= 1;
            if *count == 0 {
                requests.remove(&self.chat);
            }
        }
        drop(requests);
        self.in_flight.answered.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_press_waits_only_for_messages_of_its_chat() {
        let in_flight = InFlight::default();
        let (first, second) = (in_flight.begin(-1), in_flight.begin(-1));
        let begun = tokio::time::Instant::now();
        in_flight.quiesce(-2).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        drop(first);
        in_flight.quiesce(-1).await;
        assert_eq!(begun.elapsed(), RESPONSE_TIMEOUT, "one is still in flight");
        let over = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            drop(second);
        };
        tokio::join!(over, in_flight.quiesce(-1));
        assert_eq!(begun.elapsed(), RESPONSE_TIMEOUT + Duration::from_secs(1));
    }
}
