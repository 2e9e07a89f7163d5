//! The adapter of the simulated platform: performs actions on its state and its transcript.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use palabre_platform::{Adapter, AdapterContext, AdapterError, Condition};
use palabre_types::{
    Action, ActionError, ActionKey, Batch, Capabilities, Event, EventKind, Measure, Member, MessageId, Outcome, Rank,
    RoomId, User, UserId,
};

use crate::platform::Sim;

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

impl Sim {
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
                let address = format!("https://{bot}.invalid/{}/{}", room.native(), key.run.seq);
                Outcome { message: Some(address.into()) }
            }
            Action::Send { content, .. }
            | Action::Answer { content, .. }
            | Action::Direct { content, .. }
            | Action::Edit { content, .. }
                if content.text.chars().count() > self.capabilities.text_max =>
            {
                let text_max = self.capabilities.text_max;
                return Err(ActionError::Rejected(format!("a text can have at most {text_max} characters")));
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
