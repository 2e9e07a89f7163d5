//! The pace of messages. Telegram counts those of the last second and the last minute, so that is what is counted here; a chat that
//! was asked to wait waits as a whole.
//! <https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::config::Pace;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Requests do not arrive as evenly as they leave: so much is waited beyond what is counted.
const MARGIN: Duration = Duration::from_millis(50);
/// Past so many chats those are forgotten that were left alone for a minute.
const CHATS: usize = 1_024;

/// When what was sent.
pub(crate) struct Pacer {
    pace: Pace,
    sent: Mutex<Sent>,
}

#[derive(Default)]
struct Sent {
    /// Of all chats, in the last second.
    all: VecDeque<Instant>,
    chats: HashMap<i64, Chat>,
}

#[derive(Default)]
struct Chat {
    /// In the last minute.
    sent: VecDeque<Instant>,
    /// Telegram has asked to wait until then.
    shut_until: Option<Instant>,
}

/// The time that a request takes which says something.
#[must_use = "it is over when this goes"]
pub(crate) struct Turn<'p> {
    pacer: &'p Pacer,
    chat: i64,
    taken: Instant,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut sent = self.pacer.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let Sent { all, chats } = &mut *sent;
        let now = Instant::now();
        put_off(all, self.taken, now);
        if let Some(here) = chats.get_mut(&self.chat) {
            put_off(&mut here.sent, self.taken, now);
        }
    }
}

/// What was counted at one time is counted at another.
fn put_off(sent: &mut VecDeque<Instant>, from: Instant, to: Instant) {
    let before = sent.len();
    sent.retain(|at| *at != from);
    sent.extend(std::iter::repeat_n(to, before - sent.len()));
}

impl Pacer {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, sent: Mutex::default() }
    }

    /// Waits until `messages` more may go to the chat, and counts them: from when their turn is over, since Telegram counts from when
    /// they arrive, which is before its answer.
    pub(crate) async fn wait(&self, chat: i64, messages: usize) -> Turn<'_> {
        loop {
            let now = Instant::now();
            match self.take(chat, messages, now) {
                Ok(()) => return Turn { pacer: self, chat, taken: now },
                Err(until) => sleep_until(until).await,
            }
        }
    }

    /// Telegram has asked to wait.
    pub(crate) fn shut(&self, chat: i64, retry_after: Duration) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.chats.entry(chat).or_default().shut_until = Some(Instant::now() + retry_after + MARGIN);
    }

    /// Counts the messages, or says until when to wait.
    fn take(&self, chat: i64, messages: usize, now: Instant) -> Result<(), Instant> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let Sent { all, chats } = &mut *sent;
        if chats.len() > CHATS {
            let is_used = |chat: &Chat| chat.sent.back().is_some_and(|last| *last + MINUTE > now);
            chats.retain(|_, chat| is_used(chat) || chat.shut_until.is_some_and(|until| until > now));
        }
        let here = chats.entry(chat).or_default();
        if let Some(until) = here.shut_until.filter(|until| *until > now) {
            return Err(until);
        }
        let count = |of: u32| usize::try_from(of).unwrap_or(usize::MAX);
        while all.front().is_some_and(|first| *first + SECOND + MARGIN <= now) {
            all.pop_front();
        }
        while here.sent.front().is_some_and(|first| *first + MINUTE + MARGIN <= now) {
            here.sent.pop_front();
        }
        // An album that is more than a limit goes when nothing else is counted.
        let room = |taken: usize, limit: usize| taken == 0 || taken + messages <= limit;
        if !room(all.len(), count(self.pace.per_second)) {
            return Err(all.front().map_or(now, |first| *first + SECOND + MARGIN));
        }
        let recent = here.sent.iter().filter(|at| **at + SECOND + MARGIN > now);
        if !room(recent.clone().count(), count(self.pace.per_second_in_chat)) {
            return Err(recent.min().map_or(now, |first| *first + SECOND + MARGIN));
        }
        // Groups and channels have negative ids.
        if chat < 0 && !room(here.sent.len(), count(self.pace.per_minute_in_group)) {
            return Err(here.sent.front().map_or(now, |first| *first + MINUTE + MARGIN));
        }
        all.extend(std::iter::repeat_n(now, messages));
        here.sent.extend(std::iter::repeat_n(now, messages));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_hundred_to_one_group_keep_to_every_limit() {
        let pacer = Pacer::new(Pace::default());
        let mut sent: Vec<Instant> = Vec::new();
        for _ in 0..100 {
            drop(pacer.wait(-1, 1).await);
            sent.push(Instant::now());
        }
        let most = |window: Duration| {
            (0..sent.len()).map(|i| sent[..=i].iter().filter(|at| **at + window > sent[i]).count()).max()
        };
        assert_eq!((most(SECOND), most(MINUTE)), (Some(1), Some(20)));
        assert!(sent[99] - sent[0] < Duration::from_secs(4 * 60 + 30), "and no more is waited than has to be");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_slow_to_arrive_counts_from_when_it_is_there() {
        let pacer = Pacer::new(Pace::default());
        let begun = Instant::now();
        let turn = pacer.wait(-1, 1).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        drop(turn);
        drop(pacer.wait(-1, 1).await);
        assert_eq!(begun.elapsed(), Duration::from_millis(700) + SECOND + MARGIN);
    }

    #[tokio::test(start_paused = true)]
    async fn chats_do_not_wait_for_each_other_but_for_all_together() {
        let pacer = Pacer::new(Pace::default());
        let begun = Instant::now();
        for chat in 1..=30 {
            drop(pacer.wait(chat, 1).await);
        }
        assert_eq!(Instant::now(), begun);
        drop(pacer.wait(31, 1).await);
        assert!(Instant::now() - begun >= SECOND);
        pacer.shut(7, Duration::from_secs(5));
        drop(pacer.wait(7, 1).await);
        assert!(Instant::now() - begun >= Duration::from_secs(6));
    }
}
