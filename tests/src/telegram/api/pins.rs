//! Pins by the bot.

use serde_json::json;

use crate::telegram::chat::Kind;
use crate::telegram::message::is_service;
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::world::World;

use super::call::Call;

/// Returns the chat, if the bot may pin there.
fn place(world: &mut World, call: &Call) -> Result<i64, Refusal> {
    let chat = world.reach(call.get("chat_id"))?;
    let may = match world.chats[&chat].kind {
        Kind::Private => true,
        Kind::Channel => world.has_right(chat, world.bot, "can_edit_messages"),
        Kind::Group | Kind::Supergroup => world.is_permitted(chat, world.bot, "can_pin_messages"),
    };
    if may { Ok(chat) } else { Err(Refusal::not_enough_rights("manage pinned messages in the chat")) }
}

pub(super) fn pin(world: &mut World, call: &Call) -> Outcome {
    let chat = place(world, call)?;
    let id = world.reach_message(chat, call.number("message_id"), "message to pin")?;
    if is_service(&world.chats[&chat].messages[&id]) {
        return Err(Refusal::bad("message can't be pinned"));
    }
    if world.chats[&chat].pinned.last() != Some(&id) {
        world.pin(chat, world.bot, id);
    }
    Ok(json!(true))
}

pub(super) fn unpin(world: &mut World, call: &Call) -> Outcome {
    let chat = place(world, call)?;
    let newest = world.chats[&chat].pinned.last().copied();
    let id = call.number("message_id").or(newest);
    let id = id.filter(|id| world.chats[&chat].pinned.contains(id));
    let id = id.ok_or_else(|| Refusal::bad("message to unpin not found"))?;
    world.place(chat).pinned.retain(|pinned| *pinned != id);
    Ok(json!(true))
}

pub(super) fn unpin_all(world: &mut World, call: &Call) -> Outcome {
    let chat = place(world, call)?;
    world.place(chat).pinned.clear();
    Ok(json!(true))
}
