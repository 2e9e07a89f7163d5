//! Deletes several messages in one request, since each by itself would wait for the rate limit.

use palabre_types::{Action, ActionError, ActionKey, Outcome};

use super::ids::{channel, message};
use super::purge::BULK_MAX;
use crate::discord::Discord;

/// The deletions at the front of a queue that fit in one request.
struct Removals<'a> {
    channel: u64,
    messages: Vec<u64>,
    reason: Option<&'a str>,
}

impl Discord {
    /// Performs the deletions at the front of the queue in one request, with one result for each.
    ///
    /// Without a result, they cannot be combined: each is then performed by itself.
    pub(crate) async fn remove_together(&self, actions: &[(&Action, &ActionKey)]) -> Vec<Result<Outcome, ActionError>> {
        let Some(removals) = self.removals(actions) else { return Vec::new() };
        let Removals { channel, messages, reason } = removals;
        if let Err(error) = self.bulk_delete(channel, &messages, reason).await {
            tracing::debug!("could not delete {} messages together, deleting them one by one: {error}", messages.len());
            return Vec::new();
        }
        for (_, key) in &actions[..messages.len()] {
            self.done.record(key, &Outcome::default());
        }
        messages.iter().map(|_| Ok(Outcome::default())).collect()
    }

    fn removals<'a>(&self, actions: &[(&'a Action, &ActionKey)]) -> Option<Removals<'a>> {
        let (first, _) = *actions.first()?;
        let Action::Delete { room, reason, .. } = first else { return None };
        let channel = channel(room).ok()?;
        // Direct messages cannot be deleted together.
        if !self.cache.lock().channels.contains_key(&channel) {
            return None;
        }
        let mut messages = Vec::new();
        for (action, _) in actions.iter().take(BULK_MAX) {
            let Action::Delete { room: of, message: which, reason: why } = action else { break };
            let Ok(id) = message(which) else { break };
            let fits = of == room && why == reason && action.check_ids(self.cache.bot()).is_ok();
            // Ephemeral messages are deleted through their interaction.
            if !fits
                || !self.is_young(id.get())
                || self.answer_of(id).is_some()
                || self.is_long(id.get())
                || messages.contains(&id.get())
            {
                break;
            }
            messages.push(id.get());
        }
        (messages.len() > 1).then_some(Removals { channel, messages, reason: reason.as_deref() })
    }
}
