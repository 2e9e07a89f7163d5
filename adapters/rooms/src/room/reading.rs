//! Read markers of accounts in this room.

use palabre_types::Batch;
use serde_json::json;

use super::command::Origin;
use super::state::State;
use super::state::commit::{CommitResult, OnCommit};
use crate::accounts::rows::is_account_id;
use crate::change_log::rows::Recorded;
use crate::conversation::is_conversation;
use crate::read_markers::{READS, ReadRow};

impl State {
    /// Records how far an account has read. The other person of a private conversation is told.
    ///
    /// `is_back` moves the marker back: the person wants to read on from there later.
    pub(super) async fn read_up_to(&mut self, origin: Origin, id: &str, is_back: bool) {
        let Some((author, requester)) = self.person(origin) else { return };
        if !is_account_id(&author.guest) {
            return self.refuse_request(requester, "only people with an account have read markers".to_owned());
        }
        let Some((position, row)) = self.find(id).await else { return self.refuse_unknown(requester, id) };
        let key = (author.guest.to_string(), self.room.name.clone());
        let (store, asked) = (self.cx.store.clone(), key.clone());
        let known = tokio::task::spawn_blocking(move || READS.get(&store.snapshot(0)?, &asked)).await;
        let known = match known.map(|read| read.map_err(|error| error.to_string())) {
            Ok(Ok(known)) => known,
            Ok(Err(error)) => return requester.reply(Err(error)),
            Err(error) => return requester.reply(Err(error.to_string())),
        };
        if known.is_some_and(|known| known.position >= position && !is_back) {
            return requester.reply(Ok(Some(row.id.clone())));
        }
        let mut rows = Batch::default();
        READS.put(&mut rows, &key, &ReadRow { id: row.id.clone(), position });
        if is_conversation(&self.room.name) {
            let read = json!({ "username": author.username, "id": row.id, "room": self.room.name });
            self.broadcast("message_read", &read, None);
        }
        let read = || {
            let recorded = Recorded::Read { id: row.id.clone(), username: author.username.clone() };
            // Who has read what is shown in private conversations only.
            if is_conversation(&self.room.name) { vec![recorded] } else { Vec::new() }
        };
        let receipt = self.commit_recorded(None, "a read marker", rows, read);
        self.pending.push_back(Box::pin(async move {
            let result = receipt.await.map(drop).map_err(|error| error.to_string());
            CommitResult { result, on_commit: OnCommit::Reply(requester) }
        }));
    }
}
