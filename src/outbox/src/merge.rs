//! Merges entries of one queue: of several edits of one message only the last one is performed.

use std::collections::{HashMap, VecDeque};

use palabre_state::Position;
use palabre_types::{Action, ActionKey, ActionKind};

use crate::pending_action::PendingAction;

/// Entries that need not be performed, each with the action that is performed in its place.
pub(crate) type Replaced = HashMap<Position, ActionKey>;

/// Returns the entries that a later one of the same kind, about the same subject, replaces.
pub(crate) fn replaced(entries: &VecDeque<PendingAction>) -> Replaced {
    let mut replaced = Replaced::new();
    if entries.len() < 2 {
        return replaced;
    }
    let mut later: HashMap<String, (ActionKind, ActionKey)> = HashMap::new();
    for entry in entries.iter().rev() {
        let kind = entry.action.kind();
        let Some(subject) = subject(entry) else { continue };
        let is_replaceable = match &entry.action {
            // The files of an edit stay when a later one has none.
            Action::Edit { content, .. } => content.files.is_empty(),
            _ => matches!(kind, ActionKind::Topic | ActionKind::Slowmode | ActionKind::Typing),
        };
        // Another action on the same message in between keeps both: it may depend on the first.
        let by = later.get(&subject).filter(|(other, _)| *other == kind && is_replaceable).map(|(_, by)| by.clone());
        later.insert(subject, (kind, by.clone().unwrap_or_else(|| entry.key.clone())));
        if let Some(by) = by {
            replaced.insert(entry.position, by);
        }
    }
    replaced
}

/// Returns the subject of an action: a message, or a setting of the room.
fn subject(entry: &PendingAction) -> Option<String> {
    let script = entry.key.script.clone();
    match &entry.action {
        Action::Arrange { change, .. } => Some(format!("{:?}", std::mem::discriminant(change))),
        Action::Typing { .. } => Some("typing".to_owned()),
        // A reply does not change the message that it refers to.
        Action::Send { .. } => None,
        _ => entry.action.reference().map(|reference| format!("{script} {reference:?}")),
    }
}
