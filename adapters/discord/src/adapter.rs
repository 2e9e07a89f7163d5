//! The adapter of a bot: starts its tasks, and performs what the engine asks for.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use palabre_platform::{Adapter, AdapterContext, AdapterError};
use palabre_types::{
    Action, ActionError, ActionKey, Capabilities, ContentLimits, Event, EventKind, Member, MessageId, Millis, Outcome,
    Rank, User, UserId,
};

use crate::discord::Discord;
use crate::interactions::{Interactions, Token};
use crate::{commands, encode, gateway};

/// Aborts the background tasks when the adapter ends in any way, since they hold the store.
struct AbortOnDrop<'d>(&'d Discord);

impl Drop for AbortOnDrop<'_> {
    fn drop(&mut self) {
        self.0.background_tasks.abort_all();
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
        self.sink.set(&context.sink);
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
        if let Some(outcome) = self.done.get(key) {
            return Ok(outcome);
        }
        let outcome = self.execute(action, key).await?;
        self.done.record(key, &outcome);
        Ok(outcome)
    }

    async fn look_up(&self, action: &Action, key: &ActionKey, since: Millis) -> Result<(), ActionError> {
        action.check_ids(self.cache.bot())?;
        self.look_up_sent(action, key, since).await
    }

    fn is_partly_done(&self, key: &ActionKey) -> bool {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
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

    async fn file(&self, url: &str, size_max: usize) -> Result<Vec<u8>, ActionError> {
        self.rest.file(url, size_max).await
    }

    fn message_id(&self, _: &ActionKey) -> Option<MessageId> {
        None
    }

    fn member(&self, event: &Event, user: &UserId) -> Option<Member> {
        let known = self.cache.lock();
        let guild = known.guild_of(event)?;
        known.people.member(guild, user.native().parse().ok()?).cloned()
    }

    /// Whether a user is the bot, whose user id is that of its application.
    fn is_own(&self, user: &UserId) -> bool {
        let own = self.cache.lock().application;
        own != 0 && user.native().parse::<u64>().is_ok_and(|id| id == own)
    }

    fn rank(&self, event: &Event, user: Option<&UserId>) -> Option<Rank> {
        let known = self.cache.lock();
        let guild = known.guild_of(event)?;
        let user = user.map_or(Some(known.me), |user| user.native().parse().ok())?;
        known.rank(guild, user)
    }

    fn mentioned(&self, event: &Event, mention: &str) -> Option<String> {
        let known = self.cache.lock();
        known.mentioned(known.guild_of(event), mention)
    }

    fn user_named(&self, event: &Event, name: &str) -> Option<User> {
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
            _ => known.people.named(known.guild_of(event), name.trim_start_matches('@')).cloned(),
        }
    }
}
