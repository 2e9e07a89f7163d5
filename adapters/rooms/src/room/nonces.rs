//! Repeated messages and actions, recognised by their nonces.

use palabre_types::ActionKey;

use super::state::State;
use super::state::commit::Requester;
use super::state::nonces::Nonce;
use crate::guests::PersonKind;
use crate::history::NONCES;
use crate::presence::Author;

impl State {
    /// Replies with the id of the message that was already sent.
    pub(super) fn answer_repeated(&self, nonce: &Nonce, requester: Requester) {
        let id = self.nonces.id(nonce).cloned();
        requester.reply(id.map(Some).ok_or_else(|| "the message could not be saved; send it again".to_owned()));
    }

    /// Returns the nonce that records a bot's action as done, where no message has its key as id.
    pub(super) fn key_of_bot(&self, key: &ActionKey) -> Nonce {
        (self.cx.config.nickname.to_lowercase(), key.to_string())
    }

    /// Whether the author has already sent a message with this nonce, durable or in flight.
    ///
    /// A client that lost its token is recognised by the same text under the same name. Other
    /// people may use the same nonces by chance.
    pub(super) async fn is_repeated(&mut self, nonce: &Nonce, author: &Author, text: &str) -> bool {
        if !self.is_known(nonce).await {
            return false;
        }
        let Some(id) = self.nonces.id(nonce).cloned() else { return false };
        match self.find(&id).await {
            Some((_, row)) => {
                let is_guest = author.kind == PersonKind::Guest;
                row.author.as_deref() == Some(&*author.guest) || (is_guest && row.text == text)
            }
            // The message was deleted in the meantime.
            None => true,
        }
    }

    /// Whether a message with this nonce is durable or in flight. Its id is in memory afterwards.
    pub(super) async fn is_known(&mut self, nonce: &Nonce) -> bool {
        if self.nonces.id(nonce).is_some() {
            return true;
        }
        let (store, now) = (self.cx.store.clone(), self.cx.context.clock.now());
        let key = (self.room.name.clone(), nonce.0.clone(), nonce.1.clone());
        let read = move || NONCES.get(&store.snapshot(now)?, &key);
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(Some(id))) => {
                self.nonces.remember(nonce.clone(), id);
                true
            }
            _ => false,
        }
    }
}
