//! One client connection, from handshake to end: its queue, its pauses, and its termination.
//!
//! It lives in the extensions of the request that opened the session. Whatever ends the session
//! therefore returns its permit.

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

/// Assumed overhead of a queued packet in addition to its text, in bytes.
const PACKET_OVERHEAD: usize = 128;
/// A client is disconnected after this many refused events.
const STRIKES_MAX: u32 = 1_000;
/// Number of refused events that one accepted event offsets.
///
/// A refilling bucket lets an event through now and then, even for a client that never stops.
const STRIKES_FORGIVEN: u32 = 10;

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Open,
    /// The queue is still sent; nothing more is read.
    Ending,
    Ended,
}

/// Limits of the queue of one client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueLimits {
    pub(crate) packets: usize,
    pub(crate) bytes: usize,
}

/// A connection of a client.
pub(crate) struct Connection {
    /// Unique since the start.
    pub(crate) number: u64,
    pub(crate) network: Network,
    /// Whether the client is on this machine and not behind a proxy.
    pub(crate) is_local: bool,
    /// Held during a polling client's POST request, so that it sends one at a time.
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

/// Sizes of the packets that were given to the library and not yet sent.
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

    /// Returns the state of the connection as a watch; the sender is dropped with the connection.
    pub(crate) fn watch(&self) -> watch::Receiver<Life> {
        self.life.subscribe()
    }

    /// Ends the connection once its queue has been sent.
    ///
    /// The transport is closed without a disconnect packet, since the official client does not
    /// reconnect after one.
    pub(crate) fn finish(&self) {
        self.set(Life::Ending);
    }

    /// Ends the connection at once and returns its permit.
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

    /// Reserves queue space for a packet of `size` bytes. Returns false when the queue is full.
    ///
    /// An empty queue accepts a packet of any size, and a `last` packet is always accepted.
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

    /// Releases the latest reservation: the packet was not sent.
    pub(crate) fn give_back(&self) {
        let mut queue = lock(&self.queue);
        if let Some(size) = queue.sizes.pop_back() {
            queue.bytes -= size;
        }
    }

    /// Removes the oldest `packets` packets from the queue: they have been sent.
    pub(crate) fn sent(&self, packets: usize) {
        let mut queue = lock(&self.queue);
        let packets = packets.min(queue.sizes.len());
        let bytes: usize = queue.sizes.drain(..packets).sum();
        queue.bytes -= bytes;
    }

    /// Whether the whole queue has been sent.
    pub(crate) fn is_drained(&self) -> bool {
        lock(&self.queue).sizes.is_empty()
    }

    /// Whether the queue is half full.
    ///
    /// Then nothing should be read that would add responses to it.
    pub(crate) fn is_congested(&self) -> bool {
        let queue = lock(&self.queue);
        queue.bytes > self.limits.bytes / 2 || queue.sizes.len() > self.limits.packets / 2
    }

    /// Stops reading for `wait`, or longer if a longer pause is set.
    pub(crate) fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut paused = lock(&self.paused_until);
        *paused = (*paused).max(Some(until));
    }

    /// Takes the time until which reading is paused, if a pause was set since the last call.
    pub(crate) fn take_pause(&self) -> Option<Instant> {
        lock(&self.paused_until).take()
    }

    /// Records that the connection has a WebSocket.
    pub(crate) fn set_has_socket(&self) {
        self.has_socket.store(true, Relaxed);
    }

    /// Whether the client polls and has not requested a WebSocket.
    pub(crate) fn polls(&self) -> bool {
        !self.has_socket.load(Relaxed)
    }

    /// Counts a refused event. Returns true when there were too many.
    pub(crate) fn strike(&self) -> bool {
        self.strikes.fetch_add(1, Relaxed) + 1 >= STRIKES_MAX
    }

    /// Offsets refused events, since an event was within the limits.
    pub(crate) fn forgive(&self) {
        let _before =
            self.strikes.fetch_update(Relaxed, Relaxed, |strikes| Some(strikes.saturating_sub(STRIKES_FORGIVEN)));
    }

    /// Registers the task to wake when reading may continue.
    pub(crate) fn register_reader(&self, waker: &Waker) {
        self.reader.register(waker);
    }

    pub(crate) fn wake_reader(&self) {
        self.reader.wake();
    }

    /// Registers the task to wake when writing ends.
    pub(crate) fn register_writer(&self, waker: &Waker) {
        self.writer.register(waker);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
