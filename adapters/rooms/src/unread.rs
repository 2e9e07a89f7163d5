//! Unread messages of an account, in all its rooms.

use palabre_store::{Direction, Result as StoreResult, Snapshot};
use serde::Serialize;

use crate::accounts::error::AccountError;
use crate::accounts::rows::Account;
use crate::conversation::{CONVERSATION_PREFIX, is_conversation, may_enter};
use crate::history::{MESSAGES, ROOMS};
use crate::read_markers::READS;
use crate::service::Rooms;

/// Maximum number of unread messages that are counted in a room.
const COUNTED_MAX: u64 = 1_000;

/// Maximum number of messages that are looked at in a room, one's own included.
const SCANNED_MAX: usize = 5_000;

/// A room with unread messages, or with a read marker.
#[derive(Debug, Serialize)]
pub(crate) struct Unread {
    pub(crate) room: String,
    /// Number of messages of others since the marker, at most 1,000.
    pub(crate) unread: u64,
    /// Number of those that mention the person.
    pub(crate) mentions: u64,
    /// The id of the last message that was read.
    pub(crate) last_read: Option<String>,
}

impl Rooms {
    /// Returns what is unread: in the rooms of which the account is a member, in its private conversations, and in
    /// those where it has a read marker.
    pub(crate) async fn unread(&self, account: &Account) -> Result<Vec<Unread>, AccountError> {
        let (id, name) = (account.id.clone(), account.row.username.clone());
        let mut rooms: Vec<String> = self.authority.groups.of_account(&id).into_iter().map(|(room, _)| room).collect();
        let groups = std::sync::Arc::clone(&self.authority.groups);
        self.read_store(move |snapshot| {
            rooms.extend(conversations(snapshot, &id)?);
            for row in READS.scan(snapshot, &id, Direction::Forward)? {
                rooms.push(row?.0.1);
            }
            rooms.sort();
            rooms.dedup();
            let open = rooms.into_iter().filter(|room| groups.may_enter(room, Some(&id)));
            open.map(|room| count(snapshot, room, &id, &name)).collect()
        })
        .await
    }

    /// Returns the private conversations of an account, by room.
    pub(crate) async fn conversations(&self, account: &str) -> Result<Vec<String>, AccountError> {
        let account = account.to_owned();
        self.read_store(move |snapshot| conversations(snapshot, &account)).await
    }
}

/// Returns the rooms of an account's private conversations.
fn conversations(snapshot: &Snapshot, account: &str) -> StoreResult<Vec<String>> {
    let mut found = Vec::new();
    for row in ROOMS.scan(snapshot, &CONVERSATION_PREFIX.as_bytes().to_vec(), Direction::Forward)? {
        let (room, _) = row?;
        if is_conversation(&room) && may_enter(&room, Some(account)) {
            found.push(room);
        }
    }
    Ok(found)
}

fn count(snapshot: &Snapshot, room: String, account: &str, name: &str) -> StoreResult<Unread> {
    let created = ROOMS.get(snapshot, &room)?.map(|row| row.created);
    let marker = READS.get(snapshot, &(account.to_owned(), room.clone()))?;
    let marker = marker.filter(|marker| Some(marker.room_created) == created);
    let position = marker.as_ref().map_or(0, |marker| marker.position);
    let mention = format!("@{}", name.to_lowercase());
    let (mut unread, mut mentions) = (0, 0);
    let later = MESSAGES.scan_after(snapshot, &room, &(room.clone(), position), Direction::Forward)?;
    for row in later.take(SCANNED_MAX) {
        let (_, message) = row?;
        if message.author.as_deref() == Some(account) {
            continue;
        }
        unread += 1;
        mentions += u64::from(mentions_name(&message.text, &mention));
        if unread == COUNTED_MAX {
            break;
        }
    }
    Ok(Unread { room, unread, mentions, last_read: marker.map(|marker| marker.id) })
}

/// Whether a text has `mention` (`@name` in lower case) as a whole word.
fn mentions_name(text: &str, mention: &str) -> bool {
    let text = text.to_lowercase();
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(mention).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + mention.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::mentions_name;

    #[test]
    fn a_mention_is_a_whole_word() {
        for (text, expected) in [
            ("@bob hello", true),
            ("hello @Bob!", true),
            ("(@bob)", true),
            ("@bobby", false),
            ("bob@bob.example", false),
            ("@bo", false),
            ("", false),
        ] {
            assert_eq!(mentions_name(text, "@bob"), expected, "{text}");
        }
    }
}
