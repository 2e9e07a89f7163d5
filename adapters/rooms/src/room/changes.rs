//! Changes of people to existing messages: edits, deletions and reactions.

use std::sync::Arc;

use palabre_types::EventKind;
use socketioxide::socket::Sid;

use super::rows::Rows;
use super::state::State;
use super::state::commit::{Change, Requester};
use crate::decode::{Delete, Edit, React};
use crate::encode::NOT_IN_ROOM;
use crate::history::MessageRow;
use crate::peer::AckSender;
use crate::presence::Author;

/// The person who requests a change, and the message with its position.
type Target = (Author, u64, Arc<MessageRow>);

/// Maximum number of different reactions to a message.
const REACTIONS_MAX: usize = 32;

impl State {
    pub(super) async fn edit(&mut self, sid: Sid, edit: Edit, ack: AckSender) {
        let requester = Requester::Client { sid, ack };
        let found = self.find_own(sid, &edit.id).await;
        let (author, position, row) = match found.and_then(|found| self.check_may_speak(found)) {
            Ok(found) => found,
            Err(problem) => return requester.reply(Err(problem)),
        };
        let before = row.message(self.user_id(&row.username));
        let edited = MessageRow { text: edit.message, edited: true, ..MessageRow::clone(&row) };
        let row = match self.apply_gate(&author, edited).await {
            Ok(row) => Arc::new(row),
            Err(reason) => return requester.reply(Err(reason)),
        };
        self.rules.record_message(&author.guest, self.cx.context.clock.now());
        let after = row.message(self.user_id(&row.username));
        let mut rows = Rows::default();
        self.replace(&mut rows, position, &row);
        let kind = EventKind::MessageEdit { message: after, before: Some(before), by: None };
        let event = self.event(&author.username, kind);
        self.hand_over(Some(event), rows, Change::Edited(row), requester);
    }

    pub(super) async fn delete(&mut self, sid: Sid, delete: &Delete, ack: AckSender) {
        let requester = Requester::Client { sid, ack };
        let (author, position, row) = match self.find_own(sid, &delete.id).await {
            Ok(found) => found,
            Err(problem) => return requester.reply(Err(problem)),
        };
        let before = row.message(self.user_id(&row.username));
        let mut rows = Rows::default();
        self.remove(&mut rows, position, &row);
        let kind = EventKind::MessageDelete { message: before.id.clone(), before: Some(before), by: None };
        let event = self.event(&author.username, kind);
        self.hand_over(Some(event), rows, Change::Deleted { id: row.id.clone() }, requester);
    }

    pub(super) async fn react(&mut self, sid: Sid, react: React, ack: AckSender) {
        let requester = Requester::Client { sid, ack };
        let found = self.find_target(sid, &react.id).await;
        let found = found.and_then(|found| self.check_may_speak(found));
        let (Author { username, guest, .. }, position, row) = match found {
            Ok(found) => found,
            Err(problem) => return requester.reply(Err(problem)),
        };
        if react.remove && is_of_another(&row, &react.emoji, &username, &guest) {
            return requester.reply(Err("you can remove only your own reactions".to_owned()));
        }
        if !react.remove && row.reactions.len() >= REACTIONS_MAX && !row.reactions.contains_key(&react.emoji) {
            return requester.reply(Err(format!("a message can have at most {REACTIONS_MAX} different reactions")));
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
        let event = self.event(&username, kind);
        let change = Change::Reaction { id, emoji, username, added: !react.remove };
        self.hand_over(Some(event), rows, change, requester);
    }

    async fn find_target(&mut self, sid: Sid, id: &str) -> Result<Target, String> {
        let author = self.presence.session(sid).ok_or(NOT_IN_ROOM)?.author();
        let (position, row) = self.find(id).await.ok_or("there is no such message in this room")?;
        Ok((author, position, row))
    }

    async fn find_own(&mut self, sid: Sid, id: &str) -> Result<Target, String> {
        let (author, position, row) = self.find_target(sid, id).await?;
        // Another guest may use the same name by now.
        if row.bot || row.author.as_deref() != Some(&*author.guest) {
            return Err("you can edit or delete only your own messages".to_owned());
        }
        Ok((author, position, row))
    }

    /// Passes the target through if the rules of the room let the author speak.
    fn check_may_speak(&self, found: Target) -> Result<Target, String> {
        self.may_speak(&found.0, self.cx.context.clock.now())?;
        Ok(found)
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
