//! The users and bots.

use serde_json::{Value, json};

use crate::telegram::state::State;
use crate::telegram::user::User;

impl State {
    /// Creates a user. The username is the name; a person's first name is the same, capitalised.
    pub(in crate::telegram) fn create_user(&mut self, name: &str, is_bot: bool) -> i64 {
        let id = if is_bot { self.bot_id() } else { 5_000_000_000 + 1_000 * self.users.len() as i64 + 7 };
        let mut letters = name.trim_end_matches("_bot").chars();
        let first_name =
            letters.next().map(|letter| letter.to_uppercase().chain(letters).collect()).unwrap_or_default();
        let user = User {
            name: name.to_owned(),
            first_name,
            last_name: None,
            username: Some(name.to_owned()),
            is_bot,
            language: "en".to_owned(),
            has_started: false,
            blocks: false,
        };
        self.users.insert(id, user);
        self.names.insert(name.to_owned(), id);
        id
    }

    /// The bot's id is the first part of the token.
    fn bot_id(&self) -> i64 {
        let taken = self.users.values().filter(|user| user.is_bot).count() as i64;
        let id = self.options.token.split(':').next().and_then(|id| id.parse::<i64>().ok());
        id.expect("a token begins with the bot's id") + taken
    }

    /// A user as Telegram represents them.
    pub(in crate::telegram) fn user_frame(&self, id: i64) -> Value {
        let user = &self.users[&id];
        let mut frame = json!({ "id": id, "is_bot": user.is_bot, "first_name": user.first_name });
        if let Some(last_name) = &user.last_name {
            frame["last_name"] = json!(last_name);
        }
        if let Some(username) = &user.username {
            frame["username"] = json!(username);
        }
        if !user.is_bot {
            frame["language_code"] = json!(user.language);
        }
        frame
    }
}
