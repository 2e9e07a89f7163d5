//! The service as a whole: the state that all rooms share, and the opening of rooms.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use palabre_fetch::{FetchError, Fetcher};
use palabre_platform::{AdapterContext, Clock, EmitError, Entropy};
use palabre_store::Store;
use palabre_types::{ActionKind, Batch, Capabilities, Millis};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::accounts::issuing_locks::IssuingLocks;
use crate::accounts::names::AccountNames;
use crate::accounts::open_sockets::OpenSockets;
use crate::accounts::owner_link::OwnerLink;
use crate::accounts::password::Passwords;
use crate::change_log::recorder::ChangeLog;
use crate::config::Config;
use crate::counts::Counts;
use crate::decode::TEXT_MAX;
use crate::directory::Directory;
use crate::groups::Authority;
use crate::limiter::{Limiter, Network};
use crate::members::Members;
use crate::outgoing::registry::OutgoingWebhooks;
use crate::permits::Permits;
use crate::room;
use crate::room::command::Command;
use crate::room::context::RoomContext;
use crate::room_names::RoomNames;
use crate::search::feed::Feed;
#[cfg(feature = "search")]
use crate::search::state::SearchState;
use crate::uploads::Uploads;

/// Maximum number of commands queued for a room; after that, clients get an error.
const QUEUED_COMMANDS_MAX: usize = 4_096;

/// Maximum number of files that are sent at a time. Each is in memory, and has at most `max_file_mb`.
const DOWNLOADS_MAX: usize = 64;
/// Maximum number of requests of outgoing webhooks at a time.
const CONCURRENT_REQUESTS_MAX: usize = 32;

/// The room service of one bot.
///
/// It is the bot's adapter and provides the routes for the server ([`Rooms::router`]).
pub struct Rooms {
    pub(crate) store: Store,
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) capabilities: Capabilities,
    pub(crate) context: watch::Sender<Option<AdapterContext>>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) started: Millis,
    pub(crate) members: Arc<Members>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) uploads: Arc<Uploads>,
    pub(crate) limiter: Limiter,
    pub(crate) passwords: Passwords,
    pub(crate) issuing: IssuingLocks,
    pub(crate) account_names: AccountNames,
    pub(crate) room_names: RoomNames,
    pub(crate) open_sockets: OpenSockets,
    pub(crate) authority: Authority,
    pub(crate) owner_link: OwnerLink,
    /// The durable changes that the search index has to apply.
    pub(crate) feed: Arc<Feed>,
    #[cfg(feature = "search")]
    pub(crate) search: SearchState,
    pub(crate) change_log: Arc<ChangeLog>,
    pub(crate) outgoing: OutgoingWebhooks,
    /// The HTTP client of outgoing webhooks, created at the first request.
    pub(crate) fetcher: OnceLock<Result<Fetcher, FetchError>>,
    /// Bounds the number of requests of outgoing webhooks at a time.
    pub(crate) sending: Semaphore,
    /// Held while a role is changed.
    pub(crate) role_changes: tokio::sync::Mutex<()>,
    /// Permits: connections by address (`links`), connections by guest, and uploads by address.
    pub(crate) links: Arc<Permits<Network>>,
    pub(crate) people: Arc<Permits<(Network, Arc<str>)>>,
    pub(crate) transfers: Arc<Permits<Network>>,
    /// The turns of downloads: each holds a file in memory.
    pub(crate) downloads: Arc<Semaphore>,
    /// Permits of the sessions whose message is being answered.
    pub(crate) answering: Arc<Permits<String>>,
    tasks: Mutex<JoinSet<()>>,
}

/// Actions without a meaning here.
///
/// Rooms have no threads, nobody needs an invitation or has to ask, and people write to a bot in
/// the room.
const UNSUPPORTED_ACTIONS: &[ActionKind] =
    &[ActionKind::Thread, ActionKind::Invite, ActionKind::Admit, ActionKind::Offer];

