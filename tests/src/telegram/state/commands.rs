//! The command lists that the bot has registered.

use serde_json::{Value, json};

use crate::telegram::kind::Kind;
use crate::telegram::state::State;

impl State {
    /// Formats a scope: `default`, `all_group_chats`, `chat:-100123`, `chat_member:-100123:5`.
    pub(in crate::telegram) fn scope_key(&self, scope: &Value) -> String {
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

    /// Returns the commands that a user sees in a chat.
    ///
    /// This is the first existing list, from the narrowest scope to the widest, in the user's
    /// language before the general one.
    pub(in crate::telegram) fn commands_seen(&self, user: i64, chat: i64) -> Vec<Value> {
        let is_admin = self.member(chat, user).is_admin();
        let scopes = if self.chats[&chat].kind == Kind::Private {
            vec![format!("chat:{chat}"), "all_private_chats".to_owned(), "default".to_owned()]
        } else {
            let of_admins = |scope: String| Some(scope).filter(|_| is_admin);
            let all = [
                Some(format!("chat_member:{chat}:{user}")),
                of_admins(format!("chat_administrators:{chat}")),
                Some(format!("chat:{chat}")),
                of_admins("all_chat_administrators".to_owned()),
                Some("all_group_chats".to_owned()),
                Some("default".to_owned()),
            ];
            all.into_iter().flatten().collect()
        };
        let own = self.users[&user].language.clone();
        let mut keys = scopes.into_iter().flat_map(|scope| [(scope.clone(), own.clone()), (scope, String::new())]);
        keys.find_map(|key| self.commands.lists.get(&key)).cloned().unwrap_or_default()
    }

    /// Returns the list of a scope and a language.
    pub(in crate::telegram) fn command_list(&self, scope: &Value, language: &str) -> Value {
        let key = (self.scope_key(scope), language.to_owned());
        self.commands.lists.get(&key).map_or_else(|| json!([]), |list| Value::Array(list.clone()))
    }
}
