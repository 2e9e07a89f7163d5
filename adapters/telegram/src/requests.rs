//! Requests about chats: when they are sent, and what their responses say about the chat.

use palabre_types::{ActionError, Batch, Outcome};
use serde_json::Value;

use crate::api::ApiError;
use crate::cache::Recent;
use crate::pace::Class;
use crate::telegram::Telegram;

impl Telegram {
    /// Sends a request about a chat that sends no message there.
    ///
    /// It is not delayed unless Telegram has asked to wait. If the response says that the chat has
    /// moved or that requests are too frequent, that is recorded.
    pub(crate) async fn in_chat(&self, chat: i64, method: &str, body: Value) -> Result<Value, ApiError> {
        let class = Class::of(method);
        self.pacer.admit(chat, class).map_err(|retry_after| ApiError::Limited { retry_after })?;
        let result = self.api.call(method, body).await;
        self.record_error(chat, class, result).await
    }

    /// Sends a request that sends a message. The caller has waited for its turn.
    pub(crate) async fn send_request(&self, method: &str, chat: i64, body: Value) -> Result<Value, ActionError> {
        let sent = self.api.call(method, body).await;
        self.record_sent(chat, sent).await
    }

    /// Records the result of a request that sends messages, and the messages themselves.
    pub(crate) async fn record_sent(&self, chat: i64, sent: Result<Value, ApiError>) -> Result<Value, ActionError> {
        let sent = self.record_error(chat, Class::Message, sent).await;
        match &sent {
            Ok(Value::Array(album)) => album.iter().for_each(|message| self.remember_own(message)),
            Ok(message) => self.remember_own(message),
            Err(_) => {}
        }
        sent.map_err(ActionError::from)
    }

    /// Records from an error that the chat has moved, or that Telegram asks to wait.
    async fn record_error(&self, chat: i64, class: Class, result: Result<Value, ApiError>) -> Result<Value, ApiError> {
        match &result {
            Err(ApiError::Moved { to }) => self.moved(chat, *to).await,
            Err(ApiError::Limited { retry_after }) => self.pacer.pause(chat, class, *retry_after),
            _ => {}
        }
        result
    }

    /// Records that a group has become a supergroup: the old id leads to the new one from now on.
    pub(crate) async fn moved(&self, from: i64, to: i64) {
        if !self.cache.lock().moved(from, to) {
            return;
        }
        tracing::info!(bot = %self.cache.bot(), from, to, "a group has become a supergroup");
        let mut rows = Batch::default();
        self.cache.keep(&mut rows, from);
        self.cache.keep(&mut rows, to);
        if let Err(error) = self.write("a group that has become a supergroup", rows).await {
            tracing::error!(bot = %self.cache.bot(), "cannot store that a group has become a supergroup: {error}");
        }
    }

    /// Remembers one of the bot's own messages, so that it can be purged.
    fn remember_own(&self, message: &Value) {
        let (Some(chat), Some(id)) = (message["chat"]["id"].as_i64(), id_of(message)) else { return };
        let topic = message["message_thread_id"].as_i64().filter(|_| message["is_topic_message"] == true);
        let time = message["date"].as_u64().unwrap_or_default().saturating_mul(1_000);
        let mut state = self.cache.lock();
        let user = state.me;
        state.remember(chat, Recent { id, topic, user, time });
    }
}

/// Returns the outcome of an action of one request.
pub(crate) fn done(result: Result<Value, ApiError>) -> Result<Outcome, ActionError> {
    match result {
        Ok(_) | Err(ApiError::Unchanged(_)) => Ok(Outcome::default()),
        Err(error) => Err(error.into()),
    }
}

/// Returns the id of a message in a response.
pub(crate) fn id_of(message: &Value) -> Option<i64> {
    message["message_id"].as_i64()
}
