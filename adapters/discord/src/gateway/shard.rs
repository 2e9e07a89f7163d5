//! One shard: decodes its frames into events, and stores the state of its session with them.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use palabre_platform::{AdapterContext, AdapterError, Backoff, IngressBuffer};
use palabre_types::{Batch, EventKind};
use twilight_gateway::error::{ReceiveMessageError, ReceiveMessageErrorType};
use twilight_gateway::queue::InMemoryQueue;
use twilight_gateway::{CloseFrame, ConfigBuilder, Intents, Message, Session, Shard, ShardId};

use super::condition::ShardConditions;
use super::correlation::{BufferedFrame, CorrelationBuffer};
use super::error::closed_for_good;
use super::session::{self, SessionRow};
use crate::cache::GUILDS;
use crate::decode::Decoder;
use crate::discord::Discord;
use crate::frames::{self, Frame};
use crate::seen_interactions;

/// The longest random pause before reconnecting, in addition to the gateway client's own.
const JITTER_MILLIS_MAX: u64 = 1_000;
/// The number of connections in a row without events after which pauses grow.
const FRUITLESS_MAX: u32 = 3;
/// The pauses before reconnecting from then on.
const RECONNECT_BACKOFF: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(60));
/// The timeout for Hello, including the pauses of the gateway client before it connects.
const HELLO_TIMEOUT: Duration = Duration::from_secs(150);
/// The opcode of the first frame of a connection.
const HELLO: u8 = 10;
/// The timeout on shutdown for received events to become durable.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(4);

/// Creates a shard, which connects when it is run.
pub(super) fn connect(
    discord: &Discord,
    id: ShardId,
    intents: Intents,
    url: &str,
    queue: InMemoryQueue,
    session: Option<SessionRow>,
) -> Shard {
    let config = ConfigBuilder::new(discord.token.clone(), intents).proxy_url(url.to_owned()).queue(queue);
    let config = match session {
        Some(row) => {
            let config = config.session(Session::new(row.sequence, row.id));
            row.url.into_iter().fold(config, ConfigBuilder::resume_url)
        }
        None => config,
    };
    Shard::with_config(id, config.build())
}

struct Running<'d> {
    discord: &'d Arc<Discord>,
    context: &'d AdapterContext,
    conditions: &'d ShardConditions,
    decoder: Decoder,
    flight: IngressBuffer,
    buffer: CorrelationBuffer,
    shard: u32,
    /// Whether there has been a session, which a new one replaces.
    had_session: bool,
    /// Whether the current connection has received Hello.
    is_greeted: bool,
    /// Whether there was a connection before the current one.
    was_connected: bool,
    /// Whether the loss of the connection was reported, and its return was not.
    is_lost: bool,
    /// Connections in a row that delivered nothing but their set-up.
    fruitless: u32,
    /// The code with which the gateway closed the last connection, if it named one.
    close_code: Option<u16>,
}

/// Runs a shard until shutdown, or until the gateway client gives it up.
pub(super) async fn run(
    discord: &Arc<Discord>,
    context: &AdapterContext,
    conditions: &ShardConditions,
    mut shard: Shard,
) -> Result<(), AdapterError> {
    let mut running = Running::new(discord, context, conditions, &shard);
    let mut shutdown = context.shutdown.clone();
    loop {
        let buffered_until = running.buffer.until();
        let frame = tokio::select! {
            biased;
            () = shutdown.requested() => break,
            landed = running.flight.next_ack(), if !running.flight.is_empty() => {
                if !landed {
                    break;
                }
                continue;
            }
            () = wait_until(buffered_until), if buffered_until.is_some() => {
                running.release();
                continue;
            }
            frame = shard.next(), if !running.flight.is_full() => frame,
            // After Hello, heartbeats detect a dead connection; before it, nothing does.
            () = tokio::time::sleep(HELLO_TIMEOUT), if !running.is_greeted => {
                return Err(AdapterError::Lost("the gateway accepted the connection and sent nothing".to_owned()));
            }
        };
        let session = standing(&shard);
        running.receive(frame, session).await?;
    }
    // After a close with this code, the next start can resume the session.
    shard.close(CloseFrame::RESUME);
    let landing = async {
        while !running.flight.is_empty() && running.flight.next_ack().await {}
        // Wait until the close frame is sent and answered.
        while let Some(Ok(Message::Text(_))) = shard.next().await {}
    };
    drop(tokio::time::timeout(DRAIN_TIMEOUT, landing).await);
    Ok(())
}

