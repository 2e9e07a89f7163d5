//! The service as a whole: what all rooms share, and what is counted.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use palabre_model::{ActionKind, AdapterContext, Capabilities, Clock, Entropy, Millis};
use palabre_store::Store;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::config::Config;
use crate::decode::TEXT_MAX;
use crate::directory::Directory;
use crate::limiter::{Limiter, Network};
use crate::members::Members;
use crate::permits::Permits;
use crate::room::{self, Command};
use crate::uploads::Uploads;

/// How many commands may wait for a room; past that, clients are told that it is busy.
const QUEUED_COMMANDS_MAX: usize = 4_096;

/// The room service of one bot. It is the bot's adapter, and gives the server what it mounts ([`Rooms::router`]).
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
    /// The connections of each address, those of each guest, and the files that are on their way from each address.
    pub(crate) links: Arc<Permits<Network>>,
    pub(crate) people: Arc<Permits<(Network, Arc<str>)>>,
    pub(crate) transfers: Arc<Permits<Network>>,
    tasks: Mutex<JoinSet<()>>,
}

/// What is counted since the start.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) messages: AtomicU64,
    pub(crate) slow_clients: AtomicU64,
    pub(crate) refused_connections: AtomicU64,
}

/// A room has no side talks, nobody needs an invitation or has to ask, and people write to a bot where it is.
const UNSUPPORTED_ACTIONS: &[ActionKind] =
    &[ActionKind::Thread, ActionKind::Invite, ActionKind::Admit, ActionKind::Offer];

impl Rooms {
    /// A room service that keeps its rooms in `store`.
    #[must_use]
    pub fn new(store: Store, config: Config, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Arc<Self> {
        let started = clock.now();
        let max_file = config.max_file_mb << 20;
        let limiter = Limiter::new(config.limits.clone(), Arc::clone(&clock));
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
                whispers: true,
                max_text: TEXT_MAX,
                max_file,
            },
            context: watch::Sender::new(None),
            counts: Arc::default(),
            started,
            members: Arc::default(),
            directory: Arc::default(),
            uploads: Arc::default(),
            limiter,
            links: Arc::default(),
            people: Arc::default(),
            transfers: Arc::default(),
            tasks: Mutex::new(JoinSet::new()),
        })
    }

    /// Returns when people can come in.
    pub async fn ready(&self) {
        // The sender lives in self, so the wait ends when the adapter runs.
        drop(self.context.subscribe().wait_for(Option::is_some).await);
    }

    /// The room of that name, opened if need be.
    pub(crate) fn open_room(&self, name: &str) -> Result<mpsc::Sender<Command>, String> {
        self.directory.room(name, self.config.max_rooms, || {
            let context = self.context.borrow().clone().ok_or("the service is starting; try again in a moment")?;
            let (sender, commands) = mpsc::channel(QUEUED_COMMANDS_MAX);
            self.spawn(room::run(room::RoomContext::of(self, context, name), commands));
            Ok(sender)
        })
    }

    /// Runs a task that ends with the service at the latest.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that have ended are taken off the list as others begin.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// How many connections people have at present, and how many they may have.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        (self.connections(), self.config.max_connections)
    }

    pub(crate) fn connections(&self) -> usize {
        self.links.taken()
    }
}
