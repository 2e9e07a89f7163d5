//! The room service as the adapter of its bot: performs actions, and describes users and messages.

use std::sync::Arc;

use async_trait::async_trait;
use palabre_platform::{Adapter, AdapterContext, AdapterError, Condition, Metric};
use palabre_types::{
    Action, ActionError, ActionKey, Batch, Capabilities, Event, EventKind, Member, MessageId, Outcome, Permission,
    User, UserId,
};
use tokio::sync::oneshot;

use crate::conversation::{is_conversation, is_session};
use crate::members::Members;
use crate::room::answer::PendingResult;
use crate::room::command::{ActionRequest, Command};
#[cfg(feature = "search")]
use crate::search::follower::run as follow_changes;
use crate::service::Rooms;
use crate::{decode, files, metrics, sweep};

impl Rooms {
    /// Hands an action to its room, or to the rooms of the user it is for.
    async fn begin(&self, action: &Action, key: &ActionKey) -> Result<PendingResult, ActionError> {
        // Actions left from before a restart may arrive before the service is ready.
        let up = self.context.subscribe().wait_for(Option::is_some).await.map(drop);
        up.ok().ok_or_else(|| ActionError::Transient("the room service is starting".to_owned()))?;
        let bot = self.context.borrow().as_ref().map(|context| context.bot.name.clone());
        bot.map_or(Ok(()), |bot| action.check_ids(&bot))?;
        if let Action::Direct { user, content, .. } = action {
            return self.direct(user, content.clone(), key).await;
        }
        let name = action.room().native();
        // No client could enter such a room.
        if decode::room_name(name).as_deref() != Ok(name) {
            return Err(ActionError::NotFound(format!("\"{name}\" is not a valid room name")));
        }
        // To scripts, a private conversation does not exist.
        if is_conversation(name) {
            return Err(ActionError::NotFound(format!("there is no room \"{name}\"")));
        }
        let known = self.room_names.known(name);
        // A script that answers late does not bring a deleted room back.
        if self.authority.groups.is_deleted(&known) {
            return Err(ActionError::NotFound(format!("the room \"{name}\" was deleted")));
        }
        let room = self.open_room(&known).map_err(ActionError::Transient)?;
        let (answer, done) = oneshot::channel();
        let request = ActionRequest { action: action.clone(), key: key.clone(), answer };
        room.send(Command::Act(Box::new(request))).await.ok().ok_or_else(closed)?;
        Ok(Box::pin(async move { done.await.unwrap_or_else(|_| Err(closed())) }))
    }

    /// Returns the member record of a user. `person` is the id of the account or guest, if it is known.
    pub(crate) fn member_of(&self, user: &UserId, person: Option<&str>) -> Member {
        let permission = person.map_or(Permission::Everyone, |person| self.authority.roles.of(person));
        Member { permission: Some(permission), ..self.members.member(user.clone(), person, self.clock.now()) }
    }

    /// Whether `name` is the nickname of the bots.
    fn is_nickname(&self, name: &str) -> bool {
        name.to_lowercase() == self.config.nickname.to_lowercase()
    }

    /// Loads the members, with their mutes and bans, before clients are let in.
    async fn load_members(&self) -> Result<(), AdapterError> {
        if self.context.borrow().is_some() {
            // A restart of the adapter: memory is newer than the store.
            return Ok(());
        }
        let store = self.store.clone();
        let read = tokio::task::spawn_blocking(move || Members::read(&store)).await;
        let read = read.map_err(|error| AdapterError::Lost(error.to_string()))?;
        self.members.fill(read.map_err(|error| AdapterError::Lost(format!("cannot read the members: {error}")))?);
        Ok(())
    }

    /// Reads the names of accounts, which guests may not take.
    async fn load_account_names(self: &Arc<Self>) -> Result<(), AdapterError> {
        let rooms = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || rooms.account_names.load(&rooms.store)).await;
        let read = read.map_err(|error| AdapterError::Lost(error.to_string()))?;
        read.map_err(|error| AdapterError::Lost(format!("cannot read the names of accounts: {error}")))
    }

    /// Reads roles, bot accounts, rooms of accounts, webhooks, and the end of the change log.
    async fn load_authority(self: &Arc<Self>) -> Result<(), AdapterError> {
        let rooms = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || {
            rooms.authority.roles.load(&rooms.store)?;
            rooms.authority.bots.load(&rooms.store)?;
            rooms.authority.webhooks.load(&rooms.store)?;
            rooms.change_log.load(&rooms.store, rooms.clock.now())?;
            rooms.authority.groups.load(&rooms.store)?;
            rooms.load_room_names()
        });
        let read = read.await.map_err(|error| AdapterError::Lost(error.to_string()))?;
        read.map_err(|error| AdapterError::Lost(format!("cannot read roles and rooms: {error}")))
    }

    /// Begins the deliveries of outgoing webhooks.
    async fn begin_deliveries(self: &Arc<Self>) -> Result<(), AdapterError> {
        let rooms = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || rooms.outgoing.load(&rooms.store)).await;
        let read = read.map_err(|error| AdapterError::Lost(error.to_string()))?;
        let added = read.map_err(|error| AdapterError::Lost(format!("cannot read webhooks: {error}")))?;
        added.into_iter().for_each(|webhook| self.deliver(webhook));
        Ok(())
    }
}

