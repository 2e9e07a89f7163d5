//! Searching in the index. Each hit is compared with the stored message.

use std::ops::Bound;

use palabre_store::Snapshot;
use palabre_types::Millis;
use tantivy::collector::{DocSetCollector, TopDocs};
use tantivy::query::{BooleanQuery, Occur, PhraseQuery, Query, RangeQuery, TermQuery, TermSetQuery};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, IndexReader, Order, TantivyDocument, Term};

use super::index_error::IndexError;
use super::progress::Progress;
use super::query::TextQuery;
use super::schema::{self, EVERYBODY, Fields, STAMP};
use crate::history::{MESSAGES, MessageRow};

/// Number of hits that are looked at together.
const BATCH_SIZE: usize = 100;
/// Maximum number of batches that one request looks at, if many of the hits are not there any more.
const BATCHES_MAX: usize = 10;

/// The index as it was at the last commit, for searching.
pub(crate) struct View {
    pub(crate) reader: IndexReader,
    pub(crate) fields: Fields,
}

/// A search: the text, and the filters of its hits.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) text: TextQuery,
    pub(crate) room: Option<String>,
    /// The author's name in lower case.
    pub(crate) from: Option<String>,
    /// Only messages of this time or later.
    pub(crate) after: Option<Millis>,
    /// Only earlier messages.
    pub(crate) before: Option<Millis>,
    /// Maximum number of messages.
    pub(crate) limit: usize,
    /// The end of the previous page.
    pub(crate) cursor: Option<u64>,
}

/// The rooms that the account who searches may see.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) account: String,
    /// Whether the account is banned from the service, and sees only its private conversations.
    pub(crate) is_banned: bool,
    /// Rooms that the account may not enter.
    pub(crate) closed: Vec<String>,
}

/// A page of messages with their rooms, newest first.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) messages: Vec<(String, MessageRow)>,
    /// The cursor of the next page; `None` if there is nothing left to look at.
    pub(crate) next: Option<u64>,
}

impl View {
    /// Returns a page of the messages that match. `may_see` decides about each room at this moment.
    pub(crate) fn find(
        &self,
        snapshot: &Snapshot,
        search: &Search,
        access: &Access,
        may_see: impl Fn(&str) -> bool,
    ) -> Result<Found, IndexError> {
        let searcher = self.reader.searcher();
        let mut found = Found { messages: Vec::new(), next: search.cursor };
        for _ in 0..BATCHES_MAX {
            let Some(query) = self.query(search, access, found.next) else {
                found.next = None;
                return Ok(found);
            };
            let newest = TopDocs::with_limit(BATCH_SIZE).order_by_fast_field::<u64>(STAMP, Order::Desc);
            let hits: Vec<(Option<u64>, DocAddress)> = searcher.search(&query, &newest)?;
            let is_last = hits.len() < BATCH_SIZE;
            for (stamp, address) in hits {
                // Messages with the same stamp are on one page.
                if found.messages.len() >= search.limit && stamp != found.next {
                    return Ok(found);
                }
                found.next = stamp;
                let document: TantivyDocument = searcher.doc(address)?;
                let Some((room, position)) = self.fields.read_key(&document) else { continue };
                if !may_see(&room) {
                    continue;
                }
                let row = MESSAGES.get(snapshot, &(room.clone(), position))?;
                if let Some(row) = row.filter(|row| search.takes(&room, row)) {
                    found.messages.push((room, row));
                }
            }
            if is_last {
                found.next = None;
                return Ok(found);
            }
        }
        Ok(found)
    }

    /// Returns the progress in each room.
    pub(crate) fn progress(&self) -> Result<Vec<(String, Progress)>, IndexError> {
        let searcher = self.reader.searcher();
        let query = exactly(self.fields.all_progress_term());
        let mut addresses: Vec<DocAddress> = searcher.search(&*query, &DocSetCollector)?.into_iter().collect();
        // Documents next to each other are in one compressed block.
        addresses.sort_unstable();
        let mut all = Vec::with_capacity(addresses.len());
        for address in addresses {
            let document: TantivyDocument = searcher.doc(address)?;
            let unreadable = || IndexError::Damaged("the progress in a room cannot be read".to_owned());
            all.push(self.fields.read_progress(&document).ok_or_else(unreadable)?);
        }
        Ok(all)
    }

    /// Returns the query for the index, before a cursor; `None` if nothing can match.
    fn query(&self, search: &Search, access: &Access, cursor: Option<u64>) -> Option<BooleanQuery> {
        let fields = self.fields;
        let text = |term: &String| Term::from_field_text(fields.text, term);
        let mut parts: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for phrase in search.text.phrases() {
            let part: Box<dyn Query> = match phrase.as_slice() {
                [word] => exactly(text(word)),
                words => Box::new(PhraseQuery::new(words.iter().map(text).collect())),
            };
            parts.push((Occur::Must, part));
        }
        if let Some(name) = &search.from {
            parts.push((Occur::Must, exactly(Term::from_field_text(fields.author, name))));
        }
        match &search.room {
            Some(room) => parts.push((Occur::Must, exactly(Term::from_field_text(fields.room, room)))),
            None => {
                let audiences = access.audiences();
                let audiences = audiences.iter().map(|one| exactly(Term::from_field_text(fields.audience, one)));
                parts.push((Occur::Must, Box::new(BooleanQuery::union(audiences.collect()))));
                if !access.closed.is_empty() {
                    let closed = access.closed.iter().map(|room| Term::from_field_text(fields.room, room));
                    parts.push((Occur::MustNot, Box::new(TermSetQuery::new(closed))));
                }
            }
        }
        if search.after.is_some() || search.before.is_some() || cursor.is_some() {
            let from = search.after.map_or(0, schema::stamp_of_time);
            let before = search.before.map_or(u64::MAX, schema::stamp_of_time).min(cursor.unwrap_or(u64::MAX));
            if from >= before {
                return None;
            }
            let stamp = |stamp| Term::from_field_u64(fields.stamp, stamp);
            let range = RangeQuery::new(Bound::Included(stamp(from)), Bound::Excluded(stamp(before)));
            parts.push((Occur::Must, Box::new(range)));
        }
        Some(BooleanQuery::new(parts))
    }
}

impl Search {
    /// Whether a message, as it is in the store now, is one of those that are searched for.
    fn takes(&self, room: &str, row: &MessageRow) -> bool {
        self.room.as_deref().is_none_or(|wanted| wanted == room)
            && self.after.is_none_or(|after| row.time >= after)
            && self.before.is_none_or(|before| row.time < before)
            && self.from.as_ref().is_none_or(|from| schema::names(row).any(|name| name == *from))
            && self.text.matches(&schema::words(row))
    }
}

impl Access {
    /// Returns the audiences to which the account belongs.
    fn audiences(&self) -> Vec<String> {
        let mut audiences = vec![schema::in_conversations(&self.account)];
        if !self.is_banned {
            audiences.extend([schema::in_sessions(&self.account), EVERYBODY.to_owned()]);
        }
        audiences
    }
}

fn exactly(term: Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}
