//! Actions of bots: each is answered when it is durable, or refused.

use std::sync::Arc;

use palabre_types::{Action, ActionError, ActionKind, Content, MessageRef};
use serde_json::json;

use super::answer::{Answer, done, failed, id_of, not_found};
use super::changes::reacted;
use super::command::ActionRequest;
use super::erasing::GONE;
use super::purge::PurgeFilter;
use super::rows::Rows;
use super::state::State;
use super::state::commit::{Change, Requester};
use super::state::watchers::Update;
use crate::conversation::is_session;

impl State {
    pub(super) async fn act(&mut self, request: ActionRequest) {
        let ActionRequest { action, key, answer } = request;
        if self.cx.authority.groups.is_deleted(&self.room.name) {
            return failed(answer, ActionError::NotFound("the room was deleted".to_owned()));
        }
        if self.is_gone() {
            return failed(answer, ActionError::NotFound(GONE.to_owned()));
        }
        match action {
            Action::Send { content, reply_to, .. } => self.send(&key, content, reply_to.as_ref(), answer),
            // In a session, everything is for one person.
            Action::Answer { user, content, .. } if content.ephemeral && !is_session(&self.room.name) => {
                self.answer_ephemeral(&key, &user, content, answer);
            }
            Action::Answer { content, .. } => self.send(&key, content, None, answer),
            Action::Form { user, form, .. } => self.ask(&key, &user, form, answer),
            Action::Typing { .. } => {
                let typing = json!({ "username": self.cx.config.nickname, "is_typing": true });
                self.broadcast("user_typing", &typing, None);
                self.watchers.notify(&Update::Typing);
                done(answer);
            }
            Action::Edit { message, content, .. } => self.bot_edits(&message, content, answer).await,
            Action::Delete { message, .. } => self.bot_deletes(&message, answer).await,
            Action::React { message, emoji, remove, .. } => self.bot_reacts(&message, emoji, !remove, answer).await,
            Action::Pin { message, remove, .. } => {
                let by = (self.bot_user(), None);
                self.pin(&id_of(&message), !remove, &by, Requester::Bot(answer)).await;
            }
            Action::Purge { count, user, since, .. } => {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                let user = user.map(|user| user.native().to_lowercase());
                // A repeated purge would delete as many messages again.
                let once = self.key_of_bot(&key);
                if self.is_known(&once).await {
                    return done(answer);
                }
                self.purge(PurgeFilter { count, user, since, author: None, once: Some(once) }, Requester::Bot(answer))
                    .await;
            }
            Action::Moderate { user, measure, reason, .. } => self.moderate(&user, measure, reason, answer).await,
            Action::Arrange { change, .. } => {
                let by = (self.bot_user(), None);
                self.arrange(vec![change], &by, Requester::Bot(answer));
            }
            Action::Thread { .. } | Action::Invite { .. } | Action::Admit { .. } | Action::Offer { .. } => {
                failed(answer, ActionError::Unsupported(action.kind()));
            }
            // Not an action of one room: the service sends it to all rooms of the user as a direct
            // message.
            Action::Direct { .. } => {
                failed(answer, ActionError::Unsupported(ActionKind::Direct));
            }
        }
    }

    async fn bot_edits(&mut self, message: &MessageRef, content: Content, answer: Answer) {
        let id = id_of(message);
        match self.edit_ephemeral(&id, &content) {
            Ok(false) => {}
            Ok(true) => return done(answer),
            Err(error) => return failed(answer, error),
        }
        let Some((position, row)) = self.find(&id).await else { return not_found(answer, message) };
        if !row.bot {
            return failed(answer, ActionError::Forbidden("a bot can edit only its own messages".to_owned()));
        }
        let mut rows = Rows::default();
        let row = match self.bot_identity(None).edited_message(&mut rows.batch, &row, content) {
            Ok(row) => Arc::new(row),
            Err(error) => return failed(answer, error),
        };
        self.replace(&mut rows, position, &row);
        self.hand_over(None, rows, Change::Edited(row), Requester::Bot(answer));
    }

    async fn bot_deletes(&mut self, message: &MessageRef, answer: Answer) {
        let id = id_of(message);
        self.delete_ephemeral(&id);
        // The message is gone, as requested: a repetition after a crash succeeds.
        let Some((position, row)) = self.find(&id).await else { return done(answer) };
        let event = self.removal(&row);
        let mut rows = Rows::default();
        self.remove(&mut rows, position, &row);
        self.hand_over(Some(event), rows, Change::Deleted { id }, Requester::Bot(answer));
    }

    async fn bot_reacts(&mut self, message: &MessageRef, emoji: String, added: bool, answer: Answer) {
        let id = id_of(message);
        let Some((position, row)) = self.find(&id).await else {
            // A message that is gone has no reaction, as requested.
            return if added { not_found(answer, message) } else { done(answer) };
        };
        let username = self.cx.config.nickname.clone();
        let Some(row) = reacted(&row, &emoji, &username, None, added) else { return done(answer) };
        let mut rows = Rows::default();
        self.replace(&mut rows, position, &Arc::new(row));
        self.hand_over(None, rows, Change::Reaction { id, emoji, username, added }, Requester::Bot(answer));
    }
}
