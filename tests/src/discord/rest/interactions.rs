//! The bot's answers to interactions.

use serde_json::{Value, json};

use crate::discord::draft::Draft;
use crate::discord::id::Id;
use crate::discord::interaction::Kind;
use crate::discord::state::State;
use crate::server::upload::Upload;

use super::call::Call;
use super::message_rules::{check_edit, check_message};
use super::refusal::Refusal;
use super::reply::{Outcome, Reply};

/// The time in which an interaction must be answered, in milliseconds.
const ANSWER_TIMEOUT: u64 = 3_000;
/// The validity of its token, in milliseconds.
const TOKEN_LIFE: u64 = 15 * 60_000;

const EPHEMERAL: u64 = 64;
const LOADING: u64 = 128;

pub(super) fn answer(state: &mut State, call: &Call) -> Outcome {
    let (id, body, now) = (call.id("interaction_id"), call.body_or_null(), state.now());
    let interaction = state.interactions.get(&id).filter(|one| one.token == call.text("interaction_token"));
    let interaction = interaction.ok_or_else(Refusal::unknown_interaction)?;
    if interaction.answered {
        return Err(Refusal::acknowledged());
    }
    if now > interaction.created + ANSWER_TIMEOUT {
        return Err(Refusal::unknown_interaction());
    }
    let kind = interaction.kind;
    let answer = body["type"].as_u64().unwrap_or_default();
    let fits = match answer {
        4 | 5 => kind != Kind::Autocomplete,
        6 | 7 => kind == Kind::Component || kind == Kind::Modal && interaction.message.is_some(),
        8 => kind == Kind::Autocomplete,
        9 => kind != Kind::Autocomplete && kind != Kind::Modal,
        _ => false,
    };
    if !fits {
        return Err(Refusal::form("/type", &format!("{answer} does not answer an interaction of kind {kind:?}")));
    }
    let message = state.perform_answer(id, answer, &body["data"], call.uploads())?;
    let interaction = state.interactions.get_mut(&id).ok_or_else(Refusal::unknown_interaction)?;
    interaction.answered = true;
    interaction.answers.push(body.clone());
    if !call.asks("with_response") {
        return Reply::nothing();
    }
    let mut reply = json!({ "interaction": { "id": id, "type": kind as u8 } });
    if let Some(message) = message {
        let flags = message["flags"].as_u64().unwrap_or_default();
        reply["interaction"]["response_message_id"] = message["id"].clone();
        reply["interaction"]["response_message_loading"] = json!(flags & LOADING != 0);
        reply["interaction"]["response_message_ephemeral"] = json!(flags & EPHEMERAL != 0);
        if matches!(answer, 4 | 7) {
            reply["resource"] = json!({ "type": answer, "message": message });
        }
    }
    Reply::ok(reply)
}

/// Checks a form where the description is silent: rows or labels with one field each, unique ids.
fn check_modal(data: &Value) -> Result<(), Refusal> {
    let rows = data["components"].as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() || rows.len() > 5 {
        return Err(Refusal::form("/data/components", "Must be between 1 and 5 in length."));
    }
    let mut ids = std::collections::HashSet::new();
    for (index, row) in rows.iter().enumerate() {
        let field = if row["component"].is_object() { &row["component"] } else { &row["components"][0] };
        let id = field["custom_id"].as_str();
        if id.is_some_and(|id| id.chars().count() > 100 || !ids.insert(id)) {
            return Err(Refusal::form(
                &format!("/data/components/{index}"),
                "Component custom id cannot be duplicated",
            ));
        }
    }
    Ok(())
}

