//! A simulated platform with users, for the engine's tests, the benchmarks and the terminal.
//!
//! Messages are kept as a transcript. Tests can inject faults.

mod people;
mod state;
mod transcript;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use palabre_model::{
    Action, ActionError, ActionKey, ActionKind, Adapter, AdapterContext, AdapterError, Batch, Bot, BotName,
    Capabilities, Condition, Event, EventKind, Measure, Member, MessageId, MessageRef, Millis, Outcome, Rank, Receipt,
    Room, RoomId, Space, SpaceId, User, UserId,
};
use tokio::sync::watch;

pub use people::{Person, SendFailure};
pub use state::{MemberState, RoomState, Silenced};
pub use transcript::{Line, Transcript};

use state::PlatformState;

/// The simulated platform, which is the adapter of one bot.
pub struct Sim {
    bot: Bot,
    capabilities: Capabilities,
    transcript: Mutex<Transcript>,
    state: Mutex<PlatformState>,
    faults: Mutex<VecDeque<ActionError>>,
    refused: Mutex<HashMap<ActionKind, ActionError>>,
    context: watch::Sender<Option<AdapterContext>>,
    heard: watch::Sender<usize>,
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

    /// Creates a user in a room, without a join event.
    #[must_use]
    pub fn person(self: &Arc<Self>, name: &str, room: &str) -> Person {
        Person::new(Arc::clone(self), name, room)
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

    fn lock_faults(&self) -> MutexGuard<'_, VecDeque<ActionError>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn execute(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
        let now = self.context.borrow().as_ref().map_or(0, |context| context.clock.now());
        let bot = self.bot.name.as_str();
        let mut transcript = self.lock_transcript();
        if let Some(outcome) = transcript.outcome(key) {
            return Ok(outcome);
        }
        action.check_ids(&self.bot.name)?;
        let outcome = match action {
            Action::Moderate { room, user, measure, .. } => {
                self.state().moderate(user.native(), measure);
                if let Measure::Ban { purge_since: since @ Some(_), .. } = measure {
                    let (room, user) = (room.clone(), Some(user.clone()));
                    let purge = Action::Purge { room, count: u32::MAX, user, since: *since, reason: None };
                    transcript.perform(bot, now, &purge, key)?;
                }
                Outcome::default()
            }
            Action::Arrange { room, change } => {
                self.state().arrange(room.native(), change);
                Outcome::default()
            }
            Action::Typing { room } => {
                self.state().room(room.native()).typings += 1;
                Outcome::default()
            }
            Action::Admit { user, decline, .. } => {
                self.state().members.entry(user.native().to_owned()).or_default().approved = Some(!decline);
                Outcome::default()
            }
            Action::Thread { name, .. } => {
                let thread = self.state().open_thread(name);
                Outcome { message: Some(RoomId::new(&self.bot.name, &thread).as_str().into()) }
            }
            Action::Invite { room, .. } => {
                let address = format!("https://{bot}.invalid/{}/{}", room.native(), key.seq);
                Outcome { message: Some(address.into()) }
            }
            Action::Send { content, .. }
            | Action::Answer { content, .. }
            | Action::Direct { content, .. }
            | Action::Edit { content, .. }
                if content.text.chars().count() > self.capabilities.text_max =>
            {
                let most = self.capabilities.text_max;
                return Err(ActionError::Rejected(format!("a text can have at most {most} characters")));
            }
            said => transcript.perform(bot, now, said, key)?,
        };
        transcript.note(key, &outcome);
        Ok(outcome)
    }

    fn event(&self, kind: EventKind, context: &AdapterContext) -> Event {
        Event::without_place(self.bot(), context.clock.now(), kind)
    }
}

#[async_trait]
impl Adapter for Sim {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn run(self: Arc<Self>, context: AdapterContext) -> Result<(), AdapterError> {
        let mut shutdown = context.shutdown.clone();
        context.condition.send_replace(Condition::Up);
        let ready = self.event(EventKind::Ready { reason: None }, &context);
        drop(context.sink.emit(ready, Batch::default()));
        self.context.send_replace(Some(context));
        shutdown.requested().await;
        self.context.send_replace(None);
        Ok(())
    }

    async fn perform(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
        if let Some(fault) = self.lock_faults().pop_front() {
            return Err(fault);
        }
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).get(&action.kind()).cloned();
        if let Some(refused) = refused {
            return Err(refused);
        }
        let outcome = self.execute(action, key);
        self.heard.send_modify(|count| *count += 1);
        outcome
    }

    fn message_id(&self, key: &ActionKey) -> Option<MessageId> {
        Some(key.to_string().into())
    }

    fn member(&self, _: &Event, user: &UserId) -> Option<Member> {
        let now = self.context.borrow().as_ref().map_or(0, |context| context.clock.now());
        Some(self.state().member(user, now))
    }

    fn rank(&self, _: &Event, user: Option<&UserId>) -> Option<Rank> {
        let state = self.state();
        match user {
            Some(user) => state.members.get(user.native())?.rank,
            None => state.bot_rank,
        }
    }

    fn is_own(&self, user: &UserId) -> bool {
        user.native() == self.bot.name.as_str()
    }

    fn user_named(&self, _: &Event, name: &str) -> Option<User> {
        let name = name.trim_start_matches('@');
        let id = UserId::new(&self.bot.name, name);
        (!name.is_empty()).then(|| User { id, name: name.to_owned(), bot: false, locale: None, picture: None })
    }
}

pub(crate) fn room(bot: &BotName, name: &str) -> Arc<Room> {
    let id = RoomId::new(bot, name);
    Arc::new(Room::channel(id, name))
}

/// Returns the message id of a resolved reference.
pub(crate) fn id_of(reference: &MessageRef) -> String {
    match reference {
        MessageRef::Id(id) | MessageRef::Own(id) => id.to_string(),
        MessageRef::Sent(key) => key.to_string(),
    }
}
