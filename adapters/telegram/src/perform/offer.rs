//! Answers to inline queries: offers that a user can send with the bot's help, in any chat.

use palabre_types::{ActionError, Content, Millis, Offer, Outcome};
use serde_json::{Map, Value, json};

use super::part::add;
use crate::encode::{TEXT_MAX, texts};
use crate::requests::done;
use crate::telegram::Telegram;

/// Maximum time for which Telegram caches an answer, in seconds: as long as its own default.
/// <https://core.telegram.org/bots/api#answerinlinequery>
const CACHE_TIME_MAX: u64 = 300;

impl Telegram {
    pub(super) async fn offer(
        &self,
        query: &str,
        offers: &[Offer],
        lasts: Option<Millis>,
    ) -> Result<Outcome, ActionError> {
        let results = offers.iter().enumerate().map(|(index, offer)| self.article(index, offer));
        let body = json!({
            "inline_query_id": query,
            "results": results.collect::<Result<Vec<_>, _>>()?,
            // The offers may be meant for this user only.
            "is_personal": true,
            "cache_time": lasts.unwrap_or_default().div_ceil(1_000).min(CACHE_TIME_MAX),
        });
        done(self.api.call("answerInlineQuery", body).await)
    }

    /// Returns an offer as an article.
    /// <https://core.telegram.org/bots/api#inlinequeryresultarticle>
    fn article(&self, index: usize, offer: &Offer) -> Result<Value, ActionError> {
        let rich = texts(&self.cache, &Content::text(offer.text.clone()), TEXT_MAX);
        let [rich] = rich.as_slice() else {
            let why = if rich.is_empty() { "has no text" } else { "is too long for one message" };
            return Err(ActionError::Rejected(format!("the offer \"{}\" {why}", offer.title)));
        };
        let mut content = Map::new();
        add(&mut content, "message_text", "entities", rich);
        let mut article = json!({
            "type": "article", "id": index.to_string(), "title": offer.title, "input_message_content": content,
        });
        if let Some(description) = &offer.description {
            article["description"] = description.as_str().into();
        }
        if let Some(picture) = &offer.picture {
            article["thumbnail_url"] = picture.as_str().into();
        }
        Ok(article)
    }
}
