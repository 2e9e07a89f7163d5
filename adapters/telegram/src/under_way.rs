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
const PATIENCE: Duration = Duration::from_secs(3);

/// Requests that send messages and have no response yet, by chat.
#[derive(Default)]
pub(crate) struct UnderWay {
    requests: Mutex<HashMap<i64, usize>>,
    answered: Notify,
}

/// A request in flight, until it is dropped.
pub(crate) struct Saying<'u> {
    under_way: &'u UnderWay,
    chat: i64,
}

impl UnderWay {
    pub(crate) fn say(&self, chat: i64) -> Saying<'_> {
        *self.lock().entry(chat).or_default() += 1;
        Saying { under_way: self, chat }
    }

    /// Waits until nothing is in flight in a chat, or until the timeout has passed.
    pub(crate) async fn settle(&self, chat: i64) {
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
        drop(timeout(PATIENCE, nothing).await);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<i64, usize>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Saying<'_> {
    fn drop(&mut self) {
        let mut requests = self.under_way.lock();
        if let Some(count) = requests.get_mut(&self.chat) {
            *count -= 1;
            if *count == 0 {
                requests.remove(&self.chat);
            }
        }
        drop(requests);
        self.under_way.answered.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_press_waits_for_what_is_said_in_its_chat_alone() {
        let under_way = UnderWay::default();
        let (first, second) = (under_way.say(-1), under_way.say(-1));
        let begun = tokio::time::Instant::now();
        under_way.settle(-2).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        drop(first);
        under_way.settle(-1).await;
        assert_eq!(begun.elapsed(), PATIENCE, "one is still in flight");
        let over = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            drop(second);
        };
        tokio::join!(over, under_way.settle(-1));
        assert_eq!(begun.elapsed(), PATIENCE + Duration::from_secs(1));
    }
}
