//! Finds entries that a later one of the same lane makes needless: of several edits of one message the last one counts.

use std::collections::{HashMap, VecDeque};

use palabre_model::{Action, ActionKey, ActionKind};

use super::entry::Entry;
use crate::recovery::Position;

/// Entries that need not be performed, and the actions that are performed in their place.
pub(crate) type Replaced = HashMap<Position, ActionKey>;

/// Returns which entries need not be performed, since a later one of the same kind and script is about the same thing.
pub(crate) fn replaced(entries: &mut VecDeque<Entry>) -> Replaced {
    let mut replaced = Replaced::new();
    if entries.len() < 2 {
        return replaced;
    }
    let mut later: HashMap<String, (ActionKind, ActionKey)> = HashMap::new();
    for entry in entries.iter_mut().rev() {
        let kind = entry.action.kind();
        let Some(subject) = subject(entry) else { continue };
        let is_replaceable = match &entry.action {
            // Files of an edit stay when a later one has none.
            Action::Edit { content, .. } => content.files.is_empty(),
            _ => matches!(kind, ActionKind::Topic | ActionKind::Slowmode | ActionKind::Typing),
        };
        // What happens to the same message in between keeps both: it may depend on the first.
        let by = later.get(&subject).filter(|(other, _)| *other == kind && is_replaceable).map(|(_, by)| by.clone());
        later.insert(subject, (kind, by.clone().unwrap_or_else(|| entry.key.clone())));
        if let Some(by) = by {
            replaced.insert(entry.position, by);
        }
    }
    replaced
}

/// What an action is about: a message, or a setting of the room.
fn subject(entry: &mut Entry) -> Option<String> {
    let script = entry.key.script.clone();
    match &entry.action {
        Action::Arrange { change, .. } => Some(format!("{:?}", std::mem::discriminant(change))),
        Action::Typing { .. } => Some("typing".to_owned()),
        // What is said in answer to a message leaves the message as it is.
        Action::Send { .. } => None,
        _ => entry.action.references().map(|reference| format!("{script} {reference:?}")),
    }
}
