//! The connections of signed-in people, which end when their credential is revoked or expires.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use palabre_types::Millis;
use tokio::sync::Notify;

use super::credential::Credential;
use crate::connection::Connection;
use crate::peer::WeakPeer;

/// The reason that a client gets when its credential expires.
const EXPIRED: &str = "your session or token has expired; sign in again";

/// Connections by the hash of the token that they presented.
#[derive(Default)]
pub(crate) struct OpenSockets {
    state: Mutex<OpenState>,
    /// Notified when another credential is the first to expire.
    has_changed: Notify,
}

#[derive(Default)]
struct OpenState {
    by_hash: HashMap<String, Sockets>,
    by_expiry: BTreeSet<(Millis, String)>,
}

/// The connections with one credential.
#[derive(Default)]
struct Sockets {
    expires: Option<Millis>,
    open: Vec<OpenSocket>,
}

struct OpenSocket {
    connection: Weak<Connection>,
    /// The client of a Socket.IO connection, which can be told the reason.
    peer: Option<WeakPeer>,
}

impl OpenSockets {
    pub(crate) fn add(&self, credential: &Credential, connection: &Arc<Connection>, peer: Option<WeakPeer>) {
        let (mut state, hash) = (self.lock(), credential.hash());
        let sockets = state.by_hash.entry(hash.to_owned()).or_default();
        sockets.open.retain(|other| other.connection.strong_count() > 0);
        sockets.open.push(OpenSocket { connection: Arc::downgrade(connection), peer });
        // Its life may have been extended since this connection looked it up.
        let expires = credential.expires().max(sockets.expires);
        self.set_expiry(&mut state, hash, expires);
    }

    pub(crate) fn remove(&self, hash: &str, connection: &Arc<Connection>) {
        let mut state = self.lock();
        let Some(sockets) = state.by_hash.get_mut(hash) else { return };
        let is_other = |other: &OpenSocket| !std::ptr::eq(other.connection.as_ptr(), Arc::as_ptr(connection));
        sockets.open.retain(|other| other.connection.strong_count() > 0 && is_other(other));
        if sockets.open.is_empty() {
            state.take(hash);
        }
    }

    /// Sets another expiry of a credential, whose life was extended.
    pub(crate) fn extend(&self, credential: &Credential) {
        self.set_expiry(&mut self.lock(), credential.hash(), credential.expires());
    }

    /// Ends the connections with a credential that was revoked.
    pub(crate) fn end(&self, hash: &str) {
        let sockets = self.lock().take(hash);
        for connection in sockets.iter().filter_map(|socket| socket.connection.upgrade()) {
            connection.end();
        }
    }

    /// Ends the connections whose credential has expired, with the reason.
    pub(super) fn end_expired(&self, now: Millis) {
        let expired = self.lock().take_expired(now);
        for socket in expired {
            match (socket.peer, socket.connection.upgrade()) {
                (Some(peer), _) => drop(peer.upgrade().map(|peer| peer.end(EXPIRED))),
                (None, Some(connection)) => connection.end(),
                (None, None) => {}
            }
        }
    }

    /// Returns the time at which the next credential expires.
    pub(super) fn next_expiry(&self) -> Option<Millis> {
        self.lock().by_expiry.first().map(|(at, _)| *at)
    }

    /// Waits until another credential is the first to expire.
    pub(super) async fn changed(&self) {
        self.has_changed.notified().await;
    }

    fn set_expiry(&self, state: &mut OpenState, hash: &str, expires: Option<Millis>) {
        if state.set_expiry(hash, expires) {
            self.has_changed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, OpenState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenState {
    /// Sets the expiry of a credential. Returns whether it is now the first to expire.
    fn set_expiry(&mut self, hash: &str, expires: Option<Millis>) -> bool {
        let Some(sockets) = self.by_hash.get_mut(hash) else { return false };
        if let Some(before) = std::mem::replace(&mut sockets.expires, expires) {
            self.by_expiry.remove(&(before, hash.to_owned()));
        }
        let Some(expires) = expires else { return false };
        self.by_expiry.insert((expires, hash.to_owned()));
        self.by_expiry.first().is_some_and(|(_, first)| first == hash)
    }

    /// Removes a credential and returns its connections.
    fn take(&mut self, hash: &str) -> Vec<OpenSocket> {
        let Some(sockets) = self.by_hash.remove(hash) else { return Vec::new() };
        if let Some(expires) = sockets.expires {
            self.by_expiry.remove(&(expires, hash.to_owned()));
        }
        sockets.open
    }

    fn take_expired(&mut self, now: Millis) -> Vec<OpenSocket> {
        let mut expired = Vec::new();
        while let Some((at, hash)) = self.by_expiry.first().cloned()
            && at <= now
        {
            expired.append(&mut self.take(&hash));
        }
        expired
    }
}
