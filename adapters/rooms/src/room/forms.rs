//! Forms that bots have shown to people in the room.

use std::collections::BTreeMap;

use palabre_types::{ActionError, ActionKey, Batch, EventKind, Form, UserId};
use serde_json::{Map, Value};
use socketioxide::socket::Sid;

use super::answer::{Answer, done, failed};
use super::state::State;
use super::state::commit::{CommitResult, OnCommit, Requester};
use super::state::forms::OpenForm;
use crate::decode::Fill;
use crate::encode::{NOT_IN_ROOM, form as wire};
use crate::peer::AckSender;
use crate::presence::Author;

/// Maximum length of a value, in characters.
const VALUE_MAX: usize = 4_000;

impl State {
    /// Shows a form of a bot to one person.
    pub(super) fn ask(&mut self, key: &ActionKey, user: &UserId, form: Form, answer: Answer) {
        let (user, id) = (user.native().to_lowercase(), key.to_string());
        if self.forms.get(&user, &id).is_some() {
            // A repeated action.
            return done(answer);
        }
        let Some(guest) = self.presence.guest(&user) else {
            return failed(answer, ActionError::NotFound(format!("{user} is not in this room")));
        };
        self.forms.keep(OpenForm { user: user.clone(), guest, id: id.clone(), form, is_submitted: false });
        // After the messages that were sent before it, which may not be durable yet.
        let on_commit = OnCommit::Form { user, id, requester: Requester::Bot(answer) };
        self.pending.push_back(Box::pin(async { CommitResult { result: Ok(()), on_commit } }));
    }

    /// Sends a form to its user, in its turn.
    pub(super) fn show_form(&mut self, user: &str, id: &str, requester: Requester) {
        if let Some(form) = self.forms.get(user, id).map(|open| open.form.clone()) {
            self.send_to(user, "form", &wire(id, &form));
        }
        requester.reply(Ok(None));
    }

    /// Handles a submitted form.
    pub(super) fn fill(&mut self, sid: Sid, fill: &Fill, ack: AckSender) {
        let requester = Requester::Client { sid, ack };
        let Some(session) = self.presence.session(sid) else {
            return requester.reply(Err(NOT_IN_ROOM.to_owned()));
        };
        let author = session.author();
        if let Err(problem) = self.may_write(&author, self.cx.context.clock.now()) {
            return requester.reply(Err(problem));
        }
        let Author { username, guest, .. } = author;
        let user = username.to_lowercase();
        let Some(open) = self.forms.get(&user, &fill.form).filter(|open| open.guest == guest) else {
            return requester.reply(Err("this form is no longer open".to_owned()));
        };
        if open.is_submitted {
            return requester.reply(Err("this form was already submitted".to_owned()));
        }
        let values = match values(&open.form, &fill.values) {
            Ok(values) => values,
            Err(problem) => return requester.reply(Err(problem)),
        };
        open.is_submitted = true;
        let form = &open.form;
        let action = if form.action.is_empty() { form.title.clone() } else { form.action.clone() };
        let kind = EventKind::Form { action, message: None, values, interaction: None };
        let receipt = self.commit_event(self.event(&username, kind), Batch::default());
        let on_commit = OnCommit::Submitted { user, id: fill.form.clone(), requester };
        self.pending.push_back(Box::pin(async move {
            CommitResult { result: receipt.await.map(drop).map_err(|error| error.to_string()), on_commit }
        }));
    }
}

/// Checks the submitted values and returns one for every field of the form.
fn values(form: &Form, given: &BTreeMap<String, String>) -> Result<Value, String> {
    if let Some(name) = given.keys().find(|name| !form.fields.iter().any(|field| field.name == **name)) {
        return Err(format!("the form has no field {name}"));
    }
    let mut values = Map::new();
    for field in &form.fields {
        let value = given.get(&field.name).map(String::as_str).unwrap_or_default();
        let (label, length) = (&field.label, value.chars().count());
        let limit = field.max.map_or(VALUE_MAX, |max| usize::try_from(max).unwrap_or(VALUE_MAX).min(VALUE_MAX));
        if value.trim().is_empty() {
            if !field.optional {
                return Err(format!("{label} is required"));
            }
        } else if let Some(min) = field.min
            && length < usize::try_from(min).unwrap_or(usize::MAX)
        {
            return Err(format!("{label} has {length} characters; at least {min} are needed"));
        }
        if length > limit {
            return Err(format!("{label} has {length} characters; the limit is {limit}"));
        }
        values.insert(field.name.clone(), Value::String(value.to_owned()));
    }
    Ok(Value::Object(values))
}
