//! The Discord adapter: turns gateway frames into events, and performs actions as REST requests.
//!
//! serenity provides routes, request building and message builders; twilight keeps the gateway.

mod ban_expiry;
mod cache;
mod commands;
mod config;
mod decode;
mod encode;
mod facts;
mod forms;
mod frames;
mod gateway;
mod interactions;
mod online;
mod perform;
mod reading;
mod rest;
mod seen_interactions;
mod token;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use lru::LruCache;
use palabre_model::{
    Action, ActionError, ActionKey, ActionKind, Adapter, AdapterContext, AdapterError, Batch, BotName, Capabilities,
    Clock, ContentLimits, Entropy, Event, EventKind, Member, MessageId, Outcome, Rank, User, UserId,
};
use palabre_store::{Key, Store, Table};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serenity::http::{LightMethod, Route};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

pub use config::{Config, Privileged, ShardRange};
pub use online::{Online, online};
pub use reading::Frames;

use ban_expiry::BanExpiries;
use cache::PlatformCache;
use interactions::{Interactions, Token};
use perform::Webhooks;
use rest::{Call, Rest, RestError};
use seen_interactions::SeenInteractions;

/// The most entries of each cache of answers, channels, outcomes and message parts.
const CACHE_ENTRIES_MAX: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();

/// The most interrupted purges that are remembered.
const PURGES_MAX: NonZeroUsize = NonZeroUsize::new(64).unwrap();

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
    token: String,
    config: Config,
    moderators: Vec<String>,
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    rest: Rest,
    cache: Arc<PlatformCache>,
    interactions: Interactions,
    /// The interaction that a message answers, by message id.
    ///
    /// Ephemeral answers can be edited and deleted through their interaction only.
    answers: Mutex<LruCache<u64, Token>>,
    /// The direct-message channel of each user.
    directs: Mutex<LruCache<u64, u64>>,
    /// The outcomes of performed actions, so that no action is performed twice under one key.
    done: Mutex<LruCache<ActionKey, Outcome>>,
    /// The messages sent so far for a text that takes several.
    progress: Mutex<LruCache<ActionKey, Vec<u64>>>,
    /// The messages of a text that takes several, by the id of the one that scripts know.
    long: Mutex<LruCache<u64, Vec<u64>>>,
    seen_interactions: SeenInteractions,
    nonce_seed: OnceCell<String>,
    /// The messages that an interrupted purge has still to delete.
    purges: Mutex<LruCache<ActionKey, Vec<u64>>>,
    webhooks: Webhooks,
    ban_expiries: BanExpiries,
    /// Background tasks: deferred responses, autocomplete choices, and forms.
    background_tasks: Mutex<JoinSet<()>>,
    capabilities: Capabilities,
}

/// The actions that Discord has no use for: bots admit no members and get no inline queries.
const UNSUPPORTED: &[ActionKind] = &[ActionKind::Admit, ActionKind::Offer];

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
        Ok(Arc::new(Self {
            token,
            config,
            moderators,
            rest,
            cache: Arc::new(PlatformCache::new(&bot)),
            interactions: Interactions::default(),
            answers: Mutex::new(LruCache::new(CACHE_ENTRIES_MAX)),
            directs: Mutex::new(LruCache::new(CACHE_ENTRIES_MAX)),
            done: Mutex::new(LruCache::new(CACHE_ENTRIES_MAX)),
            progress: Mutex::new(LruCache::new(CACHE_ENTRIES_MAX)),
            long: Mutex::new(LruCache::new(CACHE_ENTRIES_MAX)),
            seen_interactions: SeenInteractions::default(),
            nonce_seed: OnceCell::new(),
            purges: Mutex::new(LruCache::new(PURGES_MAX)),
            webhooks: Webhooks::default(),
            ban_expiries: BanExpiries::new(&bot, store.clone(), Arc::clone(&clock)),
            background_tasks: Mutex::default(),
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
            clock,
            entropy,
        }))
    }

    /// Returns the id of the bot's application, from the cache or from Discord.
    async fn application(&self) -> Result<u64, RestError> {
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
    async fn stored<K, V>(&self, table: Table<K, V>, key: K) -> Result<Option<V>, ActionError>
    where
        K: Key + Send + 'static,
        V: Serialize + DeserializeOwned + Send + 'static,
    {
        let (store, now) = (self.store.clone(), self.clock.now());
        let look = tokio::task::spawn_blocking(move || table.get(&store.snapshot(now)?, &key));
        // The task only reads, and does not panic.
        look.await.unwrap_or(Ok(None)).map_err(|error| ActionError::Transient(error.to_string()))
    }

    /// Commits rows of the adapter's tables.
    async fn keep(&self, batch: Batch) -> Result<(), ActionError> {
        self.store.commit(batch).await.map(drop).map_err(|error| ActionError::Transient(error.to_string()))
    }

    /// Starts the response to an interaction. Returns true if it is no event.
    ///
    /// Autocompletion and the buttons that open the adapter's own forms are no events.
    fn start_response(self: &Arc<Self>, context: &AdapterContext, data: &Value) -> bool {
        let Ok(frame) = frames::Interaction::deserialize(data) else { return false };
        if frame.id.known().is_none() {
            return false;
        }
        let token = Token::of(&frame);
        let (discord, is_typing) = (Arc::clone(self), frame.kind == interactions::AUTOCOMPLETE);
        let wants_form = Self::is_form(&frame.data.custom_id) && frame.message.is_some();
        let by = UserId::new(self.cache.bot(), &frame.by().map(|user| user.id).unwrap_or_default().to_string());
        let used = (frame.kind == interactions::FORM).then(|| Self::form_button(frame.message.as_ref()?)).flatten();
        let offered = is_typing.then(|| commands::choices(&context.commands.borrow(), &data["data"]));
        let mut tasks = self.background_tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            match offered {
                Some(choices) => discord.interactions.offer(&discord.rest, &token, choices).await,
                None if wants_form => discord.show_form(&frame.data.custom_id, &by, &token).await,
                None => {
                    let application = discord.cache.lock().application;
                    let watching = discord.interactions.watch(&discord.rest, application, &token, &*discord.clock);
                    let tidying = async {
                        if let Some((channel, message, action)) = used {
                            discord.form_is_used(channel, message, action).await;
                        }
                    };
                    tokio::join!(watching, tidying);
                }
            }
        });
        is_typing || wants_form
    }
}

