//! Forms that are requested outside of an interaction, such as after a typed command.
//!
//! Discord opens a form only in response to an interaction, so the bot sends a button for it.

use palabre_store::Table;
use palabre_types::TableId;
use palabre_types::{ActionError, ActionKey, Batch, Button, Content, Form, Millis, Outcome, UserId};
use serenity::model::id::MessageId;

use crate::discord::Discord;
use crate::encode::{form, nonce};
use crate::frames;
use crate::interactions::Token;

/// Forms by the action of their button, with the user whom they are for.
const FORMS: Table<String, (UserId, Form)> = Table::new(TableId::DiscordForms);
/// The lifetime of a form and its button.
const FORM_LIFETIME: Millis = 7 * 86_400_000;
/// The prefix of the actions of such buttons.
const ACTION_PREFIX: &str = "palabre:form:";

impl Discord {
    /// Sends a message with a button that opens a form.
    pub(crate) async fn offer_form(
        &self,
        channel: u64,
        user: &UserId,
        asked: &Form,
        key: &ActionKey,
    ) -> Result<Outcome, ActionError> {
        // A form that Discord would refuse fails here, not when the button is pressed.
        form(asked)?;
        let action = format!("{ACTION_PREFIX}{}", nonce(self.nonce_seed().await?, key, 0));
        let mut batch = Batch::default();
        FORMS.put_until(&mut batch, &action, &(user.clone(), asked.clone()), Some(self.clock.now() + FORM_LIFETIME));
        self.write("a form that a button opens", batch).await?;
        let button = Button { label: "✎".to_owned(), action, style: None, url: None, disabled: false };
        let content = Content { buttons: vec![button], ..Content::text(format!("**{}**", asked.title)) };
        self.say(channel, &content, None, key).await
    }

    /// Opens the form behind a pressed button for the user whom it is for.
    ///
    /// Presses by others, or after the form has expired, are acknowledged without an answer, for
    /// which the adapter has no text.
    pub(crate) async fn show_form(&self, action: &str, user: &UserId, token: &Token) {
        let shown = match self.stored(FORMS, action.to_owned()).await {
            Ok(Some((meant, asked))) if meant == *user => match form(&asked) {
                Ok(modal) => self.interactions.open_form(&self.rest, token, modal).await,
                Err(error) => Err(error),
            },
            Ok(_) => {
                self.interactions.acknowledge(&self.rest, token).await;
                Ok(())
            }
            Err(error) => Err(error),
        };
        if let Err(problem) = shown {
            tracing::warn!(bot = %self.cache.bot(), "could not open a form: {problem}");
        }
    }

    /// Returns the channel, message and action of the button that opened a form, if it is ours.
    pub(crate) fn form_button(message: &frames::Message) -> Option<(u64, u64, String)> {
        let buttons = message.components.iter().flat_map(|row| &row.components);
        let action = buttons.filter_map(|button| button.custom_id.clone()).find(|action| Self::is_form(action))?;
        Some((message.channel_id.get(), message.id.get(), action))
    }

    /// Deletes a form that was submitted, and the message with its button.
    pub(crate) async fn form_is_used(&self, channel: u64, message: u64, action: String) {
        let mut batch = Batch::default();
        FORMS.delete(&mut batch, &action);
        let forgotten = self.write("a form that was submitted", batch).await.map_err(ActionError::from);
        let gone = self.delete(channel, MessageId::new(message.max(1)), None).await;
        if let Err(problem) = forgotten.and(gone) {
            tracing::warn!(bot = %self.cache.bot(), "could not remove the button of a submitted form: {problem}");
        }
    }

    /// Whether an action belongs to a button that opens a form of ours.
    pub(crate) fn is_form(action: &str) -> bool {
        action.starts_with(ACTION_PREFIX)
    }
}
