//! A bot on Telegram: its connection, its settings, and the state that its parts share.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;
use palabre_platform::{AdapterError, BackgroundTasks, Clock, Condition, EmitError, Entropy, RecentOutcomes, SinkCell};
use palabre_store::Store;
use palabre_types::{ActionError, ActionKey, ActionKind, Batch, BotName, Capabilities};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::api::Api;
use crate::cache::PlatformCache;
use crate::config::Config;
use crate::encode::{FILE_SIZE_MAX, TEXT_MAX};
use crate::forms::dialogue::Forms;
use crate::in_flight::InFlight;
use crate::pace::Pacer;
use crate::perform::progress::Progress;
use crate::receive::incoming::Incoming;
use crate::waiting::Waiting;

/// Number of button presses, own reactions and the like that are remembered, each.
const REMEMBERED_MAX: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();

/// Maximum wait of an action until the stored state is loaded.
const LOAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Actions that Telegram has no request for: bots cannot set slow mode, and there are no nicknames.
const UNSUPPORTED: &[ActionKind] = &[ActionKind::Slowmode, ActionKind::Rename];

/// The parts of a bot on Telegram.
pub struct Setup {
    /// The name in bots.yaml.
    pub bot: BotName,
    /// The bot token.
    pub token: String,
    /// The address of the Bot API, if it is not Telegram's own.
    pub api: Option<String>,
    /// The settings below `telegram:` in bots.yaml.
    pub config: Config,
    /// The grants of its scripts.
    pub grants: Vec<String>,
    /// The store for chats, buttons and the position in the updates.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// A bot on Telegram.
pub struct Telegram {
    pub(crate) config: Config,
    pub(crate) grants: Vec<String>,
    pub(crate) store: Store,
    pub(crate) sink: SinkCell,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) api: Api,
    pub(crate) pacer: Pacer,
    pub(crate) cache: Arc<PlatformCache>,
    pub(crate) forms: Forms,
    pub(crate) waiting: Waiting,
    pub(crate) callbacks: Callbacks,
    /// Whether the state that the last process stored is in memory.
    pub(crate) is_loaded: watch::Sender<bool>,
    pub(crate) in_flight: InFlight,
    /// Held for reading while a poll is being sent: its id is unknown until Telegram answers.
    pub(crate) polls_in_flight: tokio::sync::RwLock<()>,
    /// The secret that Telegram sends with each webhook request.
    pub(crate) secret: String,
    pub(crate) webhook: watch::Sender<Option<mpsc::Sender<Incoming>>>,
    /// The part of each recent action that has been sent.
    pub(crate) progress: Mutex<LruCache<ActionKey, Progress>>,
    /// The bot's own reactions to recent messages, by chat and message.
    pub(crate) reactions: Mutex<LruCache<(i64, i64), Value>>,
    /// The results of recent actions, for repetitions.
    pub(crate) done: RecentOutcomes,
    /// The condition of the bot; nobody watches it before the adapter runs.
    pub(crate) condition: Mutex<watch::Sender<Condition>>,
    /// The background tasks.
    pub(crate) background_tasks: BackgroundTasks,
    pub(crate) capabilities: Capabilities,
}

/// The button presses that have been answered.
pub(crate) struct Callbacks(Mutex<LruCache<String, ()>>);

impl Callbacks {
    /// Returns true for the first caller with this id.
    pub(crate) fn take(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(id.to_owned(), ()).is_none()
    }
}

impl Telegram {
    /// Creates a bot that is not connected yet.
    ///
    /// # Errors
    /// If `api` is not a URL, or if the HTTP client cannot be built.
    pub fn new(setup: Setup) -> Result<Arc<Self>, String> {
        let Setup { bot, token, api, config, grants, store, clock, entropy } = setup;
        Ok(Arc::new(Self {
            api: Api::new(&token, api.as_deref())?,
            pacer: Pacer::new(config.pace),
            cache: Arc::new(PlatformCache::new(&bot)),
            forms: Forms::default(),
            waiting: Waiting::default(),
            callbacks: Callbacks(Mutex::new(LruCache::new(REMEMBERED_MAX))),
            polls_in_flight: tokio::sync::RwLock::default(),
            is_loaded: watch::Sender::new(false),
            in_flight: InFlight::default(),
            secret: webhook_secret(token.trim()),
            webhook: watch::Sender::new(None),
            progress: Mutex::new(LruCache::new(REMEMBERED_MAX)),
            reactions: Mutex::new(LruCache::new(REMEMBERED_MAX)),
            done: RecentOutcomes::default(),
            condition: Mutex::new(watch::Sender::default()),
            background_tasks: BackgroundTasks::default(),
            capabilities: Capabilities {
                actions: ActionKind::all_but(UNSUPPORTED),
                buttons: true,
                personas: false,
                polls: true,
                direct_messages: false,
                text_max: TEXT_MAX,
                max_file: FILE_SIZE_MAX,
            },
            config,
            grants,
            store,
            sink: SinkCell::default(),
            clock,
            entropy,
        }))
    }

    /// Reports the condition of the bot, if it has changed.
    pub(crate) fn report(&self, condition: Condition) {
        let reported = self.condition.lock().unwrap_or_else(PoisonError::into_inner);
        reported.send_if_modified(|known| {
            let is_news = *known != condition;
            *known = condition;
            is_news
        });
    }

    /// Returns the condition that was reported last, by this adapter or by the supervisor.
    pub(crate) fn condition(&self) -> Condition {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner).borrow().clone()
    }

    /// Writes rows that belong to no event, and returns once they are durable.
    pub(crate) async fn write(&self, reason: &'static str, rows: Batch) -> Result<(), EmitError> {
        self.sink.write(self.cache.bot(), reason, rows).await
    }

    /// Loads the state that the last process stored.
    pub(crate) async fn load(self: &Arc<Self>) -> Result<(), AdapterError> {
        if *self.is_loaded.borrow() {
            return Ok(());
        }
        let (telegram, now) = (Arc::clone(self), self.clock.now());
        let read = move || -> palabre_store::Result<()> {
            let snapshot = telegram.store.snapshot(now)?;
            telegram.cache.load(&snapshot)?;
            telegram.forms.load(&snapshot, telegram.cache.bot().as_str())?;
            telegram.waiting.load(&snapshot, telegram.cache.bot().as_str())
        };
        let read = tokio::task::spawn_blocking(read).await.map_err(|error| AdapterError::Lost(error.to_string()))?;
        read.map_err(|error| AdapterError::Lost(format!("the stored state of chats cannot be read: {error}")))?;
        self.is_loaded.send_replace(true);
        Ok(())
    }

    /// Waits until the stored state is loaded.
    ///
    /// Actions that the last process left undone arrive earlier, and would not find their chats.
    pub(crate) async fn is_ready(&self) -> Result<(), ActionError> {
        let mut is_loaded = self.is_loaded.subscribe();
        let loaded = timeout(LOAD_TIMEOUT, is_loaded.wait_for(|is_loaded| *is_loaded)).await;
        loaded.map(drop).map_err(|_late| ActionError::Unavailable("the bot has not started yet".to_owned()))
    }
}

/// Returns the secret that Telegram must send: derived from the token, which nobody else has.
fn webhook_secret(token: &str) -> String {
    Sha256::digest(format!("palabre webhook {token}")).iter().map(|byte| format!("{byte:02x}")).collect()
}
