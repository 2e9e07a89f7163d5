//! One connection of a client, from its handshake to its end: what is queued for it, how fast it may send, and how it is ended.
//!
//! It lives in the extensions of the request that opened the session, so that whatever ends the session gives its place back.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::limiter::Network;
use crate::permits::Permit;

/// What a packet in a queue takes beside its text, in bytes.
const PACKET_OVERHEAD: usize = 128;
/// After so many refused events a client is disconnected.
const STRIKES_MAX: u32 = 1_000;
/// An event within the limits makes up for so many refused ones: a bucket that is refilled by and by lets one through now and then, also
/// of those who never stop.
const STRIKES_FORGIVEN: u32 = 10;

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Open,
    /// What is queued is still sent; nothing more is read.
    Ending,
    Ended,
}

/// How much may be queued for one client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueLimits {
    pub(crate) packets: usize,
    pub(crate) bytes: usize,
}

/// A connection of a client.
pub(crate) struct Connection {
    /// Unlike that of any other connection since the start.
    pub(crate) number: u64,
    pub(crate) network: Network,
    /// It comes from this machine, and not by way of a proxy.
    pub(crate) is_local: bool,
    /// Allows one request with packets of the client's at a time, where it polls.
    pub(crate) posting: tokio::sync::Mutex<()>,
    permit: Mutex<Option<Permit<Network>>>,
    queue: Mutex<Queue>,
    limits: QueueLimits,
    life: watch::Sender<Life>,
    reader: AtomicWaker,
    writer: AtomicWaker,
    paused_until: Mutex<Option<Instant>>,
    strikes: AtomicU32,
    has_socket: AtomicBool,
}

/// Packets that have been handed to the library and not yet to the client.
#[derive(Default)]
struct Queue {
    sizes: VecDeque<usize>,
    bytes: usize,
}

impl Connection {
    pub(crate) fn new(network: Network, is_local: bool, permit: Permit<Network>, limits: QueueLimits) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Self {
            number: NUMBERS.fetch_add(1, Relaxed),
            network,
            is_local,
            posting: tokio::sync::Mutex::default(),
            permit: Mutex::new(Some(permit)),
            queue: Mutex::default(),
            limits,
            life: watch::Sender::new(Life::Open),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
            paused_until: Mutex::default(),
            strikes: AtomicU32::new(0),
            has_socket: AtomicBool::new(false),
        }
    }

    pub(crate) fn life(&self) -> Life {
        *self.life.borrow()
    }

    /// Tells how the connection is; the sender goes with the connection.
    pub(crate) fn watch(&self) -> watch::Receiver<Life> {
        self.life.subscribe()
    }

    /// Ends the connection when what is queued has been sent. The transport is closed without a packet that says so, since the official
    /// client does not come back by itself after such a packet.
    pub(crate) fn finish(&self) {
        self.set(Life::Ending);
    }

    /// Ends the connection now and gives its place back.
    pub(crate) fn end(&self) {
        self.set(Life::Ended);
        drop(lock(&self.permit).take());
    }

    fn set(&self, to: Life) {
        let has_changed = self.life.send_if_modified(|life| {
            let changes = *life == Life::Open || (*life == Life::Ending && to == Life::Ended);
            if changes {
                *life = to;
            }
            changes
        });
        if has_changed {
            self.reader.wake();
            self.writer.wake();
        }
    }

    /// Makes room for a packet of so many bytes; false when too much is queued already. A packet is taken into an empty queue whatever
    /// its size, and a `last` one always.
    pub(crate) fn reserve(&self, size: usize, last: bool) -> bool {
        let size = size + PACKET_OVERHEAD;
        let mut queue = lock(&self.queue);
        let is_full = queue.sizes.len() >= self.limits.packets || queue.bytes + size > self.limits.bytes;
        if is_full && !queue.sizes.is_empty() && !last {
            return false;
        }
        queue.sizes.push_back(size);
        queue.bytes += size;
        true
    }

    /// The packet for which room was made last was not handed over.
    pub(crate) fn give_back(&self) {
        let mut queue = lock(&self.queue);
        if let Some(size) = queue.sizes.pop_back() {
            queue.bytes -= size;
        }
    }

    /// So many packets have left.
    pub(crate) fn sent(&self, packets: usize) {
        let mut queue = lock(&self.queue);
        let packets = packets.min(queue.sizes.len());
        let bytes: usize = queue.sizes.drain(..packets).sum();
        queue.bytes -= bytes;
    }

    /// Whether everything that was queued has left.
    pub(crate) fn is_drained(&self) -> bool {
        lock(&self.queue).sizes.is_empty()
    }

    /// Whether so much is queued that nothing should be read that would add answers to it.
    pub(crate) fn is_congested(&self) -> bool {
        let queue = lock(&self.queue);
        queue.bytes > self.limits.bytes / 2 || queue.sizes.len() > self.limits.packets / 2
    }

    /// Nothing is read for so long.
    pub(crate) fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut paused = lock(&self.paused_until);
        *paused = (*paused).max(Some(until));
    }

    /// Until when nothing is to be read, if that was said since this was last asked.
    pub(crate) fn take_pause(&self) -> Option<Instant> {
        lock(&self.paused_until).take()
    }

    /// It has a WebSocket now.
    pub(crate) fn gets_socket(&self) {
        self.has_socket.store(true, Relaxed);
    }

    /// Whether the client polls, and has not asked for a WebSocket.
    pub(crate) fn polls(&self) -> bool {
        !self.has_socket.load(Relaxed)
    }

    /// One more refused event; true when there were too many of them in a row.
    pub(crate) fn strike(&self) -> bool {
        self.strikes.fetch_add(1, Relaxed) + 1 >= STRIKES_MAX
    }

    /// An event was within the limits.
    pub(crate) fn forgive(&self) {
        let _before =
            self.strikes.fetch_update(Relaxed, Relaxed, |strikes| Some(strikes.saturating_sub(STRIKES_FORGIVEN)));
    }

    /// The task that is to be woken when there may be something to read again.
    pub(crate) fn register_reader(&self, waker: &Waker) {
        self.reader.register(waker);
    }

    pub(crate) fn wake_reader(&self) {
        self.reader.wake();
    }

    /// The task that is to be woken when writing is over.
    pub(crate) fn register_writer(&self, waker: &Waker) {
        self.writer.register(waker);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
