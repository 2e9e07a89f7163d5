//! Finds entries that a later one of the same lane makes needless: of several edits of one message the last one counts.

use std::collections::{HashMap, HashSet, VecDeque};

use palabre_model::{Action, ActionKind};

use super::entry::Entry;
use crate::recovery::Position;

/// Returns which entries need not be performed, since a later one of the same kind and script is about the same thing.
pub(crate) fn replaced(entries: &mut VecDeque<Entry>) -> HashSet<Position> {
    let mut replaced = HashSet::new();
    if entries.len() < 2 {
        return replaced;
    }
    let mut later: HashMap<String, ActionKind> = HashMap::new();
    for entry in entries.iter_mut().rev() {
        let kind = entry.action.kind();
        let Some(subject) = subject(entry) else { continue };
        let is_replaceable =
            matches!(kind, ActionKind::Edit | ActionKind::Topic | ActionKind::Slowmode | ActionKind::Typing);
        // What happens to the same message in between keeps both: it may depend on the first.
        if later.insert(subject, kind) == Some(kind) && is_replaceable {
            replaced.insert(entry.position);
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
