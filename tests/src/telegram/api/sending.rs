//! Messages sent by the bot.

use serde_json::{Value, json};

use crate::json::merge;
use crate::telegram::kind::Kind;
use crate::telegram::markup;
use crate::telegram::message::Draft;
use crate::telegram::post::{Action, text};
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::state::State;

use super::call::Call;

/// The actions of `sendChatAction`.
const ACTIONS: [&str; 11] = [
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
];

pub(super) fn send(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach(call.get("chat_id"))?;
    let content = state.content(call)?;
    state.may_send(chat, &content)?;
    state.say(call, chat, content)
}

pub(super) fn send_album(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach(call.get("chat_id"))?;
    let items = call.get("media").as_array().cloned().unwrap_or_default();
    if !(2..=10).contains(&items.len()) {
        return Err(Refusal::blamed("wrong number of messages in an album", "an album has 2 to 10 items"));
    }
    let kinds: Vec<&str> = items.iter().filter_map(|item| item["type"].as_str()).collect();
    let is_mixed = kinds.iter().any(|kind| *kind != kinds[0]);
    if is_mixed && kinds.iter().any(|kind| matches!(*kind, "document" | "audio")) {
        return Err(Refusal::blamed("album can't be made of these", "documents and audios stand among themselves"));
    }
    let mut contents = Vec::new();
    for item in &items {
        let kind = item["type"].as_str().unwrap_or_default();
        let content = state.medium(kind, item["media"].as_str().unwrap_or_default(), item, &call.files)?;
        state.may_send(chat, &content)?;
        contents.push(content);
    }
    let album = state.fresh_id();
    let mut sent = Vec::new();
    for mut content in contents {
        content["media_group_id"] = json!(album);
        sent.push(state.say(call, chat, content)?);
    }
    Ok(Value::Array(sent))
}

pub(super) fn act(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach(call.get("chat_id"))?;
    if !ACTIONS.contains(&call.text("action")) {
        return Err(Refusal::broken_rule("wrong parameter action in request"));
    }
    let thread = state.reach_thread(chat, call)?;
    state.may_send(chat, &json!({ "text": "" }))?;
    state.actions.push(Action { chat, thread, action: call.text("action").to_owned() });
    Ok(json!(true))
}

/// The permission that a content needs, and Telegram's name for it.
fn needed(content: &Value) -> (&'static str, &'static str) {
    let has = |name: &str| !content[name].is_null();
    let all = [
        ("photo", "can_send_photos", "photos"),
        ("video", "can_send_videos", "videos"),
        ("animation", "can_send_other_messages", "animations"),
        ("sticker", "can_send_other_messages", "stickers"),
        ("dice", "can_send_other_messages", "dice"),
        ("document", "can_send_documents", "documents"),
        ("audio", "can_send_audios", "music"),
        ("voice", "can_send_voice_notes", "voice notes"),
        ("video_note", "can_send_video_notes", "video notes"),
        ("poll", "can_send_polls", "polls"),
    ];
    let found = all.iter().find(|(name, ..)| has(name));
    found.map_or(("can_send_messages", "text messages"), |(_, permission, what)| (permission, what))
}

impl State {
    /// Checks that the bot may send a content to a chat.
    pub(super) fn may_send(&self, chat: i64, content: &Value) -> Result<(), Refusal> {
        let (permission, what) = needed(content);
        match self.chats[&chat].kind {
            Kind::Private => Ok(()),
            Kind::Channel if self.has_right(chat, self.bot, "can_post_messages") => Ok(()),
            Kind::Channel => Err(Refusal::bad("need administrator rights in the channel chat")),
            Kind::Group | Kind::Supergroup if self.is_permitted(chat, self.bot, permission) => Ok(()),
            Kind::Group | Kind::Supergroup => Err(Refusal::not_enough_rights(&format!("send {what} to the chat"))),
        }
    }

    /// Publishes a message of the bot, with the parameters that all sending methods share.
    pub(super) fn say(&mut self, call: &Call, chat: i64, mut content: Value) -> Outcome {
        let markup = call.get("reply_markup");
        markup::check(markup, self.chats[&chat].kind == Kind::Channel)?;
        let mut thread = self.reach_thread(chat, call)?;
        let reply = self.reply(chat, call.get("reply_parameters"), &mut content)?;
        if let Some(reply) = &reply {
            // A reply is in the topic of the message that it replies to.
            thread = thread.or(reply["message_thread_id"].as_i64());
        }
        if !markup["inline_keyboard"].is_null() {
            content["reply_markup"] = markup.clone();
        }
        if call.is_true("protect_content") {
            content["has_protected_content"] = json!(true);
        }
        let message = self.publish(Draft { thread, reply, ..Draft::new(chat, self.bot, content) });
        self.open_ballot(&message);
        self.record_post(&message, &call.method.name, call.parameters.clone(), call.uploads());
        Ok(message)
    }

    /// Returns the message that is replied to. For one in another chat, sets `external_reply`.
    fn reply(&self, chat: i64, parameters: &Value, content: &mut Value) -> Result<Option<Value>, Refusal> {
        let Some(id) = parameters["message_id"].as_i64() else { return Ok(None) };
        let elsewhere = match &parameters["chat_id"] {
            Value::Null => None,
            named => Some(self.find_chat(named).ok_or_else(Refusal::chat_not_found)?).filter(|other| *other != chat),
        };
        let Some(message) = self.message(elsewhere.unwrap_or(chat), id) else {
            if parameters["allow_sending_without_reply"] == true && elsewhere.is_none() {
                return Ok(None);
            }
            return Err(Refusal::bad("message to be replied not found"));
        };
        if let Some(quote) = parameters["quote"].as_str() {
            let whole = text(message);
            let found =
                whole.find(quote).filter(|_| !quote.is_empty()).ok_or_else(|| Refusal::bad("QUOTE_TEXT_INVALID"))?;
            let position = whole[..found].encode_utf16().count();
            content["quote"] = json!({ "text": quote, "position": position, "is_manual": true });
        }
        if elsewhere.is_some() {
            let mut external = json!({ "origin": self.origin(message), "message_id": id });
            if message["chat"]["type"] != "private" {
                merge(&mut external, json!({ "chat": message["chat"] }));
            }
            content["external_reply"] = external;
            return Ok(None);
        }
        Ok(Some(message.clone()))
    }
}
