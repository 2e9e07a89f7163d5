//! The state of one connection: its current activity, and since when.
//!
//! The socket and the requests update it. `connections.rs` reads it and closes connections that exceed a
//! timeout.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::task::Waker;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use crate::counts::Cause;

/// The number of bytes that a client must send or read within the stall timeout. A trickle does not
/// count as progress.
const PROGRESS_BYTES_MIN: u64 = 32 << 10;

/// The way a request reached the server.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reached {
    /// The local address of its connection.
    pub(crate) local: Option<IpAddr>,
    /// Whether its connection is above the limit, and reserved for health endpoints.
    pub(crate) is_reserved: bool,
}

/// The timeouts of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    pub(crate) header: Duration,
    pub(crate) idle: Duration,
    pub(crate) stall: Duration,
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) peer: SocketAddr,
    pub(crate) reached: Reached,
    /// The origin of all times below, which are in milliseconds.
    start: Instant,
    /// The number of requests whose responses are not yet fully handed to the socket.
    requests: AtomicUsize,
    is_upgraded: AtomicBool,
    was_answered: AtomicBool,
    /// Whether anything was received since the last request ended.
    has_received: AtomicBool,
    /// The time since which it waits for a request.
    waiting_since: AtomicU64,
    sending: Progress,
    body: Progress,
    is_closed: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Connection {
    pub(crate) fn new(peer: SocketAddr, reached: Reached, start: Instant) -> Self {
        let connection = Self {
            peer,
            reached,
            start,
            requests: AtomicUsize::new(0),
            is_upgraded: AtomicBool::new(false),
            was_answered: AtomicBool::new(false),
            has_received: AtomicBool::new(false),
            waiting_since: AtomicU64::new(0),
            sending: Progress::default(),
            body: Progress::default(),
            is_closed: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
        };
        connection.waiting_since.store(connection.now(), Relaxed);
        connection
    }

    /// Whether it can be closed without loss: no request is in progress and all responses were read.
    pub(crate) fn is_idle(&self) -> bool {
        self.requests.load(Relaxed) == 0 && !self.is_upgraded.load(Relaxed) && !self.sending.is_waiting()
    }

    /// Returns the eviction order: connections without any request first, then the longest idle.
    pub(crate) fn eviction_order(&self) -> (bool, u64) {
        (self.was_answered.load(Relaxed), self.waiting_since.load(Relaxed))
    }

    /// Returns the reason to close it now, if there is one.
    pub(crate) fn overdue(&self, timeouts: &Timeouts) -> Option<Cause> {
        let now = self.now();
        if self.sending.has_stalled(now, timeouts.stall) {
            return Some(Cause::Unread);
        }
        if self.body.has_stalled(now, timeouts.stall) {
            return Some(Cause::Body);
        }
        if !self.is_idle() {
            return None;
        }
        let is_between = self.was_answered.load(Relaxed) && !self.has_received.load(Relaxed);
        let (limit, cause) = if is_between { (timeouts.idle, Cause::Idle) } else { (timeouts.header, Cause::Header) };
        let waited = now.saturating_sub(self.waiting_since.load(Relaxed));
        (u128::from(waited) >= limit.as_millis()).then_some(cause)
    }

    /// Closes it: all reads and writes fail from now on, and pending ones are woken.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Relaxed);
        self.reader.wake();
        self.writer.wake();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Relaxed)
    }

    /// Records that something was received.
    pub(crate) fn record_received(&self) {
        if !self.has_received.swap(true, Relaxed) && self.was_answered.load(Relaxed) {
            self.waiting_since.store(self.now(), Relaxed);
        }
    }

    /// Records that it was upgraded to another protocol, which has its own idle timeout.
    pub(crate) fn record_upgrade(&self) {
        self.is_upgraded.store(true, Relaxed);
    }

    /// Records that a read waits for the client.
    pub(crate) fn wait_to_read(&self, waker: &Waker) {
        self.reader.register(waker);
    }

    /// Records that a write waits for the client.
    pub(crate) fn wait_to_send(&self, waker: &Waker) {
        self.sending.wait(|| self.now());
        self.writer.register(waker);
    }

    pub(crate) fn record_sent(&self, bytes: usize) {
        self.sending.advance(bytes, || self.now());
    }

    /// Records that everything was handed to the operating system.
    pub(crate) fn record_flushed(&self) {
        self.sending.finish();
    }

    /// Records that the server waits for more of a request body.
    pub(crate) fn wait_for_body(&self) {
        self.body.wait(|| self.now());
    }

    pub(crate) fn record_body(&self, bytes: usize) {
        self.body.advance(bytes, || self.now());
    }

    pub(crate) fn record_body_end(&self) {
        self.body.finish();
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A guard for a request in progress, until its response is handed to the socket.
#[derive(Debug)]
pub(crate) struct RequestInFlight(Arc<Connection>);

impl RequestInFlight {
    pub(crate) fn begin(connection: &Arc<Connection>) -> Self {
        connection.requests.fetch_add(1, Relaxed);
        Self(Arc::clone(connection))
    }
}

impl Drop for RequestInFlight {
    fn drop(&mut self) {
        self.0.has_received.store(false, Relaxed);
        self.0.waiting_since.store(self.0.now(), Relaxed);
        self.0.was_answered.store(true, Relaxed);
        self.0.requests.fetch_sub(1, Relaxed);
    }
}

/// The progress of a transfer that depends on the client. Only time spent waiting counts.
#[derive(Debug, Default)]
struct Progress {
    /// The time since which it waits, plus one; 0 while it does not wait.
    since: AtomicU64,
    /// The time that it waited before that, in milliseconds.
    waited: AtomicU64,
    /// The bytes transferred meanwhile.
    moved: AtomicU64,
}

impl Progress {
    fn is_waiting(&self) -> bool {
        self.since.load(Relaxed) != 0
    }

    fn wait(&self, now: impl Fn() -> u64) {
        if !self.is_waiting() {
            self.since.store(now() + 1, Relaxed);
        }
    }

    fn advance(&self, bytes: usize, now: impl Fn() -> u64) {
        let since = self.since.load(Relaxed);
        let before = self.waited.load(Relaxed);
        if since == 0 && before == 0 {
            return;
        }
        let waited = if since == 0 { 0 } else { (now() + 1).saturating_sub(since) };
        self.since.store(0, Relaxed);
        let moved = self.moved.load(Relaxed) + bytes as u64;
        let is_enough = moved >= PROGRESS_BYTES_MIN;
        self.moved.store(if is_enough { 0 } else { moved }, Relaxed);
        self.waited.store(if is_enough { 0 } else { before + waited }, Relaxed);
    }

    fn finish(&self) {
        self.since.store(0, Relaxed);
        self.waited.store(0, Relaxed);
        self.moved.store(0, Relaxed);
    }

    fn has_stalled(&self, now: u64, timeout: Duration) -> bool {
        let since = self.since.load(Relaxed);
        let waited = self.waited.load(Relaxed) + (now + 1).saturating_sub(since);
        since != 0 && u128::from(waited) >= timeout.as_millis()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUTS: Timeouts =
        Timeouts { header: Duration::from_secs(10), idle: Duration::from_secs(60), stall: Duration::from_secs(30) };

    fn connection() -> Arc<Connection> {
        let peer = SocketAddr::from(([127, 0, 0, 1], 4_000));
        Arc::new(Connection::new(peer, Reached::default(), Instant::now()))
    }

    async fn after(seconds: u64, connection: &Connection) -> Option<Cause> {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        connection.overdue(&TIMEOUTS)
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_asks_nothing_and_one_with_half_a_head_are_overdue_at_the_same_time() {
        let (bare, half) = (connection(), connection());
        assert_eq!(after(9, &bare).await, None);
        // Sending byte by byte does not extend the timeout.
        half.record_received();
        assert_eq!((after(1, &bare).await, half.overdue(&TIMEOUTS)), (Some(Cause::Header), Some(Cause::Header)));
    }

    #[tokio::test(start_paused = true)]
    async fn between_requests_there_is_more_time_until_the_next_one_begins() {
        let kept = connection();
        drop(RequestInFlight::begin(&kept));
        assert_eq!(after(59, &kept).await, None);
        kept.record_received();
        assert_eq!(after(9, &kept).await, None);
        assert_eq!(after(1, &kept).await, Some(Cause::Header));
        let idle = connection();
        drop(RequestInFlight::begin(&idle));
        assert_eq!(after(60, &idle).await, Some(Cause::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_is_no_progress_and_a_slow_but_steady_client_is() {
        let (trickle, steady) = (connection(), connection());
        let _in_flight = [RequestInFlight::begin(&trickle), RequestInFlight::begin(&steady)];
        for second in 0..29 {
            for client in [&trickle, &steady] {
                client.wait_to_send(Waker::noop());
                client.wait_for_body();
            }
            assert_eq!((after(1, &trickle).await, steady.overdue(&TIMEOUTS)), (None, None), "{second}");
            for (client, bytes) in [(&trickle, 1), (&steady, 4 << 10)] {
                client.record_sent(bytes);
                client.record_body(bytes);
            }
        }
        trickle.wait_to_send(Waker::noop());
        steady.wait_to_send(Waker::noop());
        assert_eq!(after(2, &trickle).await, Some(Cause::Unread));
        assert_eq!(steady.overdue(&TIMEOUTS), None);
        trickle.record_flushed();
        trickle.wait_for_body();
        assert_eq!(after(2, &trickle).await, Some(Cause::Body));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_handler_takes_is_not_the_clients_fault() {
        let busy = connection();
        let in_flight = RequestInFlight::begin(&busy);
        assert_eq!(after(3_600, &busy).await, None);
        drop(in_flight);
        busy.record_upgrade();
        assert_eq!(after(3_600, &busy).await, None);
    }
}
