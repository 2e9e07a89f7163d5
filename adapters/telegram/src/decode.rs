//! Conversion of Telegram's updates into events.

pub(crate) mod content;
pub(crate) mod decoder;
mod members;
mod messages;

use palabre_types::{Event, EventKind, Millis};
use serde::Deserialize;
use serde_json::Value;

use crate::buttons::stored::Stored;
use crate::frames::{self, Update};

use decoder::{Decoded, Decoder, Scene};

/// The meaning of a button that was pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pressed {
    Button { action: String },
    Select { action: String, values: Vec<String> },
}

impl Decoder {
    /// Returns the events of an update. Unknown kinds and malformed updates become native events.
    pub(crate) fn decode(&self, update: &Value, now: Millis) -> Decoded {
        let frame = match Update::deserialize(update) {
            Ok(frame) => frame,
            Err(error) => {
                // Without the error's own text, which may quote a user.
                let what = kind_of(update);
                let (bot, kind) = (&self.bot.name, error.classify());
                tracing::warn!(%bot, update = what, "a malformed update becomes a native event ({kind:?})");
                return self.native(update, now).into();
            }
        };
        match self.decode_frame(frame, now) {
            Some(decoded) => decoded,
            None => self.native(update, now).into(),
        }
    }

    /// Remembers the users that an update names in addition to its author.
    ///
    /// Those are users in text mentions, and the author of the message that is replied to.
    pub(crate) fn remember_named(&self, update: &Value) {
        let kinds = ["message", "edited_message", "channel_post", "edited_channel_post"];
        for message in kinds.iter().filter_map(|kind| update.get(*kind)) {
            let entities = ["entities", "caption_entities"].iter().filter_map(|name| message[*name].as_array());
            let mentions = entities.flatten().filter(|entity| entity["type"] == "text_mention");
            let answered = &message["reply_to_message"]["from"];
            for user in mentions.map(|entity| &entity["user"]).chain([answered]) {
                if let Ok(user) = frames::User::deserialize(user)
                    && user.id > 0
                {
                    self.user(&user);
                }
            }
        }
    }

    /// Returns `None` for updates that have no event of their own.
    fn decode_frame(&self, update: Update, now: Millis) -> Option<Decoded> {
        if let Some(message) = update.message.or(update.channel_post) {
            return self.message(vec![message], now);
        }
        if let Some(message) = update.edited_message.or(update.edited_channel_post) {
            return Some(self.edited(&message, now));
        }
        if let Some(reacted) = update.message_reaction {
            return Some(self.reacted(&reacted, now));
        }
        if let Some(change) = update.chat_member {
            return Some(self.member_changed(&change, now));
        }
        if let Some(change) = update.my_chat_member {
            return self.bot_changed(&change, now);
        }
        if let Some(query) = update.inline_query {
            return Some(self.queried(query, now));
        }
        update.chat_join_request.map(|request| self.join_requested(&request, now))
    }

    /// Returns the event of a button press.
    pub(crate) fn pressed(&self, callback: &frames::Callback, pressed: Pressed, now: Millis) -> Decoded {
        let Some(message) = &callback.message else { return Decoded::default() };
        let changed = self.cache_chat_of(message);
        let user = self.user(&callback.from);
        // The user is the one who pressed, not the author of the message.
        let (chat, topic) = (message.chat.id, message.message_thread_id.filter(|_| message.is_topic_message));
        let scene = Scene { chat, topic, member: self.member(chat, callback.from.id), user: Some(user) };
        let (id, interaction) = (self.cache.lock().id_of(chat, message.message_id), Some(callback.id.clone()));
        let kind = match pressed {
            Pressed::Button { action } => EventKind::Button { action, message: id, values: Vec::new(), interaction },
            Pressed::Select { action, values } => EventKind::Select { action, message: id, values, interaction },
        };
        Decoded { events: vec![self.event(scene, kind, now)], changed }
    }

    /// Returns the event of a vote in one of the bot's polls, without values if it was retracted.
    pub(crate) fn voted(&self, answer: &frames::PollAnswer, stored: &Stored, now: Millis) -> Decoded {
        let Stored::Poll { chat, topic, message, options } = stored else { return Decoded::default() };
        let Some(voter) = &answer.user else { return Decoded::default() };
        let values = answer.option_ids.iter().filter_map(|index| options.get(*index).cloned()).collect();
        let user = self.user(voter);
        let scene = Scene { chat: *chat, topic: *topic, member: self.member(*chat, voter.id), user: Some(user) };
        let message = self.cache.lock().id_of(*chat, *message);
        self.event(scene, EventKind::PollVote { message, values }, now).into()
    }

    /// Returns the event of an inline query.
    ///
    /// Its `offset` is ignored: all offers are sent at once, so nobody asks for more.
    fn queried(&self, query: frames::InlineQuery, now: Millis) -> Decoded {
        let scene = Scene { user: Some(self.user(&query.from)), ..Scene::default() };
        self.event(scene, EventKind::InlineQuery { text: query.query, interaction: query.id }, now).into()
    }

    /// Returns the event of a completed form.
    pub(crate) fn filled_in(&self, message: &frames::Message, action: String, values: Value, now: Millis) -> Event {
        let (user, id) = self.author(message);
        let scene = self.scene(message, user, id);
        self.event(scene, EventKind::Form { action, message: None, values, interaction: None }, now)
    }

    fn native(&self, update: &Value, now: Millis) -> Event {
        let name = kind_of(update).to_owned();
        let data = update.get(&name).cloned().unwrap_or_else(|| update.clone());
        let chat = data["chat"]["id"].as_i64().or_else(|| data["message"]["chat"]["id"].as_i64());
        let scene = Scene { chat: chat.unwrap_or_default(), ..Scene::default() };
        self.event(scene, EventKind::Native { name, data }, now)
    }
}

/// Returns the kind of an update, as Telegram calls it.
fn kind_of(update: &Value) -> &str {
    let fields = update.as_object();
    fields.and_then(|fields| fields.keys().find(|name| *name != "update_id")).map_or("update", String::as_str)
}
