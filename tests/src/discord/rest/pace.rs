//! Counts calls against the rate limits, and tells clients about them in headers.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use tokio::time::Instant;

use crate::discord::state::State;
use crate::server::limits::{Forbidden, Limit};

use super::call::Call;
use super::limits::Window;
use super::refusal::Refusal;

/// The state of a bucket after a call.
#[derive(Debug)]
pub(super) struct Pace {
    limit: Limit,
    remaining: u32,
    reset: Duration,
    bucket: String,
    /// The time of the reset, in seconds of the Unix epoch.
    reset_at: f64,
    over: Option<&'static str>,
}

impl Pace {
    pub(super) fn allows(&self) -> bool {
        self.over.is_none()
    }

    pub(super) fn refusal(&self) -> Refusal {
        // Rounded up to milliseconds, so that it is never less than the remaining time.
        Refusal::too_many((self.reset.as_secs_f64() * 1_000.0).ceil() / 1_000.0, self.over.unwrap_or("user"))
    }

    /// Marks the bucket as exhausted, for an injected 429.
    pub(super) fn shut(&mut self, seconds: f64) {
        self.remaining = 0;
        self.reset_at += seconds - self.reset.as_secs_f64();
        self.reset = Duration::from_secs_f64(seconds);
    }

    /// Adds the headers of the bucket; the global limit has none.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        if self.over == Some("global") {
            return;
        }
        let mut put = |name, value: String| {
            headers.insert(name, HeaderValue::try_from(value).expect("digits and letters"));
        };
        put("x-ratelimit-limit", self.limit.count.to_string());
        put("x-ratelimit-remaining", self.remaining.to_string());
        put("x-ratelimit-reset", format!("{:.3}", self.reset_at));
        put("x-ratelimit-reset-after", format!("{:.3}", self.reset.as_secs_f64()));
        put("x-ratelimit-bucket", self.bucket.clone());
    }
}

impl State {
    /// Counts a call in its bucket and in the global one.
    pub(super) fn pace(&mut self, call: &Call) -> Pace {
        let name = bucket(&call.operation.name).to_owned();
        let limits = self.options.limits.clone();
        let limit = limits.named.get(name.as_str()).copied().unwrap_or(limits.others);
        let mut pace = self.count(format!("{name} {}", major(call)), limit);
        pace.bucket = hash(&name);
        if pace.allows() && call.authorization.is_some() && !call.operation.open {
            let global = self.count("global".to_owned(), limits.global);
            if !global.allows() {
                (pace.over, pace.reset) = (Some("global"), global.reset);
            }
        }
        pace
    }

    /// Forbids calls in the bucket of a call for a while, for an injected 429.
    pub(super) fn forbid(&mut self, call: &Call, seconds: f64) {
        let key = format!("{} {}", bucket(&call.operation.name), major(call));
        if let Some(window) = self.buckets.windows.get_mut(&key) {
            window.forbidden = Some(Forbidden::new(Instant::now(), Duration::from_secs_f64(seconds)));
        }
    }

    fn count(&mut self, key: String, limit: Limit) -> Pace {
        let now = Instant::now();
        let window = self.buckets.windows.entry(key).or_insert(Window { since: now, used: 0, forbidden: None });
        if now >= window.since + limit.per {
            (window.since, window.used) = (now, 0);
        }
        let forbidden = window.forbidden.and_then(|forbidden| forbidden.until(now));
        window.used = window.used.saturating_add(1);
        let over = (window.used > limit.count || forbidden.is_some()).then_some("user");
        let reset = forbidden.unwrap_or(window.since + limit.per).saturating_duration_since(now);
        let remaining = limit.count.saturating_sub(window.used);
        let reset_at = std::time::Duration::from_millis(self.now()).as_secs_f64() + reset.as_secs_f64();
        Pace { limit, remaining, reset, bucket: String::new(), reset_at, over }
    }
}

/// Returns the part of the path that has separate buckets.
fn major(call: &Call) -> String {
    let of = |name| call.find(name).unwrap_or_default();
    ["channel_id", "guild_id", "webhook_id", "webhook_token", "interaction_id"].map(of).concat()
}

/// Returns an opaque bucket name, as Discord's are.
fn hash(name: &str) -> String {
    let sum = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{sum:016x}{:016x}", sum.rotate_left(17))
}

/// Returns the bucket of an operation.
fn bucket(operation: &str) -> &str {
    match operation {
        "add_my_message_reaction"
        | "delete_my_message_reaction"
        | "delete_user_message_reaction"
        | "delete_all_message_reactions"
        | "delete_all_message_reactions_by_emoji" => "reactions",
        "execute_webhook"
        | "update_webhook_message"
        | "delete_webhook_message"
        | "get_webhook_message"
        | "update_original_webhook_message"
        | "delete_original_webhook_message"
        | "get_original_webhook_message" => "webhook",
        other => other,
    }
}
