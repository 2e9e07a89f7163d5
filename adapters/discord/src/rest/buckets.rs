//! Rate-limit buckets: which one a request falls into, and their last states.
//!
//! <https://discord.com/developers/docs/topics/rate-limits>

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Response;
use serenity::http::LightMethod;
use sha2::{Digest, Sha256};
use twilight_http_ratelimiting::{Endpoint, Method, RateLimitHeaders};

use super::call::Call;

/// The longest wait for a bucket; beyond it, the caller gets an error and can do other work.
const BUCKET_WAIT_MAX: Duration = Duration::from_secs(5);
/// The number of stored buckets above which those that have been reset are dropped.
const BUCKETS_MAX: usize = 1_024;
/// The number of queues for requests that carry a token of their own.
const TOKEN_QUEUES: u16 = 1_024;

/// The last state of each bucket, for requests without a response: they may have counted too.
#[derive(Default)]
pub(super) struct Buckets(Mutex<HashMap<Endpoint, RateLimitHeaders>>);

impl Buckets {
    /// Returns the time until the bucket is reset, if that is too long to wait for.
    pub(super) fn shut_for(&self, endpoint: &Endpoint) -> Option<Duration> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = known.get(endpoint).filter(|bucket| bucket.remaining == 0)?;
        let left = bucket.reset_at.checked_duration_since(Instant::now())?;
        (left > BUCKET_WAIT_MAX).then_some(left)
    }

    /// Returns the state of a bucket for the limiter, and stores it.
    ///
    /// Discord's report counts; without one, the last state with one request less does. A bucket
    /// that is shut for a moment does not fill up again: it keeps the count of its longer
    /// period.
    pub(super) fn update(&self, endpoint: Endpoint, said: Option<RateLimitHeaders>) -> Option<RateLimitHeaders> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.get(&endpoint).filter(|before| before.reset_at > Instant::now());
        let counted =
            before.map(|before| RateLimitHeaders { remaining: before.remaining.saturating_sub(1), ..before.clone() });
        let (kept, told) = match (said, counted) {
            (Some(said), Some(counted)) if said.remaining == 0 && said.reset_at < counted.reset_at => {
                let told = if counted.remaining == 0 { counted.clone() } else { said };
                (counted, told)
            }
            (Some(said), _) => (said.clone(), said),
            (None, counted) => {
                let counted = counted?;
                (counted.clone(), counted)
            }
        };
        if known.len() > BUCKETS_MAX {
            known.retain(|_, bucket| bucket.reset_at > Instant::now());
        }
        known.insert(endpoint, kept);
        Some(told)
    }
}

/// Returns the limiter's key of a request.
///
/// Ids other than the first are replaced by `-`, since they share a bucket.
pub(super) fn endpoint(call: &Call<'_>) -> Endpoint {
    let path = call.moved_path().map_or_else(|| call.route.path(), Into::into);
    let path = path.strip_prefix("https://discord.com/api/v10/").unwrap_or(&path);
    let method = match call.method {
        LightMethod::Delete => Method::Delete,
        LightMethod::Get => Method::Get,
        LightMethod::Patch => Method::Patch,
        LightMethod::Post => Method::Post,
        LightMethod::Put => Method::Put,
    };
    let mut ids = path.split('/').skip(1);
    if let Some(kind @ ("interactions" | "webhooks")) = path.split('/').next()
        && let (Some(id), Some(token)) = (ids.next(), ids.next())
    {
        // The limiter would log the token, which is a secret, and there are too many to keep a
        // queue for each. Requests with the same hash wait for each other, which costs little.
        let hash = Sha256::digest(format!("{kind}/{id}/{token}"));
        let place = u16::from_be_bytes([hash[0], hash[1]]) % TOKEN_QUEUES;
        let rest = ids.map(|part| if part.bytes().all(|byte| byte.is_ascii_digit()) { "-" } else { part });
        let path =
            ["webhooks".to_owned(), kind.to_owned(), place.to_string()].into_iter().chain(rest.map(ToOwned::to_owned));
        return Endpoint { method, path: path.collect::<Vec<_>>().join("/") };
    }
    let own = 2;
    let parts = path.split('/').enumerate().map(|(index, part)| {
        let is_id = part.bytes().all(|byte| byte.is_ascii_digit());
        let is_emoji = index == 5 && path.contains("/reactions/");
        if index >= own && (is_id || is_emoji) { "-" } else { part }
    });
    Endpoint { method, path: parts.collect::<Vec<_>>().join("/") }
}

/// Returns the state of the bucket from the headers of a response.
pub(super) fn state(response: &Response) -> Option<RateLimitHeaders> {
    let text = |name: &str| response.headers().get(name)?.to_str().ok();
    let bucket = text(RateLimitHeaders::BUCKET)?.as_bytes().to_vec();
    let after: f64 = text(RateLimitHeaders::RESET_AFTER)?.parse().ok()?;
    Some(RateLimitHeaders {
        bucket,
        limit: text(RateLimitHeaders::LIMIT)?.parse().ok()?,
        remaining: text(RateLimitHeaders::REMAINING)?.parse().ok()?,
        reset_at: Instant::now() + Duration::try_from_secs_f64(after).ok()?,
    })
}
