//! A stream of events: pages of the change log as they become durable, until there is a reason to end it.
//!
//! The log is the only queue: a client that reads slowly delays the next page, and takes no memory.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use palabre_platform::Shutdown;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::following::Following;
use crate::change_log::pages::{self, ChangePage, StreamEvent};
use crate::connection::Life;
use crate::http::registered::Registered;

/// Pause between the announcement of changes and the next page, so that many changes share one.
const PAUSE: Duration = Duration::from_millis(20);
/// Interval at which the cursor of a client is moved past the changes of other rooms.
const CURSOR_INTERVAL: Duration = Duration::from_secs(15);

/// A stream. Dropping it ends the connection.
pub(super) struct Streaming {
    registered: Registered,
    following: Arc<Following>,
    durable: watch::Receiver<u64>,
    life: watch::Receiver<Life>,
    shutdown: Shutdown,
    /// The number up to which the log has been read, and that which the client knows.
    read: u64,
    sent: u64,
    queue: VecDeque<Event>,
    /// Time at which the last event was handed over.
    handed_over: Instant,
    is_over: bool,
}

impl Streaming {
    /// Returns a stream that begins after a number.
    pub(super) fn new(
        registered: Registered,
        following: Arc<Following>,
        durable: watch::Receiver<u64>,
        cursor: u64,
    ) -> Self {
        let (life, shutdown) = (registered.connection.watch(), registered.rooms.shutdown());
        Self {
            registered,
            following,
            durable,
            life,
            shutdown,
            read: cursor,
            sent: cursor,
            queue: VecDeque::new(),
            handed_over: Instant::now(),
            is_over: false,
        }
    }

    /// Returns the response that sends the events. A new client first receives its cursor.
    pub(super) fn respond(mut self, is_new: bool) -> Response {
        if is_new {
            self.queue.push_back(named("ready", self.read, &json!({ "cursor": self.read.to_string() }).to_string()));
        }
        let events = unfold(self, |mut streaming| async move {
            let event = streaming.next().await?;
            streaming.handed_over = Instant::now();
            Some((Ok::<Event, Infallible>(event), streaming))
        });
        Sse::new(events).keep_alive(KeepAlive::default()).into_response()
    }

    /// Waits for the next event; `None` after the last one.
    async fn next(&mut self) -> Option<Event> {
        if self.is_over {
            return None;
        }
        if self.has_stalled() {
            self.registered.rooms.counts.slow_clients.fetch_add(1, Relaxed);
            return Some(self.end("your connection is too slow; continue after the last event that you received"));
        }
        loop {
            if *self.life.borrow() != Life::Open {
                return Some(self.end("your session or token has ended; sign in again"));
            }
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            if let Some(room) = self.following.closed() {
                let reason = format!("the room {room} is not open to you any more");
                return Some(self.end(&reason));
            }
            // Before the log is read, so that no announcement is missed.
            drop(self.durable.borrow_and_update());
            let has_more = match self.read_page().await {
                Ok(has_more) => has_more,
                Err(problem) => return Some(self.end(&problem)),
            };
            if self.queue.is_empty()
                && !has_more
                && let Some(reason) = self.wait().await
            {
                return Some(self.end(reason));
            }
        }
    }

    /// Reads the next page of the log into the queue. Returns whether there is more.
    async fn read_page(&mut self) -> Result<bool, String> {
        let (following, from) = (Arc::clone(&self.following), self.read);
        let page = self
            .registered
            .rooms
            .read_store(move |snapshot| pages::after(snapshot, from, |room| following.contains(room)));
        let ChangePage { events, last, has_more, is_cut_off } = page.await.map_err(|error| error.to_string())?;
        self.read = last;
        if is_cut_off {
            let reason = "changes since your last event are not kept any more; read the rooms, and go on from here";
            self.queue.push_back(named("reset", last, &json!({ "reason": reason }).to_string()));
            self.sent = last;
        }
        for StreamEvent { number, name, data } in events {
            self.queue.push_back(named(name, number, &data));
            self.sent = number;
        }
        Ok(has_more)
    }

    /// Waits until there may be more in the log. Returns the reason if the stream is to end instead.
    async fn wait(&mut self) -> Option<&'static str> {
        tokio::select! {
            changed = self.durable.changed() => {
                if changed.is_err() {
                    return Some("the server is shutting down");
                }
                sleep(PAUSE).await;
            }
            // The loop sees that the life has changed.
            () = ended(&mut self.life) => {}
            () = self.shutdown.requested() => return Some("the server is shutting down"),
            () = sleep(CURSOR_INTERVAL) => {
                if self.sent < self.read {
                    // Without a name and data it is no event to clients, who take its id as the last one.
                    self.queue.push_back(Event::default().id(self.read.to_string()));
                    self.sent = self.read;
                }
            }
        }
        None
    }

    /// Whether the client has not taken the last event for too long.
    fn has_stalled(&self) -> bool {
        let timeout = Duration::from_secs(self.registered.rooms.config.limits.write_timeout_seconds);
        self.handed_over.elapsed() > timeout
    }

    /// Returns the last event, with the reason for the end. It keeps the cursor as it is.
    fn end(&mut self, reason: &str) -> Event {
        self.is_over = true;
        self.queue.clear();
        Event::default().event("end").data(json!({ "reason": reason }).to_string())
    }
}

/// Returns when the connection has ended, since its credential was revoked or has expired.
async fn ended(life: &mut watch::Receiver<Life>) {
    drop(life.wait_for(|life| *life != Life::Open).await);
}

fn named(name: &str, number: u64, data: &str) -> Event {
    Event::default().event(name).id(number.to_string()).data(data)
}
