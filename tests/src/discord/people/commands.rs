//! Users who use the commands that the bot registered.

use serde_json::{Value, json};

use crate::discord::id::Id;
use crate::discord::interaction::Kind;
use crate::discord::stand_in::StandIn;
use crate::discord::state::State;
use crate::server::upload::Upload;

impl StandIn {
    /// Uses a slash command and returns the interaction.
    ///
    /// `words` is its path (`"tag add"`), `options` its options by name. Users, roles and channels
    /// are given by name.
    ///
    /// # Panics
    /// If the command is not registered or does not declare these options: Discord's client would
    /// not send it.
    pub fn uses(&self, who: &str, channel: &str, words: &str, options: &Value) -> Id {
        self.change(|state| state.use_command(self.guild, who, channel, words, options, None))
    }

    /// Requests autocompletion for an option; `options` holds the values entered so far.
    ///
    /// # Panics
    /// See [`StandIn::uses`].
    pub fn completes(&self, who: &str, channel: &str, words: &str, options: &Value, focused: &str) -> Id {
        self.change(|state| state.use_command(self.guild, who, channel, words, options, Some(focused)))
    }

    /// Uses a command of a user's context menu.
    ///
    /// # Panics
    /// If the command is not registered.
    pub fn uses_on_person(&self, who: &str, channel: &str, name: &str, target: &str) -> Id {
        self.change(|state| {
            let (channel, target) = (state.place(self.guild, channel), state.who(target));
            let mut data = state.command_data(state.guild_of(channel), name, 2);
            data["target_id"] = json!(target);
            data["resolved"] = json!({});
            state.resolve(&mut data["resolved"], self.guild, 6, target);
            state.interact(Kind::Command, who, channel, data, None)
        })
    }

    /// Uses a command of a message's context menu.
    ///
    /// # Panics
    /// If the command is not registered.
    pub fn uses_on_message(&self, who: &str, name: &str, message: Id) -> Id {
        self.change(|state| {
            let channel = state.channel_of(message);
            let mut data = state.command_data(state.guild_of(channel), name, 3);
            data["target_id"] = json!(message);
            let frame = state.message(channel, message).cloned().unwrap_or_default();
            let key = message.to_string();
            data["resolved"] = json!({ "messages": { key: frame } });
            state.interact(Kind::Command, who, channel, data, None)
        })
    }
}

impl State {
    fn command(&self, guild: Option<Id>, name: &str, kind: u64) -> &Value {
        let known = || {
            let all = self.commands.by_scope.values().flat_map(|all| all.values());
            all.filter_map(|one| one["name"].as_str()).collect::<Vec<_>>().join(", ")
        };
        self.commands
            .find(guild, name, kind)
            .unwrap_or_else(|| panic!("no command {name} is registered, only: {}", known()))
    }

    fn command_data(&self, guild: Option<Id>, name: &str, kind: u64) -> Value {
        let command = self.command(guild, name, kind);
        let mut data = json!({ "id": command["id"], "name": name, "type": kind });
        if command["guild_id"].is_string() {
            data["guild_id"] = command["guild_id"].clone();
        }
        data
    }

    fn use_command(
        &mut self,
        guild: Id,
        who: &str,
        channel: &str,
        words: &str,
        given: &Value,
        focused: Option<&str>,
    ) -> Id {
        let channel = self.place(guild, channel);
        let mut path = words.split(' ');
        let name = path.next().unwrap_or_default();
        let home = self.guild_of(channel);
        let mut data = self.command_data(home, name, 1);
        let mut declared = self.command(home, name, 1).clone();
        let mut levels = Vec::new();
        for word in path {
            let options = declared["options"].as_array().into_iter().flatten();
            let below =
                options.into_iter().find(|one| one["name"] == word && matches!(one["type"].as_u64(), Some(1 | 2)));
            declared = below.cloned().unwrap_or_else(|| panic!("{name} has no subcommand {word}"));
            levels.push((word.to_owned(), declared["type"].clone()));
        }
        let mut resolved = json!({});
        let mut options = self.fill_options(guild, &declared, given, focused, &mut resolved);
        for (word, kind) in levels.into_iter().rev() {
            options = json!([{ "name": word, "type": kind, "options": options }]);
        }
        if options.as_array().is_some_and(|options| !options.is_empty()) {
            data["options"] = options;
        }
        if resolved.as_object().is_some_and(|resolved| !resolved.is_empty()) {
            data["resolved"] = resolved;
        }
        let kind = if focused.is_some() { Kind::Autocomplete } else { Kind::Command };
        self.interact(kind, who, channel, data, None)
    }

