//! Answers to button presses and commands: to one user, or to the room.

use palabre_types::{ActionError, ActionKey, Content, DeliveryGuarantee, Outcome, UserId};
use serde_json::json;

use super::place::{Place, in_topic, somebody};
use crate::encode::rich;
use crate::telegram::Telegram;
use crate::waiting::START_PAYLOAD;

/// Maximum length of an answer to a button press, in characters.
/// <https://core.telegram.org/bots/api#answercallbackquery>
const ALERT_LENGTH_MAX: usize = 200;

impl Telegram {
    /// Answers a button press or a command.
    ///
    /// Ephemeral content is shown over the chat if the user has just pressed a button and the text
    /// is short, and is sent in private otherwise.
    pub(super) async fn answer(
        &self,
        place: Place,
        user: &UserId,
        interaction: Option<&str>,
        content: &Content,
        key: &ActionKey,
    ) -> Result<Outcome, ActionError> {
        if !content.ephemeral {
            let sent = self.send(place, content, None, key).await?;
            if let Some(callback) = interaction {
                self.answer_callback(callback, None).await;
            }
            return Ok(sent);
        }
        // A pop-up whose response is lost would be followed by a message with the same text.
        let is_repeatable = content.delivery != DeliveryGuarantee::AtMostOnce;
        let is_plain =
            is_repeatable && content.files.is_empty() && content.buttons.is_empty() && content.select.is_none();
        let words = rich(&self.cache, content).text;
        if let Some(callback) = interaction.filter(|_| is_plain && words.chars().count() <= ALERT_LENGTH_MAX)
            && self.answer_callback(callback, Some(&words)).await
        {
            return Ok(Outcome::default());
        }
        let whom = somebody(user)?;
        match self.send((whom, None), content, None, key).await {
            // A bot cannot begin a private chat: the answer waits, and the user is shown how to
            // begin one.
            Err(ActionError::Forbidden(why)) => {
                if !self.keep_answer(whom, content, key).await? {
                    return Err(ActionError::Forbidden(why));
                }
                self.invite_in(place, interaction).await;
            }
            sent => {
                if let Some(callback) = interaction {
                    self.answer_callback(callback, None).await;
                }
                sent?;
            }
        }
        // It is not a message of the room, so it has no id there.
        Ok(Outcome::default())
    }

    /// Leads a user to the private chat, by the pressed button or by a link that all can see.
    async fn invite_in(&self, (chat, topic): Place, interaction: Option<&str>) {
        let username = self.cache.lock().username.clone();
        let link = format!("https://t.me/{username}?start={START_PAYLOAD}");
        if let Some(callback) = interaction
            && self.lead_by_callback(callback, &link).await
        {
            return;
        }
        let mut body = json!({ "chat_id": chat, "text": format!("✉ {link}") });
        in_topic(&mut body, topic);
        let _turn = self.pacer.wait(chat, 1).await;
        if let Err(error) = self.send_request("sendMessage", chat, body).await {
            tracing::debug!(bot = %self.cache.bot(), "the link to the bot could not be sent: {error}");
        }
    }
}
