//! The Telegram adapter: turns updates into events, and performs actions through the Bot API.
//!
//! Request types come from teloxide-core. Updates are read by the crate's own lenient types, and
//! texts are converted between CommonMark and Telegram's entities in [`text`].

mod api;
mod buttons;
mod cache;
mod commands;
mod config;
mod decode;
mod encode;
mod forms;
mod frames;
mod in_flight;
mod lenient;
mod me;
mod online;
mod pace;
mod perform;
mod reading;
mod receive;
mod rights;
pub mod text;
mod waiting;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use lru::LruCache;
use palabre_model::{
    Action, ActionError, ActionKey, ActionKind, Adapter, AdapterContext, AdapterError, Batch, BotName, Capabilities,
    Clock, Condition, Endpoint, Entropy, Event, Member, MessageId, Outcome, Rank, User, UserId,
};
use palabre_store::Store;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use config::{Config, Pace};
pub use online::{Online, online};
pub use reading::Updates;

use api::Api;
use cache::PlatformCache;
use forms::Forms;
use in_flight::InFlight;
use pace::Pacer;
use receive::{Incoming, WebhookHandler};
use waiting::Waiting;

/// Number of button presses, action results and the like that are remembered, each.
const REMEMBERED_MAX: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();

/// Maximum wait of an action until the stored state is loaded.
const LOAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The webhook endpoint, as the description of the server shows it.
pub const WEBHOOK: Endpoint = Endpoint {
    method: "POST",
    path: "/telegram/{bot}",
    summary: "An update from Telegram, with the secret that the bot has set",
    body: Some("application/json"),
    answers: &[(200, "The update was accepted"), (401, "The secret is wrong"), (503, "Not now; send the update again")],
};

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
    config: Config,
    grants: Vec<String>,
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    api: Api,
    pacer: Pacer,
    cache: Arc<PlatformCache>,
    forms: Forms,
    waiting: Waiting,
    callbacks: Callbacks,
    /// Whether the state that the last process stored is in memory.
    is_loaded: watch::Sender<bool>,
    in_flight: InFlight,
    /// Held for reading while a poll is being sent: its id is unknown until Telegram answers.
    polls_in_flight: tokio::sync::RwLock<()>,
    /// The secret that Telegram sends with each webhook request.
    secret: String,
    webhook: watch::Sender<Option<mpsc::Sender<Incoming>>>,
    /// The part of each recent action that has been sent.
    progress: Mutex<LruCache<ActionKey, perform::Progress>>,
    /// The bot's own reactions to recent messages, by chat and message.
    reactions: Mutex<LruCache<(i64, i64), serde_json::Value>>,
    /// The results of recent actions, for repetitions.
    done: Mutex<LruCache<ActionKey, Outcome>>,
    /// The condition of the bot; nobody watches it before the adapter runs.
    condition: Mutex<watch::Sender<Condition>>,
    /// The background tasks.
    background_tasks: Mutex<JoinSet<()>>,
    capabilities: Capabilities,
}

/// The button presses that have been answered.
struct Callbacks(Mutex<LruCache<String, ()>>);

impl Callbacks {
    /// Returns true for the first caller with this id.
    fn take(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(id.to_owned(), ()).is_none()
    }
}

/// Actions that Telegram has no request for: bots cannot set slow mode, and there are no nicknames.
const UNSUPPORTED: &[ActionKind] = &[ActionKind::Slowmode, ActionKind::Rename];

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
            secret: receive::secret(token.trim()),
            webhook: watch::Sender::new(None),
            progress: Mutex::new(LruCache::new(REMEMBERED_MAX)),
            reactions: Mutex::new(LruCache::new(REMEMBERED_MAX)),
            done: Mutex::new(LruCache::new(REMEMBERED_MAX)),
            condition: Mutex::new(watch::Sender::default()),
            background_tasks: Mutex::default(),
            capabilities: Capabilities {
                actions: ActionKind::all_but(UNSUPPORTED),
                buttons: true,
                personas: false,
                polls: true,
                direct_messages: false,
                text_max: encode::TEXT_MAX,
                max_file: encode::FILE_SIZE_MAX,
            },
            config,
            grants,
            store,
            clock,
            entropy,
        }))
    }

    /// Returns the webhook route for the daemon's server, or `None` when the bot polls.
    #[must_use]
    pub fn router(self: &Arc<Self>) -> Option<Router> {
        self.config.webhook.as_ref().map(|_| WebhookHandler::new(Arc::clone(self)).router())
    }

    /// Reports the condition of the bot, if it has changed.
    fn report(&self, condition: Condition) {
        let reported = self.condition.lock().unwrap_or_else(PoisonError::into_inner);
        reported.send_if_modified(|known| {
            let is_news = *known != condition;
            *known = condition;
            is_news
        });
    }

    /// Returns the condition that was reported last, by this adapter or by the supervisor.
    fn condition(&self) -> Condition {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner).borrow().clone()
    }

    /// Turns a transient error into `Unavailable` while the bot is down or refused.
    ///
    /// The outage is no fault of the action, which is kept until the bot is back.
    fn while_away(&self, error: ActionError) -> ActionError {
        match (error, self.condition()) {
            (ActionError::Transient(why), Condition::Down(_) | Condition::Refused(_)) => ActionError::Unavailable(why),
            (error, _) => error,
        }
    }

    /// Performs an action, unless it was performed before under this key.
    async fn perform_once(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
        action.check_ids(self.cache.bot())?;
        let known = self.done.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        if let Some(outcome) = known {
            return Ok(outcome);
        }
        if let Condition::Refused(reason) = self.condition() {
            return Err(ActionError::Unavailable(reason));
        }
        self.is_ready().await?;
        let outcome = self.perform_action(action, key).await.map_err(|error| self.while_away(error))?;
        self.done.lock().unwrap_or_else(PoisonError::into_inner).put(key.clone(), outcome.clone());
        Ok(outcome)
    }

    /// Runs a task in the background. It ends with the adapter at the latest.
    fn spawn_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.background_tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(work);
    }

    /// Loads the state that the last process stored.
    async fn load(self: &Arc<Self>) -> Result<(), AdapterError> {
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
    async fn is_ready(&self) -> Result<(), ActionError> {
        let mut is_loaded = self.is_loaded.subscribe();
        let loaded = timeout(LOAD_TIMEOUT, is_loaded.wait_for(|is_loaded| *is_loaded)).await;
        loaded.map(drop).map_err(|_late| ActionError::Unavailable("the bot has not started yet".to_owned()))
    }

    /// Records that a group has become a supergroup: the old id leads to the new one from now on.
    async fn moved(&self, from: i64, to: i64) {
        if !self.cache.lock().moved(from, to) {
            return;
        }
        tracing::info!(bot = %self.cache.bot(), from, to, "a group has become a supergroup");
        let mut rows = Batch::default();
        self.cache.keep(&mut rows, from);
        self.cache.keep(&mut rows, to);
        if let Err(error) = self.store.commit(rows).await {
            tracing::error!(bot = %self.cache.bot(), "cannot store that a group has become a supergroup: {error}");
        }
    }
}