#[async_trait]
impl Adapter for Rooms {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn run(self: Arc<Self>, context: AdapterContext) -> Result<(), AdapterError> {
        let mut shutdown = context.shutdown.clone();
        self.load_members().await?;
        self.load_account_names().await?;
        self.load_authority().await?;
        context.condition.send_replace(Condition::Up);
        let kind = EventKind::Ready { reason: None };
        let ready = Event::without_place(context.bot.clone(), context.clock.now(), kind);
        drop(context.sink.emit(ready, Batch::default()));
        self.context.send_replace(Some(context.clone()));
        self.resume_deletions();
        self.begin_deliveries().await?;
        tokio::select! {
            () = sweep::run(&self, &context) => {}
            () = self.end_expired_sockets() => {}
            () = follow_changes(&self) => {}
            () = shutdown.requested() => {}
        }
        Ok(())
    }

    fn is_local(&self) -> bool {
        true
    }

    /// Messages to a whole room: shown only once their rows are durable.
    fn commits_with_run(&self, action: &Action) -> bool {
        match action {
            Action::Send { .. } => true,
            Action::Answer { content, .. } => !content.ephemeral,
            _ => false,
        }
    }

    async fn perform(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
        self.begin(action, key).await?.await
    }

    /// Starts all actions before it waits for their results.
    ///
    /// The room keeps their order, and one fsync serves all of them.
    async fn perform_all(&self, actions: &[(&Action, &ActionKey)]) -> Vec<Result<Outcome, ActionError>> {
        let mut begun = Vec::with_capacity(actions.len());
        for (action, key) in actions {
            begun.push(self.begin(action, key).await);
        }
        let mut results = Vec::with_capacity(actions.len());
        for begun in begun {
            results.push(match begun {
                Ok(done) => done.await,
                Err(error) => Err(error),
            });
        }
        results
    }

    fn awaits_answers(&self, event: &Event) -> bool {
        event.room.as_ref().is_some_and(|room| is_session(room.id.native()))
    }

    async fn finished(&self, event: &Event) {
        let (EventKind::Message { message }, Some(room)) = (&event.kind, &event.room) else { return };
        if let Some(open) = self.directory.open(room.id.native()) {
            // Nobody waits in a room that has closed in the meantime.
            drop(open.send(Command::Finished { message: message.id.to_string() }).await);
        }
    }

    async fn file(&self, url: &str, limit: usize) -> Result<Vec<u8>, ActionError> {
        files::read_for_relay(self.store.clone(), self.clock.now(), url, limit).await
    }

    fn message_id(&self, key: &ActionKey) -> Option<MessageId> {
        Some(key.to_string().into())
    }

    fn member(&self, _: &Event, user: &UserId) -> Option<Member> {
        let name = user.native();
        // For a user who is offline: the account of that name, or the guest who was given its roles.
        let holder = self.directory.holder(name).or_else(|| self.account_named(name));
        let holder = holder.or_else(|| self.members.role_holder(name));
        Some(self.member_of(user, holder.as_deref()))
    }

    fn figures(&self) -> Vec<Metric> {
        metrics::of(self)
    }

    fn is_own(&self, user: &UserId) -> bool {
        self.is_nickname(user.native())
    }

    /// Accepts any valid username: a user need not be online to be named.
    fn user_named(&self, _: &Event, name: &str) -> Option<User> {
        let bot = self.context.borrow().as_ref().map(|context| context.bot.name.clone())?;
        let name = decode::username(name.strip_prefix('@').unwrap_or(name)).ok()?;
        let is_program = || self.account_named(&name).is_some_and(|account| self.authority.is_program(&account));
        let is_bot = self.is_nickname(&name) || is_program();
        Some(User { id: UserId::new(&bot, &name.to_lowercase()), name, bot: is_bot, locale: None, picture: None })
    }
}

/// Stands for the task that keeps the search index up to date.
#[cfg(not(feature = "search"))]
async fn follow_changes(_: &Rooms) {
    std::future::pending().await
}

fn closed() -> ActionError {
    ActionError::Transient("the room was closed before the action was done; it is retried".to_owned())
}