/// Returns the state of the session after the last frame.
fn standing(shard: &Shard) -> Option<SessionRow> {
    let (session, url) = (shard.session()?, shard.resume_url());
    let (id, sequence, shards) = (session.id().to_owned(), session.sequence(), shard.id().total());
    Some(SessionRow { id, sequence, url: url.map(ToOwned::to_owned), shards })
}

async fn wait_until(until: Option<tokio::time::Instant>) {
    if let Some(until) = until {
        tokio::time::sleep_until(until).await;
    }
}

impl<'d> Running<'d> {
    fn new(
        discord: &'d Arc<Discord>,
        context: &'d AdapterContext,
        conditions: &'d ShardConditions,
        shard: &Shard,
    ) -> Self {
        let decoder = Decoder {
            bot: context.bot.clone(),
            cache: Arc::clone(&discord.cache),
            hear_bots: discord.config.hear_bots,
            shard: (shard.id().number(), shard.id().total()),
        };
        Self {
            discord,
            context,
            conditions,
            decoder,
            flight: IngressBuffer::new(&context.sink),
            buffer: CorrelationBuffer::default(),
            shard: shard.id().number(),
            had_session: shard.session().is_some(),
            is_greeted: false,
            was_connected: false,
            is_lost: false,
            fruitless: 0,
            close_code: None,
        }
    }

    /// Handles what the gateway client reports; `None` if it does not connect again.
    async fn receive(
        &mut self,
        frame: Option<Result<Message, ReceiveMessageError>>,
        session: Option<SessionRow>,
    ) -> Result<(), AdapterError> {
        match frame {
            None => return Err(closed_for_good(self.close_code.unwrap_or_default(), self.discord).await),
            Some(Ok(Message::Text(text))) => self.process(&text, session),
            Some(Ok(Message::Close(frame))) => {
                self.is_greeted = false;
                self.close_code = frame.as_ref().map(|frame| frame.code);
                let why = frame.map_or_else(
                    || "the connection was lost".to_owned(),
                    |frame| format!("the gateway closed it: {} {}", frame.code, frame.reason),
                );
                self.lost(why);
                self.pause().await;
            }
            Some(Err(error)) => {
                self.is_greeted &= !matches!(error.kind(), ReceiveMessageErrorType::Reconnect);
                // Keep the text of the frame out of the log.
                let what = match error.kind() {
                    ReceiveMessageErrorType::Reconnect => "could not connect",
                    _ => "could not read a frame",
                };
                self.lost(error.source().map_or_else(|| what.to_owned(), |cause| format!("{what}: {cause}")));
                self.pause().await;
            }
        }
        Ok(())
    }

    /// Waits before reconnecting: for a random time, and longer after connections without events.
    ///
    /// Shards that were cut off together then reconnect apart, and a gateway that drops each
    /// connection at once is asked less and less often.
    async fn pause(&mut self) {
        self.fruitless += 1;
        let pause = RECONNECT_BACKOFF.delay(self.fruitless.saturating_sub(FRUITLESS_MAX));
        let jitter = Duration::from_millis(self.discord.entropy.next() % JITTER_MILLIS_MAX);
        let mut shutdown = self.context.shutdown.clone();
        tokio::select! {
            () = tokio::time::sleep(pause + jitter) => {}
            () = shutdown.requested() => {}
        }
    }

    fn lost(&mut self, reason: String) {
        tracing::info!(bot = %self.context.bot.name, "lost the gateway connection, reconnecting: {reason}");
        self.conditions.down(self.shard, &reason);
        if !std::mem::replace(&mut self.is_lost, true) {
            let event = self.decoder.without_place(EventKind::Lost { reason: Some(reason) }, self.context.clock.now());
            self.flight.send(event, Batch::default());
        }
    }

