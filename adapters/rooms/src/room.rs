//! One room: a task that puts everything that happens in the room in one order.

mod acting;
mod broadcast;
mod changes;
mod command;
mod commits;
mod components;
mod ephemeral;
mod events;
mod forms;
mod joining;
mod moderation;
mod nonces;
mod pages;
mod past;
mod pins;
mod posting;
mod presence_changes;
mod purge;
mod rows;
mod rules;
mod speech;

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::stream::{FuturesOrdered, FuturesUnordered, StreamExt};
use palabre_model::{AdapterContext, BotName, Entropy, Millis, Room, RoomId, Space, SpaceId};
use palabre_store::Store;
use socketioxide::socket::Sid;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::config::Config;
use crate::directory::Directory;
use crate::encode::Ack;
use crate::history::MessageRow;
use crate::members::Members;
use crate::presence::RoomPresence;
use crate::service::{Counts, Rooms};
use crate::uploads::Uploads;

use commits::PendingCommit;
use ephemeral::EphemeralMessages;
use forms::Forms;
use nonces::Nonces;
use pages::Reading;
use presence_changes::PresenceChanges;
use rows::InFlight;
use rules::Rules;

pub(crate) use command::{ActionRequest, Command, DirectMessage};

/// Number of recent messages that a joining client receives, and that are kept in memory.
const RECENT_MESSAGES: usize = 100;
/// Maximum number of history pages read at the same time.
const CONCURRENT_READS_MAX: usize = 2;
/// An empty room is unloaded from memory after this time; its rows stay in the store.
const EMPTY_ROOM_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// The parts of the service that a room needs.
pub(crate) struct RoomContext {
    store: Store,
    config: Config,
    context: AdapterContext,
    entropy: Arc<dyn Entropy>,
    members: Arc<Members>,
    directory: Arc<Directory>,
    uploads: Arc<Uploads>,
    name: String,
    counts: Arc<Counts>,
}

impl RoomContext {
    pub(crate) fn of(rooms: &Rooms, context: AdapterContext, name: &str) -> Self {
        Self {
            store: rooms.store.clone(),
            config: rooms.config.clone(),
            context,
            entropy: Arc::clone(&rooms.entropy),
            members: Arc::clone(&rooms.members),
            directory: Arc::clone(&rooms.directory),
            uploads: Arc::clone(&rooms.uploads),
            name: name.to_owned(),
            counts: Arc::clone(&rooms.counts),
        }
    }
}

struct State {
    cx: RoomContext,
    /// In the form of events, with the topic.
    room: Arc<Room>,
    space: Arc<Space>,
    presence: RoomPresence,
    rules: Rules,
    next: u64,
    /// Creation time of the room, once it is in the store.
    created: Option<Millis>,
    /// The most recent messages, oldest first, including those that are not shown yet.
    recent: VecDeque<(u64, Arc<MessageRow>)>,
    /// All messages from this position on are in `recent`.
    recent_from: u64,
    /// Messages from this position on are not shown yet.
    shown_before: u64,
    /// Position before which a message has changed.
    ///
    /// A returning client whose last message is older cannot catch up, and receives the newest
    /// messages instead.
    changed_at: u64,
    /// Pinned messages and their positions, in the order in which they were pinned.
    pinned: Vec<(u64, Arc<MessageRow>)>,
    nonces: Nonces,
    ephemeral: EphemeralMessages,
    forms: Forms,
    in_flight: InFlight,
    pending: FuturesOrdered<PendingCommit>,
    /// Pages of the history that are being read.
    reads: FuturesUnordered<Reading>,
    /// Bounds the number of concurrent reads.
    turns: Arc<Semaphore>,
    /// Number of joins since the room was opened.
    joins: u64,
    presence_changes: PresenceChanges,
    /// Clients that are too slow for the room and are about to leave it.
    too_slow: Vec<Sid>,
    /// Sends to busy rooms, which this room does not wait for.
    background_tasks: JoinSet<()>,
}

