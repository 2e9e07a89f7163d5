//! The deliveries of one outgoing webhook: one event after the other, each until it is accepted.

use std::sync::Arc;
use std::time::Duration;

use palabre_fetch::Fetcher;
use palabre_platform::Backoff;
use palabre_types::{Batch, Millis, Request};
use serde_json::json;
use tokio::time::sleep;

use super::registry::Added;
use super::rows::{DELIVERIES, DeliveryRow, OutgoingRow};
use super::signature::sign;
use crate::accounts::error::AccountError;
use crate::change_log::pages::{self, ChangePage, StreamEvent};
use crate::service::Rooms;

/// Timeout of a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Delays between attempts.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(600));
/// Time without success after which a webhook is given up, in milliseconds: changes are not kept for longer.
const GIVE_UP_AFTER: Millis = 86_400_000;
/// Interval at which the cursor is saved when other rooms alone have changed, in milliseconds.
const SAVE_INTERVAL: Millis = 3_600_000;
/// Pause after an error of the store.
const STORE_PAUSE: Duration = Duration::from_secs(10);

/// The deliveries of one outgoing webhook.
struct Delivery {
    rooms: Arc<Rooms>,
    id: String,
    row: OutgoingRow,
    progress: DeliveryRow,
    /// Time at which the progress was last saved.
    saved: Millis,
}

impl Rooms {
    /// Delivers the events of an outgoing webhook until it is removed or given up, or the service stops.
    pub(crate) fn deliver(self: &Arc<Self>, added: Added) {
        let Added { id, row, mut removed } = added;
        let (rooms, mut shutdown) = (Arc::clone(self), self.shutdown());
        self.spawn(async move {
            let (saved, progress) = (rooms.clock.now(), DeliveryRow::default());
            let mut delivery = Delivery { rooms, id, row, progress, saved };
            tokio::select! {
                () = delivery.run() => {}
                // An event that is being sent is sent anew after a restart.
                _closed = removed.changed() => {}
                () = shutdown.requested() => {}
            }
        });
    }
}

impl Delivery {
    async fn run(&mut self) {
        let mut durable = self.rooms.change_log.follow();
        while let Err(error) = self.begin().await {
            tracing::warn!(webhook = %self.id, "cannot begin the deliveries of a webhook, trying later: {error}");
            sleep(STORE_PAUSE).await;
        }
        while !self.progress.is_given_up {
            drop(durable.borrow_and_update());
            match self.deliver_page().await {
                Ok(true) => {}
                Ok(false) => {
                    if durable.changed().await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(webhook = %self.id, "cannot read what a webhook is to send, trying later: {error}");
                    sleep(STORE_PAUSE).await;
                }
            }
        }
    }

    /// Reads the progress that was saved.
    async fn begin(&mut self) -> Result<(), AccountError> {
        let id = self.id.clone();
        let saved = self.rooms.read_store(move |snapshot| DELIVERIES.get(snapshot, &id)).await?;
        self.progress = saved.unwrap_or_default();
        if self.progress.is_given_up { Ok(()) } else { self.rooms.begin_recording().await }
    }

    /// Delivers the events of a page. Returns whether there is more.
    async fn deliver_page(&mut self) -> Result<bool, AccountError> {
        let (room, from) = (self.row.room.clone(), self.progress.cursor);
        let read = self.rooms.read_store(move |snapshot| pages::after(snapshot, from, |other| other == room));
        let ChangePage { mut events, last, has_more, is_cut_off } = read.await?;
        events.retain(|event| self.row.events.iter().any(|wanted| wanted == event.name));
        if is_cut_off {
            let data = json!({ "reason": "events are missing; read the room" }).to_string();
            events.push(StreamEvent { number: last, name: "reset", data });
        }
        for event in events {
            if !self.deliver_event(&event).await {
                // Nothing to wait for.
                return Ok(true);
            }
        }
        self.progress.cursor = last;
        let now = self.rooms.clock.now();
        if from < last && now.saturating_sub(self.saved) >= SAVE_INTERVAL {
            self.save(now);
        }
        Ok(has_more)
    }

    /// Sends an event until it is accepted. Returns false if the webhook is given up instead.
    async fn deliver_event(&mut self, event: &StreamEvent) -> bool {
        loop {
            let sent = self.send(event).await;
            let now = self.rooms.clock.now();
            let Err(problem) = sent else {
                self.progress = DeliveryRow { cursor: event.number, ..DeliveryRow::default() };
                self.save(now);
                return true;
            };
            let since = *self.progress.failing_since.get_or_insert(now);
            self.progress.failed = self.progress.failed.saturating_add(1);
            self.progress.is_given_up = now.saturating_sub(since) >= GIVE_UP_AFTER;
            if self.progress.is_given_up {
                let room = &self.row.room;
                tracing::warn!(webhook = %self.id, %room, "gave up a webhook after a day without success: {problem}");
            }
            self.progress.problem = Some(problem);
            self.save(now);
            if self.progress.is_given_up {
                return false;
            }
            let delay = BACKOFF.delay_millis(self.progress.failed);
            self.rooms.clock.sleep_until(now.saturating_add(delay)).await;
        }
    }

    /// Sends an event once.
    async fn send(&self, event: &StreamEvent) -> Result<(), String> {
        let StreamEvent { number, name, data } = event;
        let room = json!(self.row.room);
        let body = format!("{{\"id\":\"{number}\",\"event\":\"{name}\",\"room\":{room},\"data\":{data}}}");
        let timestamp = self.rooms.clock.now() / 1_000;
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("x-palabre-event", (*name).to_owned()),
            ("x-palabre-id", number.to_string()),
            ("x-palabre-timestamp", timestamp.to_string()),
            ("x-palabre-signature", sign(&self.row.secret, timestamp, &body)),
        ];
        let request = Request {
            method: "POST".to_owned(),
            url: self.row.url.clone(),
            headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            body: Some(body.into_bytes()),
            timeout: REQUEST_TIMEOUT,
        };
        let fetcher = self.rooms.fetcher.get_or_init(Fetcher::new).as_ref().map_err(ToString::to_string)?;
        let _turn = self.rooms.sending.acquire().await.map_err(|error| error.to_string())?;
        let reply = fetcher.fetch_once(&request, &self.rooms.webhook_grants()).await;
        match reply.map_err(|error| error.to_string())?.status {
            200..=299 => Ok(()),
            status => Err(format!("the receiver answered with the status {status}")),
        }
    }

    /// Saves the progress. Until that is durable, a restart sends the last events anew.
    fn save(&mut self, now: Millis) {
        let mut rows = Batch::default();
        DELIVERIES.put(&mut rows, &self.id, &self.progress);
        self.rooms.write_deferred("the progress of a webhook", rows);
        self.saved = now;
    }
}
