//! The chats, topics, users and messages of calls, and whether the bot can reach them.

use serde_json::Value;

use crate::telegram::kind::Kind;
use crate::telegram::member::Status;
use crate::telegram::refusal::Refusal;
use crate::telegram::state::State;

use super::call::Call;

impl State {
    /// Finds the chat of a `chat_id`: a number, or `@name`.
    pub(super) fn find_chat(&self, id: &Value) -> Option<i64> {
        let named = |name: &str| {
            let mut chats = self.chats.iter();
            chats.find(|(_, chat)| chat.username.as_deref() == Some(name)).map(|(id, _)| *id)
        };
        match id.as_str() {
            Some(text) => text.strip_prefix('@').map_or_else(|| text.parse().ok(), named),
            None => id.as_i64(),
        }
    }

    /// Returns the chat of a call, if it exists. A user whom the bot knows has a private chat.
    pub(super) fn known_chat(&mut self, id: &Value) -> Result<i64, Refusal> {
        let chat = self.find_chat(id).ok_or_else(Refusal::chat_not_found)?;
        if self.users.contains_key(&chat) && chat != self.bot {
            return Ok(self.private_chat(chat));
        }
        let place = self.chats.get(&chat).ok_or_else(Refusal::chat_not_found)?;
        match place.migrated_to {
            Some(new) => Err(Refusal::migrated(new)),
            None => Ok(chat),
        }
    }

    /// Returns the chat of a call, if the bot is in it.
    pub(super) fn reach(&mut self, id: &Value) -> Result<i64, Refusal> {
        let chat = self.known_chat(id)?;
        let kind = self.chats[&chat].kind;
        if kind == Kind::Private {
            let user = &self.users[&chat];
            return match (user.is_bot, user.blocks, user.has_started) {
                (true, ..) => Err(Refusal::forbidden("bot can't send messages to bots")),
                (_, true, _) => Err(Refusal::forbidden("bot was blocked by the user")),
                (_, _, false) => Err(Refusal::forbidden("bot can't initiate conversation with a user")),
                (_, _, true) => Ok(chat),
            };
        }
        match self.member(chat, self.bot).status {
            Status::Kicked { .. } => Err(Refusal::forbidden(&format!("bot was kicked from the {} chat", kind.name()))),
            Status::Left => Err(Refusal::forbidden(&format!("bot is not a member of the {} chat", kind.name()))),
            Status::Creator | Status::Administrator(_) | Status::Member | Status::Restricted { .. } => Ok(chat),
        }
    }

    /// Returns the supergroup of a call; also a channel unless `only_groups`.
    pub(super) fn reach_large(&mut self, id: &Value, only_groups: bool) -> Result<i64, Refusal> {
        let chat = self.reach(id)?;
        match self.chats[&chat].kind {
            Kind::Supergroup => Ok(chat),
            Kind::Channel if !only_groups => Ok(chat),
            _ if only_groups => Err(Refusal::bad("method is available only for supergroups")),
            _ => Err(Refusal::bad("method is available for supergroup and channel chats only")),
        }
    }

    /// Returns the topic of a call; none for the general one.
    pub(super) fn reach_thread(&self, chat: i64, call: &Call) -> Result<Option<i64>, Refusal> {
        let Some(thread) = call.number("message_thread_id") else { return Ok(None) };
        let place = &self.chats[&chat];
        let Some(topic) = place.topics.get(&thread).filter(|_| place.is_forum) else {
            return Err(Refusal::bad("message thread not found"));
        };
        if topic.is_closed && !self.has_right(chat, self.bot, "can_manage_topics") {
            return Err(Refusal::bad("TOPIC_CLOSED"));
        }
        Ok(Some(thread))
    }

    /// Returns the user of a call.
    pub(super) fn reach_user(&self, call: &Call) -> Result<i64, Refusal> {
        let user = call.number("user_id").filter(|user| self.users.contains_key(user));
        user.ok_or_else(|| Refusal::bad("user not found"))
    }

    /// Returns the message of a call; `what` completes Telegram's error: `message to edit not found`.
    pub(super) fn reach_message(&self, chat: i64, id: Option<i64>, what: &str) -> Result<i64, Refusal> {
        let id = id.filter(|id| self.message(chat, *id).is_some());
        id.ok_or_else(|| Refusal::bad(&format!("{what} not found")))
    }
}
