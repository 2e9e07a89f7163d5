//! The commands that the bot registered, by scope and language.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::world::World;

/// The registered lists. The key is a scope as [`scope_key`] writes it, and a language.
#[derive(Debug, Default)]
pub(super) struct Commands {
    pub(super) lists: BTreeMap<(String, String), Vec<Value>>,
}

impl World {
    /// A scope as text: `default`, `all_group_chats`, `chat:-100123`, `chat_member:-100123:5`.
    pub(super) fn scope_key(&self, scope: &Value) -> String {
        let kind = scope["type"].as_str().unwrap_or("default");
        let id = |value: &Value| {
            value.as_i64().map_or_else(|| value.as_str().unwrap_or_default().to_owned(), |id| id.to_string())
        };
        match (scope["chat_id"].is_null(), scope["user_id"].is_null()) {
            (true, _) => kind.to_owned(),
            (false, true) => format!("{kind}:{}", id(&scope["chat_id"])),
            (false, false) => format!("{kind}:{}:{}", id(&scope["chat_id"]), id(&scope["user_id"])),
        }
    }

    /// The list of a scope and a language.
    pub(super) fn command_list(&self, scope: &Value, language: &str) -> Value {
        let key = (self.scope_key(scope), language.to_owned());
        self.commands.lists.get(&key).map_or_else(|| json!([]), |list| Value::Array(list.clone()))
    }
}
