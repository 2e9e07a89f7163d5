//! The updates: which the bot receives, and which it has confirmed.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::telegram::queue::Pending;
use crate::telegram::state::State;

/// The time for which Telegram keeps an update, in milliseconds.
const UPDATE_LIFETIME: u64 = 24 * 3_600_000;

impl State {
    /// Adds an update to the queue, if the bot requested this kind.
    pub(in crate::telegram) fn give(&mut self, kind: &str, data: Value) {
        if !self.queue.wants(kind) {
            return;
        }
        let id = self.queue.next;
        self.queue.next += 1;
        let mut update = json!({ "update_id": id, kind: data });
        if self.options.check_answers
            && let Err(misfit) = self.rules.check_object("Update", &update)
        {
            self.recording.own_misfits.push(misfit);
        }
        if self.options.roughness > 0.0 {
            roughen(&mut self.queue.random, self.options.roughness, &mut update);
        }
        self.enqueue(id, update);
    }

    /// Adds unknown fields to the answer of a call. Updates have them already.
    pub(in crate::telegram) fn roughened(&mut self, method: &str, mut result: Value) -> Value {
        if self.options.roughness > 0.0 && method != "getUpdates" {
            roughen(&mut self.queue.random, self.options.roughness, &mut result);
        }
        result
    }

    /// Adds an update to the queue without changes, except for an `update_id` if it has none.
    pub(in crate::telegram) fn give_raw(&mut self, mut update: Value) {
        let id = update["update_id"].as_i64().unwrap_or(self.queue.next);
        self.queue.next = self.queue.next.max(id) + 1;
        update["update_id"] = json!(id);
        self.enqueue(id, update);
    }

    fn enqueue(&mut self, id: i64, update: Value) {
        self.counters.updates += 1;
        let since = self.now();
        self.queue.pending.push_back(Pending { id, since, update, given: false });
    }

    /// Drops expired updates.
    fn expire(&mut self) {
        let oldest = self.now().saturating_sub(UPDATE_LIFETIME);
        while self.queue.pending.front().is_some_and(|one| one.since < oldest) {
            self.queue.pending.pop_front();
        }
    }

    /// Removes the updates that an offset confirms; a negative one keeps only that many from the end.
    pub(in crate::telegram) fn confirm(&mut self, offset: i64) {
        self.expire();
        let before = self.queue.pending.len();
        if offset < 0 {
            let keep = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            let drop = before.saturating_sub(keep);
            self.counters.dropped += self.queue.pending.drain(..drop).filter(|one| !one.given).count() as u64;
        } else {
            self.queue.pending.retain(|one| one.id >= offset);
            self.counters.confirmed += (before - self.queue.pending.len()) as u64;
        }
    }

    /// Drops all updates.
    pub(in crate::telegram) fn drop_pending(&mut self) {
        self.counters.dropped += self.queue.pending.len() as u64;
        self.queue.pending.clear();
    }

    /// Returns the next updates, and marks them as delivered.
    pub(in crate::telegram) fn take_updates(&mut self, limit: usize) -> Vec<Value> {
        self.expire();
        let mut taken = Vec::new();
        for one in self.queue.pending.iter_mut().take(limit) {
            let count = if one.given { &mut self.counters.duplicates } else { &mut self.counters.given };
            *count += 1;
            one.given = true;
            taken.push(one.update.clone());
        }
        taken
    }

    /// The result of `getWebhookInfo`.
    pub(in crate::telegram) fn webhook_frame(&self) -> Value {
        let hook = &self.webhook;
        let mut frame = json!({
            "url": hook.url, "has_custom_certificate": false, "pending_update_count": self.queue.len(),
        });
        if !hook.url.is_empty() {
            frame["max_connections"] = json!(hook.connections);
            frame["ip_address"] = json!("127.0.0.1");
        }
        if let Some((at, reason)) = &hook.error {
            frame["last_error_date"] = json!(at);
            frame["last_error_message"] = json!(reason);
        }
        if let Some(allowed) = &self.queue.allowed {
            frame["allowed_updates"] = json!(allowed);
        }
        frame
    }
}

/// Adds unknown fields.
///
/// No field is removed: Telegram itself leaves out empty ones.
fn roughen(random: &mut StdRng, share: f64, value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|one| roughen(random, share, one)),
        Value::Object(object) => {
            object.values_mut().for_each(|one| roughen(random, share, one));
            if random.random_bool(share) {
                let value = match random.random_range(0..4) {
                    0 => json!(random.random_range(0..1_000_000)),
                    1 => json!("new here"),
                    2 => json!([1, "two", { "three": 3.5 }]),
                    _ => json!({ "enabled": true, "id": 1 }),
                };
                object.insert(format!("unheard_of_{}", random.random_range(0..100)), value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
