//! Forum topics managed by the bot.

use serde_json::{Value, json};

use crate::telegram::entities::units;
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::state::State;
use crate::telegram::state::topics::COLORS;

use super::call::Call;

fn forum(state: &mut State, call: &Call, to: &str) -> Result<i64, Refusal> {
    let chat = state.reach_large(call.get("chat_id"), true)?;
    if !state.chats[&chat].is_forum {
        return Err(Refusal::bad("the chat is not a forum"));
    }
    state.need(chat, "can_manage_topics", to)?;
    Ok(chat)
}

fn topic(state: &mut State, call: &Call, to: &str) -> Result<(i64, i64), Refusal> {
    let chat = forum(state, call, to)?;
    // The general topic has separate methods.
    let thread = call.number("message_thread_id").filter(|id| *id != 1 && state.chats[&chat].topics.contains_key(id));
    Ok((chat, thread.ok_or_else(|| Refusal::bad("TOPIC_ID_INVALID"))?))
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if (1..=128).contains(&units(name)) {
        Ok(())
    } else {
        Err(Refusal::blamed("topic name is invalid", "it has 1 to 128 characters"))
    }
}

pub(super) fn create(state: &mut State, call: &Call) -> Outcome {
    let chat = forum(state, call, "create a topic")?;
    let name = call.text("name");
    check_name(name)?;
    let color = call.number("icon_color").map_or(COLORS[0], i64::unsigned_abs);
    if !COLORS.contains(&color) {
        return Err(Refusal::broken_rule("wrong icon_color specified"));
    }
    let id = state.open_topic(chat, name, state.bot);
    let topic = state.place(chat).topics.get_mut(&id).expect("it was just opened");
    topic.color = color;
    topic.icon = call.get("icon_custom_emoji_id").as_str().map(ToOwned::to_owned);
    let mut frame = json!({ "message_thread_id": id, "name": name, "icon_color": color });
    if let Some(icon) = &topic.icon {
        frame["icon_custom_emoji_id"] = json!(icon);
    }
    Ok(frame)
}

pub(super) fn edit(state: &mut State, call: &Call) -> Outcome {
    let (chat, id) = topic(state, call, "edit the topic")?;
    let mut fields = json!({});
    if let Some(name) = call.get("name").as_str() {
        check_name(name)?;
        fields["name"] = json!(name);
    }
    if let Some(icon) = call.get("icon_custom_emoji_id").as_str() {
        fields["icon_custom_emoji_id"] = json!(icon);
    }
    let topic = &state.chats[&chat].topics[&id];
    let same = |name: &str, old: Option<&str>| fields[name].is_null() || fields[name].as_str() == old;
    if same("name", Some(&topic.name)) && same("icon_custom_emoji_id", topic.icon.as_deref()) {
        return Err(Refusal::bad("TOPIC_NOT_MODIFIED"));
    }
    let (name, icon) = (fields["name"].clone(), fields["icon_custom_emoji_id"].clone());
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    state.change_topic(chat, id, state.bot, "forum_topic_edited", fields, |topic| {
        topic.name = text(&name).unwrap_or_else(|| topic.name.clone());
        topic.icon = text(&icon).or_else(|| topic.icon.take());
    });
    Ok(json!(true))
}

pub(super) fn close(state: &mut State, call: &Call) -> Outcome {
    set_closed(state, call, true)
}

pub(super) fn reopen(state: &mut State, call: &Call) -> Outcome {
    set_closed(state, call, false)
}

fn set_closed(state: &mut State, call: &Call, closed: bool) -> Outcome {
    let (chat, id) = topic(state, call, if closed { "close the topic" } else { "reopen the topic" })?;
    if state.chats[&chat].topics[&id].is_closed == closed {
        return Err(Refusal::bad("TOPIC_NOT_MODIFIED"));
    }
    let what = if closed { "forum_topic_closed" } else { "forum_topic_reopened" };
    state.change_topic(chat, id, state.bot, what, json!({}), |topic| topic.is_closed = closed);
    Ok(json!(true))
}

pub(super) fn delete(state: &mut State, call: &Call) -> Outcome {
    let chat = forum(state, call, "delete the topic")?;
    let right = state.need(chat, "can_delete_messages", "delete the topic");
    right?;
    let (_, id) = topic(state, call, "delete the topic")?;
    let place = state.place(chat);
    place.topics.remove(&id);
    place.messages.retain(|_, message| message["message_thread_id"] != id);
    Ok(json!(true))
}