impl State {
    fn perform_answer(
        &mut self,
        id: Id,
        answer: u64,
        data: &Value,
        files: Vec<Upload>,
    ) -> Result<Option<Value>, Refusal> {
        let shown = self.interactions[&id].message;
        match answer {
            4 => {
                check_message(data, files.len())?;
                self.say_answer(id, data.clone(), files, true).map(Some)
            }
            5 => {
                let kept = data["flags"].as_u64().unwrap_or_default() & EPHEMERAL;
                self.say_answer(id, json!({ "flags": kept | LOADING }), Vec::new(), true).map(Some)
            }
            6 => {
                self.interactions.get_mut(&id).ok_or_else(Refusal::unknown_interaction)?.original =
                    shown.map(|(_, id)| id);
                Ok(None)
            }
            7 => {
                check_edit(data)?;
                let (channel, message) = shown.ok_or_else(Refusal::unknown_message)?;
                self.interactions.get_mut(&id).ok_or_else(Refusal::unknown_interaction)?.original = Some(message);
                self.edit(channel, message, data, &files).map(Some)
            }
            8 => {
                let choices = data["choices"].as_array().map_or(0, Vec::len);
                if choices > 25 {
                    Err(Refusal::form("/data/choices", "Must be 25 or fewer in length."))
                } else {
                    Ok(None)
                }
            }
            _ => check_modal(data).map(|()| None),
        }
    }

    /// Posts an answer to an interaction.
    fn say_answer(&mut self, id: Id, body: Value, files: Vec<Upload>, original: bool) -> Result<Value, Refusal> {
        let interaction = self.interactions.get(&id).ok_or_else(Refusal::unknown_interaction)?;
        let (channel, kind) = (interaction.channel, interaction.kind);
        let mut draft = Draft::new(channel, self.bot, body.clone());
        draft.files.clone_from(&files);
        draft.kind = if kind == Kind::Command { 20 } else { 0 };
        let about = self.metadata(id);
        draft.more = json!({ "application_id": self.bot, "webhook_id": self.bot, "interaction_metadata": about });
        let message = self.compose(&draft);
        let said = Id::of(&message, "id").expect("a message has an id");
        let flags = message["flags"].as_u64().unwrap_or_default();
        if flags & EPHEMERAL != 0 {
            // Only the user of the interaction sees it, so no event is sent.
            self.messages.entry(channel).or_default().insert(said, message.clone());
        } else {
            self.publish(channel, message.clone());
        }
        self.record_post(channel, &message, body, files);
        let interaction = self.interactions.get_mut(&id).ok_or_else(Refusal::unknown_interaction)?;
        interaction.said.push(said);
        if original {
            interaction.original = Some(said);
        }
        Ok(message)
    }

    /// Returns the interaction of a token, if the token is valid and the interaction was answered.
    pub(super) fn interaction_by_token(&self, token: &str) -> Result<Id, Refusal> {
        let found = self.interactions.iter().find(|(_, one)| one.token == token);
        let (id, interaction) = found.ok_or_else(Refusal::unknown_webhook)?;
        if self.now() > interaction.created + TOKEN_LIFE {
            return Err(Refusal::webhook_token());
        }
        if interaction.answered { Ok(*id) } else { Err(Refusal::unknown_webhook()) }
    }

    /// Returns the message `@original`.
    pub(super) fn original(&self, id: Id) -> Result<Id, Refusal> {
        self.interactions.get(&id).and_then(|one| one.original).ok_or_else(Refusal::unknown_message)
    }

    /// Posts another message after the answer; it replaces a deferred answer that is still pending.
    pub(super) fn follow_up(&mut self, id: Id, body: Value, files: Vec<Upload>) -> Outcome {
        check_message(&body, files.len())?;
        let interaction = &self.interactions[&id];
        let thinking = interaction.original.filter(|original| {
            let message = self.message(interaction.channel, *original);
            message.is_some_and(|one| one["flags"].as_u64().unwrap_or_default() & LOADING != 0)
        });
        let channel = interaction.channel;
        match thinking {
            Some(original) => Reply::ok(self.edit(channel, original, &body, &files)?),
            None => Reply::ok(self.say_answer(id, body, files, false)?),
        }
    }

    /// Records an edit through a token, which completes a deferred answer.
    pub(super) fn record_answered(&mut self, message: Id) {
        for interaction in self.interactions.values_mut().filter(|one| one.original == Some(message)) {
            interaction.edits += 1;
        }
    }
}
