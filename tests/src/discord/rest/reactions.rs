//! Reactions.

use serde_json::{Value, json};

use crate::discord::id::Id;
use crate::discord::permissions::Permission;
use crate::discord::state::State;

use super::call::Call;
use super::refusal::Refusal;
use super::reply::{Outcome, Reply};

pub(super) fn add(state: &mut State, call: &Call) -> Outcome {
    let (channel, message) = place(state, call)?;
    state.need_in(channel, Permission::READ_MESSAGE_HISTORY)?;
    let emoji = state.emoji(channel, call.text("emoji_name"))?;
    if state.reaction_count(channel, message, &emoji) == 0 {
        state.need_in(channel, Permission::ADD_REACTIONS)?;
    }
    state.react(channel, message, state.bot, &emoji);
    Reply::nothing()
}

pub(super) fn remove_mine(state: &mut State, call: &Call) -> Outcome {
    let (channel, message) = place(state, call)?;
    let emoji = state.emoji(channel, call.text("emoji_name"))?;
    state.unreact(channel, message, state.bot, &emoji);
    Reply::nothing()
}

pub(super) fn remove_other(state: &mut State, call: &Call) -> Outcome {
    let (channel, message) = place(state, call)?;
    state.need_in(channel, Permission::MANAGE_MESSAGES)?;
    let emoji = state.emoji(channel, call.text("emoji_name"))?;
    state.unreact(channel, message, call.id("user_id"), &emoji);
    Reply::nothing()
}

pub(super) fn remove_all(state: &mut State, call: &Call) -> Outcome {
    let (channel, message) = place(state, call)?;
    state.need_in(channel, Permission::MANAGE_MESSAGES)?;
    state.reactors(channel, message).clear();
    state.write_reactions(channel, message);
    state.dispatch_reaction("MESSAGE_REACTION_REMOVE_ALL", channel, message, json!({}));
    Reply::nothing()
}

pub(super) fn remove_emoji(state: &mut State, call: &Call) -> Outcome {
    let (channel, message) = place(state, call)?;
    state.need_in(channel, Permission::MANAGE_MESSAGES)?;
    let emoji = state.emoji(channel, call.text("emoji_name"))?;
    state.reactors(channel, message).retain(|(one, _)| *one != emoji);
    state.write_reactions(channel, message);
    state.dispatch_reaction("MESSAGE_REACTION_REMOVE_EMOJI", channel, message, json!({ "emoji": emoji }));
    Reply::nothing()
}

pub(super) fn list(state: &mut State, call: &Call) -> Outcome {
    let (channel, message) = place(state, call)?;
    let emoji = state.emoji(channel, call.text("emoji_name"))?;
    let after = call.query_id("after").unwrap_or(Id(0));
    let mut who: Vec<Id> =
        state.reactors(channel, message).iter().filter(|(one, _)| *one == emoji).map(|(_, user)| *user).collect();
    who.retain(|user| *user > after);
    who.sort_unstable();
    Reply::ok(who.into_iter().take(call.limit(25)).map(|user| state.user_frame(user)).collect())
}

fn place(state: &State, call: &Call) -> Result<(Id, Id), Refusal> {
    let (channel, message) = (call.id("channel_id"), call.id("message_id"));
    state.need_in(channel, Permission::VIEW_CHANNEL)?;
    state.message(channel, message).ok_or_else(Refusal::unknown_message)?;
    Ok((channel, message))
}

impl State {
    /// Parses the emoji of a path or of a test: a Unicode emoji, or `name:id` of the guild.
    pub(in crate::discord) fn emoji(&self, channel: Id, text: &str) -> Result<Value, Refusal> {
        let Some((name, id)) = text.rsplit_once(':') else {
            let sign = !text.is_empty() && !text.is_ascii();
            return if sign { Ok(json!({ "id": null, "name": text })) } else { Err(Refusal::unknown_emoji()) };
        };
        let id: Id = id.parse().map_err(|_no_number| Refusal::unknown_emoji())?;
        // Any guild of the bot may own the emoji.
        let known = self.guilds.values().flat_map(|guild| &guild.emojis).any(|emoji| Id::of(emoji, "id") == Some(id));
        let name = name.trim_start_matches("a:");
        if known && self.channels.contains_key(&channel) {
            Ok(json!({ "id": id, "name": name }))
        } else {
            Err(Refusal::unknown_emoji())
        }
    }

    fn reactors(&mut self, channel: Id, message: Id) -> &mut Vec<(Value, Id)> {
        self.reactions.entry((channel, message)).or_default()
    }

    fn reaction_count(&mut self, channel: Id, message: Id, emoji: &Value) -> usize {
        self.reactors(channel, message).iter().filter(|(one, _)| one == emoji).count()
    }

    /// Adds a reaction; does nothing if it exists.
    pub(in crate::discord) fn react(&mut self, channel: Id, message: Id, user: Id, emoji: &Value) {
        if self.reactors(channel, message).iter().any(|(one, who)| one == emoji && *who == user) {
            return;
        }
        self.reactors(channel, message).push((emoji.clone(), user));
        self.write_reactions(channel, message);
        let mut data = json!({ "user_id": user, "emoji": emoji, "burst": false, "type": 0 });
        if let Some(author) = self.message(channel, message).and_then(|one| Id::of(&one["author"], "id")) {
            data["message_author_id"] = json!(author);
        }
        if let Some(member) = self.guild_of(channel).and_then(|guild| self.member_frame(guild, user)) {
            data["member"] = member;
        }
        self.dispatch_reaction("MESSAGE_REACTION_ADD", channel, message, data);
    }

    /// Removes a reaction; does nothing if it does not exist.
    pub(in crate::discord) fn unreact(&mut self, channel: Id, message: Id, user: Id, emoji: &Value) {
        let reactors = self.reactors(channel, message);
        let Some(index) = reactors.iter().position(|(one, who)| one == emoji && *who == user) else { return };
        reactors.remove(index);
        self.write_reactions(channel, message);
        let data = json!({ "user_id": user, "emoji": emoji, "burst": false, "type": 0 });
        self.dispatch_reaction("MESSAGE_REACTION_REMOVE", channel, message, data);
    }

    fn write_reactions(&mut self, channel: Id, message: Id) {
        let bot = self.bot;
        let mut kinds: Vec<(Value, u64, bool)> = Vec::new();
        for (emoji, user) in self.reactors(channel, message).iter() {
            match kinds.iter_mut().find(|(one, _, _)| one == emoji) {
                Some((_, count, me)) => (*count, *me) = (*count + 1, *me || *user == bot),
                None => kinds.push((emoji.clone(), 1, *user == bot)),
            }
        }
        let reactions: Vec<_> = kinds.into_iter().map(|(emoji, count, me)| {
            json!({
                "emoji": emoji, "count": count, "count_details": { "burst": 0, "normal": count }, "burst_colors": [],
                "me_burst": false, "me": me,
            })
        }).collect();
        if let Some(fields) = self.message_mut(channel, message).and_then(Value::as_object_mut) {
            if reactions.is_empty() {
                fields.remove("reactions");
            } else {
                fields.insert("reactions".to_owned(), json!(reactions));
            }
        }
    }

    fn dispatch_reaction(&mut self, name: &str, channel: Id, message: Id, mut data: Value) {
        let guild = self.guild_of(channel);
        data["channel_id"] = json!(channel);
        data["message_id"] = json!(message);
        if let Some(guild) = guild {
            data["guild_id"] = json!(guild);
        }
        self.dispatch(name, guild, data);
    }
}
