//! The fields of the index, and the documents that are made of messages.

use palabre_text::terms;
use palabre_types::Millis;
use tantivy::schema::{FAST, Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions, Value};
use tantivy::{TantivyDocument, Term};

use super::index_error::IndexError;
use super::progress::Progress;
use crate::conversation::{self, SessionOwner, session_of_room, session_owner};
use crate::history::MessageRow;

/// The version of the index: one of another version is built anew.
pub(crate) const VERSION: &str = "palabre-search-1";
/// The name of the field by which hits are ordered.
pub(crate) const STAMP: &str = "stamp";
/// The audience of rooms that are not private to somebody.
pub(crate) const EVERYBODY: &str = "*";
/// The value of the field `kind` of documents about the progress in a room.
const PROGRESS: &str = "progress";
/// The number of bits of a stamp that tell messages of the same millisecond apart.
const STAMP_BITS: u32 = 16;

/// The fields of the index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    /// Position and room, which identify a message.
    pub(crate) key: Field,
    pub(crate) room: Field,
    /// Names of the author in lower case.
    pub(crate) author: Field,
    /// The people who may see a private room, or [`EVERYBODY`].
    pub(crate) audience: Field,
    pub(crate) text: Field,
    pub(crate) stamp: Field,
    kind: Field,
    /// The room that a document about progress is of.
    progress_of: Field,
    progress: Field,
}

impl Fields {
    /// Returns the schema with its fields.
    pub(crate) fn new() -> (Schema, Self) {
        let mut schema = Schema::builder();
        // The terms are ours, separated by spaces.
        let words = TextFieldIndexing::default()
            .set_tokenizer("whitespace")
            .set_fieldnorms(false)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions);
        let fields = Self {
            key: schema.add_text_field("key", STRING | STORED),
            room: schema.add_text_field("room", STRING),
            author: schema.add_text_field("author", STRING),
            audience: schema.add_text_field("audience", STRING),
            text: schema.add_text_field("text", TextOptions::default().set_indexing_options(words)),
            stamp: schema.add_u64_field(STAMP, FAST),
            kind: schema.add_text_field("kind", STRING),
            progress_of: schema.add_text_field("progress_of", STRING | STORED),
            progress: schema.add_text_field("progress", STORED),
        };
        (schema.build(), fields)
    }

    /// Returns the document of a message.
    pub(crate) fn document(&self, room: &str, position: u64, row: &MessageRow) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_text(self.key, key(room, position));
        document.add_text(self.room, room);
        for name in names(row) {
            document.add_text(self.author, name);
        }
        for person in audience(room) {
            document.add_text(self.audience, person);
        }
        document.add_text(self.text, words(row).join(" "));
        document.add_u64(self.stamp, stamp(room, position, row.time));
        document
    }

    /// Returns the document about the progress in a room.
    pub(crate) fn progress_document(&self, room: &str, progress: &Progress) -> Result<TantivyDocument, IndexError> {
        let text = serde_json::to_string(progress).map_err(|error| IndexError::Damaged(error.to_string()))?;
        let mut document = TantivyDocument::default();
        document.add_text(self.kind, PROGRESS);
        document.add_text(self.progress_of, room);
        document.add_text(self.progress, text);
        Ok(document)
    }

    /// Returns the room and the progress that a document is about.
    pub(crate) fn read_progress(&self, document: &TantivyDocument) -> Option<(String, Progress)> {
        let room = text_of(document, self.progress_of)?;
        Some((room, serde_json::from_str(&text_of(document, self.progress)?).ok()?))
    }

    /// Returns the room and the position of the message that a document is of.
    pub(crate) fn read_key(&self, document: &TantivyDocument) -> Option<(String, u64)> {
        let key = text_of(document, self.key)?;
        let (position, room) = key.split_once(' ')?;
        Some((room.to_owned(), u64::from_str_radix(position, 16).ok()?))
    }

    /// Returns the term of the document of a message.
    pub(crate) fn key_term(&self, room: &str, position: u64) -> Term {
        Term::from_field_text(self.key, &key(room, position))
    }

    /// Returns the term of the document about the progress in a room.
    pub(crate) fn progress_term(&self, room: &str) -> Term {
        Term::from_field_text(self.progress_of, room)
    }

    /// Returns the term of all documents about progress.
    pub(crate) fn all_progress_term(&self) -> Term {
        Term::from_field_text(self.kind, PROGRESS)
    }
}

