//! The adapter as the engine calls it.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use palabre_platform::{Adapter, AdapterContext, AdapterError, Condition};
use palabre_types::{
    Action, ActionError, ActionKey, Capabilities, Event, Member, MessageId, Outcome, Rank, User, UserId,
};
use serde_json::json;

use crate::decode::content::FILE_SCHEME;
use crate::telegram::Telegram;
use crate::{commands, receive};

#[async_trait]
impl Adapter for Telegram {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn run(self: Arc<Self>, context: AdapterContext) -> Result<(), AdapterError> {
        self.sink.set(&context.sink);
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

    fn is_partly_done(&self, key: &ActionKey) -> bool {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
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
        let id = url.strip_prefix(FILE_SCHEME);
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

/// Aborts the background tasks, however the adapter ends: they hold the store open.
struct BackgroundGuard<'t>(&'t Telegram);

impl Drop for BackgroundGuard<'_> {
    fn drop(&mut self) {
        self.0.background_tasks.abort_all();
        self.0.webhook.send_replace(None);
    }
}
