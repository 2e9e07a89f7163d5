//! The users of a test: what they do on the simulated platform, and what they see.

use palabre_platform::EmitError;
use palabre_sim::{Line, Person, SendFailure};
use palabre_types::{EventKind, Millis, Permission};
use serde_json::Value;

/// Posts a message. Returns the reason if the platform refuses it.
pub(super) async fn says(person: &Person, text: &str) -> Result<Value, String> {
    match person.says(text).await {
        Ok(_) => Ok(Value::Null),
        Err(SendFailure::NotTaken(error)) => Err(error.to_string()),
        Err(refused) => Ok(refused.to_string().into()),
    }
}

/// Edits the user's last message in the room.
pub(super) async fn edits(person: &Person, text: &str) -> Result<Value, String> {
    let is_own = |line: &Line| line.author == person.name() && line.room == person.room();
    let line = newest(person, is_own).ok_or("the user has no message to edit in this room")?;
    emitted(person.edits(&line.id, text).await)
}

/// Presses the newest button with this label or action.
pub(super) async fn presses(person: &Person, label: &str) -> Result<Value, String> {
    let with = |line: &Line| line.buttons.iter().any(|button| button.label == label || button.action == label);
    let line = newest(person, with).ok_or_else(|| format!("the user sees no button \"{label}\""))?;
    let button = line.buttons.iter().find(|button| button.label == label || button.action == label);
    let action = button.map_or(label, |button| &button.action);
    emitted(person.presses(action, &line.id).await)
}

/// Chooses from the newest list.
pub(super) async fn chooses(person: &Person, values: &Value) -> Result<Value, String> {
    let line = newest(person, |line| line.select.is_some()).ok_or("there is no list to choose from")?;
    let action = line.select.as_ref().map_or("", |select| &select.action);
    let values: Vec<_> = values.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    emitted(person.chooses(action, &line.id, &values).await)
}

/// Submits the newest form.
pub(super) async fn submits(person: &Person, values: &Value) -> Result<Value, String> {
    let line = newest(person, |line| line.form.is_some()).ok_or("there is no form to fill in")?;
    let action = line.form.as_ref().map_or("", |form| &form.action);
    emitted(person.submits(action, values.clone()).await)
}

/// Sends an inline query.
pub(super) async fn queries(person: &Person, text: &str) -> Result<Value, String> {
    emitted(person.queries(text).await)
}

/// Asks to join the room.
pub(super) async fn asks_to_join(person: &Person, about: Option<&str>) -> Result<Value, String> {
    let kind = EventKind::JoinRequest { code: None, by: None, about: about.map(ToOwned::to_owned) };
    emitted(person.happens(kind).await)
}

/// Reacts to the newest message that contains `text`.
pub(super) async fn reacts(person: &Person, text: &str, emoji: &str) -> Result<Value, String> {
    let line = newest(person, |line| line.shown().contains(text));
    let line = line.ok_or("the user sees no such message to react to")?;
    let kind = EventKind::ReactionAdd { message: line.id.into(), emoji: emoji.to_owned() };
    emitted(person.happens(kind).await)
}

/// Joins the room.
pub(super) async fn enters(person: &Person) -> Result<Value, String> {
    emitted(person.happens(EventKind::Join { by: None, reason: None }).await)
}

/// Leaves the room.
pub(super) async fn leaves(person: &Person) -> Result<Value, String> {
    emitted(person.happens(EventKind::Leave { by: None, reason: None }).await)
}

/// Whether the user sees a message of others that contains `text`.
pub(super) fn has_heard(person: &Person, text: &str) -> bool {
    others(person).iter().any(|line| line.shown().contains(text))
}

/// Returns the last message of others that the user sees.
pub(super) fn last_heard(person: &Person) -> Option<String> {
    others(person).last().map(Line::shown)
}

/// Returns the messages that the user sees, with their authors.
pub(super) fn sees(person: &Person) -> Value {
    person.sees().iter().map(|line| format!("{}: {}", line.author, line.shown())).collect()
}

/// Sets the user's permission level.
pub(super) fn set_permission(person: &Person, level: &str) -> Result<Value, String> {
    let level = Permission::named(level).ok_or_else(|| format!("there is no permission {level}"))?;
    person.may(level);
    Ok(Value::Null)
}

/// Returns a field of the user's state.
pub(super) fn field(person: &Person, now: Millis, name: &str) -> Result<Value, String> {
    let state = person.state();
    Ok(match name {
        "muted" => state.is_muted(now).into(),
        "banned" => state.is_banned(now).into(),
        "kicked" => (state.kicks > 0).into(),
        "kicks" => state.kicks.into(),
        "approved" => state.approved.into(),
        "roles" => state.roles.into(),
        "nickname" => state.nickname.into(),
        // The user has not said anything yet.
        "refused" => Value::Null,
        other => {
            return Err(format!(
                "a user has no field {other}; expected one of muted, banned, kicked, kicks, approved, roles, nickname, \
                 refused"
            ));
        }
    })
}

/// Converts the result of an emitted event to that of a question.
fn emitted(result: Result<(), EmitError>) -> Result<Value, String> {
    result.map(|()| Value::Null).map_err(|error| error.to_string())
}

/// Returns the newest message that the person sees and for which `wanted` is true.
fn newest(person: &Person, wanted: impl Fn(&Line) -> bool) -> Option<Line> {
    person.sees().into_iter().rev().find(|line| wanted(line))
}

/// Returns the messages of others that the person sees.
fn others(person: &Person) -> Vec<Line> {
    person.sees().into_iter().filter(|line| line.author != person.name()).collect()
}
