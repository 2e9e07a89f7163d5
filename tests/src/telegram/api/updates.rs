//! Delivery of updates by polling.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::shared::Shared;
use crate::telegram::state::State;

use super::call::Call;

/// The maximum waiting time of a poll, in seconds.
const POLL_TIMEOUT_MAX: i64 = 50;

/// `getUpdates`: waits until there is an update, another poll ends this one, or the time is over.
pub(super) async fn get(shared: &Shared, call: &Call) -> Outcome {
    let limit = call.number("limit").filter(|limit| (1..=100).contains(limit)).unwrap_or(100);
    let limit = usize::try_from(limit).unwrap_or(100);
    let timeout = call.number("timeout").unwrap_or_default().clamp(0, POLL_TIMEOUT_MAX).unsigned_abs();
    let until = Instant::now() + Duration::from_secs(timeout);
    let mut changed = shared.changes.subscribe();
    let number = shared.change(|state| {
        state.check_kinds(call.get("allowed_updates"))?;
        if !state.webhook.url.is_empty() {
            let reason =
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
            return Err(Refusal::conflict(reason));
        }
        state.queue.allow(call.get("allowed_updates"));
        if let Some(offset) = call.number("offset") {
            state.confirm(offset);
        }
        state.queue.poll += 1;
        Ok(state.queue.poll)
    })?;
    loop {
        changed.mark_unchanged();
        if let Some(outcome) = shared.change_silently(|state| look(state, number, limit)) {
            // Tests may wait for a counter.
            shared.changes.wake();
            return outcome;
        }
        tokio::select! {
            () = tokio::time::sleep_until(until) => return Ok(json!([])),
            _changed = changed.changed() => {}
        }
    }
}

fn look(state: &mut State, number: u64, limit: usize) -> Option<Outcome> {
    if !state.webhook.url.is_empty() {
        return Some(Err(Refusal::conflict("terminated by setWebhook request")));
    }
    if state.queue.poll != number {
        state.counters.conflicts += 1;
        let reason = "terminated by other getUpdates request; make sure that only one bot instance is running";
        return Some(Err(Refusal::conflict(reason)));
    }
    let taken = state.take_updates(limit);
    (!taken.is_empty()).then_some(Ok(Value::Array(taken)))
}

pub(super) fn set_webhook(state: &mut State, call: &Call) -> Outcome {
    let url = call.text("url");
    let is_local = url.starts_with("http://127.0.0.1:");
    if !url.is_empty() && !is_local && !url.starts_with("https://") {
        return Err(Refusal::broken_rule("bad webhook: An HTTPS URL must be provided for webhook"));
    }
    let secret = call.get("secret_token").as_str();
    let is_token = |secret: &str| {
        (1..=256).contains(&secret.len())
            && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    if secret.is_some_and(|secret| !is_token(secret)) {
        return Err(Refusal::broken_rule("secret token contains unallowed characters"));
    }
    state.check_kinds(call.get("allowed_updates"))?;
    state.queue.allow(call.get("allowed_updates"));
    if call.is_true("drop_pending_updates") {
        state.drop_pending();
    }
    state.webhook.url = url.to_owned();
    state.webhook.secret = secret.map(ToOwned::to_owned);
    state.webhook.connections = call.number("max_connections").unwrap_or(40).unsigned_abs();
    state.webhook.error = None;
    state.webhook.number += 1;
    Ok(json!(true))
}

pub(super) fn delete_webhook(state: &mut State, call: &Call) -> Outcome {
    if call.is_true("drop_pending_updates") {
        state.drop_pending();
    }
    state.webhook.url.clear();
    state.webhook.number += 1;
    Ok(json!(true))
}

impl State {
    /// Telegram ignores unknown names, whose updates are then never sent.
    fn check_kinds(&self, kinds: &Value) -> Result<(), Refusal> {
        let mut names = kinds.as_array().into_iter().flatten().filter_map(Value::as_str);
        match names.find(|name| self.rules.describe("Update", name).is_empty()) {
            Some(name) => Err(Refusal::broken_rule(&format!("allowed_updates: there are no updates of {name:?}"))),
            None => Ok(()),
        }
    }
}
