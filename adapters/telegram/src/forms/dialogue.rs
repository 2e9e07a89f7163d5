//! Forms that users are filling in, field by field.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use palabre_store::{Direction, Snapshot, Table};
use palabre_types::TableId;
use palabre_types::{ActionKey, Batch, BotName, Form, FormField, Millis};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

const FORMS: Table<(String, String), Dialogue> = Table::new(TableId::TelegramForms);
/// Time to answer a field, in milliseconds.
const ANSWER_TIMEOUT: Millis = 3_600_000;
/// Number of times that a field is asked again before the form is cancelled.
const REPEATS_MAX: u32 = 3;

/// A form that a user is filling in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dialogue {
    /// The key of the action that opened the form.
    #[serde(default)]
    pub(super) asked_by: Option<ActionKey>,
    pub(super) form: Form,
    pub(super) values: Map<String, Value>,
    /// The index of the field that is asked.
    pub(super) at: usize,
    /// The number of times that the field was asked again.
    #[serde(default, rename = "again")]
    repeats: u32,
    /// Whether the question is in the chat.
    #[serde(default)]
    pub(super) is_asked: bool,
    until: Millis,
}

/// The open forms, by chat, topic and user.
#[derive(Default)]
pub(crate) struct Forms(Mutex<HashMap<String, Dialogue>>);

/// The outcome of an answer.
pub(super) enum Answered {
    Next,
    /// The answer does not fit, and the field is asked again.
    Repeated(String),
    Cancelled,
    Done,
}

impl Forms {
    /// Loads the forms that the last process left open.
    pub(crate) fn load(&self, snapshot: &Snapshot, bot: &str) -> palabre_store::Result<()> {
        for row in FORMS.scan(snapshot, &bot.to_owned(), Direction::Forward)? {
            let ((of, place), dialogue) = row?;
            if of == bot {
                self.lock().insert(place, dialogue);
            }
        }
        Ok(())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<String, Dialogue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dialogue {
    /// Returns a form of which no field is answered.
    pub(super) fn new(form: Form, asked_by: ActionKey, now: Millis) -> Self {
        let (asked_by, until) = (Some(asked_by), now + ANSWER_TIMEOUT);
        Self { asked_by, form, values: Map::new(), at: 0, repeats: 0, is_asked: false, until }
    }

    /// Whether the form has not expired.
    ///
    /// More time than a field has cannot be left, unless the clock was set back: then it has
    /// expired.
    pub(super) fn is_open(&self, now: Millis) -> bool {
        now < self.until && self.until - now <= ANSWER_TIMEOUT
    }

    pub(super) fn field(&self) -> Option<&FormField> {
        self.form.fields.get(self.at)
    }

    /// Writes the question: the form's title before the first field, the field, and the commands.
    pub(super) fn question(&self) -> String {
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

    /// Takes an answer to the field that is asked. From now on, there is time for the next one.
    pub(super) fn take(&mut self, text: &str, now: Millis) -> Answered {
        self.until = now + ANSWER_TIMEOUT;
        self.is_asked = false;
        let Some(field) = self.field() else { return Answered::Done };
        match command_of(text) {
            "/cancel" => return Answered::Cancelled,
            // The field is required.
            "/skip" if !field.optional => return Answered::Repeated("✎ 1".to_owned()),
            "/skip" => {
                self.values.insert(field.name.clone(), "".into());
            }
            _ => {
                let length = text.chars().count();
                let (min, max) = (field.min.unwrap_or(0) as usize, field.max.map_or(usize::MAX, |max| max as usize));
                if length < min.max(1) || length > max {
                    self.repeats += 1;
                    if self.repeats > REPEATS_MAX {
                        return Answered::Cancelled;
                    }
                    let upper = if max == usize::MAX { String::new() } else { format!("–{max}") };
                    return Answered::Repeated(format!("✎ {}{upper}", min.max(1)));
                }
                self.values.insert(field.name.clone(), text.into());
            }
        }
        self.at += 1;
        self.repeats = 0;
        if self.at < self.form.fields.len() { Answered::Next } else { Answered::Done }
    }
}

/// Returns the command that a text begins with, without its arguments and the bot's username.
pub(super) fn command_of(text: &str) -> &str {
    text.split(['@', ' ']).next().unwrap_or_default()
}

/// Adds to `rows` what is stored of a form: nothing once it has ended.
pub(super) fn keep(rows: &mut Batch, bot: &BotName, place: &str, dialogue: Option<&Dialogue>) {
    let key = (bot.to_string(), place.to_owned());
    match dialogue {
        Some(dialogue) => FORMS.put_until(rows, &key, dialogue, Some(dialogue.until)),
        None => FORMS.delete(rows, &key),
    }
}
