//! Messages: `send`, `edit`, `delete`, `react`, `typing`.
//!
//! Ids that come back from the script are trusted no more than any string.

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use palabre_types::{Action, ActionKey, EventKind, MessageRef, RoomId};

use super::check::{granted, message_ref, reachable, reason, text};
use super::content::{adapt, check_limits, check_not_empty, content_of};
use super::function::acting;
use crate::limits::NAME_BYTES;
use crate::reply::{Problem, sent};
use crate::run::{Run, SharedRun};

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    let shared = SharedRun::clone(run);
    let send = move |_: &Lua, (room, content, which, is_key): (LuaString, LuaValue, Option<LuaString>, bool)| {
        Ok(sent(send(&mut shared.borrow_mut(), &room, &content, which.as_ref(), is_key)))
    };
    host.set("send", lua.create_function(send)?)?;
    acting(
        lua,
        host,
        "edit",
        run,
        |_, run, (room, which, is_key, content): (LuaString, LuaString, bool, LuaValue)| {
            let mut run = run.borrow_mut();
            let (content, _) = content_of(&run, &content)?;
            let room = reachable(&run, &room)?;
            let content = adapt(&run, &room, content);
            check_limits(&run, room.bot(), &content)?;
            let message = message_ref(&which, is_key)?;
            let message = own_message(&run, &room, &message);
            let message = message.ok_or("edit: only the script's own messages can be edited")?;
            run.act(Action::Edit { room, message, content })
        },
    )?;
    acting(
        lua,
        host,
        "delete_message",
        run,
        |_, run, (room, which, is_key, why): (LuaString, LuaString, bool, Option<LuaString>)| {
            let mut run = run.borrow_mut();
            let room = reachable(&run, &room)?;
            let message = message_ref(&which, is_key)?;
            // With the grant "moderation" any message may be deleted, so the id need not be resolved to an
            // own message first.
            let message = match own_message(&run, &room, &message) {
                Some(own) if !run.host.is_granted("moderation") => own,
                Some(_) => message,
                None => granted(&run, "moderation", "removing somebody's message").map(|()| message)?,
            };
            let reason = reason(why)?;
            run.act(Action::Delete { room, message, reason })
        },
    )?;
    acting(
        lua,
        host,
        "react",
        run,
        |_, run, (room, which, is_key, emoji, remove): (LuaString, LuaString, bool, LuaString, bool)| {
            let emoji = text(&emoji)?;
            if emoji.is_empty() || emoji.chars().count() > 64 {
                return Err("react takes one emoji".to_owned());
            }
            let mut run = run.borrow_mut();
            let room = reachable(&run, &room)?;
            let message = message_ref(&which, is_key)?;
            run.act(Action::React { room, message, emoji, remove })
        },
    )?;
    acting(lua, host, "typing", run, |_, run, room: LuaString| {
        let mut run = run.borrow_mut();
        let room = reachable(&run, &room)?;
        run.act(Action::Typing { room })
    })
}

fn send(
    run: &mut Run,
    room: &LuaString,
    content: &LuaValue,
    which: Option<&LuaString>,
    is_key: bool,
) -> Result<ActionKey, Problem> {
    let (content, wanted) = content_of(run, content)?;
    if wanted.as_ref().is_some_and(|id| id.len() > NAME_BYTES) {
        return Err(format!("reply_to: a message's id has at most {NAME_BYTES} bytes"));
    }
    let room = reachable(run, room)?;
    check_not_empty(&content)?;
    let content = adapt(run, &room, content);
    check_limits(run, room.bot(), &content)?;
    // If the platform expects a response to the interaction, the first message to its room becomes that response.
    if wanted.is_none() && which.is_none() && content.persona.is_none() {
        let event = &run.input()?.event;
        let is_here = event.room.as_ref().is_some_and(|here| here.id == room);
        if let (true, Some(user), Some(interaction)) = (is_here, &event.user, expected_interaction(&event.kind))
            && !run.has_answered()
        {
            let (user, interaction) = (user.id.clone(), Some(interaction.to_owned()));
            return run.act(Action::Answer { room, user, interaction, content });
        }
    }
    let reply_to = match (wanted, which) {
        (Some(id), _) => Some(MessageRef::Id(id.as_str().into())),
        (None, Some(which)) => Some(message_ref(which, is_key)?),
        (None, None) => None,
    };
    run.act(Action::Send { room, content, reply_to })
}

/// Returns the platform's id of a command or form interaction, which expects a response.
fn expected_interaction(kind: &EventKind) -> Option<&str> {
    match kind {
        EventKind::Command { interaction, .. } | EventKind::Form { interaction, .. } => interaction.as_deref(),
        _ => None,
    }
}

/// Returns the message if this script sent it, by its key, its id or the host's record.
///
/// While a message of the script is in flight to the room, an unknown id may be its own: it becomes
/// [`MessageRef::Own`], to be resolved later.
fn own_message(run: &Run, room: &RoomId, message: &MessageRef) -> Option<MessageRef> {
    let sent_by = |key: &ActionKey| key.script == run.script;
    // Read first: a message that is delivered before the next lookup is found by that lookup.
    let is_sending = run.host.is_sending(room);
    match message {
        MessageRef::Id(id) | MessageRef::Own(id) => {
            let is_own = id.as_str().parse().is_ok_and(|key| sent_by(&key)) || run.host.sent_as(room, id).is_some();
            let may_be = || is_sending.then(|| MessageRef::Own(id.clone()));
            if is_own { Some(MessageRef::Id(id.clone())) } else { may_be() }
        }
        MessageRef::Sent(key) => sent_by(key).then(|| message.clone()),
    }
}