/// Aborts the background tasks when the adapter ends in any way, since they hold the store.
struct AbortOnDrop<'d>(&'d Discord);

impl Drop for AbortOnDrop<'_> {
    fn drop(&mut self) {
        self.0.background_tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

#[async_trait]
impl Adapter for Discord {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn content_limits(&self) -> ContentLimits {
        encode::LIMITS
    }

    async fn run(self: Arc<Self>, context: AdapterContext) -> Result<(), AdapterError> {
        let _abort = AbortOnDrop(&self);
        let listing = commands::keep(&self, context.commands.clone(), context.shutdown.clone());
        let unbanning = self.ban_expiries.run(&self.rest, context.shutdown.clone());
        let others = async { tokio::join!(listing, unbanning) };
        tokio::select! {
            ended = gateway::run(&self, &context) => ended,
            // Both tasks end on shutdown, at which the gateway ends too.
            _ = async { others.await; std::future::pending::<()>().await } => Ok(()),
        }
    }

    async fn perform(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
        action.check_ids(self.cache.bot())?;
        // Discord deduplicates messages only, by their nonce.
        if let Some(outcome) = self.done.lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Ok(outcome.clone());
        }
        let outcome = self.execute(action, key).await?;
        self.done.lock().unwrap_or_else(PoisonError::into_inner).put(key.clone(), outcome.clone());
        Ok(outcome)
    }

    async fn perform_all(&self, actions: &[(&Action, &ActionKey)]) -> Vec<Result<Outcome, ActionError>> {
        self.remove_together(actions).await
    }

    async fn finished(&self, event: &Event) {
        let (EventKind::Command { interaction, .. }
        | EventKind::Button { interaction, .. }
        | EventKind::Select { interaction, .. }
        | EventKind::Form { interaction, .. }) = &event.kind
        else {
            return;
        };
        let Some(token) = interaction.as_deref().and_then(|token| token.parse::<Token>().ok()) else { return };
        if Interactions::is_open(&token, self.clock.now()) {
            let application = self.cache.lock().application;
            self.interactions.close(&self.rest, application, &token).await;
        }
    }

    async fn file(&self, url: &str, most: usize) -> Result<Vec<u8>, ActionError> {
        self.rest.file(url, most).await
    }

    fn message_id(&self, _: &ActionKey) -> Option<MessageId> {
        None
    }

    fn member(&self, around: &Event, user: &UserId) -> Option<Member> {
        let known = self.cache.lock();
        let guild = known.guild_around(around)?;
        known.people.member(guild, user.native().parse().ok()?).cloned()
    }

    /// Whether a user is the bot, whose user id is that of its application.
    fn is_own(&self, user: &UserId) -> bool {
        let own = self.cache.lock().application;
        own != 0 && user.native().parse::<u64>().is_ok_and(|id| id == own)
    }

    fn rank(&self, around: &Event, user: Option<&UserId>) -> Option<Rank> {
        let known = self.cache.lock();
        let guild = known.guild_around(around)?;
        let user = user.map_or(Some(known.me), |user| user.native().parse().ok())?;
        known.rank(guild, user)
    }

    fn mentioned(&self, around: &Event, mention: &str) -> Option<String> {
        let known = self.cache.lock();
        known.mentioned(known.guild_around(around), mention)
    }

    fn user_named(&self, around: &Event, name: &str) -> Option<User> {
        let known = self.cache.lock();
        let mention = name.trim_start_matches("<@").trim_start_matches('!').trim_end_matches('>');
        match mention.parse::<u64>() {
            Ok(id) if id != 0 => {
                let unknown = || User {
                    id: UserId::new(self.cache.bot(), mention),
                    name: mention.to_owned(),
                    bot: false,
                    locale: None,
                    picture: None,
                };
                Some(known.people.user(id).cloned().unwrap_or_else(unknown))
            }
            _ => known.people.named(known.guild_around(around), name.trim_start_matches('@')).cloned(),
        }
    }
}