    /// Processes a frame at once, or buffers it behind those that wait for the audit log.
    fn process(&mut self, text: &str, session: Option<SessionRow>) {
        let frame: Frame = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => {
                tracing::warn!(bot = %self.context.bot.name, "a frame is not JSON ({:?})", error.classify());
                return;
            }
        };
        // The client replaces a connection that ended without a close frame without reporting it.
        if frame.op == HELLO {
            self.is_greeted = true;
        }
        if frame.op == HELLO && std::mem::replace(&mut self.was_connected, true) && !self.is_lost {
            self.lost("the connection was lost".to_owned());
        }
        let (0, Some(name)) = (frame.op, frame.t) else { return };
        if !matches!(name.as_str(), "READY" | "RESUMED" | "GUILD_CREATE") {
            self.fruitless = 0;
        }
        if matches!(name.as_str(), "READY" | "RESUMED") {
            self.is_lost = false;
            let sequence = session.as_ref().map_or(0, |session| session.sequence);
            tracing::info!(bot = %self.context.bot.name, shard = self.shard, sequence, "{}", name.to_lowercase());
            self.conditions.up(self.shard);
            if std::mem::replace(&mut self.had_session, true) && name == "READY" {
                tracing::warn!(
                    bot = %self.context.bot.name,
                    shard = self.shard,
                    "could not resume the session: events since the connection was lost are missing"
                );
            }
        }
        let arrived = BufferedFrame { name, data: frame.d, session };
        if !self.buffer.is_waiting() && !CorrelationBuffer::concerns(&arrived.name) {
            self.pass_on(arrived);
        } else if arrived.name == "GUILD_AUDIT_LOG_ENTRY_CREATE" {
            let entry = serde_json::from_value::<frames::Audit>(arrived.data.clone());
            if let Ok(entry) = &entry {
                self.decoder.audit(entry, self.context.clock.now());
            }
            self.release();
            // A buffered event may have consumed the entry. If not, its own frame records it again.
            if let Ok(entry) = &entry {
                self.discord.cache.lock().audit.retract(entry);
            }
            self.pass_on(arrived);
        } else {
            self.buffer.push(arrived);
        }
    }

    fn release(&mut self) {
        for frame in self.buffer.release() {
            self.pass_on(frame);
        }
    }

    /// Decodes a frame and emits its events, the last one with the state of the session.
    fn pass_on(&mut self, frame: BufferedFrame) {
        let BufferedFrame { name, data, session } = frame;
        let now = self.context.clock.now();
        let interaction = if name == "INTERACTION_CREATE" { frames::id_of(&data) } else { None };
        if interaction.is_some_and(|id| !self.discord.seen_interactions.insert(id)) {
            tracing::debug!(bot = %self.context.bot.name, "ignored an interaction that was already accepted");
            return;
        }
        if interaction.is_some() && self.discord.start_response(self.context, &data) {
            return;
        }
        let mut decoded = self.decoder.decode(&name, data, now);
        decoded.changed.extend(std::mem::take(&mut self.discord.cache.lock().unsaved));
        let mut rows = Batch::default();
        self.keep_guilds(&mut rows, &decoded.changed);
        if let Some(id) = interaction {
            seen_interactions::keep(&mut rows, &self.context.bot.name, id, now);
        }
        if decoded.events.is_empty() && !rows.is_empty() {
            self.write_changes(std::mem::take(&mut rows), decoded.changed);
        }
        let last = decoded.events.len().saturating_sub(1);
        for (index, event) in decoded.events.into_iter().enumerate() {
            let mut with = if index == 0 { std::mem::take(&mut rows) } else { Batch::default() };
            if index == last
                && event.kind.name().is_journalled()
                && let Some(session) = &session
            {
                session::keep(&mut with, &self.context.bot.name, self.shard, session);
            }
            self.flight.send(event, with);
        }
    }

    /// Writes rows of servers that no event carries. If that fails, the next frame writes them.
    fn write_changes(&self, rows: Batch, changed: Vec<u64>) {
        let written = self.context.sink.write_deferred(&self.context.bot.name, "changes of a server", rows);
        let discord = Arc::clone(self.discord);
        // The shard does not wait for it: a connection that is not read sends no heartbeats.
        self.discord.background_tasks.spawn(async move {
            if let Err(error) = written.await {
                // The engine has reported that the store refuses writes.
                tracing::debug!(bot = %discord.cache.bot(), "could not store the changes of a server yet: {error}");
                discord.cache.lock().unsaved.extend(changed);
            }
        });
    }

    fn keep_guilds(&self, rows: &mut Batch, changed: &[u64]) {
        let known = self.discord.cache.lock();
        for guild in changed {
            let key = (self.context.bot.name.to_string(), *guild);
            match known.guilds.get(guild) {
                Some(row) => GUILDS.put(rows, &key, row),
                None => GUILDS.delete(rows, &key),
            }
        }
    }
}
