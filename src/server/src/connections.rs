//! All connections: their maximum number, timeouts, and eviction of idle ones.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::budget::network;
use crate::connection::{Connection, Reached, Timeouts};
use crate::counts::{Cause, Counts};
use crate::settings::Settings;

/// The number of connections above the limit, which serve only health endpoints.
const RESERVED_CONNECTIONS: usize = 16;
/// The header, idle and stall timeouts of such a connection.
const RESERVED_TIMEOUT: Duration = Duration::from_secs(2);
/// The number of files that the process needs for other purposes: the store, scripts, platforms.
const OTHER_FILES: usize = 64;
/// The time to wait for an evicted connection to end.
const EVICTION_TIMEOUT: Duration = Duration::from_millis(100);

/// The connections of the server.
#[derive(Debug)]
pub(crate) struct Connections {
    start: Instant,
    limit: usize,
    limit_per_address: usize,
    timeouts: Timeouts,
    proxies: Vec<IpAddr>,
    state: Mutex<State>,
    freed: Notify,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    open: BTreeMap<u64, Arc<Connection>>,
    per_address: HashMap<IpAddr, usize>,
    reserved: usize,
}

/// A slot in the connection limit, which is released when it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    id: u64,
    connection: Arc<Connection>,
    connections: Arc<Connections>,
}

impl Connections {
    /// Creates it without connections; `files` is the maximum number of open files of the process.
    pub(crate) fn new(settings: &Settings, files: Option<usize>, counts: Arc<Counts>) -> Self {
        let limit = files.map_or(settings.max_connections, |files| {
            settings.max_connections.min(files.saturating_sub(OTHER_FILES + RESERVED_CONNECTIONS).max(1))
        });
        if limit < settings.max_connections {
            let wanted = settings.max_connections;
            tracing::warn!(
                "max_connections is lowered from {wanted} to {limit}: the process may open only {} files; raise that \
                 limit with ulimit -n",
                files.unwrap_or_default()
            );
        }
        let proxies = settings.proxies.iter().filter_map(|proxy| proxy.parse::<IpAddr>().ok());
        Self {
            start: Instant::now(),
            limit,
            limit_per_address: settings.max_connections_per_address,
            timeouts: Timeouts {
                header: Duration::from_secs(settings.header_timeout_s),
                idle: Duration::from_secs(settings.idle_timeout_s),
                stall: Duration::from_secs(settings.stall_timeout_s),
            },
            proxies: proxies.map(|proxy| proxy.to_canonical()).collect(),
            state: Mutex::default(),
            freed: Notify::new(),
            counts,
        }
    }

    /// Returns the number of open connections.
    pub(crate) fn open(&self) -> usize {
        self.state().open.len()
    }

    /// Returns the number of open connections that cannot be evicted.
    pub(crate) fn busy(&self) -> usize {
        self.state().open.values().filter(|connection| !connection.is_idle()).count()
    }

    /// Returns the maximum number of open connections.
    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.contains(&address.to_canonical())
    }

    /// Admits a connection from `peer`.
    ///
    /// At the limit, the longest idle connection is evicted. If there is none, the connection is admitted
    /// for health endpoints only. `None` if that is not possible either.
    pub(crate) async fn admit(self: &Arc<Self>, peer: SocketAddr, local: Option<IpAddr>) -> Option<Lease> {
        for is_reserved in [false, true] {
            let reached = Reached { local, is_reserved };
            let cause = match self.try_admit(peer, reached) {
                Ok(lease) => return Some(lease),
                Err(cause) => cause,
            };
            let freed = self.freed.notified();
            if self.evict(cause, peer, is_reserved) {
                // After a timeout, the next attempt fails.
                drop(tokio::time::timeout(EVICTION_TIMEOUT, freed).await);
                if let Ok(lease) = self.try_admit(peer, reached) {
                    return Some(lease);
                }
            }
            self.counts.close(cause);
        }
        None
    }

    /// Closes the longest idle connection, since the process cannot open more files.
    pub(crate) fn make_room(&self) {
        let nobody = SocketAddr::from(([0, 0, 0, 0], 0));
        self.evict(Cause::Full, nobody, false);
    }

    /// Closes all connections that exceed a timeout.
    pub(crate) fn sweep(&self) {
        let reserved = Timeouts { header: RESERVED_TIMEOUT, idle: RESERVED_TIMEOUT, stall: RESERVED_TIMEOUT };
        for connection in self.state().open.values().filter(|connection| !connection.is_closed()) {
            let timeouts = if connection.reached.is_reserved { &reserved } else { &self.timeouts };
            if let Some(cause) = connection.overdue(timeouts) {
                self.counts.close(cause);
                connection.close();
            }
        }
    }

    fn try_admit(self: &Arc<Self>, peer: SocketAddr, reached: Reached) -> Result<Lease, Cause> {
        let mut state = self.state();
        let address = network(peer.ip());
        if reached.is_reserved {
            if state.reserved >= RESERVED_CONNECTIONS {
                return Err(Cause::Full);
            }
            state.reserved += 1;
        } else {
            if state.open.len() - state.reserved >= self.limit {
                return Err(Cause::Full);
            }
            let per_address = state.per_address.get(&address).copied().unwrap_or_default();
            if per_address >= self.limit_per_address && !self.is_proxy(peer.ip()) {
                return Err(Cause::Address);
            }
            *state.per_address.entry(address).or_default() += 1;
        }
        let id = state.next;
        state.next += 1;
        let connection = Arc::new(Connection::new(peer, reached, self.start));
        state.open.insert(id, Arc::clone(&connection));
        self.counts.accept();
        Ok(Lease { id, connection, connections: Arc::clone(self) })
    }

    /// Closes the longest idle connection that makes room for one from `peer`.
    ///
    /// Returns whether there was one.
    fn evict(&self, cause: Cause, peer: SocketAddr, is_reserved: bool) -> bool {
        let state = self.state();
        let address = network(peer.ip());
        let is_evictable = |other: &&Arc<Connection>| {
            other.reached.is_reserved == is_reserved
                && (cause != Cause::Address || network(other.peer.ip()) == address)
                && other.is_idle()
                && !other.is_closed()
        };
        let Some(longest) = state.open.values().filter(is_evictable).min_by_key(|other| other.eviction_order()) else {
            return false;
        };
        self.counts.close(Cause::Evicted);
        longest.close();
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    pub(crate) const fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.connections.state();
        state.open.remove(&self.id);
        if self.connection.reached.is_reserved {
            state.reserved -= 1;
        } else {
            let address = network(self.connection.peer.ip());
            if let Some(count) = state.per_address.get_mut(&address) {
                *count -= 1;
                if *count == 0 {
                    state.per_address.remove(&address);
                }
            }
        }
        drop(state);
        self.connections.freed.notify_waiters();
    }
}
