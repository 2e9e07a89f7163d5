//! A user of the simulated platform.

use std::sync::Arc;

use palabre_platform::{EmitError, Verdict};
use palabre_types::{
    BotName, Content, Event, EventKind, Message, MessageId, Permission, Rank, Room, RoomId, RoomKind, User, UserId,
};
use serde_json::Value;

use crate::platform::Sim;
use crate::state::{MemberState, Silenced};
use crate::transcript::Line;

/// A user in a room.
#[derive(Clone)]
pub struct Person {
    sim: Arc<Sim>,
    user: Arc<User>,
    room: Arc<Room>,
}

/// The reason why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendFailure {
    /// The engine did not accept the event.
    #[error(transparent)]
    NotTaken(#[from] EmitError),
    /// The platform does not let the user speak.
    #[error(transparent)]
    Silenced(#[from] Silenced),
    /// A script's `before_message` refused it.
    #[error("refused: {0}")]
    Refused(String),
}

impl Sim {
    /// Creates a user in a room, without a join event.
    #[must_use]
    pub fn person(self: &Arc<Self>, name: &str, room: &str) -> Person {
        Person::new(Arc::clone(self), name, room)
    }
}

impl Person {
    fn new(sim: Arc<Sim>, name: &str, room_name: &str) -> Self {
        let bot = sim.bot().name;
        let user = User { id: UserId::new(&bot, name), name: name.to_owned(), bot: false, locale: None, picture: None };
        Self { room: room(&bot, room_name), user: Arc::new(user), sim }
    }

    /// Returns the same user with another language.
    #[must_use]
    pub fn speaking(mut self, locale: &str) -> Self {
        self.user = Arc::new(User { locale: Some(locale.to_owned()), ..User::clone(&self.user) });
        self
    }

    /// Returns the same user in another room.
    #[must_use]
    pub fn in_room(mut self, name: &str) -> Self {
        self.room = room(&self.sim.bot().name, name);
        self
    }

    /// Returns the user's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.user.name
    }

    /// Returns the room's name.
    #[must_use]
    pub fn room(&self) -> &str {
        &self.room.name
    }

    /// Returns the platform's state of the user.
    #[must_use]
    pub fn state(&self) -> MemberState {
        self.sim.state().members.get(self.user.id.native()).cloned().unwrap_or_default()
    }

    /// Sets the user's permission level.
    pub fn may(&self, permission: Permission) {
        let mut state = self.sim.state();
        state.members.entry(self.user.id.native().to_owned()).or_default().permission = Some(permission);
    }

    /// Sets the user's rank in the platform's hierarchy.
    pub fn ranks(&self, rank: Rank) {
        let mut state = self.sim.state();
        state.members.entry(self.user.id.native().to_owned()).or_default().rank = Some(rank);
    }

    /// Edits a message of the user, and waits until the event is durable.
    ///
    /// A message that does not exist, or is another user's, is not changed.
    ///
    /// # Errors
    /// If the engine does not accept the event.
    pub async fn edits(&self, id: &str, text: &str) -> Result<(), EmitError> {
        let Some((before, time)) = self.sim.reword(id, &self.user.name, text) else { return Ok(()) };
        let author = Some(self.user.id.clone());
        let before = Message { id: id.into(), author, time, content: Content::text(before), reply_to: None };
        let message = Message { content: Content::text(text), ..before.clone() };
        self.happens(EventKind::MessageEdit { message, before: Some(before), by: None }).await
    }

    /// Returns the same user in a direct chat with the bot, where nobody is a member of a space.
    #[must_use]
    pub fn in_private(mut self) -> Self {
        let id = self.room.id.clone();
        self.room = Arc::new(Room { kind: RoomKind::Direct, ..Room::channel(id, &self.room.name) });
        self
    }

    /// Returns all messages that the user sees.
    #[must_use]
    pub fn sees(&self) -> Vec<Line> {
        let transcript = self.sim.transcript();
        let lines = transcript.lines().iter();
        lines.filter(|line| line.is_seen_by(self.user.id.native(), &self.room.name)).cloned().collect()
    }

    /// Sends a message, and returns its id once the event is durable.
    ///
    /// # Errors
    /// If the user may not speak, or the engine does not accept the event.
    pub async fn says(&self, text: &str) -> Result<MessageId, SendFailure> {
        let (id, receipt) = self.say(text).await?;
        receipt.await?;
        Ok(id)
    }

    /// Sends a message like [`Person::says`], without waiting.
    ///
    /// # Errors
    /// If the user may not speak.
    pub async fn say(&self, text: &str) -> Result<(MessageId, palabre_platform::Receipt), SendFailure> {
        self.say_about(None, text).await
    }

    /// Replies to a message, like [`Person::says`].
    ///
    /// # Errors
    /// If the user may not speak, or the engine does not accept the event.
    pub async fn replies(&self, to: &str, text: &str) -> Result<MessageId, SendFailure> {
        let (id, receipt) = self.say_about(Some(to.into()), text).await?;
        receipt.await?;
        Ok(id)
    }

    async fn say_about(
        &self,
        reply_to: Option<MessageId>,
        text: &str,
    ) -> Result<(MessageId, palabre_platform::Receipt), SendFailure> {
        let context = self.sim.context().await;
        let time = context.clock.now();
        self.sim.state().speaks(self.user.id.native(), &self.room.name, time)?;
        let id: MessageId = format!("{}-{}", self.user.name, self.sim.lock_transcript().lines().len()).into();
        let author = Some(self.user.id.clone());
        let mut message = Message { id: id.clone(), author, time, content: Content::text(text), reply_to };
        let shown = EventKind::BeforeMessage { message: message.clone() };
        match context.gate.before_message(self.event(shown, time)).await {
            Verdict::Pass => {}
            Verdict::Change(text) => message.content.text = text,
            Verdict::Refuse(reason) => return Err(SendFailure::Refused(reason)),
        }
        self.sim.note(Line {
            id: id.to_string(),
            room: self.room.name.clone(),
            time,
            author: self.user.name.clone(),
            text: message.content.text.clone(),
            reply_to: message.reply_to.as_ref().map(MessageId::to_string),
            ..Line::default()
        });
        Ok((id, self.emit(EventKind::Message { message }).await))
    }

    /// Presses a button.
    ///
    /// # Errors
    /// If the engine does not accept the event.
    pub async fn presses(&self, action: &str, message: &str) -> Result<(), EmitError> {
        let (action, message) = (action.to_owned(), message.into());
        self.happens(EventKind::Button { action, message, values: Vec::new(), interaction: None }).await
    }

    /// Chooses from a list.
    ///
    /// # Errors
    /// If the engine does not accept the event.
    pub async fn chooses(&self, action: &str, message: &str, values: &[&str]) -> Result<(), EmitError> {
        let (action, message) = (action.to_owned(), message.into());
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.happens(EventKind::Select { action, message, values, interaction: None }).await
    }

    /// Submits a form.
    ///
    /// # Errors
    /// If the engine does not accept the event.
    pub async fn submits(&self, action: &str, values: Value) -> Result<(), EmitError> {
        let action = action.to_owned();
        self.happens(EventKind::Form { action, message: None, values, interaction: None }).await
    }

    /// Sends an inline query to the bot.
    ///
    /// # Errors
    /// If the engine does not accept the event.
    pub async fn queries(&self, text: &str) -> Result<(), EmitError> {
        let interaction = format!("query-{}", self.sim.transcript().lines().len());
        self.happens(EventKind::InlineQuery { text: text.to_owned(), interaction }).await
    }

    /// Emits any other event of the user.
    ///
    /// # Errors
    /// If the engine does not accept the event.
    pub async fn happens(&self, kind: EventKind) -> Result<(), EmitError> {
        self.emit(kind).await.await.map(drop)
    }

    async fn emit(&self, kind: EventKind) -> palabre_platform::Receipt {
        let context = self.sim.context().await;
        let event = self.event(kind, context.clock.now());
        self.sim.emit(event).await
    }

    fn event(&self, kind: EventKind, time: palabre_types::Millis) -> Event {
        let is_private = self.room.kind == RoomKind::Direct;
        let member = (!is_private).then(|| Arc::new(self.sim.state().member(&self.user.id, time)));
        Event {
            time,
            bot: self.sim.bot(),
            space: (!is_private).then(|| self.sim.space()),
            room: Some(Arc::clone(&self.room)),
            user: Some(Arc::clone(&self.user)),
            member,
            kind,
        }
    }
}

fn room(bot: &BotName, name: &str) -> Arc<Room> {
    let id = RoomId::new(bot, name);
    Arc::new(Room::channel(id, name))
}
