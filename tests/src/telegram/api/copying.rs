//! Forwards and copies of messages by the bot.

use serde_json::{Value, json};

use crate::json::{merge, without};
use crate::telegram::message::is_service;
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::world::World;

use super::call::Call;
use super::content;

/// The fields that are not copied, because they belong to one message.
const OWN: [&str; 20] = [
    "message_id",
    "date",
    "chat",
    "from",
    "sender_chat",
    "message_thread_id",
    "is_topic_message",
    "reply_to_message",
    "external_reply",
    "quote",
    "edit_date",
    "reply_markup",
    "via_bot",
    "forward_origin",
    "media_group_id",
    "has_protected_content",
    "author_signature",
    "is_automatic_forward",
    "sender_tag",
    "effect_id",
];

/// Returns the message to be forwarded or copied.
fn source(world: &mut World, call: &Call, what: &str) -> Result<Value, Refusal> {
    let from = world.known_chat(call.get("from_chat_id"))?;
    let id = world.reach_message(from, call.number("message_id"), &format!("message to {what}"))?;
    let message = world.chats[&from].messages[&id].clone();
    if is_service(&message) || message["has_protected_content"] == true {
        let done = if what == "copy" { "copied" } else { "forwarded" };
        return Err(Refusal::bad(&format!("message can't be {done}")));
    }
    Ok(message)
}

pub(super) fn copy(world: &mut World, call: &Call) -> Outcome {
    let chat = world.reach(call.get("chat_id"))?;
    let message = source(world, call, "copy")?;
    let mut copied = without(message, &OWN);
    if !call.get("caption").is_null() {
        copied = without(copied, &["caption", "caption_entities"]);
        merge(&mut copied, content::caption(&call.parameters)?);
    }
    world.may_send(chat, &copied)?;
    let message = world.say(call, chat, copied)?;
    Ok(json!({ "message_id": message["message_id"] }))
}

pub(super) fn forward(world: &mut World, call: &Call) -> Outcome {
    let chat = world.reach(call.get("chat_id"))?;
    let message = source(world, call, "forward")?;
    let origin = world.origin(&message);
    let mut passed = without(message, &OWN);
    passed["forward_origin"] = origin;
    world.may_send(chat, &passed)?;
    world.say(call, chat, passed)
}

/// Returns the fields of a message that a user forwards.
pub(in crate::telegram) fn forwarded(world: &World, message: &Value) -> Value {
    let mut passed = without(message.clone(), &OWN);
    passed["forward_origin"] = world.origin(message);
    passed
}
