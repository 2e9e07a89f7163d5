//! Long-lived connections other than Socket.IO: counted against the limits, and ended with their credential.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::http::StatusCode;

use super::problem::Problem;
use crate::accounts::credential::Credential;
use crate::connection::Connection;
use crate::limiter::Network;
use crate::permits::Permit;
use crate::service::Rooms;

/// A connection of a person, which ends when the credential is revoked or expires.
pub(super) struct Registered {
    pub(super) rooms: Arc<Rooms>,
    pub(super) connection: Arc<Connection>,
    /// The hash of the token, if there is one.
    credential: Option<String>,
    _person: Permit<(Network, Arc<str>)>,
}

impl Registered {
    /// Counts a connection, unless a limit is reached. `person` is the id of the account or guest.
    pub(super) fn new(
        rooms: &Arc<Rooms>,
        credential: Option<&Credential>,
        person: Arc<str>,
        network: Network,
    ) -> Result<Self, Problem> {
        let refused = |problem: String| {
            rooms.counts.refused_connections.fetch_add(1, Relaxed);
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, problem)
        };
        let limit = rooms.config.limits.connections_per_person;
        let permit = rooms.people.take((network, person), limit);
        let full = || refused(format!("you already have {limit} connections, which is the limit; close one first"));
        let permit = permit.ok_or_else(full)?;
        let connection = rooms.admit_connection(network, false).map_err(refused)?;
        if let Some(credential) = credential {
            rooms.open_sockets.add(credential, &connection, None);
            // A revocation since the look-up has found no connection.
            rooms.record_socket_use(credential.key());
        }
        let credential = credential.map(|credential| credential.hash().to_owned());
        Ok(Self { rooms: Arc::clone(rooms), connection, credential, _person: permit })
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Some(hash) = &self.credential {
            self.rooms.open_sockets.remove(hash, &self.connection);
        }
        self.connection.end();
    }
}