fn text_of(document: &TantivyDocument, field: Field) -> Option<String> {
    document.get_first(field)?.as_str().map(ToOwned::to_owned)
}

fn key(room: &str, position: u64) -> String {
    format!("{position:x} {room}")
}

/// Returns the terms of a message: of its text, and of the names of its files.
pub(crate) fn words(row: &MessageRow) -> Vec<String> {
    let mut words = terms(&row.text);
    row.attachments.iter().for_each(|file| words.extend(terms(&file.name)));
    words
}

/// Returns the names under which a message was posted, in lower case.
pub(crate) fn names(row: &MessageRow) -> impl Iterator<Item = String> {
    [Some(&row.username), row.persona.as_ref()].into_iter().flatten().map(|name| name.to_lowercase())
}

/// Returns the people who may see a private room, or everybody.
///
/// A session without an account is for those who know its name.
fn audience(room: &str) -> Vec<String> {
    if let Some(people) = conversation::people(room) {
        return people.into_iter().map(in_conversations).collect();
    }
    match session_of_room(room).and_then(session_owner) {
        Some(SessionOwner::Account(owner)) => vec![in_sessions(owner)],
        Some(SessionOwner::Guest) => Vec::new(),
        None => vec![EVERYBODY.to_owned()],
    }
}

/// Returns the audience of the private conversations of an account.
pub(crate) fn in_conversations(account: &str) -> String {
    format!("conversation {account}")
}

/// Returns the audience of the sessions of an account.
pub(crate) fn in_sessions(account: &str) -> String {
    format!("session {account}")
}

/// Returns the number by which hits are ordered: the time, and bits that tell messages of one millisecond apart.
fn stamp(room: &str, position: u64, time: Millis) -> u64 {
    let of_room = room.bytes().fold(0_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    stamp_of_time(time) | (of_room.wrapping_add(position) & ((1 << STAMP_BITS) - 1))
}

/// Returns the lowest stamp of a time.
pub(crate) fn stamp_of_time(time: Millis) -> u64 {
    time.min(u64::MAX >> STAMP_BITS) << STAMP_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_leads_to_its_message() {
        let (_, fields) = Fields::new();
        let document = fields.document("a b", 255, &MessageRow::default());
        assert_eq!(fields.read_key(&document), Some(("a b".to_owned(), 255)));
        let progress = Progress { created: 1, changes: 2, oldest: 3, next: 4 };
        let document = fields.progress_document("a b", &progress).unwrap();
        assert_eq!(fields.read_progress(&document), Some(("a b".to_owned(), progress)));
    }

    #[test]
    fn stamps_have_the_order_of_times() {
        assert!(stamp("a", 2, 1_000) < stamp("a", 1, 1_001));
        assert_ne!(stamp("a", 1, 1_000), stamp("a", 2, 1_000));
        assert!(stamp_of_time(1_000) <= stamp("b", 7, 1_000) && stamp("b", 7, 1_000) < stamp_of_time(1_001));
    }

    #[test]
    fn private_rooms_are_for_their_people() {
        let (a, b) = ("000000000000000a", "000000000000000b");
        let secret = "0123456789abcdef0123456789abcdef";
        assert_eq!(audience("general"), [EVERYBODY]);
        assert_eq!(audience(&format!("private:{a}:{b}")), [in_conversations(a), in_conversations(b)]);
        assert_eq!(audience(&format!("session:{a}-{secret}")), [in_sessions(a)]);
        assert_eq!(audience(&format!("session:guest-{secret}")), Vec::<String>::new());
    }
}
