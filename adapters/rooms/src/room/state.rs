//! The state of a room.
//!
//! Each field with rules of its own has a module here; the modules next to this one act on the
//! whole.

pub(super) mod commit;
pub(super) mod ephemeral;
pub(super) mod forms;
pub(super) mod in_flight;
pub(super) mod nonces;
pub(super) mod pages;
pub(super) mod past;
pub(super) mod presence_changes;
pub(super) mod rules;
pub(crate) mod watchers;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use palabre_types::{BotName, Millis, Room, RoomId, RoomKind, Space, SpaceId};
use socketioxide::socket::Sid;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::context::RoomContext;
use crate::conversation::is_session;
use crate::history::MessageRow;
use crate::presence::RoomPresence;
use commit::PendingCommit;
use ephemeral::EphemeralMessages;
use forms::Forms;
use in_flight::InFlight;
use nonces::Nonces;
use pages::Reading;
use past::{Past, RECENT_MESSAGES};
use presence_changes::PresenceChanges;
use rules::Rules;
use watchers::Watchers;

/// Maximum number of history pages read at the same time.
const CONCURRENT_READS_MAX: usize = 2;

/// The state of a room's task.
pub(super) struct State {
    pub(super) cx: RoomContext,
    /// In the form of events, with the topic.
    pub(super) room: Arc<Room>,
    pub(super) space: Arc<Space>,
    pub(super) presence: RoomPresence,
    pub(super) rules: Rules,
    /// Position of the next message.
    pub(super) next: u64,
    /// Creation time of the room, once it is in the store.
    pub(super) created: Option<Millis>,
    /// The most recent messages, oldest first, including those that are not shown yet.
    pub(super) recent: VecDeque<(u64, Arc<MessageRow>)>,
    /// All messages from this position on are in `recent`.
    pub(super) recent_from: u64,
    /// Messages from this position on are not shown yet.
    pub(super) shown_before: u64,
    /// Position before which a message has changed.
    ///
    /// A returning client whose last message is older cannot catch up, and receives the newest
    /// messages instead.
    pub(super) changed_at: u64,
    /// Number of changes that have replaced or deleted the text of messages.
    pub(super) text_changes: u64,
    /// Pinned messages and their positions, in the order in which they were pinned.
    pub(super) pinned: Vec<(u64, Arc<MessageRow>)>,
    /// Positions of read markers, durable or in flight, by account.
    pub(super) read_markers: HashMap<Arc<str>, u64>,
    pub(super) nonces: Nonces,
    pub(super) ephemeral: EphemeralMessages,
    pub(super) forms: Forms,
    pub(super) in_flight: InFlight,
    pub(super) pending: FuturesOrdered<PendingCommit>,
    /// Pages of the history that are being read.
    pub(super) reads: FuturesUnordered<Reading>,
    /// Bounds the number of concurrent reads.
    pub(super) turns: Arc<Semaphore>,
    /// Number of joins since the room was opened.
    pub(super) joins: u64,
    pub(super) presence_changes: PresenceChanges,
    /// Those who follow the answers of bots without being in the room.
    pub(super) watchers: Watchers,
    /// The room was deleted, and its task is about to end.
    pub(super) is_erased: bool,
    /// Clients that are too slow for the room and are about to leave it.
    pub(super) too_slow: Vec<Sid>,
    /// Sends to busy rooms, which this room does not wait for.
    pub(super) background_tasks: JoinSet<()>,
}

impl State {
    /// Reads a room from the store; one that is not there is empty.
    pub(super) async fn load(cx: RoomContext) -> Result<Self, String> {
        let (store, name, now) = (cx.store.clone(), cx.name.clone(), cx.context.clock.now());
        let read = move || past::read(&store, &name, now);
        let read = tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())?;
        let Past { row, recent, pinned } = read.map_err(|error| error.to_string())?;
        let created = row.as_ref().map(|row| row.created);
        let row = row.unwrap_or_default();
        let after_last = recent.last().map_or(0, |(position, _)| position + 1);
        let next = row.next.max(after_last).max(1);
        let bot: &BotName = &cx.context.bot.name;
        let kind = if is_session(&cx.name) { RoomKind::Direct } else { RoomKind::Channel };
        let room = Room { topic: row.topic, kind, ..Room::channel(RoomId::new(bot, &cx.name), &cx.name) };
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
            text_changes: row.text_changes,
            pinned: pinned.into_iter().map(|(position, row)| (position, Arc::new(row))).collect(),
            read_markers: HashMap::new(),
            nonces: Nonces::default(),
            ephemeral: EphemeralMessages::default(),
            forms: Forms::default(),
            in_flight: InFlight::default(),
            pending: FuturesOrdered::new(),
            reads: FuturesUnordered::new(),
            turns: Arc::new(Semaphore::new(CONCURRENT_READS_MAX)),
            joins: 0,
            presence_changes: PresenceChanges::default(),
            watchers: Watchers::default(),
            is_erased: false,
            too_slow: Vec::new(),
            background_tasks: JoinSet::new(),
            cx,
        })
    }
}