    /// Converts options to Discord's format, and checks them as its client does.
    fn fill_options(
        &mut self,
        guild: Id,
        declared: &Value,
        given: &Value,
        focused: Option<&str>,
        resolved: &mut Value,
    ) -> Value {
        let declared: Vec<Value> = declared["options"].as_array().cloned().unwrap_or_default();
        for name in given.as_object().into_iter().flat_map(serde_json::Map::keys) {
            assert!(declared.iter().any(|one| one["name"] == name.as_str()), "there is no option {name}");
        }
        let mut filled = Vec::new();
        for option in &declared {
            let name = option["name"].as_str().unwrap_or_default();
            let value = &given[name];
            if value.is_null() {
                assert!(option["required"] != true || focused.is_some(), "the option {name} is required");
                continue;
            }
            let kind = option["type"].as_u64().unwrap_or_default();
            let is_focused = focused == Some(name);
            let value = if is_focused { value.clone() } else { self.fill_option(guild, option, kind, value, resolved) };
            let mut entry = json!({ "name": name, "type": kind, "value": value });
            if is_focused {
                assert!(option["autocomplete"] == true, "the option {name} does not complete");
                entry["focused"] = json!(true);
            }
            filled.push(entry);
        }
        Value::Array(filled)
    }

    fn fill_option(&mut self, guild: Id, option: &Value, kind: u64, value: &Value, resolved: &mut Value) -> Value {
        let name = &option["name"];
        let fits = match kind {
            4 => value.is_i64() || value.is_u64(),
            5 => value.is_boolean(),
            10 => value.is_number(),
            _ => value.is_string(),
        };
        assert!(fits, "the option {name} is not of the kind {kind}: {value}");
        if let Some(choices) = option["choices"].as_array().filter(|choices| !choices.is_empty()) {
            assert!(choices.iter().any(|choice| choice["value"] == *value), "{value} is no choice of {name}");
        }
        let number = value.as_f64().unwrap_or_else(|| value.as_str().map_or(0.0, |text| text.chars().count() as f64));
        for (low, high) in [("min_value", "max_value"), ("min_length", "max_length")] {
            let within = option[low].as_f64().is_none_or(|low| number >= low)
                && option[high].as_f64().is_none_or(|high| number <= high);
            assert!(within, "{value} is out of the range of {name}");
        }
        let text = value.as_str().unwrap_or_default();
        match kind {
            6..=9 => {
                let id = self.find_target(guild, kind, text);
                self.resolve(resolved, guild, kind, id);
                json!(id)
            }
            11 => json!(self.resolve_file(resolved, text)),
            _ => value.clone(),
        }
    }

    /// Adds a file option, with its name as its content.
    fn resolve_file(&mut self, resolved: &mut Value, name: &str) -> Id {
        let bytes = name.as_bytes().to_vec().into();
        let upload = Upload { name: name.to_owned(), media: "text/plain".to_owned(), bytes };
        let mut attachment = self.attach(self.bot, &json!({ "flags": 64 }), &[upload]).remove(0);
        let id = Id::of(&attachment, "id").expect("an attachment has an id");
        resolved["attachments"][id.to_string()] = attachment.take();
        id
    }
}
