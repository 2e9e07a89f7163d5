//! Decodes uses of commands, buttons, lists and forms.

use std::sync::Arc;

use palabre_types::{EventKind, Millis, Room, RoomKind};
use serde_json::{Map, Value, json};

use super::messages::attachment;
use super::{Decoded, Decoder};
use crate::cache::Channel;
use crate::frames;
use crate::interactions::{FORM, Token};

/// The types of interactions.
///
/// <https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-interaction-type>
const COMMAND: u8 = 2;
const COMPONENT: u8 = 3;
/// The type of a component that is a button.
const BUTTON: u8 = 2;
/// The types of commands that are menus.
///
/// <https://discord.com/developers/docs/interactions/application-commands#application-command-object>
const USER_MENU: u8 = 2;
const MESSAGE_MENU: u8 = 3;

impl Decoder {
    pub(super) fn interaction(&self, frame: &frames::Interaction, now: Millis) -> Option<Decoded> {
        let data = &frame.data;
        let token = Token::of(frame).to_string();
        let message = frame.message.as_ref();
        let kind = match (frame.kind, data.component_type) {
            (COMMAND, _) => self.command(frame, token, now),
            (COMPONENT, BUTTON) => EventKind::Button {
                action: data.custom_id.clone(),
                message: message?.id.to_string().into(),
                values: Vec::new(),
                interaction: Some(token),
            },
            (COMPONENT, _) => EventKind::Select {
                action: data.custom_id.clone(),
                message: message?.id.to_string().into(),
                values: data.values.clone(),
                interaction: Some(token),
            },
            (FORM, _) => EventKind::Form {
                action: data.custom_id.clone(),
                message: message.map(|message| message.id.to_string().into()),
                values: Value::Object(filled_in(&data.components)),
                interaction: Some(token),
            },
            _ => return None,
        };
        let user = frame.by();
        let id = user.map(|user| user.id).unwrap_or_default();
        let mut scene = self.scene((frame.guild_id, frame.channel_id), id, user, frame.member.as_ref(), now);
        if let Some(user) = &mut scene.user {
            user.locale = user.locale.take().or_else(|| frame.locale.clone());
        }
        let is_direct = scene.guild.is_none();
        let mut event = self.event(scene, kind, now);
        // The interaction describes a thread that is not in the cache.
        if let (Some(channel), Some(room), false) = (&frame.channel, &event.room, is_direct)
            && let Some(name) = &channel.name
            && room.name == frame.channel_id.to_string()
        {
            let kind = if Channel::of(channel).is_thread() { RoomKind::Thread } else { RoomKind::Channel };
            event.room = Some(Arc::new(Room { name: name.clone(), kind, ..(**room).clone() }));
        }
        Some(event.into())
    }

    fn command(&self, frame: &frames::Interaction, token: String, now: Millis) -> EventKind {
        let data = &frame.data;
        let mut options: Map<String, Value> = data
            .options
            .iter()
            .map(|option| (option.name.clone(), self.option(data, option, frame.guild_id, now)))
            .collect();
        let target = data.target_id.to_string();
        match data.kind {
            USER_MENU => drop(options.insert("user".to_owned(), self.person(data, &target, frame.guild_id, now))),
            MESSAGE_MENU => {
                let meant = data.resolved.messages.get(&target).map(|message| self.written(message, now));
                let meant = meant.map_or_else(|| json!({ "id": target }), |message| json!(message));
                options.insert("message".to_owned(), meant);
            }
            _ => {}
        }
        let words = data
            .options
            .iter()
            .map(|option| option.value.as_str().map_or_else(|| option.value.to_string(), ToOwned::to_owned));
        EventKind::Command {
            command: data.name.clone(),
            arguments: words.collect::<Vec<_>>().join(" "),
            message: None,
            interaction: Some(token),
            options: Some(Value::Object(options)),
        }
    }

    /// Returns an argument according to its type.
    ///
    /// <https://discord.com/developers/docs/interactions/application-commands#application-command-object>
    fn option(
        &self,
        data: &frames::InteractionData,
        option: &frames::CommandOption,
        guild: frames::Id,
        now: Millis,
    ) -> Value {
        let id = option.value.as_str().unwrap_or_default();
        match option.kind {
            6 => self.person(data, id, guild, now),
            8 => {
                let name = data.resolved.roles.get(id).map(|role| role.name.clone());
                let known = self.cache.lock();
                let known = known
                    .guilds
                    .get(&guild.get())
                    .and_then(|guild| guild.roles.get(&id.parse().ok()?))
                    .map(|role| role.name.clone());
                name.or(known).unwrap_or_else(|| id.to_owned()).into()
            }
            11 => data.resolved.attachments.get(id).map_or(Value::Null, |file| json!(attachment(file))),
            _ => option.value.clone(),
        }
    }

    fn person(&self, data: &frames::InteractionData, id: &str, guild: frames::Id, now: Millis) -> Value {
        let number = id.parse().unwrap_or_default();
        let mut known = self.cache.lock();
        let user = match data.resolved.users.get(id) {
            Some(user) => {
                let (user, username) = (self.user(user, None), &user.username);
                known.people.saw(number, &user, username);
                user
            }
            None => self.user_by_id(&known, number),
        };
        if let (Some(guild), Some(member)) = (guild.known(), data.resolved.members.get(id)) {
            let roles = &member.roles;
            let member = self.member(&known, guild, number, member, now);
            known.saw_member(guild, number, &member, roles);
        }
        json!({ "id": user.id, "name": user.name })
    }
}

/// Returns the fields of a form, which are in rows or below labels.
fn filled_in(components: &[frames::Component]) -> Map<String, Value> {
    let mut values = Map::new();
    for component in components {
        if let (Some(name), Some(value)) = (&component.custom_id, &component.value) {
            values.insert(name.clone(), value.as_str().into());
        } else if let Some(name) = &component.custom_id
            && !component.values.is_empty()
        {
            values.insert(name.clone(), component.values.join(", ").into());
        }
        values.extend(filled_in(&component.components));
        values.extend(component.component.iter().flat_map(|inner| filled_in(std::slice::from_ref(inner))));
    }
    values
}
