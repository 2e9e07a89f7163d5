//! Changes of people to existing messages: edits, deletions and reactions.

use std::sync::Arc;

use palabre_types::EventKind;

use super::command::Origin;
use super::rows::Rows;
use super::state::State;
use super::state::commit::Change;
use crate::decode::{Delete, Edit, React};
use crate::history::{EDITS, MessageRow, VERSIONS_MAX, Version};
use crate::presence::Author;

/// Maximum number of different reactions to a message.
const REACTIONS_MAX: usize = 32;

impl State {
    pub(super) async fn edit(&mut self, origin: Origin, edit: Edit) {
        let Some((author, requester)) = self.person(origin) else { return };
        let Some((position, row)) = self.find(&edit.id).await else { return self.refuse_unknown(requester, &edit.id) };
        // Another guest may use the same name by now.
        if row.bot || row.author.as_deref() != Some(&*author.guest) {
            return self.refuse_request(requester, "you can edit only your own messages".to_owned());
        }
        let now = self.cx.context.clock.now();
        if let Err(problem) = self.may_speak(&author, now) {
            return self.refuse_request(requester, problem);
        }
        let before = row.message(self.user_id(&row.username));
        let edited = MessageRow { text: edit.message, edited: true, edits: row.edits + 1, ..MessageRow::clone(&row) };
        let edited = match self.apply_gate(&author, edited).await {
            Ok(edited) => Arc::new(edited),
            Err(reason) => return self.refuse_request(requester, reason),
        };
        self.rules.record_message(&author.guest, now);
        let after = edited.message(self.user_id(&edited.username));
        let mut rows = Rows::default();
        self.keep_version(&mut rows, position, &row);
        self.replace(&mut rows, position, &edited);
        let kind = EventKind::MessageEdit { message: after, before: Some(before), by: None };
        let event = self.event_by(&author, kind);
        self.hand_over(Some(event), rows, Change::Edited(edited), requester);
    }

    /// Adds the text of a message, before it is edited, to its earlier versions.
    fn keep_version(&self, rows: &mut Rows, position: u64, row: &MessageRow) {
        let key = |edit| (self.room.name.clone(), position, edit);
        let version = Version { text: row.text.clone(), until: self.cx.context.clock.now() };
        EDITS.put(&mut rows.batch, &key(row.edits), &version);
        if let Some(oldest) = row.edits.checked_sub(VERSIONS_MAX) {
            EDITS.delete(&mut rows.batch, &key(oldest));
        }
    }

    pub(super) async fn delete(&mut self, origin: Origin, delete: &Delete) {
        let Some((author, requester)) = self.person(origin) else { return };
        let Some((position, row)) = self.find(&delete.id).await else {
            return self.refuse_unknown(requester, &delete.id);
        };
        if !self.may_delete(&author, &row) {
            let problem = "you can delete only your own messages, and as a moderator those of people below your level";
            return self.refuse_request(requester, problem.to_owned());
        }
        let is_own = row.author.as_deref() == Some(&*author.guest);
        let by = (!is_own).then(|| self.user(&author.username, self.presence.locale(&author.username)));
        let before = row.message(self.author(&row).id);
        let mut rows = Rows::default();
        self.remove(&mut rows, position, &row);
        let kind = EventKind::MessageDelete { message: before.id.clone(), before: Some(before), by };
        let event = self.event_of(self.author(&row), row.author.as_deref(), kind);
        self.hand_over(Some(event), rows, Change::Deleted { id: row.id.clone() }, requester);
    }

    pub(super) async fn react(&mut self, origin: Origin, react: React) {
        let Some((author, requester)) = self.person(origin) else { return };
        let Some((position, row)) = self.find(&react.id).await else {
            return self.refuse_unknown(requester, &react.id);
        };
        if let Err(problem) = self.may_speak(&author, self.cx.context.clock.now()) {
            return self.refuse_request(requester, problem);
        }
        let Author { username, guest, .. } = author.clone();
        if react.remove && is_of_another(&row, &react.emoji, &username, &guest) {
            return self.refuse_request(requester, "you can remove only your own reactions".to_owned());
        }
        if !react.remove && row.reactions.len() >= REACTIONS_MAX && !row.reactions.contains_key(&react.emoji) {
            let problem = format!("a message can have at most {REACTIONS_MAX} different reactions");
            return self.refuse_request(requester, problem);
        }
        let Some(row) = reacted(&row, &react.emoji, &username, Some(&*guest), !react.remove) else {
            return requester.reply(Ok(Some(row.id.clone())));
        };
        let (id, emoji) = (row.id.clone(), react.emoji);
        let mut rows = Rows::default();
        self.replace(&mut rows, position, &Arc::new(row));
        let (message, on_event) = (id.as_str().into(), emoji.clone());
        let kind = if react.remove {
            EventKind::ReactionRemove { message, emoji: on_event }
        } else {
            EventKind::ReactionAdd { message, emoji: on_event }
        };
        let event = self.event_by(&author, kind);
        let change = Change::Reaction { id, emoji, username, added: !react.remove };
        self.hand_over(Some(event), rows, change, requester);
    }
}

/// Whether the reaction under a name is that of another guest who used the name.
fn is_of_another(row: &MessageRow, emoji: &str, username: &str, guest: &str) -> bool {
    row.reactors.get(emoji).and_then(|names| names.get(username)).is_some_and(|reactor| reactor != guest)
}

/// Returns the row with the reaction added or removed.
///
/// `None` means that nothing changes or that there are too many different reactions. `guest` is the
/// id of the guest who reacts; a bot has none.
pub(super) fn reacted(
    row: &MessageRow,
    emoji: &str,
    username: &str,
    guest: Option<&str>,
    added: bool,
) -> Option<MessageRow> {
    let mut row = row.clone();
    if added {
        if row.reactions.len() >= REACTIONS_MAX && !row.reactions.contains_key(emoji) {
            return None;
        }
        let names = row.reactions.entry(emoji.to_owned()).or_default();
        if names.iter().any(|name| name == username) {
            return None;
        }
        names.push(username.to_owned());
        if let Some(guest) = guest {
            row.reactors.entry(emoji.to_owned()).or_default().insert(username.to_owned(), guest.to_owned());
        }
    } else {
        let names = row.reactions.get_mut(emoji)?;
        let before = names.len();
        names.retain(|name| name != username);
        if names.len() == before {
            return None;
        }
        if names.is_empty() {
            row.reactions.remove(emoji);
            row.reactors.remove(emoji);
        } else if let Some(reactors) = row.reactors.get_mut(emoji) {
            reactors.remove(username);
        }
    }
    Some(row)
}
