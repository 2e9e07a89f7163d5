//! Forms: Telegram has none, so they are asked field by field, and what somebody answers goes into the form instead of to scripts: in a
//! group, what they say in reply to the question, and nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use palabre_model::{ActionError, ActionKey, Batch, Event, Form, FormField, Millis, Outcome};
use palabre_store::{Direction, Snapshot, Table, TableId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::Telegram;
use crate::decode::Decoder;
use crate::frames::Message;
use crate::text::to_telegram;

const FORMS: Table<(String, String), Dialogue> = Table::new(TableId::TelegramForms);
/// How long an answer is waited for.
const LIFE: Millis = 3_600_000;
/// How often a field is asked again, before the form is given up.
const AGAIN: u32 = 3;
/// What is said when it is given up.
const OVER: &str = "✖";
/// How often it is tried to ask the next field.
const TRIES: u32 = 6;

/// A form that somebody is filling in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dialogue {
    /// The action that has begun it.
    #[serde(default)]
    asked_by: Option<ActionKey>,
    form: Form,
    values: Map<String, Value>,
    /// Which field is asked.
    at: usize,
    /// How often it was asked again.
    #[serde(default)]
    again: u32,
    /// Whether the question is there.
    #[serde(default)]
    is_asked: bool,
    until: Millis,
}

/// The forms that are being filled in, by chat and person.
#[derive(Default)]
pub(crate) struct Forms(Mutex<HashMap<String, Dialogue>>);

/// What becomes of an answer.
enum Answered {
    Next,
    Again(String),
    Cancelled,
    Done,
}