impl Rooms {
    /// Creates a room service that keeps its rooms in `store`.
    #[must_use]
    pub fn new(store: Store, config: Config, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Arc<Self> {
        let started = clock.now();
        let max_file = config.max_file_mb << 20;
        let limiter = Limiter::new(config.limits.clone(), Arc::clone(&clock));
        let feed = Arc::new(Feed::new(config.search && store.folder().is_some()));
        #[cfg(feature = "search")]
        let search = SearchState::new(store.folder(), config.search);
        Arc::new(Self {
            store,
            config,
            clock,
            entropy,
            capabilities: Capabilities {
                actions: ActionKind::all_but(UNSUPPORTED_ACTIONS),
                buttons: true,
                personas: true,
                polls: false,
                direct_messages: true,
                text_max: TEXT_MAX,
                max_file,
            },
            context: watch::Sender::new(None),
            counts: Arc::default(),
            started,
            members: Arc::default(),
            directory: Arc::default(),
            uploads: Arc::default(),
            limiter,
            passwords: Passwords::default(),
            issuing: IssuingLocks::default(),
            account_names: AccountNames::default(),
            room_names: RoomNames::default(),
            open_sockets: OpenSockets::default(),
            authority: Authority::default(),
            owner_link: OwnerLink::default(),
            feed,
            #[cfg(feature = "search")]
            search,
            change_log: Arc::default(),
            outgoing: OutgoingWebhooks::default(),
            fetcher: OnceLock::new(),
            sending: Semaphore::new(CONCURRENT_REQUESTS_MAX),
            role_changes: tokio::sync::Mutex::default(),
            links: Arc::default(),
            people: Arc::default(),
            transfers: Arc::default(),
            downloads: Arc::new(Semaphore::new(DOWNLOADS_MAX)),
            answering: Arc::default(),
            tasks: Mutex::new(JoinSet::new()),
        })
    }

    /// Waits until clients can join.
    pub async fn ready(&self) {
        // The sender is part of `self`, so the wait ends when the adapter runs.
        drop(self.context.subscribe().wait_for(Option::is_some).await);
    }

    /// Writes rows that belong to no event.
    pub(crate) async fn write(&self, reason: &'static str, rows: Batch) -> Result<(), EmitError> {
        let context = self.context.borrow().clone().ok_or(EmitError::Stopped)?;
        context.sink.write(&context.bot.name, reason, rows).await.map(drop)
    }

    /// Writes rows that nobody waits for.
    pub(crate) fn write_deferred(&self, reason: &'static str, rows: Batch) {
        if let Some(context) = &*self.context.borrow() {
            drop(context.sink.write_deferred(&context.bot.name, reason, rows));
        }
    }

    /// Reads the names of all rooms. Those of rooms that are gone are forgotten.
    pub(crate) fn load_room_names(&self) -> palabre_store::Result<()> {
        self.room_names.load(&self.store, || {
            let open = self.directory.rooms().into_iter().map(|(name, _)| name);
            open.chain(self.authority.groups.names()).collect()
        })
    }

    /// Returns the room of that name and opens it if necessary. The name is one of [`RoomNames::known`].
    pub(crate) fn open_room(&self, name: &str) -> Result<mpsc::Sender<Command>, String> {
        self.directory.room(name, self.config.max_rooms, || {
            let context = self.context.borrow().clone().ok_or("the service is starting; try again in a moment")?;
            self.room_names.add(name);
            let (sender, commands) = mpsc::channel(QUEUED_COMMANDS_MAX);
            self.spawn(room::run(self.room_context(context, name), commands));
            Ok(sender)
        })
    }

    /// Returns what the room of that name needs of the service.
    fn room_context(&self, context: AdapterContext, name: &str) -> RoomContext {
        RoomContext {
            store: self.store.clone(),
            config: self.config.clone(),
            context,
            entropy: Arc::clone(&self.entropy),
            members: Arc::clone(&self.members),
            authority: self.authority.clone(),
            change_log: Arc::clone(&self.change_log),
            directory: Arc::clone(&self.directory),
            uploads: Arc::clone(&self.uploads),
            name: name.to_owned(),
            counts: Arc::clone(&self.counts),
            feed: Arc::clone(&self.feed),
        }
    }

    /// Spawns a task that ends with the service at the latest.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Finished tasks are removed when others are spawned.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Returns the number of open connections and their maximum.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        (self.connections(), self.config.max_connections)
    }

    pub(crate) fn connections(&self) -> usize {
        self.links.taken()
    }
}
