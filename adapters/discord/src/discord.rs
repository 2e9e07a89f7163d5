//! A bot on Discord: its connection to the REST API, its caches and its rows in the store.
//!
//! The modules above add what it does with them.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use lru::LruCache;
use palabre_platform::{BackgroundTasks, Clock, EmitError, Entropy, RecentOutcomes, SinkCell};
use palabre_store::{Store, Table};
use palabre_types::Key;
use palabre_types::{ActionError, ActionKey, ActionKind, Batch, BotName, Capabilities};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serenity::http::{LightMethod, Route};
use tokio::sync::OnceCell;

use crate::ban_expiry::BanExpiries;
use crate::cache::PlatformCache;
use crate::config::Config;
use crate::interactions::{Interactions, Token};
use crate::rest::{Call, Rest, RestError};
use crate::seen_interactions::SeenInteractions;
use crate::webhooks::Webhooks;
use crate::{encode, token};

/// The most entries of each cache of answers, channels and message parts.
const CACHE_ENTRIES_MAX: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();

/// The most interrupted purges that are remembered.
const PURGES_MAX: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// The actions that Discord has no use for: bots admit no members and get no inline queries.
const UNSUPPORTED: &[ActionKind] = &[ActionKind::Admit, ActionKind::Offer];

/// The parameters of a bot on Discord.
pub struct Setup {
    /// The bot's name in bots.yaml.
    pub bot: BotName,
    /// The bot's token.
    pub token: String,
    /// The base URL of the API, if it is not Discord's own.
    pub api: Option<String>,
    /// The `discord:` section of bots.yaml.
    pub config: Config,
    /// Moderators by `permissions` in bots.yaml: names of roles, and ids of users.
    pub moderators: Vec<String>,
    /// The store of sessions, servers and the adapter's other rows.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// A bot on Discord.
pub struct Discord {
    pub(crate) token: String,
    pub(crate) config: Config,
    pub(crate) moderators: Vec<String>,
    pub(crate) store: Store,
    pub(crate) sink: Arc<SinkCell>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) rest: Rest,
    pub(crate) cache: Arc<PlatformCache>,
    pub(crate) interactions: Interactions,
    /// The interaction that a message answers, by message id.
    ///
    /// Ephemeral answers can be edited and deleted through their interaction only.
    pub(crate) answers: Mutex<LruCache<u64, Token>>,
    /// The direct-message channel of each user.
    pub(crate) directs: Mutex<LruCache<u64, u64>>,
    /// The outcomes of performed actions, so that no action is performed twice under one key.
    pub(crate) done: RecentOutcomes,
    /// The messages sent so far for a text that takes several.
    pub(crate) progress: Mutex<LruCache<ActionKey, Vec<u64>>>,
    /// The messages of a text that takes several, by the id of the one that scripts know.
    pub(crate) long: Mutex<LruCache<u64, Vec<u64>>>,
    pub(crate) seen_interactions: SeenInteractions,
    /// Whether Discord has refused to list the messages of a channel, which is logged once.
    pub(crate) is_history_refused: AtomicBool,
    pub(crate) nonce_seed: OnceCell<String>,
    /// The messages that an interrupted purge has still to delete.
    pub(crate) purges: Mutex<LruCache<ActionKey, Vec<u64>>>,
    pub(crate) webhooks: Webhooks,
    pub(crate) ban_expiries: BanExpiries,
    /// Background tasks: deferred responses, autocomplete choices, and forms.
    pub(crate) background_tasks: BackgroundTasks,
    pub(crate) capabilities: Capabilities,
}

impl Discord {
    /// Creates a bot that is not connected yet.
    ///
    /// # Errors
    /// If the HTTP client cannot be created.
    pub fn new(setup: Setup) -> Result<Arc<Self>, String> {
        let Setup { bot, token, api, config, moderators, store, clock, entropy } = setup;
        // REST and the gateway both use the trimmed token.
        let token = token::trimmed(&token).to_owned();
        let rest = Rest::new(&token, api.as_deref()).map_err(|error| error.to_string())?;
        let sink = Arc::<SinkCell>::default();
        Ok(Arc::new(Self {
            token,
            config,
            moderators,
            rest,
            cache: Arc::new(PlatformCache::new(&bot)),
            interactions: Interactions::default(),
            answers: Mutex::new(LruCache::new(CACHE_ENTRIES_MAX)),
            directs: Mutex::new(LruCache::new(CACHE_ENTRIES_MAX)),
            done: RecentOutcomes::default(),
            progress: Mutex::new(LruCache::new(CACHE_ENTRIES_MAX)),
            long: Mutex::new(LruCache::new(CACHE_ENTRIES_MAX)),
            seen_interactions: SeenInteractions::default(),
            is_history_refused: AtomicBool::new(false),
            nonce_seed: OnceCell::new(),
            purges: Mutex::new(LruCache::new(PURGES_MAX)),
            webhooks: Webhooks::default(),
            ban_expiries: BanExpiries::new(&bot, store.clone(), Arc::clone(&sink), Arc::clone(&clock)),
            background_tasks: BackgroundTasks::default(),
            capabilities: Capabilities {
                actions: ActionKind::all_but(UNSUPPORTED),
                buttons: true,
                personas: true,
                polls: true,
                direct_messages: true,
                text_max: encode::TEXT_MAX,
                max_file: encode::FILE_MAX,
            },
            store,
            sink,
            clock,
            entropy,
        }))
    }

    /// Returns the id of the bot's application, from the cache or from Discord.
    pub(crate) async fn application(&self) -> Result<u64, RestError> {
        let known = self.cache.lock().application;
        if known != 0 {
            return Ok(known);
        }
        let said = self.rest.with_retry(Call::new(LightMethod::Get, Route::Oauth2ApplicationCurrent)).await?;
        let id = said["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default();
        self.cache.lock().application = id;
        Ok(id)
    }

    /// Returns a row of the adapter's tables, if there is one.
    pub(crate) async fn stored<K, V>(&self, table: Table<K, V>, key: K) -> Result<Option<V>, ActionError>
    where
        K: Key + Send + 'static,
        V: Serialize + DeserializeOwned + Send + 'static,
    {
        let (store, now) = (self.store.clone(), self.clock.now());
        let look = tokio::task::spawn_blocking(move || table.get(&store.snapshot(now)?, &key));
        // The task only reads, and does not panic.
        look.await.unwrap_or(Ok(None)).map_err(|error| ActionError::Transient(error.to_string()))
    }

    /// Writes rows that belong to no event, and returns once they are durable.
    pub(crate) async fn write(&self, reason: &'static str, rows: Batch) -> Result<(), EmitError> {
        self.sink.write(self.cache.bot(), reason, rows).await
    }
}
