//! Arguments of the prelude's `new_event`, with tables of bots, spaces and rooms cached across events.

use std::collections::HashMap;
use std::sync::Arc;

use mlua::{Function, Lua, LuaString, Table, Value as LuaValue};
use palabre_types::{Bot, EventKind, EventName, Millis, Room, RoomId, Space, SpaceId};
use serde_json::Value;

use crate::host_api::Input;
use crate::value;

/// The maximum number of cached tables of rooms, and of spaces.
const CACHED_ROOMS_MAX: usize = 1_024;

/// The cached tables of bots, spaces and rooms.
pub(crate) struct Objects {
    make_bot: Function,
    make_space: Function,
    make_room: Function,
    bots: Vec<(Bot, Table)>,
    kinds: Vec<(EventName, LuaString)>,
    rooms: Cache,
}

#[derive(Default)]
struct Cache {
    rooms: HashMap<RoomId, (Arc<Room>, Table)>,
    spaces: HashMap<SpaceId, (Arc<Space>, Table)>,
}

/// The parts of an event, in the order in which the runner takes them.
pub(crate) type Arguments = (
    (LuaString, LuaString, f64),
    (Table, Option<Table>, Option<Table>),
    (Option<LuaString>, Option<LuaString>, bool, Option<LuaString>, Option<LuaString>, LuaValue),
    (Option<LuaString>, Option<LuaString>, f64, LuaValue),
);

impl Objects {
    pub(crate) fn new(make_bot: Function, make_space: Function, make_room: Function) -> Self {
        Self { make_bot, make_space, make_room, bots: Vec::new(), kinds: Vec::new(), rooms: Cache::default() }
    }

    /// Returns the parts of an event, in the order in which the runner takes them.
    pub(crate) fn arguments(&mut self, lua: &Lua, input: &Input) -> mlua::Result<Arguments> {
        let event = &*input.event;
        let bot = match self.bots.iter().find(|(bot, _)| *bot == event.bot) {
            Some((_, table)) => table.clone(),
            None => {
                let table: Table = self.make_bot.call((event.bot.name.as_str(), &*event.bot.platform))?;
                table.set_readonly(true);
                self.bots.push((event.bot.clone(), table.clone()));
                table
            }
        };
        let name = event.kind.name();
        let kind = match self.kinds.iter().find(|(known, _)| *known == name) {
            Some((_, kind)) => kind.clone(),
            None => {
                let kind = lua.create_string(name.as_str())?;
                self.kinds.push((name, kind.clone()));
                kind
            }
        };
        let space = event.space.as_ref().map(|space| self.space(space)).transpose()?;
        let room = event.room.as_ref().map(|room| self.room(room)).transpose()?;
        let member = match &event.member {
            Some(member) => {
                let table = value::to_lua(lua, &json(member.as_ref())?)?;
                if let LuaValue::Table(table) = &table {
                    table.raw_set("id", member.user.as_str())?;
                }
                table
            }
            None => LuaValue::Nil,
        };
        let user = event.user.as_deref();
        let user_id = user.map(|user| lua.create_string(user.id.as_str())).transpose()?;
        let user_name = user.map(|user| lua.create_string(&user.name)).transpose()?;
        let locale = user.and_then(|user| user.locale.as_deref());
        let locale = locale.map(|locale| lua.create_string(locale)).transpose()?;
        let picture = user.and_then(|user| user.picture.as_deref());
        let picture = picture.map(|picture| lua.create_string(picture)).transpose()?;
        let message = match &event.kind {
            EventKind::Message { message } => {
                let content = &message.content;
                let plain = content.attachments.is_empty() && content.embeds.is_empty() && content.buttons.is_empty();
                let fields = match plain && message.reply_to.is_none() {
                    true => LuaValue::Nil,
                    false => value::to_lua(lua, &json(message)?)?,
                };
                let (text, id) = (lua.create_string(&content.text)?, lua.create_string(message.id.as_str())?);
                (Some(text), Some(id), seconds(message.time), fields)
            }
            kind => {
                // A kind without content serialises as a string, and has no fields.
                let fields = match json(kind)? {
                    Value::Object(mut outer) => outer.values_mut().next().map_or(Value::Null, Value::take),
                    _ => Value::Null,
                };
                (None, None, 0.0, value::to_lua(lua, &fields)?)
            }
        };
        let id = lua.create_string(input.run.seq.to_string())?;
        let is_bot = user.is_some_and(|user| user.bot);
        let who = (user_id, user_name, is_bot, locale, picture, member);
        Ok(((kind, id, seconds(event.time)), (bot, space, room), who, message))
    }

    fn room(&mut self, room: &Arc<Room>) -> mlua::Result<Table> {
        if let Some((known, table)) = self.rooms.rooms.get(&room.id)
            && (Arc::ptr_eq(known, room) || known == room)
        {
            return Ok(table.clone());
        }
        let kind = json(&room.kind)?;
        let table: Table = self.make_room.call((
            room.id.as_str(),
            room.name.as_str(),
            kind.as_str().unwrap_or_default(),
            room.topic.as_deref(),
        ))?;
        table.set_readonly(true);
        if self.rooms.rooms.len() >= CACHED_ROOMS_MAX {
            self.rooms.rooms.clear();
        }
        self.rooms.rooms.insert(room.id.clone(), (Arc::clone(room), table.clone()));
        Ok(table)
    }

    fn space(&mut self, space: &Arc<Space>) -> mlua::Result<Table> {
        if let Some((known, table)) = self.rooms.spaces.get(&space.id)
            && known == space
        {
            return Ok(table.clone());
        }
        let table: Table = self.make_space.call((space.id.as_str(), space.name.as_str()))?;
        table.set_readonly(true);
        if self.rooms.spaces.len() >= CACHED_ROOMS_MAX {
            self.rooms.spaces.clear();
        }
        self.rooms.spaces.insert(space.id.clone(), (Arc::clone(space), table.clone()));
        Ok(table)
    }
}

fn json(value: &impl serde::Serialize) -> mlua::Result<Value> {
    serde_json::to_value(value).map_err(mlua::Error::external)
}

fn seconds(time: Millis) -> f64 {
    time as f64 / 1_000.0
}