/// Runs the room until it has been empty for a while.
pub(crate) async fn run(cx: RoomContext, mut commands: mpsc::Receiver<Command>) {
    let name = cx.name.clone();
    let mut state = match State::load(cx).await {
        Ok(state) => state,
        Err(error) => {
            tracing::error!(room = %name, "cannot open the room: {error}");
            commands.close();
            while let Some(command) = commands.recv().await {
                if let Command::Join { ack, .. } = command {
                    drop(ack.send(&Ack::Error { error: "this room cannot be opened; try again later".to_owned() }));
                }
            }
            return;
        }
    };
    loop {
        let idle = state.presence.is_empty() && state.pending.is_empty();
        let due = state.presence_changes.due();
        tokio::select! {
            biased;
            Some(commit) = state.pending.next() => state.committed(commit),
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                state.broadcast_presence();
            }
            Some(read) = state.reads.next() => state.page_read(read),
            command = commands.recv() => match command {
                Some(command) => state.handle(command).await,
                None => return,
            },
            () = tokio::time::sleep(EMPTY_ROOM_TIMEOUT), if idle => {
                // No command can be sent after this; those in the channel are still handled.
                commands.close();
            }
        }
        state.remove_slow_clients();
    }
}

impl State {
    async fn load(cx: RoomContext) -> Result<Self, String> {
        let (store, name, now) = (cx.store.clone(), cx.name.clone(), cx.context.clock.now());
        let read = move || past::read(&store, &name, now);
        let read = tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())?;
        let past::Past { row, recent, pinned } = read.map_err(|error| error.to_string())?;
        let created = row.as_ref().map(|row| row.created);
        let row = row.unwrap_or_default();
        let after_last = recent.last().map_or(0, |(position, _)| position + 1);
        let next = row.next.max(after_last).max(1);
        let bot: &BotName = &cx.context.bot.name;
        let room = Room { topic: row.topic, ..Room::channel(RoomId::new(bot, &cx.name), &cx.name) };
        let space = Space { id: SpaceId::new(bot, "rooms"), name: "rooms".to_owned() };
        Ok(Self {
            room: Arc::new(room),
            space: Arc::new(space),
            presence: RoomPresence::default(),
            rules: Rules::new(row.slowmode, row.locked, &recent),
            next,
            created,
            recent_from: if recent.len() < RECENT_MESSAGES {
                0
            } else {
                recent.first().map_or(0, |(position, _)| *position)
            },
            recent: recent.into_iter().map(|(position, row)| (position, Arc::new(row))).collect(),
            shown_before: next,
            changed_at: row.changed,
            pinned: pinned.into_iter().map(|(position, row)| (position, Arc::new(row))).collect(),
            nonces: Nonces::default(),
            ephemeral: EphemeralMessages::default(),
            forms: Forms::default(),
            in_flight: InFlight::default(),
            pending: FuturesOrdered::new(),
            reads: FuturesUnordered::new(),
            turns: Arc::new(Semaphore::new(CONCURRENT_READS_MAX)),
            joins: 0,
            presence_changes: PresenceChanges::default(),
            too_slow: Vec::new(),
            background_tasks: JoinSet::new(),
            cx,
        })
    }

    async fn handle(&mut self, command: Command) {
        match command {
            Command::Join { socket, join, guest, ack } => self.join(socket, join, guest, ack),
            Command::Leave { sid } => self.leave(sid),
            Command::Post { sid, send, ack } => self.post(sid, send, ack).await,
            Command::Edit { sid, edit, ack } => self.edit(sid, edit, ack).await,
            Command::Delete { sid, delete, ack } => self.delete(sid, &delete, ack).await,
            Command::React { sid, react, ack } => self.react(sid, react, ack).await,
            Command::Press { sid, press, ack } => self.press(sid, press, ack).await,
            Command::Choose { sid, choose, ack } => self.choose(sid, choose, ack).await,
            Command::Fill { sid, fill, ack } => self.fill(sid, &fill, ack),
            Command::Upload { sid, upload, ack } => self.announce_upload(sid, &upload, ack),
            Command::Typing { sid, is_typing } => self.typing(sid, is_typing),
            Command::Users { sid, users, ack } => self.send_users(sid, &users, ack),
            Command::History { sid, history, ack } => self.history(sid, history, ack),
            Command::Act(request) => self.act(*request).await,
            Command::Direct(message) => self.direct_message(message),
            Command::Moderated(notice) => self.moderated(&notice),
            Command::Forget { up_to } => self.forget(up_to),
            Command::Count(answer) => {
                let _asked = answer.send(self.presence.names());
            }
        }
    }
}
