//! Rate limits of requests.
//!
//! Telegram counts the messages of the last second and the last minute, and so does the pacer. An
//! edit counts towards the limit of all chats together. Other requests are delayed only if Telegram
//! has asked to wait, and then only those of the same class in the same chat: moderation never
//! waits for messages.
//! <https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::config::Pace;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Wait in addition to each window, since requests do not arrive as evenly as they are sent.
const MARGIN: Duration = Duration::from_millis(50);
/// Number of chats from which on those are forgotten that were idle for a minute.
const CHATS_MAX: usize = 1_024;

/// The limits, and the times of recent messages.
pub(crate) struct Pacer {
    pace: Pace,
    sent: Mutex<Sent>,
}

#[derive(Default)]
struct Sent {
    /// Messages and edits in all chats, in the last second.
    all: VecDeque<Instant>,
    /// Messages to each chat, in the last minute.
    chats: HashMap<i64, VecDeque<Instant>>,
    /// The end of each wait that Telegram has asked for.
    paused: HashMap<(i64, Class), Instant>,
}

/// Requests that wait together when Telegram asks one of them to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Sends a message.
    Message,
    /// Changes a message.
    Edit,
    /// Moderates messages, members or chats.
    Moderation,
    /// Everything else.
    Other,
}

impl Class {
    /// Returns the class of a method. The case of its name does not matter.
    pub(crate) fn of(method: &str) -> Self {
        let method = method.to_ascii_lowercase();
        match method.as_str() {
            "sendchataction" => Self::Other,
            _ if method.starts_with("send") => Self::Message,
            _ if method.starts_with("editmessage") => Self::Edit,
            "deletemessage"
            | "deletemessages"
            | "restrictchatmember"
            | "banchatmember"
            | "unbanchatmember"
            | "banchatsenderchat"
            | "unbanchatsenderchat"
            | "promotechatmember"
            | "setchatadministratorcustomtitle"
            | "setchatmembertag"
            | "setchatpermissions"
            | "approvechatjoinrequest"
            | "declinechatjoinrequest"
            | "closeforumtopic"
            | "reopenforumtopic" => Self::Moderation,
            _ => Self::Other,
        }
    }
}

/// A request that is sending messages; they are counted anew when it is dropped.
#[must_use = "the request ends when this is dropped"]
pub(crate) struct Turn<'p> {
    pacer: &'p Pacer,
    chat: i64,
    taken: Instant,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut sent = self.pacer.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let Sent { all, chats, .. } = &mut *sent;
        let now = Instant::now();
        put_off(all, self.taken, now);
        if let Some(here) = chats.get_mut(&self.chat) {
            put_off(here, self.taken, now);
        }
    }
}

/// Moves messages that were counted at `from` to `to`.
fn put_off(sent: &mut VecDeque<Instant>, from: Instant, to: Instant) {
    let before = sent.len();
    sent.retain(|at| *at != from);
    sent.extend(std::iter::repeat_n(to, before - sent.len()));
}

impl Pacer {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, sent: Mutex::default() }
    }

    /// Waits until `messages` more messages may be sent to the chat, and counts them.
    ///
    /// They finally count from the end of the turn. Telegram counts from their arrival, which is
    /// before its response.
    pub(crate) async fn wait(&self, chat: i64, messages: usize) -> Turn<'_> {
        loop {
            let now = Instant::now();
            match self.take(chat, messages, now) {
                Ok(()) => return Turn { pacer: self, chat, taken: now },
                Err(until) => sleep_until(until).await,
            }
        }
    }

    /// Admits a request that sends no message, or returns the time that it has to wait.
    ///
    /// The caller does the waiting, so that a later edit can replace one that waits.
    pub(crate) fn admit(&self, chat: i64, class: Class) -> Result<(), Duration> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let Sent { all, paused, .. } = &mut *sent;
        if let Some(until) = paused.get(&(chat, class)).filter(|until| **until > now) {
            return Err(*until - now);
        }
        if class == Class::Edit {
            forget(all, SECOND, now);
            let limit = usize::try_from(self.pace.per_second).unwrap_or(usize::MAX);
            if let Some(first) = all.front().filter(|_| all.len() >= limit) {
                return Err(*first + SECOND + MARGIN - now);
            }
            all.push_back(now);
        }
        Ok(())
    }

    /// Blocks a class of requests in a chat, since Telegram has asked to wait.
    pub(crate) fn pause(&self, chat: i64, class: Class, retry_after: Duration) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if sent.paused.len() > CHATS_MAX {
            sent.paused.retain(|_, until| *until > now);
        }
        sent.paused.insert((chat, class), now + retry_after + MARGIN);
    }

    /// Counts the messages, or returns the time until which to wait.
    fn take(&self, chat: i64, messages: usize, now: Instant) -> Result<(), Instant> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let Sent { all, chats, paused } = &mut *sent;
        if chats.len() > CHATS_MAX {
            chats.retain(|_, sent| sent.back().is_some_and(|last| *last + MINUTE > now));
        }
        if let Some(until) = paused.get(&(chat, Class::Message)).filter(|until| **until > now) {
            return Err(*until);
        }
        let here = chats.entry(chat).or_default();
        let count = |of: u32| usize::try_from(of).unwrap_or(usize::MAX);
        forget(all, SECOND, now);
        forget(here, MINUTE, now);
        // An album that exceeds a limit is sent when nothing else is counted.
        let room = |taken: usize, limit: usize| taken == 0 || taken + messages <= limit;
        if !room(all.len(), count(self.pace.per_second)) {
            return Err(all.front().map_or(now, |first| *first + SECOND + MARGIN));
        }
        let recent = here.iter().filter(|at| **at + SECOND + MARGIN > now);
        if !room(recent.clone().count(), count(self.pace.per_second_in_chat)) {
            return Err(recent.min().map_or(now, |first| *first + SECOND + MARGIN));
        }
        // Groups and channels have negative ids.
        if chat < 0 && !room(here.len(), count(self.pace.per_minute_in_group)) {
            return Err(here.front().map_or(now, |first| *first + MINUTE + MARGIN));
        }
        all.extend(std::iter::repeat_n(now, messages));
        here.extend(std::iter::repeat_n(now, messages));
        Ok(())
    }
}

