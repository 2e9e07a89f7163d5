//! Inline queries of users.

use serde_json::{Value, json};

use crate::telegram::message::Draft;
use crate::telegram::post::MessageRef;
use crate::telegram::query::InlineQuery;
use crate::telegram::stand_in::StandIn;

impl StandIn {
    /// Sends an inline query, as when typing `@palabre_bot` and a text, and returns its id.
    pub fn inline_query(&self, who: &str, query: &str) -> String {
        self.change(|state| {
            let user = state.who(who);
            let id = state.fresh_id();
            let asked = InlineQuery { at: state.now(), user, query: query.to_owned(), answer: None };
            state.inline.insert(id.clone(), asked);
            let frame = json!({
                "id": id, "from": state.user_frame(user), "query": query, "offset": "", "chat_type": "supergroup",
            });
            state.give("inline_query", frame);
            id
        })
    }

    /// Chooses one of the results for a chat.
    ///
    /// # Panics
    /// If the bot has not answered, or there is no such result.
    pub fn takes_result(&self, query: &str, result: &str, chat: &str) -> MessageRef {
        self.change(|state| {
            let asked = state.inline.get(query).cloned().expect("there is such a query");
            let answer = asked.answer.expect("the bot has answered the query");
            let mut results = answer["results"].as_array().into_iter().flatten();
            let found =
                results.find(|one| one["id"] == result).unwrap_or_else(|| panic!("there is no result {result}"));
            let text = found["input_message_content"]["message_text"].as_str().or(found["title"].as_str());
            let mut content = json!({ "text": text.unwrap_or_default(), "via_bot": state.user_frame(state.bot) });
            if found["reply_markup"].is_object() {
                content["reply_markup"] = found["reply_markup"].clone();
            }
            let chosen = json!({ "result_id": result, "from": state.user_frame(asked.user), "query": asked.query });
            let (chat, thread) = state.somewhere(chat);
            let message = state.publish(Draft { thread, ..Draft::new(chat, asked.user, content) });
            state.give("chosen_inline_result", chosen);
            MessageRef::of(&message)
        })
    }

    /// Waits for `answerInlineQuery` and returns its parameters.
    pub async fn inline_answer(&self, query: &str) -> Value {
        let look = |stand_in: &Self| stand_in.shared.lock().inline.get(query)?.answer.clone();
        self.until("the answer to an inline query", look).await
    }
}
