//! Chat methods of the bot.

use serde_json::json;

use crate::telegram::chat::Kind;
use crate::telegram::entities::units;
use crate::telegram::member::{Status, granted};
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::world::World;

use super::call::Call;
use super::members::imply;

pub(super) fn get(world: &mut World, call: &Call) -> Outcome {
    let chat = world.known_chat(call.get("chat_id"))?;
    if world.chats[&chat].kind != Kind::Private {
        world.reach(call.get("chat_id"))?;
    }
    Ok(world.full_frame(chat))
}

pub(super) fn leave(world: &mut World, call: &Call) -> Outcome {
    let chat = world.reach(call.get("chat_id"))?;
    if world.chats[&chat].kind == Kind::Private {
        return Err(Refusal::bad("chat member status can't be changed in private chats"));
    }
    world.depart(chat, world.bot, world.bot, Status::Left);
    Ok(json!(true))
}

/// Returns a chat with a title in which the bot has a right.
fn place(world: &mut World, call: &Call, right: &str, to: &str) -> Result<i64, Refusal> {
    let chat = world.reach(call.get("chat_id"))?;
    if world.chats[&chat].kind == Kind::Private {
        return Err(Refusal::bad(&format!("can't {to} of a private chat")));
    }
    if world.is_permitted(chat, world.bot, right) { Ok(chat) } else { Err(Refusal::not_enough_rights(to)) }
}

pub(super) fn set_title(world: &mut World, call: &Call) -> Outcome {
    let chat = place(world, call, "can_change_info", "change chat title")?;
    let title = call.text("title").trim();
    if !(1..=128).contains(&units(title)) {
        return Err(Refusal::blamed("CHAT_TITLE_INVALID", "a title has 1 to 128 characters"));
    }
    title.clone_into(&mut world.place(chat).title);
    let title = json!({ "new_chat_title": title });
    world.note(chat, world.bot, None, title);
    Ok(json!(true))
}

pub(super) fn set_description(world: &mut World, call: &Call) -> Outcome {
    let chat = place(world, call, "can_change_info", "set chat description")?;
    let description = call.text("description");
    if units(description) > 255 {
        return Err(Refusal::blamed("CHAT_ABOUT_TOO_LONG", "a description has at most 255 characters"));
    }
    if world.chats[&chat].description == description {
        return Err(Refusal::bad("chat description is not modified"));
    }
    description.clone_into(&mut world.place(chat).description);
    Ok(json!(true))
}

pub(super) fn set_permissions(world: &mut World, call: &Call) -> Outcome {
    let chat = world.reach(call.get("chat_id"))?;
    world.need(chat, "can_restrict_members", "change chat permissions")?;
    let mut permissions = granted(call.get("permissions"));
    if !call.is_true("use_independent_chat_permissions") {
        imply(&mut permissions);
    }
    if world.chats[&chat].permissions == permissions {
        return Err(Refusal::bad("CHAT_NOT_MODIFIED"));
    }
    world.place(chat).permissions = permissions;
    Ok(json!(true))
}
