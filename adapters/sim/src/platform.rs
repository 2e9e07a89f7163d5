//! The simulated platform: its state, and what tests read and set of it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use palabre_platform::{AdapterContext, Receipt};
use palabre_types::{ActionError, ActionKind, Batch, Bot, Capabilities, Event, Millis, Rank, Space, SpaceId};
use tokio::sync::watch;

use crate::state::{PlatformState, RoomState};
use crate::transcript::{Line, Transcript};

/// The simulated platform, which is the adapter of one bot.
pub struct Sim {
    pub(crate) bot: Bot,
    pub(crate) capabilities: Capabilities,
    transcript: Mutex<Transcript>,
    state: Mutex<PlatformState>,
    faults: Mutex<VecDeque<ActionError>>,
    pub(crate) refused: Mutex<HashMap<ActionKind, ActionError>>,
    pub(crate) context: watch::Sender<Option<AdapterContext>>,
    pub(crate) heard: watch::Sender<usize>,
}

impl Sim {
    /// Creates a platform with a bot that is called `bot`.
    #[must_use]
    pub fn new(bot: &str) -> Arc<Self> {
        Arc::new(Self {
            bot: Bot { name: bot.into(), platform: "sim".into() },
            capabilities: Capabilities {
                actions: ActionKind::ALL.to_vec(),
                buttons: true,
                personas: false,
                polls: false,
                direct_messages: true,
                text_max: 4_000,
                max_file: 10 << 20,
            },
            transcript: Mutex::default(),
            state: Mutex::default(),
            faults: Mutex::default(),
            refused: Mutex::default(),
            context: watch::Sender::new(None),
            heard: watch::Sender::new(0),
        })
    }

    /// Returns the bot as events name it.
    #[must_use]
    pub fn bot(&self) -> Bot {
        self.bot.clone()
    }

    /// Returns a room's settings.
    #[must_use]
    pub fn room(&self, name: &str) -> RoomState {
        self.state().rooms.get(name).cloned().unwrap_or_default()
    }

    /// Returns the transcript so far.
    #[must_use]
    pub fn transcript(&self) -> Transcript {
        self.lock_transcript().clone()
    }

    /// Watches the number of actions that the bot has performed.
    #[must_use]
    pub fn heard(&self) -> watch::Receiver<usize> {
        self.heard.subscribe()
    }

    /// Makes the next actions fail with these errors, in order.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = ActionError>) {
        self.lock_faults().extend(faults);
    }

    /// Makes all actions of a kind fail with this error; `None` ends that.
    pub fn refuse(&self, kind: ActionKind, error: Option<ActionError>) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            Some(error) => drop(refused.insert(kind, error)),
            None => drop(refused.remove(&kind)),
        }
    }

    /// Sets the bot's rank in the platform's hierarchy.
    pub fn bot_ranks(&self, rank: Rank) {
        self.state().bot_rank = Some(rank);
    }

    /// Empties the transcript.
    pub fn forget(&self) {
        *self.lock_transcript() = Transcript::default();
    }

    /// Emits an event, once the engine has started the adapter.
    pub async fn emit(&self, event: Event) -> Receipt {
        let context = self.context().await;
        context.sink.emit(event, Batch::default())
    }

    pub(crate) async fn context(&self) -> AdapterContext {
        let mut context = self.context.subscribe();
        let there = context.wait_for(Option::is_some).await;
        // The sender is a field of `self`, so it does not close and there is a context in the end.
        match there.ok().and_then(|context| context.clone()) {
            Some(context) => context,
            None => std::future::pending().await,
        }
    }

    pub(crate) fn note(&self, line: Line) {
        self.lock_transcript().push(line);
    }

    /// Changes the text of a user's own message. Returns the old text, and the time of sending.
    pub(crate) fn reword(&self, id: &str, author: &str, text: &str) -> Option<(String, Millis)> {
        self.lock_transcript().reword(id, author, text)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, PlatformState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the only space of the platform.
    pub(crate) fn space(&self) -> Arc<Space> {
        Arc::new(Space { id: SpaceId::new(&self.bot.name, "sim"), name: "sim".to_owned() })
    }

    pub(crate) fn lock_transcript(&self) -> MutexGuard<'_, Transcript> {
        self.transcript.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lock_faults(&self) -> MutexGuard<'_, VecDeque<ActionError>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
