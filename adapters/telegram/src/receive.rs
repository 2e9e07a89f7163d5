//! Reception of updates: each is handled once and in order, and confirmed once it is durable.

mod albums;
mod callbacks;
mod deliver;
pub(crate) mod incoming;
mod polling;
mod position;
pub(crate) mod webhook;

use std::sync::Arc;
use std::time::Duration;

use palabre_platform::{AdapterContext, AdapterError, EmitError, IngressBuffer};
use palabre_types::{Batch, Event, EventKind};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use crate::buttons::stored::poll_key;
use crate::decode::decoder::{Decoded, Decoder};
use crate::frames::{self, Update};
use crate::telegram::Telegram;

use albums::Albums;
use incoming::Incoming;
use position::Position;

/// Maximum wait at shutdown until received updates are durable.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(4);
/// Maximum wait for polls that are being sent.
const POLLS_TIMEOUT: Duration = Duration::from_secs(5);

struct Receiving<'t> {
    telegram: &'t Arc<Telegram>,
    context: &'t AdapterContext,
    decoder: Decoder,
    flight: IngressBuffer,
    albums: Albums,
    position: Position,
    /// Rows to commit with the next event, or by themselves.
    rows: Batch,
    is_lost: bool,
}

pub(crate) async fn run(telegram: &Arc<Telegram>, context: &AdapterContext) -> Result<(), AdapterError> {
    let decoder =
        Decoder { bot: context.bot.clone(), cache: Arc::clone(&telegram.cache), hear_bots: telegram.config.hear_bots };
    let mut receiving = Receiving {
        telegram,
        context,
        decoder,
        flight: IngressBuffer::new(&context.sink),
        albums: Albums::default(),
        position: Position::default(),
        rows: Batch::default(),
        is_lost: false,
    };
    let mut shutdown = context.shutdown.clone();
    tokio::select! {
        identified = receiving.identify() => identified?,
        () = shutdown.requested() => return Ok(()),
    }
    let (sender, mut incoming) = mpsc::channel(1);
    let next = receiving.position.next(context.clock.now());
    let source = async {
        match &telegram.config.webhook {
            Some(url) => webhook::listen(telegram, url, sender).await,
            None => polling::poll(telegram, sender, next).await,
        }
    };
    let mut source = std::pin::pin!(source);
    loop {
        let due = receiving.albums.due();
        tokio::select! {
            biased;
            () = shutdown.requested() => break,
            Some(came) = incoming.recv() => Box::pin(receiving.take(came)).await?,
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => receiving.release_due().await,
            ended = &mut source => return Err(ended),
        }
    }
    if telegram.config.webhook.is_some() {
        webhook::delete(telegram).await;
    }
    drop(timeout(FLUSH_TIMEOUT, receiving.flush()).await);
    Ok(())
}

