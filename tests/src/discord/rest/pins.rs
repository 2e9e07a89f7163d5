//! Pins, with the current routes. The old ones are refused as deprecated.

use serde_json::{Value, json};

use crate::discord::draft::Draft;
use crate::discord::id::Id;
use crate::discord::permissions::Permission;
use crate::discord::state::State;

use super::call::Call;
use super::refusal::Refusal;
use super::reply::{Outcome, Reply};

pub(super) fn pin(state: &mut State, call: &Call) -> Outcome {
    let (channel, message) = (call.id("channel_id"), call.id("message_id"));
    state.need_in(channel, Permission::PIN_MESSAGES)?;
    let pinned = state.messages.get(&channel).map_or(0, |all| all.values().filter(|one| one["pinned"] == true).count());
    let one = state.message(channel, message).ok_or_else(Refusal::unknown_message)?;
    if one["pinned"] == true {
        return Reply::nothing();
    }
    if pinned >= 250 {
        return Err(Refusal::too_many_pins());
    }
    state.set_pinned(channel, message, true, state.bot);
    Reply::nothing()
}

pub(super) fn unpin(state: &mut State, call: &Call) -> Outcome {
    let (channel, message) = (call.id("channel_id"), call.id("message_id"));
    state.need_in(channel, Permission::PIN_MESSAGES)?;
    let one = state.message(channel, message).ok_or_else(Refusal::unknown_message)?;
    if one["pinned"] == true {
        state.set_pinned(channel, message, false, state.bot);
    }
    Reply::nothing()
}

fn pinned(state: &State, call: &Call) -> Result<Vec<Value>, Refusal> {
    let channel = call.id("channel_id");
    state.need_in(channel, Permission::READ_MESSAGE_HISTORY)?;
    let all = state.messages.get(&channel).into_iter().flat_map(|all| all.values().rev());
    Ok(all.filter(|one| one["pinned"] == true).cloned().collect())
}

pub(super) fn list(state: &mut State, call: &Call) -> Outcome {
    let (all, limit) = (pinned(state, call)?, call.limit(50));
    let item = |message: &Value| json!({ "pinned_at": message["timestamp"], "message": message });
    Reply::ok(json!({ "items": all.iter().take(limit).map(item).collect::<Vec<_>>(), "has_more": all.len() > limit }))
}

impl State {
    /// Pins or unpins a message and sends the events; a pin is also announced in the channel.
    pub(in crate::discord) fn set_pinned(&mut self, channel: Id, message: Id, pinned: bool, by: Id) {
        let (now, guild) = (self.stamp(), self.guild_of(channel));
        let Some(one) = self.message_mut(channel, message) else { return };
        one["pinned"] = json!(pinned);
        let one = one.clone();
        let mut data = json!({ "channel_id": channel, "last_pin_timestamp": now });
        if let Some(guild) = guild {
            data["guild_id"] = json!(guild);
            let options = json!({ "channel_id": channel, "message_id": message });
            self.audit(guild, by, if pinned { 74 } else { 75 }, Id::of(&one["author"], "id"), None, json!([]), options);
        }
        self.dispatch("CHANNEL_PINS_UPDATE", guild, data);
        self.dispatch_message("MESSAGE_UPDATE", channel, one);
        if pinned {
            let mut draft = Draft::new(channel, by, json!({}));
            draft.kind = 6;
            draft.more = json!({ "message_reference": { "type": 0, "channel_id": channel, "message_id": message } });
            let announcement = self.compose(&draft);
            self.publish(channel, announcement);
        }
    }
}
