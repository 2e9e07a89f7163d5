//! Forms, which Telegram does not have: the fields are asked one by one.
//!
//! Answers go into the form and not to scripts. In a group, only replies to the question are
//! answers.

pub(crate) mod dialogue;

use std::sync::Arc;

use palabre_platform::Retry;
use palabre_types::{ActionError, ActionKey, Batch, Event, Form, Outcome};
use serde_json::{Value, json};

use crate::api::{ATTEMPTS_MAX, RETRY_BACKOFF};
use crate::decode::decoder::Decoder;
use crate::frames::Message;
use crate::telegram::Telegram;
use crate::text::to_telegram;

use dialogue::{Answered, Dialogue, command_of, keep};

/// The message that a form is cancelled.
const CANCELLED_TEXT: &str = "✖";

impl Telegram {
    /// Returns the key of a form. A group keeps its keys when it becomes a supergroup.
    fn asked_at(&self, chat: i64, topic: Option<i64>, user: i64) -> String {
        let chat = self.cache.lock().first_id(chat);
        format!("{chat}:{}:{user}", topic.unwrap_or_default())
    }

    /// Opens a form by asking its first field. Only later messages are answers.
    pub(crate) async fn ask_form(
        &self,
        (chat, topic): (i64, Option<i64>),
        user: i64,
        form: &Form,
        key: &ActionKey,
    ) -> Result<Outcome, ActionError> {
        if form.fields.is_empty() {
            return Err(ActionError::Rejected("a form needs at least one field".to_owned()));
        }
        let place = self.asked_at(chat, topic, user);
        let is_answered = |known: &Dialogue| known.asked_by.as_ref() == Some(key) && known.at > 0;
        if self.forms.lock().get(&place).is_some_and(is_answered) {
            // A repetition after a crash: the question had been sent, and was answered in the
            // meantime.
            return Ok(Outcome::default());
        }
        let now = self.clock.now();
        let dialogue = Dialogue::new(form.clone(), key.clone(), now);
        // In a group, the question names the user.
        let name = self.cache.lock().people.user(user).map_or_else(|| user.to_string(), |user| user.name.clone());
        let question = dialogue.question();
        let question = if chat < 0 {
            format!("[{}](tg://user?id={user})\n{question}", palabre_text::escape(&name))
        } else {
            question
        };
        // Stored before the question is sent: the user may answer before Telegram's response
        // arrives, or the daemon may be killed in between.
        let mut batch = Batch::default();
        keep(&mut batch, self.cache.bot(), &place, Some(&dialogue));
        self.write("a form that is opened", batch).await?;
        {
            let mut forms = self.forms.lock();
            forms.retain(|_, other| other.is_open(now));
            forms.insert(place.clone(), dialogue);
        }
        let asked = match self.question(chat, topic, &question, None).await {
            Ok(asked) => asked,
            Err(error) => {
                // Without a question, the user's messages are ordinary ones.
                self.give_up(&place).await;
                return Err(error);
            }
        };
        self.is_asked(&place, 0).await;
        let chat = self.cache.lock().now_id(chat);
        Ok(Outcome { message: Some(self.cache.lock().message_id(chat, asked)) })
    }

    /// Records that a question is in the chat.
    ///
    /// From now on, any message of the user in a private chat is an answer.
    async fn is_asked(&self, place: &str, at: usize) {
        let mut batch = Batch::default();
        if let Some(dialogue) = self.forms.lock().get_mut(place).filter(|dialogue| dialogue.at == at) {
            dialogue.is_asked = true;
            keep(&mut batch, self.cache.bot(), place, Some(dialogue));
        }
        if let Err(error) = self.write("a field that was asked", batch).await {
            tracing::warn!(bot = %self.cache.bot(), "cannot store that a field was asked: {error}");
        }
    }

    async fn give_up(&self, place: &str) {
        self.forms.lock().remove(place);
        let mut batch = Batch::default();
        keep(&mut batch, self.cache.bot(), place, None);
        if let Err(error) = self.write("a form that is cancelled", batch).await {
            tracing::warn!(bot = %self.cache.bot(), "cannot store that a form was cancelled: {error}");
        }
    }

