//! Nonces of messages that clients have already sent, by author.

use std::collections::{HashMap, VecDeque};

use palabre_model::ActionKey;

use super::State;
use super::commits::Requester;
use crate::history::NONCES;
use crate::presence::Author;

/// Maximum number of nonces in memory; older ones are looked up in the store.
const NONCES_IN_MEMORY_MAX: usize = 1_024;

/// Lower-case username of the author, and the nonce of a message.
pub(super) type Nonce = (String, String);

#[derive(Default)]
pub(super) struct Nonces {
    ids: HashMap<Nonce, String>,
    order: VecDeque<Nonce>,
}

impl Nonces {
    /// Returns the id of the message that was sent with the nonce.
    pub(super) fn id(&self, nonce: &Nonce) -> Option<&String> {
        self.ids.get(nonce)
    }

    pub(super) fn remember(&mut self, nonce: Nonce, id: String) {
        self.ids.insert(nonce.clone(), id);
        self.order.push_back(nonce);
        if self.order.len() > NONCES_IN_MEMORY_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    /// Frees the nonce of a message that could not be saved.
    pub(super) fn forget(&mut self, nonce: &Nonce) {
        self.ids.remove(nonce);
    }
}

impl State {
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
            Some((_, row)) => row.author.as_deref() == Some(&*author.guest) || row.text == text,
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
