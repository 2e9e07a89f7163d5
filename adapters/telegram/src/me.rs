//! The bot's own account.

use palabre_platform::{AdapterError, Condition};
use serde_json::{Value, json};

use crate::api::ApiError;
use crate::telegram::Telegram;

/// The bot's own account. <https://core.telegram.org/bots/api#user>
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Me {
    pub(crate) id: i64,
    pub(crate) username: String,
    /// Whether the bot receives all messages of groups: privacy mode is off.
    pub(crate) hears_all: bool,
}

impl Me {
    pub(crate) fn of(response: &Value) -> Option<Self> {
        Some(Self {
            id: response["id"].as_i64()?,
            username: response["username"].as_str().unwrap_or_default().to_owned(),
            hears_all: response["can_read_all_group_messages"] == true,
        })
    }

    /// Returns the consequences of privacy mode, if it is on.
    pub(crate) fn privacy(&self) -> Option<String> {
        (!self.hears_all).then(|| {
            format!(
                "privacy mode is on: in groups where @{} is not an administrator, on_message, hear and prefix \
                 commands receive only commands, replies to the bot and mentions of it. Switch it off with \
                 @BotFather (/setprivacy) and add the bot to the groups again, or make it an administrator",
                self.username
            )
        })
    }
}

impl Telegram {
    /// Asks Telegram for the bot's own account, with retries.
    pub(crate) async fn identify(&self) -> Result<Me, AdapterError> {
        let response = match self.api.call_with_retry("getMe", json!({})).await {
            Ok(response) => response,
            Err(ApiError::Token) => return Err(AdapterError::Refused(ApiError::Token.to_string())),
            Err(error) => return Err(AdapterError::Lost(error.to_string())),
        };
        // The token is accepted now, so actions need not wait for the first updates.
        if let Condition::Refused(_) = self.condition() {
            self.report(Condition::Starting);
        }
        let me =
            Me::of(&response).ok_or_else(|| AdapterError::Lost("Telegram did not send the bot's id".to_owned()))?;
        let mut state = self.cache.lock();
        state.me = me.id;
        state.username.clone_from(&me.username);
        Ok(me)
    }
}