    /// Sends a question, and returns the id of its message.
    async fn question(
        &self,
        chat: i64,
        topic: Option<i64>,
        question: &str,
        answer_to: Option<i64>,
    ) -> Result<i64, ActionError> {
        // The group may have become a supergroup since.
        let chat = self.cache.lock().now_id(chat);
        let rich = to_telegram(question);
        let mut body = json!({ "chat_id": chat, "text": rich.text });
        if !rich.entities.is_empty() {
            body["entities"] = json!(rich.entities);
        }
        // The message that ends a form asks for no reply.
        if question != CANCELLED_TEXT {
            body["reply_markup"] = json!({ "force_reply": true, "selective": true });
        }
        if let Some(topic) = topic {
            body["message_thread_id"] = topic.into();
        }
        if let Some(message) = answer_to {
            body["reply_parameters"] = json!({ "message_id": message, "allow_sending_without_reply": true });
        }
        let _turn = self.pacer.wait(chat, 1).await;
        let sent = self.send_request("sendMessage", chat, body).await?;
        sent["message_id"].as_i64().ok_or_else(|| ActionError::Transient("the response has no message".to_owned()))
    }

    /// Takes a message as the answer to the open form of its author.
    ///
    /// `None` if it is no answer; otherwise the form's event, once all fields are answered.
    pub(crate) fn form_answer(
        self: &Arc<Self>,
        decoder: &Decoder,
        message: &Message,
        rows: &mut Batch,
    ) -> Option<Option<Event>> {
        let (chat, (_, user)) = (message.chat.id, decoder.author(message));
        let topic = message.message_thread_id.filter(|_| message.is_topic_message);
        let place = self.asked_at(chat, topic, user);
        let text = message.text.as_deref()?.trim();
        let mut dialogue = self.forms.lock().get(&place).cloned()?;
        let now = self.clock.now();
        if !dialogue.is_open(now) {
            self.forms.lock().remove(&place);
            return None;
        }
        let me = self.cache.lock().me;
        // Recognised by the label: the same question may have been sent again.
        let is_to_question = message.reply_to_message.as_ref().is_some_and(|answered| {
            let words = answered.text.as_deref().unwrap_or_default();
            let is_mine = answered.from.as_ref().is_some_and(|from| from.id == me);
            is_mine && dialogue.field().is_some_and(|field| words.contains(&field.label))
        });
        let is_own = matches!(command_of(text), "/cancel" | "/skip");
        // Other messages in a group, and other commands, are not answers.
        let is_answer = is_to_question || (chat > 0 && dialogue.is_asked);
        if !(is_own || is_answer && !text.starts_with('/')) {
            return None;
        }
        let answered = dialogue.take(text, now);
        let goes_on = matches!(answered, Answered::Next | Answered::Repeated(_));
        keep(rows, self.cache.bot(), &place, goes_on.then_some(&dialogue));
        if goes_on {
            self.forms.lock().insert(place.clone(), dialogue.clone());
        } else {
            self.forms.lock().remove(&place);
        }
        let question = match answered {
            Answered::Next => dialogue.question(),
            Answered::Repeated(problem) => format!("{problem}\n{}", dialogue.question()),
            Answered::Cancelled => CANCELLED_TEXT.to_owned(),
            Answered::Done => {
                let action = if dialogue.form.action.is_empty() { dialogue.form.title } else { dialogue.form.action };
                return Some(Some(decoder.filled_in(message, action, Value::Object(dialogue.values), now)));
            }
        };
        let (telegram, at, answer_to) = (Arc::clone(self), dialogue.at, message.message_id);
        self.background_tasks
            .spawn(async move { telegram.ask_on((chat, topic), place, at, question, answer_to).await });
        Some(None)
    }

    /// Sends the next question, with retries, in the background: no update waits for it.
    async fn ask_on(
        &self,
        (chat, topic): (i64, Option<i64>),
        place: String,
        at: usize,
        question: String,
        answer_to: i64,
    ) {
        let asking = || self.question(chat, topic, &question, Some(answer_to));
        match RETRY_BACKOFF.retry(ATTEMPTS_MAX, retry, asking).await {
            Ok(_) => self.is_asked(&place, at).await,
            Err(error) if retry(&error) == Retry::Never => {
                tracing::warn!(bot = %self.cache.bot(), "the next question of a form cannot be sent: {error}");
            }
            Err(_) => {
                tracing::warn!(bot = %self.cache.bot(), "the next question of a form could not be sent, giving up");
            }
        }
    }
}

/// Returns whether, and after which delay, a question may be sent.
fn retry(error: &ActionError) -> Retry {
    match error {
        ActionError::RateLimited { retry_after } => Retry::After(*retry_after),
        ActionError::Transient(_) | ActionError::Uncertain(_) => Retry::WithBackoff,
        _ => Retry::Never,
    }
}
