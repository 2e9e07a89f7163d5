//! Moderation of one room in several actions, which Telegram takes together if they are deletions.

use palabre_types::{Action, ActionError, ActionKey, Outcome};

use crate::telegram::Telegram;

impl Telegram {
    /// Performs moderation of one room in order, with consecutive deletes in one request.
    ///
    /// Returns the results of the actions that were tried. A transient error ends it, a refusal by
    /// Telegram does not.
    pub(crate) async fn moderate_together(
        &self,
        actions: &[(&Action, &ActionKey)],
    ) -> Vec<Result<Outcome, ActionError>> {
        let mut results = Vec::with_capacity(actions.len());
        let targets: Vec<_> = actions.iter().map(|(action, _)| self.deletion(action)).collect();
        let mut at = 0;
        while let Some((action, key)) = actions.get(at) {
            let run: Vec<(i64, i64)> = targets[at..].iter().map_while(|target| *target).collect();
            let result = match run.as_slice() {
                [(chat, _), _, ..] => {
                    let ids: Vec<i64> = run.iter().map(|(_, id)| *id).collect();
                    match self.delete(*chat, &ids).await {
                        Ok(_) => {
                            results.extend(ids.iter().map(|_| Ok(Outcome::default())));
                            at += ids.len();
                            continue;
                        }
                        // Telegram may refuse one of them, so the caller tries each by itself.
                        Err(_) => break,
                    }
                }
                // A purge that is repeated would delete other messages.
                _ if !action.kind().is_moderation() || matches!(action, Action::Purge { .. }) => break,
                _ => self.perform_once(action, key).await,
            };
            if result.as_ref().is_err_and(ActionError::is_temporary) {
                break;
            }
            results.push(result);
            at += 1;
        }
        results
    }

    /// Returns the message that an action deletes, by chat and number.
    fn deletion(&self, action: &Action) -> Option<(i64, i64)> {
        let Action::Delete { room, message, .. } = action else { return None };
        action.check_ids(self.cache.bot()).ok()?;
        self.target(room, message).ok()
    }
}
