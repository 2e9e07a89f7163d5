//! The connections of signed-in people, which end when their session is revoked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::connection::Connection;

/// Connections by the hash of the token that they presented.
#[derive(Debug, Default)]
pub(crate) struct OpenSockets(Mutex<HashMap<String, Vec<Weak<Connection>>>>);

impl OpenSockets {
    pub(crate) fn add(&self, hash: &str, connection: &Arc<Connection>) {
        let mut open = self.lock();
        let connections = open.entry(hash.to_owned()).or_default();
        connections.retain(|other| other.strong_count() > 0);
        connections.push(Arc::downgrade(connection));
    }

    pub(crate) fn remove(&self, hash: &str, connection: &Arc<Connection>) {
        let mut open = self.lock();
        let Some(connections) = open.get_mut(hash) else { return };
        connections.retain(|other| other.strong_count() > 0 && !std::ptr::eq(other.as_ptr(), Arc::as_ptr(connection)));
        if connections.is_empty() {
            open.remove(hash);
        }
    }

    /// Ends the connections with a credential that was revoked.
    pub(crate) fn end(&self, hash: &str) {
        let connections = self.lock().remove(hash).unwrap_or_default();
        for connection in connections.iter().filter_map(Weak::upgrade) {
            connection.end();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Weak<Connection>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
