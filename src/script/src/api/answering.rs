//! Messages to one user: answers, forms, offers and direct messages.

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use palabre_types::{Action, ActionKey, EventKind, Form, OFFERS_MAX, Offer, RoomId, UserId};

use super::check::{event_author, granted, millis_or_none, name};
use super::content::{check_limits, check_not_empty, content_of};
use super::function::acting;
use crate::limits::VALUE_BYTES;
use crate::reply::{Problem, sent};
use crate::run::{Run, SharedRun};
use crate::value;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    let shared = SharedRun::clone(run);
    let answer = move |_: &Lua, content: LuaValue| Ok(sent(answer(&mut shared.borrow_mut(), &content)));
    host.set("answer", lua.create_function(answer)?)?;
    acting(lua, host, "form", run, |_, run, form: LuaValue| {
        let mut run = run.borrow_mut();
        let mut json = value::from_lua(&form, VALUE_BYTES).map_err(|problem| format!("form: {problem}"))?;
        value::fill_lists(&mut json, &["fields"]);
        run.spend_output(json.to_string().len())?;
        let mut form: Form = serde_json::from_value(json).map_err(|error| format!("form: {error}"))?;
        if form.fields.is_empty() || form.fields.iter().any(|field| field.name.is_empty() || field.label.is_empty()) {
            return Err("form: a form needs at least one field, and each field needs a name and a label".to_owned());
        }
        if form.action.is_empty() {
            form.action.clone_from(&form.title);
        }
        let input = run.input()?;
        let (room, user) = event_author(&input.event)?;
        let action = Action::Form { room, user, interaction: interaction(&input.event.kind), form };
        run.act(action)
    })?;
    acting(lua, host, "offer", run, |_, run, (offers, lasts): (LuaValue, LuaValue)| {
        offer(&mut run.borrow_mut(), &offers, &lasts)
    })?;
    acting(lua, host, "direct", run, |_, run, (user, content): (LuaString, LuaValue)| {
        let mut run = run.borrow_mut();
        granted(&run, "direct", "sending direct messages")?;
        let (content, _) = content_of(&run, &content)?;
        check_not_empty(&content)?;
        let user: UserId = name(&user, "a user's id")?.into();
        check_limits(&run, user.bot(), &content)?;
        let room = direct_room(&user)?;
        run.act(Action::Direct { room, user, content })
    })
}

fn answer(run: &mut Run, content: &LuaValue) -> Result<ActionKey, Problem> {
    let (content, _) = content_of(run, content)?;
    check_not_empty(&content)?;
    let input = run.input()?;
    let (room, user) = event_author(&input.event)?;
    check_limits(run, room.bot(), &content)?;
    let interaction = interaction(&input.event.kind);
    run.act(Action::Answer { room, user, interaction, content })
}

fn offer(run: &mut Run, offers: &LuaValue, lasts: &LuaValue) -> Result<ActionKey, Problem> {
    let mut json = value::from_lua(offers, VALUE_BYTES).map_err(|problem| format!("offer: {problem}"))?;
    if json.as_object().is_some_and(serde_json::Map::is_empty) {
        json = serde_json::json!([]);
    }
    run.spend_output(json.to_string().len())?;
    let mut offers: Vec<Offer> = serde_json::from_value(json).map_err(|error| format!("offer: {error}"))?;
    if offers.len() > OFFERS_MAX {
        return Err(format!("offer: at most {OFFERS_MAX} offers are allowed; these are {}", offers.len()));
    }
    for offer in &mut offers {
        if offer.title.trim().is_empty() {
            return Err("offer: an offer needs a title".to_owned());
        }
        if offer.text.is_empty() {
            offer.text.clone_from(&offer.title);
        }
    }
    let lasts = millis_or_none(lasts)?;
    let event = &run.input()?.event;
    let (EventKind::InlineQuery { interaction, .. }, Some(user)) = (&event.kind, &event.user) else {
        return Err("offer: there is no inline query to answer; call it in on_inline_query".to_owned());
    };
    let (interaction, user) = (interaction.clone(), user.id.clone());
    let room = direct_room(&user)?;
    run.act(Action::Offer { room, user, interaction, offers, lasts })
}

/// Returns the pseudo-room of a user's direct messages, whose actions are performed in order.
fn direct_room(user: &UserId) -> Result<RoomId, Problem> {
    if user.bot().is_empty() {
        return Err(format!("\"{user}\" is not a user's id; write it as <bot>/<id on the platform>"));
    }
    Ok(format!("{}/@{}", user.bot(), user.native()).into())
}

/// Returns the platform's id of the interaction that an event belongs to.
fn interaction(kind: &EventKind) -> Option<String> {
    match kind {
        EventKind::Command { interaction, .. }
        | EventKind::Button { interaction, .. }
        | EventKind::Select { interaction, .. }
        | EventKind::Form { interaction, .. } => interaction.clone(),
        _ => None,
    }
}
