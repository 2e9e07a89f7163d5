//! Actions that the run requests, and refused ones.

use std::sync::Arc;

use palabre_types::{Action, ActionKey, Content, EventKind, Refused};

use super::Run;
use crate::limits::Limit;
use crate::refusal::Refusal;
use crate::reply::Problem;
use crate::weight::weight;

impl Run {
    pub(crate) fn act(&mut self, action: Action) -> Result<ActionKey, Problem> {
        self.count_action(&action)?;
        self.record(action)
    }

    /// Records an action that the runtime requests in the script's name. It counts against no limit.
    pub(crate) fn record(&mut self, action: Action) -> Result<ActionKey, Problem> {
        let key = self.next_key()?;
        self.actions.push((key.clone(), action));
        Ok(key)
    }

    /// Records a refused action, which has a key like any other. `plain` is the reason in plain words.
    pub(crate) fn refuse(
        &mut self,
        action: &Action,
        reason: String,
        plain: String,
        reply: Option<String>,
    ) -> Result<ActionKey, Problem> {
        self.count_action(action)?;
        let key = self.next_key()?;
        let (kind, room) = (action.kind(), action.room().clone());
        let refused = Refused { key: key.clone(), action: kind, room, reason, is_asked: false };
        self.refused.push(Refusal { refused, plain, reply });
        Ok(key)
    }

    fn count_action(&mut self, action: &Action) -> Result<(), Problem> {
        let now = self.input()?.now;
        self.spend_output(weight(action))?;
        let limit = self.limits.actions_per_run;
        if self.actions.len() + self.refused.len() >= limit as usize {
            return Err(self.trip(Limit::ActionsOfRun(limit)));
        }
        let limit = self.limits.actions_per_minute;
        if !self.action_meter.count(now, limit) {
            return Err(self.trip(Limit::Actions(limit)));
        }
        if let Some(limit) = self.host.outbox_limit(action.room().bot(), action.kind().is_moderation()) {
            return Err(self.trip(limit));
        }
        Ok(())
    }

    fn next_key(&self) -> Result<ActionKey, Problem> {
        let run = self.input()?.run.clone();
        let index = u32::try_from(self.actions.len() + self.refused.len()).unwrap_or(u32::MAX);
        Ok(ActionKey { script: self.script.clone(), run, index })
    }

    /// Whether the run has answered its event's user, in this step or an earlier one.
    pub(crate) fn has_answered(&self) -> bool {
        let before = || self.input.as_ref().is_some_and(|input| self.answered.contains(&input.run.seq));
        self.has_answered_now() || self.host.has_answered(before())
    }

    pub(super) fn has_answered_now(&self) -> bool {
        self.actions.iter().any(|(_, action)| matches!(action, Action::Answer { .. } | Action::Form { .. }))
    }

    /// Informs the user of a command or component of refusals that the script has not asked about.
    pub(crate) fn report_refusals(&mut self) {
        let unasked = self.refused.iter().filter(|refusal| !refusal.refused.is_asked);
        let mut replies: Vec<String> = unasked.filter_map(|refusal| refusal.reply.clone()).collect();
        replies.dedup();
        let Ok(input) = self.input() else { return };
        let event = Arc::clone(&input.event);
        let (Some(room), Some(user), false) = (&event.room, &event.user, replies.is_empty()) else { return };
        let interaction = match &event.kind {
            EventKind::Command { interaction, .. }
            | EventKind::Button { interaction, .. }
            | EventKind::Select { interaction, .. }
            | EventKind::Form { interaction, .. } => interaction.clone(),
            _ => return,
        };
        // Without ephemeral messages, a message to everybody is better than none.
        let ephemeral = interaction.is_some() || self.host.can(event.bot.name.as_str(), "whisper");
        let content = Content { ephemeral, ..Content::text(replies.join("\n")) };
        // There is an input, so this cannot fail.
        drop(self.record(Action::Answer { room: room.id.clone(), user: user.id.clone(), interaction, content }));
    }
}
