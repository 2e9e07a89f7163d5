//! Edits by the bot.

use serde_json::{Value, json};

use crate::json::merge;
use crate::telegram::kind::Kind;
use crate::telegram::markup;
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::state::State;

use super::call::Call;
use super::content::{self, MEDIA};

const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply markup \
                            are exactly the same as a current content and reply markup of the message";

pub(super) fn text(state: &mut State, call: &Call) -> Outcome {
    let (chat, id) = target(state, call)?;
    if call.get("text").is_null() {
        return Err(Refusal::broken_rule("message text is empty"));
    }
    let mut fields = content::text(&call.parameters)?;
    if state.chats[&chat].messages[&id]["text"].is_null() {
        return Err(Refusal::bad("there is no text in the message to edit"));
    }
    for name in ["entities", "link_preview_options"] {
        fields[name] = fields[name].take();
    }
    finish(state, call, (chat, id), fields)
}

pub(super) fn caption(state: &mut State, call: &Call) -> Outcome {
    let (chat, id) = target(state, call)?;
    let mut fields = content::caption(&call.parameters)?;
    let message = &state.chats[&chat].messages[&id];
    if !MEDIA.iter().any(|(_, kind)| !message[*kind].is_null() && !matches!(*kind, "sticker" | "video_note")) {
        return Err(Refusal::bad("there is no caption in the message to edit"));
    }
    for name in ["caption", "caption_entities", "show_caption_above_media"] {
        fields[name] = fields[name].take();
    }
    finish(state, call, (chat, id), fields)
}

pub(super) fn media(state: &mut State, call: &Call) -> Outcome {
    let (chat, id) = target(state, call)?;
    let item = call.get("media");
    let kind = item["type"].as_str().unwrap_or_default();
    let mut fields = state.medium(kind, item["media"].as_str().unwrap_or_default(), item, &call.files)?;
    let message = &state.chats[&chat].messages[&id];
    let is_album = !message["media_group_id"].is_null();
    if is_album && message[kind].is_null() {
        return Err(Refusal::bad("can't use media of the specified type in the album"));
    }
    for name in MEDIA.iter().map(|(_, kind)| *kind).chain(["text", "entities", "caption", "caption_entities"]) {
        fields[name] = fields[name].take();
    }
    finish(state, call, (chat, id), fields)
}

pub(super) fn markup(state: &mut State, call: &Call) -> Outcome {
    let target = target(state, call)?;
    finish(state, call, target, json!({}))
}

/// Returns the message of a call, which must be the bot's own.
fn target(state: &mut State, call: &Call) -> Result<(i64, i64), Refusal> {
    if !call.get("inline_message_id").is_null() {
        return Err(Refusal::bad("MESSAGE_ID_INVALID"));
    }
    if call.get("chat_id").is_null() || call.get("message_id").is_null() {
        return Err(Refusal::broken_rule("message identifier is not specified"));
    }
    let chat = state.reach(call.get("chat_id"))?;
    let id = state.reach_message(chat, call.number("message_id"), "message to edit")?;
    let message = &state.chats[&chat].messages[&id];
    let is_own = match state.chats[&chat].kind {
        Kind::Channel => {
            state.has_right(chat, state.bot, "can_edit_messages")
                || state.posts.iter().any(|post| (post.at.chat, post.at.id) == (chat, id))
        }
        Kind::Private | Kind::Group | Kind::Supergroup => message["from"]["id"] == state.bot,
    };
    if !is_own || !message["forward_origin"].is_null() {
        return Err(Refusal::bad("message can't be edited"));
    }
    Ok((chat, id))
}

/// Applies the new fields and the keyboard to the message. Without a keyboard it loses its own.
fn finish(state: &mut State, call: &Call, (chat, id): (i64, i64), mut fields: Value) -> Outcome {
    let keyboard = call.get("reply_markup");
    markup::check(keyboard, true)?;
    let is_empty = keyboard["inline_keyboard"].as_array().is_none_or(Vec::is_empty);
    fields["reply_markup"] = if is_empty { Value::Null } else { keyboard.clone() };
    let old = &state.chats[&chat].messages[&id];
    let mut new = old.clone();
    merge(&mut new, fields.clone());
    crate::json::drop_nulls(&mut new);
    if new == *old {
        return Err(Refusal::bad(NOT_MODIFIED));
    }
    Ok(state.edit(chat, id, fields, true))
}