impl Forms {
    /// Takes up what the last daemon asked.
    pub(crate) fn load(&self, snapshot: &Snapshot, bot: &str) -> palabre_store::Result<()> {
        for row in FORMS.scan(snapshot, &bot.to_owned(), Direction::Forward)? {
            let ((of, place), dialogue) = row?;
            if of == bot {
                self.lock().insert(place, dialogue);
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Dialogue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dialogue {
    /// Whether its time is not over. Longer than its life it cannot be, unless the clock has been set back since.
    fn is_open(&self, now: Millis) -> bool {
        now < self.until && self.until - now <= LIFE
    }

    fn field(&self) -> Option<&FormField> {
        self.form.fields.get(self.at)
    }

    /// What is asked now: the title once, what the field is, and how it can be left out.
    fn question(&self) -> String {
        let Some(field) = self.field() else { return String::new() };
        let mut lines = Vec::new();
        if self.at == 0 {
            lines.push(format!("✎ **{}**", palabre_text::escape(&self.form.title)));
        }
        let of = if self.form.fields.len() > 1 {
            format!("{}/{} · ", self.at + 1, self.form.fields.len())
        } else {
            String::new()
        };
        lines.push(format!("{of}**{}**", palabre_text::escape(&field.label)));
        if let Some(value) = field.value.as_deref().or(field.placeholder.as_deref()) {
            lines.push(format!("*{}*", palabre_text::escape(value)));
        }
        lines.push(if field.optional { "/skip · /cancel".to_owned() } else { "/cancel".to_owned() });
        lines.join("\n")
    }

    fn take(&mut self, text: &str) -> Answered {
        let Some(field) = self.field() else { return Answered::Done };
        match word(text) {
            "/cancel" => return Answered::Cancelled,
            // It cannot be left out.
            "/skip" if !field.optional => return Answered::Again("✎ 1".to_owned()),
            "/skip" => {
                self.values.insert(field.name.clone(), "".into());
            }
            _ => {
                let length = text.chars().count();
                let (min, max) = (field.min.unwrap_or(0) as usize, field.max.map_or(usize::MAX, |max| max as usize));
                if length < min.max(1) || length > max {
                    self.again += 1;
                    if self.again > AGAIN {
                        return Answered::Cancelled;
                    }
                    let upper = if max == usize::MAX { String::new() } else { format!("–{max}") };
                    return Answered::Again(format!("✎ {}{upper}", min.max(1)));
                }
                self.values.insert(field.name.clone(), text.into());
            }
        }
        self.at += 1;
        self.again = 0;
        if self.at < self.form.fields.len() { Answered::Next } else { Answered::Done }
    }
}

/// The command that a message is, without the bot that it is for.
fn word(text: &str) -> &str {
    text.split(['@', ' ']).next().unwrap_or_default()
}

impl Telegram {
    /// Where somebody is asked. A group stays the same place when it becomes a supergroup.
    fn asked_at(&self, chat: i64, topic: Option<i64>, user: i64) -> String {
        let chat = self.world.lock().first_id(chat);
        format!("{chat}:{}:{user}", topic.unwrap_or_default())
    }

    /// Begins to ask somebody. Only what comes after the question is an answer to it.
    pub(crate) async fn ask_form(
        &self,
        (chat, topic): (i64, Option<i64>),
        user: i64,
        form: &Form,
        key: &ActionKey,
    ) -> Result<Outcome, ActionError> {
        if form.fields.is_empty() {
            return Err(ActionError::Rejected("a form has at least one field".to_owned()));
        }
        let place = self.asked_at(chat, topic, user);
        let is_answered = |known: &Dialogue| known.asked_by.as_ref() == Some(key) && known.at > 0;
        if self.forms.lock().get(&place).is_some_and(is_answered) {
            // It was asked before a crash, and somebody was quicker than the repetition.
            return Ok(Outcome::default());
        }
        let now = self.clock.now();
        let (form, asked_by, until) = (form.clone(), Some(key.clone()), now + LIFE);
        let dialogue = Dialogue { asked_by, form, values: Map::new(), at: 0, again: 0, is_asked: false, until };
        // In a group it is said who is asked.
        let name = self.world.lock().people.user(user).map_or_else(|| user.to_string(), |user| user.name.clone());
        let question = dialogue.question();
        let question = if chat < 0 {
            format!("[{}](tg://user?id={user})\n{question}", palabre_text::escape(&name))
        } else {
            question
        };
        // Before it is asked: somebody may be quicker than the answer that names the question, or the daemon be killed in between.
        let mut batch = Batch::default();
        self.keep_form(&mut batch, &place, Some(&dialogue));
        self.store.commit(batch).await.map_err(|error| ActionError::Transient(error.to_string()))?;
        {
            let mut forms = self.forms.lock();
            forms.retain(|_, other| other.is_open(now));
            forms.insert(place.clone(), dialogue);
        }
        let asked = match self.question(chat, topic, &question, None).await {
            Ok(asked) => asked,
            Err(error) => {
                // Whoever was not asked does not answer: what they say is for all.
                self.give_up(&place).await;
                return Err(error);
            }
        };
        self.is_asked(&place, 0).await;
        let chat = self.world.lock().now_id(chat);
        Ok(Outcome { message: Some(self.world.lock().message_id(chat, asked)) })
    }

    /// A field is asked. What is said from now on may be the answer, where it need be no reply.
    async fn is_asked(&self, place: &str, at: usize) {
        let mut batch = Batch::default();
        if let Some(dialogue) = self.forms.lock().get_mut(place).filter(|dialogue| dialogue.at == at) {
            dialogue.is_asked = true;
            self.keep_form(&mut batch, place, Some(dialogue));
        }
        if let Err(error) = self.store.commit(batch).await {
            tracing::warn!(bot = %self.world.bot(), "that a field is asked cannot be kept: {error}");
        }
    }

    async fn give_up(&self, place: &str) {
        self.forms.lock().remove(place);
        let mut batch = Batch::default();
        self.keep_form(&mut batch, place, None);
        if let Err(error) = self.store.commit(batch).await {
            tracing::warn!(bot = %self.world.bot(), "that a form is given up cannot be kept: {error}");
        }
    }

    /// Asks: the message.
    async fn question(
        &self,
        chat: i64,
        topic: Option<i64>,
        question: &str,
        answer_to: Option<i64>,
    ) -> Result<i64, ActionError> {
        // It may have become a supergroup since.
        let chat = self.world.lock().now_id(chat);
        let rich = to_telegram(question);
        let mut body = json!({ "chat_id": chat, "text": rich.text });
        if !rich.entities.is_empty() {
            body["entities"] = json!(rich.entities);
        }
        // What ends it asks for nothing.
        if question != OVER {
            body["reply_markup"] = json!({ "force_reply": true, "selective": true });
        }
        if let Some(topic) = topic {
            body["message_thread_id"] = topic.into();
        }
        if let Some(message) = answer_to {
            body["reply_parameters"] = json!({ "message_id": message, "allow_sending_without_reply": true });
        }
        let _turn = self.pacer.wait(chat, 1).await;
        let said = self.said("sendMessage", chat, body).await?;
        said["message_id"].as_i64().ok_or_else(|| ActionError::Transient("Telegram names no message".to_owned()))
    }

    /// Takes a message as an answer to what is asked of whoever wrote it. `None` where it is none; otherwise the event, once all is
    /// answered.
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
        let me = self.world.lock().me;
        // By its words: it may have been asked again.
        let is_to_question = message.reply_to_message.as_ref().is_some_and(|answered| {
            let words = answered.text.as_deref().unwrap_or_default();
            let is_mine = answered.from.as_ref().is_some_and(|from| from.id == me);
            is_mine && dialogue.field().is_some_and(|field| words.contains(&field.label))
        });
        let is_own = matches!(word(text), "/cancel" | "/skip");
        // What others are to see, and another command, is what it is.
        let is_answer = is_to_question || (chat > 0 && dialogue.is_asked);
        if !(is_own || is_answer && !text.starts_with('/')) {
            return None;
        }
        let answered = dialogue.take(text);
        dialogue.until = now + LIFE;
        dialogue.is_asked = false;
        let goes_on = matches!(answered, Answered::Next | Answered::Again(_));
        self.keep_form(rows, &place, goes_on.then_some(&dialogue));
        if goes_on {
            self.forms.lock().insert(place.clone(), dialogue.clone());
        } else {
            self.forms.lock().remove(&place);
        }
        let question = match answered {
            Answered::Next => dialogue.question(),
            Answered::Again(problem) => format!("{problem}\n{}", dialogue.question()),
            Answered::Cancelled => OVER.to_owned(),
            Answered::Done => {
                let action = if dialogue.form.action.is_empty() { dialogue.form.title } else { dialogue.form.action };
                return Some(Some(decoder.filled_in(message, action, Value::Object(dialogue.values), now)));
            }
        };
        let (telegram, at, answer_to) = (Arc::clone(self), dialogue.at, message.message_id);
        self.beside(async move { telegram.ask_on((chat, topic), place, at, question, answer_to).await });
        Some(None)
    }

    /// Asks what comes next, beside: others wait for nothing.
    async fn ask_on(
        &self,
        (chat, topic): (i64, Option<i64>),
        place: String,
        at: usize,
        question: String,
        answer_to: i64,
    ) {
        let mut pause = Duration::from_millis(500);
        for _ in 0..TRIES {
            let wait = match self.question(chat, topic, &question, Some(answer_to)).await {
                Ok(_) => return self.is_asked(&place, at).await,
                Err(ActionError::RateLimited { retry_after }) => retry_after,
                Err(ActionError::Transient(_)) => pause,
                Err(error) => {
                    tracing::warn!(bot = %self.world.bot(), "the next field of a form cannot be asked: {error}");
                    return;
                }
            };
            tokio::time::sleep(wait).await;
            pause *= 2;
        }
        tracing::warn!(bot = %self.world.bot(), "the next field of a form could not be asked");
    }

    fn keep_form(&self, rows: &mut Batch, place: &str, dialogue: Option<&Dialogue>) {
        let key = (self.world.bot().to_string(), place.to_owned());
        match dialogue {
            Some(dialogue) => FORMS.put_until(rows, &key, dialogue, Some(dialogue.until)),
            None => FORMS.delete(rows, &key),
        }
    }
}