impl Receiving<'_> {
    /// Learns the bot's own account, and resumes at the position of the last process.
    async fn identify(&mut self) -> Result<(), AdapterError> {
        let me = self.telegram.identify().await?;
        tracing::info!(bot = %self.context.bot.name, "ready as @{}", me.username);
        if let Some(without) = me.privacy() {
            tracing::warn!(bot = %self.context.bot.name, "{without}");
        }
        let lost = |error: palabre_store::Error| AdapterError::Lost(error.to_string());
        let (store, bot, now) =
            (self.telegram.store.clone(), self.context.bot.name.to_string(), self.context.clock.now());
        let me = me.id;
        let read = move || -> palabre_store::Result<_> {
            let snapshot = store.snapshot(now)?;
            Ok((position::read(&snapshot, &bot, me)?, albums::read(&snapshot, &bot)?))
        };
        let read = tokio::task::spawn_blocking(read).await.map_err(|error| AdapterError::Lost(error.to_string()))?;
        let (position, buffered) = read.map_err(lost)?;
        self.position = position;
        for (id, message) in buffered {
            self.albums.add(id, message);
        }
        self.send(EventKind::Ready { reason: None });
        Ok(())
    }

    async fn take(&mut self, came: Incoming) -> Result<(), AdapterError> {
        match came {
            Incoming::Updates(updates, taken) => {
                for update in updates {
                    Box::pin(self.update(update)).await;
                }
                if !self.flush().await {
                    return Ok(());
                }
                // The receiver may be gone, like the connection on which the updates came.
                let _asked = taken.send(());
            }
            Incoming::Renumbered => self.position.reset(),
            Incoming::Lost(reason) => {
                if !std::mem::replace(&mut self.is_lost, true) {
                    self.send(EventKind::Lost { reason: Some(reason) });
                }
            }
            Incoming::Back => {
                if std::mem::replace(&mut self.is_lost, false) {
                    self.send(EventKind::Ready { reason: Some("resumed".to_owned()) });
                }
            }
        }
        Ok(())
    }

    fn send(&mut self, kind: EventKind) {
        let event = self.decoder.without_place(kind, self.context.clock.now());
        self.flight.send(event, Batch::default());
    }

    /// Handles one update, unless it was handled before.
    async fn update(&mut self, update: Value) {
        let now = self.context.clock.now();
        let Some(id) = update["update_id"].as_i64() else {
            tracing::warn!(bot = %self.context.bot.name, "ignored an update without a number");
            return;
        };
        if self.position.has_passed(id, now) {
            return;
        }
        // A malformed update becomes a native event, and its chat is not known here.
        let frame = Update::deserialize(&update).unwrap_or_default();
        if let Some(chat) = chat_of(&frame) {
            let of_album = frame.message.as_ref().and_then(|message| message.media_group_id.as_deref());
            let of_album = of_album.or(frame.channel_post.as_ref().and_then(|post| post.media_group_id.as_deref()));
            if let Some(album) = self.albums.take_complete(chat, of_album) {
                self.release(album).await;
            }
            if chat < 0 {
                self.telegram.refresh_admins(chat).await;
            }
        }
        self.decoder.remember_named(&update);
        let decoded = Box::pin(self.decoded(id, frame, &update)).await;
        self.telegram.cache.keep_people(&mut self.rows, now);
        self.position.pass(&mut self.rows, &self.context.bot.name, id, now);
        self.hand_over(decoded);
    }

    /// Returns the events of an update.
    async fn decoded(&mut self, id: i64, frame: Update, update: &Value) -> Decoded {
        let now = self.context.clock.now();
        if let Some(callback) = &frame.callback_query {
            if let Some(message) = &callback.message
                && !self.telegram.cache.lock().is_remembered(message.chat.id, message.message_id)
            {
                // Before a press can be routed, it must be known which script's message it is on.
                self.telegram.in_flight.quiesce(message.chat.id).await;
            }
            return match self.telegram.meaning_of(callback).await {
                Some(pressed) => self.decoder.pressed(callback, pressed, now),
                // A selection that is not complete, or a button whose data has expired.
                None => Decoded::default(),
            };
        }
        if let Some(answer) = &frame.poll_answer {
            let key = poll_key(&answer.poll_id);
            let mut stored = self.telegram.stored(&key).await;
            if stored.is_none() {
                // A vote may arrive before the response that contains the poll's id.
                drop(timeout(POLLS_TIMEOUT, self.telegram.polls_in_flight.write()).await);
                stored = self.telegram.stored(&key).await;
            }
            if let Some(stored) = stored {
                return self.decoder.voted(answer, &stored, now);
            }
        }
        let message = frame.message.or(frame.channel_post);
        if let Some(message) = message {
            self.telegram.deliver_waiting(&message);
            if message.media_group_id.is_some() {
                albums::keep(&mut self.rows, &self.context.bot.name, id, update);
                self.albums.add(id, message);
                return Decoded::default();
            }
            if let Some(event) = self.telegram.form_answer(&self.decoder, &message, &mut self.rows) {
                return Decoded { events: event.into_iter().collect(), changed: Vec::new() };
            }
            if let (Some(to), from) = (message.migrate_to_chat_id, message.chat.id) {
                self.telegram.moved(from, to).await;
            }
        }
        self.decoder.decode(update, now)
    }

    fn hand_over(&mut self, decoded: Decoded) {
        let Decoded { events, changed } = decoded;
        for chat in changed {
            self.telegram.cache.keep(&mut self.rows, chat);
        }
        self.emit(events);
    }

    /// Emits events. The rows so far go with the last journalled one.
    fn emit(&mut self, events: Vec<Event>) {
        let last = events.iter().rposition(|event| event.kind.name().is_journalled());
        for (index, event) in events.into_iter().enumerate() {
            let rows = if Some(index) == last { std::mem::take(&mut self.rows) } else { Batch::default() };
            self.flight.send(event, rows);
        }
    }

    /// Waits until everything received is durable. Returns `false` if the daemon is stopping.
    async fn flush(&mut self) -> bool {
        while !self.flight.is_empty() {
            if !self.flight.next_ack().await {
                return false;
            }
        }
        while !self.rows.is_empty() {
            let bot = &self.context.bot.name;
            match self.context.sink.write(bot, "the position in the updates", self.rows.clone()).await {
                Ok(_) => self.rows = Batch::default(),
                Err(EmitError::Stopped) => return false,
                Err(error @ (EmitError::Stalled(_) | EmitError::Refused)) => {
                    tracing::warn!(%bot, "the position in the updates cannot be stored, retrying: {error}");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
        true
    }

    async fn release_due(&mut self) {
        while let Some(album) = self.albums.take_due() {
            self.release(album).await;
        }
        self.flush().await;
    }

    /// Emits an album that is complete, as far as is known.
    async fn release(&mut self, album: albums::Album) {
        let (ids, parts): (Vec<i64>, Vec<frames::Message>) = album.parts.into_iter().unzip();
        let first = parts.first().map(|part| (part.chat.id, part.message_id));
        if let Some((chat, _)) = first.filter(|(chat, _)| *chat < 0) {
            self.telegram.refresh_admins(chat).await;
        }
        albums::forget(&mut self.rows, &self.context.bot.name, &ids);
        let now = self.context.clock.now();
        let decoded = self.decoder.message(parts, now).unwrap_or_default();
        if let Some((chat, first)) = first {
            self.telegram.cache.keep_parts(&mut self.rows, chat, first, now);
        }
        self.telegram.cache.keep_people(&mut self.rows, now);
        self.hand_over(decoded);
    }
}

/// Returns the chat of an update.
fn chat_of(update: &Update) -> Option<i64> {
    let message = update.message.as_ref().or(update.channel_post.as_ref());
    let message = message.or(update.edited_message.as_ref()).or(update.edited_channel_post.as_ref());
    let of_callback = || update.callback_query.as_ref()?.message.as_ref();
    message.or_else(of_callback).map(|message| message.chat.id)
}
