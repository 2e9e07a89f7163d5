//! Users who use buttons, lists and forms.

use serde_json::{Value, json};

use crate::discord::id::Id;
use crate::discord::interaction::Kind;
use crate::discord::stand_in::StandIn;
use crate::discord::state::State;

impl StandIn {
    /// Presses a button, by label or custom id, and returns the interaction.
    ///
    /// # Panics
    /// If the message has no such button, or it is disabled.
    pub fn presses(&self, who: &str, message: Id, button: &str) -> Id {
        self.change(|state| {
            let channel = state.channel_of(message);
            let is_it = |one: &Value| one["type"] == 2 && (one["label"] == button || one["custom_id"] == button);
            let found =
                state.component(channel, message, &is_it).unwrap_or_else(|| panic!("there is no button {button}"));
            assert!(found["disabled"] != true && found["custom_id"].is_string(), "{button} cannot be pressed");
            let data = json!({ "custom_id": found["custom_id"], "component_type": 2, "id": found["id"] });
            state.interact(Kind::Component, who, channel, data, Some((channel, message)))
        })
    }

    /// Chooses in a select: values of options, or names of users, roles and channels.
    ///
    /// # Panics
    /// If the message has no such select, or it does not allow this choice.
    pub fn chooses(&self, who: &str, message: Id, select: &str, values: &[&str]) -> Id {
        self.change(|state| {
            let channel = state.channel_of(message);
            let is_it = |one: &Value| matches!(one["type"].as_u64(), Some(3 | 5..=8)) && one["custom_id"] == select;
            let found =
                state.component(channel, message, &is_it).unwrap_or_else(|| panic!("there is no select {select}"));
            let count = |field: &str| found[field].as_u64().unwrap_or(1);
            let chosen = values.len() as u64;
            assert!(found["disabled"] != true, "{select} is disabled");
            assert!((count("min_values")..=count("max_values")).contains(&chosen), "{chosen} are too few or too many");
            let kind = found["type"].as_u64().unwrap_or_default();
            let mut data = json!({ "custom_id": select, "component_type": kind, "id": found["id"] });
            if kind == 3 {
                for value in values {
                    let known =
                        found["options"].as_array().is_some_and(|all| all.iter().any(|one| one["value"] == *value));
                    assert!(known, "{select} has no option {value}");
                }
                data["values"] = json!(values);
            } else {
                data["resolved"] = json!({});
                // Selects of users, roles, mentionables and channels have the numbers of command
                // options.
                let target = match kind {
                    5 => 6,
                    6 => 8,
                    7 => 9,
                    _ => 7,
                };
                let ids: Vec<Id> = values.iter().map(|name| state.find_target(self.guild, target, name)).collect();
                ids.iter().for_each(|id| state.resolve(&mut data["resolved"], self.guild, target, *id));
                data["values"] = json!(ids);
            }
            state.interact(Kind::Component, who, channel, data, Some((channel, message)))
        })
    }

    /// Submits the form with which the bot answered an interaction.
    ///
    /// `values` is keyed by custom id. Other fields keep their initial value.
    ///
    /// # Panics
    /// If the answer was not a form, a field does not exist, or a value is not valid.
    pub fn submits(&self, interaction: Id, values: &[(&str, &str)]) -> Id {
        self.change(|state| {
            let asked = state.interactions.get(&interaction).expect("there is such an interaction").clone();
            let form =
                asked.answers.iter().find(|answer| answer["type"] == 9).expect("it was answered with a form")["data"]
                    .clone();
            let known: Vec<_> = fields(&form).filter_map(|(_, field)| field["custom_id"].as_str()).collect();
            values.iter().for_each(|(name, _)| assert!(known.contains(name), "the form has no field {name}"));
            let rows: Vec<Value> = fields(&form)
                .enumerate()
                .map(|(index, (labelled, field))| {
                    let given = values.iter().find(|(name, _)| field["custom_id"] == *name).map(|(_, value)| *value);
                    fill(index, labelled, field, given)
                })
                .collect();
            let data = json!({ "custom_id": form["custom_id"], "components": rows });
            let user = asked.user.to_string();
            let sent = state.interact(Kind::Modal, &user, asked.channel, data, asked.message);
            state.interactions.get_mut(&sent).expect("it was just made").opened_by = Some(interaction);
            sent
        })
    }
}

/// Returns the fields of a form, and whether each is inside a label rather than a row.
fn fields(form: &Value) -> impl Iterator<Item = (bool, &Value)> {
    let rows = form["components"].as_array().into_iter().flatten();
    rows.filter_map(|row| match row["type"].as_u64() {
        Some(18) => Some((true, &row["component"])),
        Some(1) => Some((false, &row["components"][0])),
        _ => None,
    })
}

/// Builds one row of a submitted form.
fn fill(index: usize, labelled: bool, field: &Value, given: Option<&str>) -> Value {
    let id = field["custom_id"].as_str().unwrap_or_default();
    let mut filled = json!({ "type": field["type"], "custom_id": id, "id": 2 * index + 2 });
    if field["type"] == 4 {
        let text = given.or(field["value"].as_str()).unwrap_or_default();
        let count = text.chars().count() as u64;
        assert!(field["required"] == false || count > 0, "the field {id} is required");
        assert!(count <= field["max_length"].as_u64().unwrap_or(4_000), "{text:?} is too long for {id}");
        assert!(
            count == 0 || count >= field["min_length"].as_u64().unwrap_or_default(),
            "{text:?} is too short for {id}"
        );
        filled["value"] = json!(text);
    } else {
        filled["values"] = given.map_or_else(|| json!([]), |value| json!([value]));
    }
    if labelled {
        json!({ "type": 18, "id": 2 * index + 1, "component": filled })
    } else {
        json!({ "type": 1, "id": 2 * index + 1, "components": [filled] })
    }
}

impl State {
    /// Finds the component of a message that fits, at any depth.
    fn component(&self, channel: Id, message: Id, fits: &dyn Fn(&Value) -> bool) -> Option<Value> {
        fn search<'a>(list: &'a Value, fits: &dyn Fn(&Value) -> bool) -> Option<&'a Value> {
            let children = |one: &'a Value| {
                search(&one["components"], fits).or_else(|| Some(&one["accessory"]).filter(|one| fits(one)))
            };
            list.as_array()?.iter().find_map(|one| if fits(one) { Some(one) } else { children(one) })
        }
        search(&self.message(channel, message)?["components"], fits).cloned()
    }
}