/// Drops the messages that are older than the window.
fn forget(sent: &mut VecDeque<Instant>, window: Duration, now: Instant) {
    while sent.front().is_some_and(|first| *first + window + MARGIN <= now) {
        sent.pop_front();
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
        let busiest = |window: Duration| {
            (0..sent.len()).map(|i| sent[..=i].iter().filter(|at| **at + window > sent[i]).count()).max()
        };
        assert_eq!((busiest(SECOND), busiest(MINUTE)), (Some(1), Some(20)));
        assert!(sent[99] - sent[0] < Duration::from_secs(4 * 60 + 30), "it waits no longer than necessary");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_message_counts_from_its_arrival() {
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
        pacer.pause(7, Class::Message, Duration::from_secs(5));
        drop(pacer.wait(7, 1).await);
        assert!(Instant::now() - begun >= Duration::from_secs(6));
    }

    #[tokio::test(start_paused = true)]
    async fn moderation_waits_for_no_message_and_only_if_asked_to() {
        let pacer = Pacer::new(Pace::default());
        for _ in 0..20 {
            drop(pacer.wait(-1, 1).await);
        }
        for _ in 0..100 {
            assert_eq!(pacer.admit(-1, Class::Moderation), Ok(()));
        }
        pacer.pause(-1, Class::Message, Duration::from_secs(5));
        assert_eq!(pacer.admit(-1, Class::Moderation), Ok(()), "a wait for messages applies to messages only");
        pacer.pause(-1, Class::Moderation, Duration::from_secs(5));
        assert_eq!(pacer.admit(-1, Class::Moderation), Err(Duration::from_secs(5) + MARGIN));
        assert_eq!((pacer.admit(-2, Class::Moderation), pacer.admit(-1, Class::Other)), (Ok(()), Ok(())));
        tokio::time::sleep(Duration::from_secs(5) + MARGIN).await;
        assert_eq!(pacer.admit(-1, Class::Moderation), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_edit_does_not_wait_in_here_and_counts_for_all_chats_together() {
        let pacer = Pacer::new(Pace::default());
        let admitted = (0..40).filter(|chat| pacer.admit(-*chat, Class::Edit).is_ok()).count();
        assert_eq!(admitted, 30);
        let begun = Instant::now();
        drop(pacer.wait(7, 1).await);
        assert_eq!(begun.elapsed(), SECOND + MARGIN, "a message waits until the edits are a second old");
    }

    #[test]
    fn methods_have_the_class_of_their_effect() {
        let of = |names: &[&str]| names.iter().map(|name| Class::of(name)).collect::<Vec<_>>();
        assert_eq!(of(&["sendMessage", "sendMediaGroup", "SendPoll"]), [Class::Message; 3]);
        assert_eq!(of(&["deleteMessages", "BanChatMember", "setChatMemberTag"]), [Class::Moderation; 3]);
        assert_eq!(of(&["editMessageText", "editMessageReplyMarkup"]), [Class::Edit; 2]);
        assert_eq!(of(&["sendChatAction", "answerCallbackQuery", "pinChatMessage"]), [Class::Other; 3]);
    }
}
