//! The rate limits, applied to calls that send or edit messages.

use std::time::Duration;

use tokio::time::Instant;

use crate::server::limits::{Forbidden, Limit};
use crate::telegram::kind::Kind;
use crate::telegram::refusal::Refusal;
use crate::telegram::state::State;

use super::call::Call;

/// Returns the number of messages that a call sends, and whether it edits one.
fn weight(call: &Call) -> (usize, bool) {
    let name = call.method.name.as_str();
    let sends =
        name.starts_with("send") && name != "sendChatAction" || matches!(name, "copyMessage" | "forwardMessage");
    let count = call.get("media").as_array().map_or(1, Vec::len);
    (if sends { count } else { 0 }, name.starts_with("editMessage"))
}

impl State {
    /// Counts the messages of a call against the limits.
    pub(super) fn pace(&mut self, call: &Call) -> Result<(), Refusal> {
        let (count, edits) = weight(call);
        if count == 0 && !edits {
            return Ok(());
        }
        let (now, limits) = (Instant::now(), self.options.limits);
        let chat = self.find_chat(call.get("chat_id")).unwrap_or_default();
        let mut applied = vec![("all".to_owned(), limits.overall, count.max(1))];
        if count > 0 {
            applied.push((format!("chat {chat}"), limits.chat, count));
            if self.chats.get(&chat).is_some_and(|chat| chat.kind != Kind::Private) {
                applied.push((format!("group {chat}"), limits.group, count));
            }
        }
        if let Some(until) = self.pacing.forbidden.get(&chat).and_then(|forbidden| forbidden.until(now)) {
            self.counters.overruns += 1;
            self.counters.hasty += 1;
            return Err(Refusal::too_many(whole_seconds(until - now)));
        }
        let longest = applied.iter().filter_map(|(key, limit, count)| self.pacing.wait(key, *limit, *count, now)).max();
        if let Some(wait) = longest {
            self.counters.overruns += 1;
            let seconds = whole_seconds(wait);
            self.forbid(chat, seconds);
            return Err(Refusal::too_many(seconds));
        }
        for (key, limit, count) in applied {
            if limit.count < Limit::NONE.count {
                self.pacing.sent.entry(key).or_default().extend(std::iter::repeat_n(now, count));
            }
        }
        Ok(())
    }

    /// Forbids messages in the chat of a call for a while, for an injected 429.
    pub(super) fn forbid_for(&mut self, call: &Call, seconds: u64) {
        let chat = self.find_chat(call.get("chat_id"));
        if let Some(chat) = chat.filter(|_| weight(call).0 > 0) {
            self.forbid(chat, seconds);
        }
    }

    fn forbid(&mut self, chat: i64, seconds: u64) {
        self.pacing.forbidden.insert(chat, Forbidden::new(Instant::now(), Duration::from_secs(seconds)));
    }
}

/// Rounds a waiting time to whole seconds, as Telegram does.
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs_f64().ceil() as u64).max(1)
}
