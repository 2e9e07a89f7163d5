//! Actions that were not performed: reported to the log and to their scripts.

use palabre_types::{EventKind, EventName, Fault};

use super::Sequencer;
use super::intake::{Origin, named_by_id};
use super::state::State;
use crate::refusals::Refusal;

/// Failed actions that are reported to a script per minute.
///
/// A platform that is away for long may leave thousands.
const FAULTS_PER_MINUTE: u32 = 120;
/// Maximum number of events about failed actions that are remembered.
const FAULT_EVENTS_MAX: usize = 4_096;

impl Sequencer {
    /// Reports an action that was not performed to the log and to the script's `on_error`.
    ///
    /// `on_error` does not run if a run waits for the outcome.
    pub(super) fn report_refused(&mut self, state: &mut State, about: u64, refusal: Refusal, is_awaited: bool) {
        let Refusal { script, action, room, reason } = refusal.clone();
        self.cx.platforms.refusals.record(refusal);
        self.cx.metrics.count(&script, "unperformed action");
        let message = format!("{action} in {room}: {reason}");
        let now = self.cx.clock.now();
        let (since, count) = state.faults.entry(script.clone()).or_insert((now, 0));
        if now.saturating_sub(*since) >= 60_000 || now < *since {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        match *count {
            ..=FAULTS_PER_MINUTE => tracing::warn!(script = %script, "an action was not performed: {message}"),
            count if count == FAULTS_PER_MINUTE + 1 => {
                tracing::warn!(
                    script = %script,
                    "more than {FAULTS_PER_MINUTE} actions were not performed in a minute; more are not reported"
                );
                return;
            }
            _ => return,
        }
        let hooked = self.routes.iter().any(|route| route.name == script && route.hooks.contains(&EventName::Error));
        if is_awaited || !hooked || state.fault_events.contains(&about) {
            return;
        }
        let error = Fault {
            message,
            traceback: None,
            hook: None,
            action: Some(action.to_string()),
            event: Some(serde_json::json!({ "id": about.to_string() })),
        };
        let event = self.own_event(Some(named_by_id(&room)), EventKind::Error { error });
        if let Some(seq) = self.emit(state, event, Origin::Runtime, None, Some(&script)) {
            state.fault_events.push_back(seq);
            if state.fault_events.len() > FAULT_EVENTS_MAX {
                state.fault_events.pop_front();
            }
        }
    }
}
