//! Validation of arguments from scripts, which are trusted no more than any other input.

use mlua::{LuaString, Value as LuaValue};
use palabre_types::{Event, MessageRef, RoomId, SpaceId, UserId, parse_duration};

use crate::limits::{NAME_BYTES, REASON_BYTES};
use crate::reply::Problem;
use crate::run::Run;

/// Returns a string as UTF-8 text.
pub(super) fn text(text: &LuaString) -> Result<String, Problem> {
    text.to_str().map(|text| text.to_string()).ok().ok_or_else(|| "text must be UTF-8".to_owned())
}

/// Returns the name or id of something outside the script. `what` names it in errors.
pub(super) fn name(given: &LuaString, what: &str) -> Result<String, Problem> {
    if given.as_bytes().is_empty() || given.as_bytes().len() > NAME_BYTES {
        return Err(format!("{what} has 1 to {NAME_BYTES} bytes"));
    }
    text(given)
}

pub(super) fn reason(given: Option<LuaString>) -> Result<Option<String>, Problem> {
    match given {
        Some(reason) if reason.as_bytes().len() > REASON_BYTES => {
            Err(format!("a reason has at most {REASON_BYTES} bytes"))
        }
        Some(reason) => text(&reason).map(Some),
        None => Ok(None),
    }
}

/// Checks that bots.yaml gives the script `grant`, which `what` needs.
pub(super) fn granted(run: &Run, grant: &str, what: &str) -> Result<(), Problem> {
    if run.host.is_granted(grant) {
        return Ok(());
    }
    Err(format!(
        "{what} needs the grant \"{grant}\"; the operator gives it in bots.yaml: scripts: {}: {{ grants: [{grant}] }}",
        run.script
    ))
}

/// Returns the id of a room in which the script may act.
///
/// It is the room of its event, or any room if bots.yaml grants `rooms`.
pub(super) fn reachable(run: &Run, room: &LuaString) -> Result<RoomId, Problem> {
    let here = run.input()?.event.room.as_ref().map(|room| &room.id);
    let room = name(room, "a room's id")?;
    if let Some(here) = here
        && here.as_str() == room
    {
        return Ok(here.clone());
    }
    granted(run, "rooms", "acting in a room other than the event's")?;
    match room.split_once('/') {
        Some((bot, native)) if !bot.is_empty() && !native.is_empty() => Ok(room.into()),
        _ => Err(format!("\"{room}\" is not a room's id; write it as <bot>/<room>, like event.room.id")),
    }
}

/// Returns the event's room and user, to whom answers and forms go.
pub(super) fn event_author(event: &Event) -> Result<(RoomId, UserId), Problem> {
    match (&event.room, &event.user) {
        (Some(room), Some(user)) => Ok((room.id.clone(), user.id.clone())),
        _ => Err("this event has no user in a room, so there is nobody to answer".to_owned()),
    }
}

pub(super) fn space(given: Option<LuaString>) -> Result<Option<SpaceId>, Problem> {
    given.map(|space| name(&space, "a space's id").map(Into::into)).transpose()
}

pub(super) fn message_ref(which: &LuaString, is_key: bool) -> Result<MessageRef, Problem> {
    let which = name(which, "a message's id")?;
    if is_key {
        let key = which.parse().map(MessageRef::Sent);
        return key.ok().ok_or_else(|| format!("{which} is not the key of a message that was sent"));
    }
    Ok(MessageRef::Id(which.into()))
}

/// Parses a duration as scripts write it, in milliseconds.
pub(super) fn millis(duration: &LuaValue) -> Result<u64, Problem> {
    let parsed = match duration {
        LuaValue::String(text) if text.as_bytes().len() <= 64 => {
            text.to_str().ok().and_then(|text| parse_duration(&text))
        }
        LuaValue::Integer(seconds) => parse_duration(&seconds.to_string()),
        LuaValue::Number(seconds) => parse_duration(&seconds.to_string()),
        _ => None,
    };
    parsed.and_then(|duration| u64::try_from(duration.as_millis()).ok()).ok_or_else(|| {
        "a duration is written \"90s\", \"10m\", \"2h30m\" or \"7d\", or is a number of seconds".to_owned()
    })
}

/// Like [`millis`], for an optional argument.
pub(super) fn millis_or_none(duration: &LuaValue) -> Result<Option<u64>, Problem> {
    if duration.is_nil() { Ok(None) } else { millis(duration).map(Some) }
}
