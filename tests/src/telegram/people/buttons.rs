//! Button presses of users.

use serde_json::{Value, json};

use crate::telegram::post::MessageRef;
use crate::telegram::query::CallbackQuery;
use crate::telegram::stand_in::StandIn;

impl StandIn {
    /// Presses a button, by label or data, and returns the id of the query.
    ///
    /// # Panics
    /// If the message has no such button, or it is not a callback button.
    pub fn presses(&self, who: &str, message: MessageRef, button: &str) -> String {
        self.change(|state| {
            let user = state.who(who);
            let shown = state.known(message);
            let rows = shown["reply_markup"]["inline_keyboard"].as_array().into_iter().flatten();
            let mut buttons = rows.filter_map(Value::as_array).flatten();
            let found = buttons.find(|one| one["text"] == button || one["callback_data"] == button);
            let found = found.unwrap_or_else(|| panic!("there is no button {button} on {shown}"));
            let data = found["callback_data"].as_str().unwrap_or_else(|| panic!("{button} asks no bot"));
            let id = state.fresh_id();
            let query = json!({
                "id": id, "from": state.user_frame(user), "message": shown,
                "chat_instance": format!("{}7", message.chat), "data": data,
            });
            state.presses.insert(id.clone(), CallbackQuery { at: state.now(), answer: None });
            state.give("callback_query", query);
            id
        })
    }
}