/// Aborts the background tasks, however the adapter ends: they hold the store open.
struct BackgroundGuard<'t>(&'t Telegram);

impl Drop for BackgroundGuard<'_> {
    fn drop(&mut self) {
        self.0.background_tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        self.0.webhook.send_replace(None);
    }
}

#[async_trait]
impl Adapter for Telegram {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn run(self: Arc<Self>, context: AdapterContext) -> Result<(), AdapterError> {
        let _background = BackgroundGuard(&self);
        *self.condition.lock().unwrap_or_else(PoisonError::into_inner) = context.condition.clone();
        self.load().await?;
        let listing = commands::keep(&self, context.commands.clone());
        let checking = self.check_rights();
        let background = async { tokio::join!(listing, checking) };
        tokio::select! {
            ended = receive::run(&self, &context) => ended,
            _ = async { background.await; std::future::pending::<()>().await } => Ok(()),
        }
    }

    async fn perform(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
        self.perform_once(action, key).await
    }

    async fn perform_all(&self, actions: &[(&Action, &ActionKey)]) -> Vec<Result<Outcome, ActionError>> {
        let deletes = actions.iter().filter(|(action, _)| matches!(action, Action::Delete { .. })).count();
        // Other actions take one request each, and are better reported as done one by one.
        if deletes < 2 || matches!(self.condition(), Condition::Refused(_)) || self.is_ready().await.is_err() {
            return Vec::new();
        }
        self.moderate_together(actions).await
    }

    async fn file(&self, url: &str, size_max: usize) -> Result<Vec<u8>, ActionError> {
        let id = url.strip_prefix(decode::FILE_SCHEME);
        let id = id.ok_or_else(|| ActionError::Rejected(format!("{url} is not a file on Telegram")))?;
        let found = self.api.call("getFile", json!({ "file_id": id })).await?;
        let path = found["file_path"].as_str();
        let path = path.ok_or_else(|| ActionError::NotFound("the file is gone, or too large for bots".to_owned()))?;
        Ok(self.api.download(path, size_max).await?)
    }

    fn message_id(&self, _: &ActionKey) -> Option<MessageId> {
        None
    }

    fn member(&self, event: &Event, user: &UserId) -> Option<Member> {
        let chat = self.cache.chat_of_event(event)?;
        self.cache.lock().people.known_member(chat, user.native().parse().ok()?, user)
    }

    fn is_own(&self, user: &UserId) -> bool {
        let own = self.cache.lock().me;
        own != 0 && user.native().parse::<i64>().is_ok_and(|id| id == own)
    }

    fn rank(&self, event: &Event, user: Option<&UserId>) -> Option<Rank> {
        // Private chats have no ranks.
        let chat = self.cache.chat_of_event(event).filter(|chat| *chat < 0)?;
        let state = self.cache.lock();
        let whom = match user {
            Some(user) => user.native().parse().ok()?,
            None => state.me,
        };
        state.people.rank(chat, whom)
    }

    fn user_named(&self, event: &Event, name: &str) -> Option<User> {
        let chat = self.cache.chat_of_event(event);
        let state = self.cache.lock();
        let mention = name.trim_start_matches("<@").trim_end_matches('>');
        match mention.parse::<i64>() {
            // Chats have negative ids and are not users.
            Ok(id) if id > 0 => {
                let unknown = || User {
                    id: self.cache.user_id(id),
                    name: mention.to_owned(),
                    bot: false,
                    locale: None,
                    picture: None,
                };
                Some(state.people.user(id).cloned().unwrap_or_else(unknown))
            }
            _ => state.people.named(chat, name.trim_start_matches('@')).cloned(),
        }
    }
}
