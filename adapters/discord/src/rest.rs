//! Requests to Discord: at the pace that its buckets allow, with what it answers sorted by what is to be done about it.

mod error;
mod files;
mod guard;

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use serenity::http::{LightMethod, Request, Route};
use sha2::{Digest, Sha256};
use twilight_http_ratelimiting::{Endpoint, Method, RateLimitHeaders, RateLimiter};

pub(crate) use error::RestError;

use guard::Guard;

/// Where Discord is.
const DISCORD: &str = "https://discord.com";
/// So many requests a second. Discord takes 50, counted from when they reach it, which is not as evenly as they leave.
/// <https://discord.com/developers/docs/topics/rate-limits#global-rate-limit>
const GLOBAL: u16 = 40;
/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a request that nobody else repeats is tried.
const TRIES: u32 = 6;
/// Past so many buckets those that are full again are forgotten.
const BUCKETS: usize = 1_024;
/// So many queues there are for requests that carry a token of their own.
const PLACES: u16 = 1_024;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The way to Discord's REST API.
pub(crate) struct Rest {
    client: reqwest::Client,
    /// For files, which lie where a message says: it goes nowhere else from there, and takes no token along.
    files: reqwest::Client,
    token: String,
    api: String,
    /// Made at the first request, since it works in a task of its own.
    limiter: OnceLock<RateLimiter>,
    guard: Guard,
    /// What each bucket said last, for when a request gets no answer: it may have counted all the same.
    said: Mutex<HashMap<Endpoint, RateLimitHeaders>>,
}

/// A request: the route, the method, and what goes along.
#[derive(Clone)]
pub(crate) struct Call<'r> {
    route: Route<'r>,
    method: LightMethod,
    body: Option<Value>,
    files: Vec<File>,
    params: Vec<(&'static str, String)>,
    reason: Option<&'r str>,
}

/// A file that is sent along.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) data: Vec<u8>,
}

impl<'r> Call<'r> {
    pub(crate) fn new(method: LightMethod, route: Route<'r>) -> Self {
        Self { route, method, body: None, files: Vec::new(), params: Vec::new(), reason: None }
    }

    pub(crate) fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    pub(crate) fn files(self, files: Vec<File>) -> Self {
        Self { files, ..self }
    }

    pub(crate) fn param(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.params.push((name, value.into()));
        self
    }

    /// Why, for the audit log.
    pub(crate) fn reason(self, reason: Option<&'r str>) -> Self {
        Self { reason, ..self }
    }
}

impl Rest {
    /// For the bot with that token, at Discord or at another address.
    pub(crate) fn new(token: &str, api: Option<&str>) -> Result<Self, reqwest::Error> {
        let api = api.unwrap_or(DISCORD).trim_end_matches('/');
        let api = api.trim_end_matches("/v10").trim_end_matches("/api").to_owned();
        let token = format!("Bot {}", token.trim().trim_start_matches("Bot "));
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let files = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self {
            client,
            files,
            token,
            api,
            limiter: OnceLock::new(),
            guard: Guard::default(),
            said: Mutex::default(),
        })
    }

    /// Performs a request once, when its bucket lets it.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Value, RestError> {
        let is_interaction = matches!(
            call.route,
            Route::InteractionResponse { .. }
                | Route::WebhookFollowupMessage { .. }
                | Route::WebhookFollowupMessages { .. }
                | Route::WebhookOriginalInteractionResponse { .. }
        );
        self.guard.admit(is_interaction)?;
        let endpoint = endpoint(&call);
        let permit = self.limiter.get_or_init(|| RateLimiter::new(GLOBAL)).acquire(endpoint.clone()).await;
        // Much may have come of those that were ahead in the queue.
        self.guard.admit(is_interaction)?;
        let sent = self.client.execute(self.build(call)?).await;
        let response = match sent {
            Ok(response) => response,
            Err(error) => {
                permit.complete(self.last(endpoint, None));
                // Without the address, which may have a token in it.
                return Err(RestError::Passing(error.without_url().to_string()));
            }
        };
        permit.complete(self.last(endpoint, limits(&response)));
        self.answer(response).await
    }

    /// As [`Rest::call`], again after a passing fault: for what the engine does not repeat itself.
    pub(crate) async fn insist(&self, call: Call<'_>) -> Result<Value, RestError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            let wait = match self.call(call.clone()).await {
                Err(RestError::Limited { retry_after }) => retry_after,
                Err(RestError::Passing(_)) => pause,
                other => return other,
            };
            tokio::time::sleep(wait).await;
            pause *= 2;
        }
        self.call(call).await
    }

    /// What the limiter is told of the bucket: what Discord says, or, where it says nothing, one less than it said last. A bucket that is
    /// shut for a moment has no more in it afterwards than it had.
    fn last(&self, endpoint: Endpoint, said: Option<RateLimitHeaders>) -> Option<RateLimitHeaders> {
        let mut known = self.said.lock().unwrap_or_else(PoisonError::into_inner);
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
        if known.len() > BUCKETS {
            known.retain(|_, bucket| bucket.reset_at > Instant::now());
        }
        known.insert(endpoint, kept);
        Some(told)
    }

    fn build(&self, call: Call<'_>) -> Result<reqwest::Request, RestError> {
        let unfit = |error: String| RestError::Unfit(error);
        let mut request = Request::new(call.route, call.method);
        if !call.params.is_empty() {
            request = request.params(Some(call.params));
        }
        if let Some(reason) = call.reason.filter(|reason| !reason.is_empty()) {
            request = request.headers(Some(audit(reason)?));
        }
        let body = call.body.map(|body| body.to_string());
        let (payload, body) = if call.files.is_empty() { (None, body) } else { (body, None) };
        request = request.body(body.map(String::into_bytes));
        let mut request =
            request.build(&self.client, &self.token, Some(&self.api)).map_err(|error| unfit(error.to_string()))?;
        if !call.files.is_empty() {
            let mut form = reqwest::multipart::Form::new().text("payload_json", payload.unwrap_or_default());
            for (index, file) in call.files.into_iter().enumerate() {
                let part = reqwest::multipart::Part::bytes(file.data).file_name(file.name);
                form = form.part(format!("files[{index}]"), part);
            }
            request = request.multipart(form);
        }
        let mut request = request.build().map_err(|error| unfit(error.without_url().to_string()))?;
        // serenity has said that there is no body, before there was one: the later length is the right one.
        if let Some(length) = request.headers().get_all(CONTENT_LENGTH).iter().next_back().cloned() {
            request.headers_mut().insert(CONTENT_LENGTH, length);
        }
        Ok(request)
    }

    async fn answer(&self, response: Response) -> Result<Value, RestError> {
        let status = response.status();
        let headers = response.headers().clone();
        let body = response.bytes().await;
        if status.is_success() {
            let body = body.map_err(|error| RestError::Passing(error.without_url().to_string()))?;
            return if body.is_empty() {
                Ok(Value::Null)
            } else {
                serde_json::from_slice(&body)
                    .map_err(|error| RestError::Passing(format!("an answer that is no JSON: {error}")))
            };
        }
        let said: Value = body.ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
        let is_shared = headers.get(RateLimitHeaders::SCOPE).is_some_and(|scope| scope == "shared");
        let error = RestError::of(status, &said);
        self.guard.note(status, is_shared, error == RestError::Token);
        if status == StatusCode::TOO_MANY_REQUESTS {
            let of_header = || headers.get("retry-after")?.to_str().ok()?.parse::<f64>().ok();
            let seconds = said["retry_after"].as_f64().or_else(of_header).unwrap_or(1.0).clamp(0.0, 86_400.0);
            let retry_after = Duration::from_secs_f64(seconds);
            if said["global"] == true || headers.contains_key("x-ratelimit-global") {
                self.guard.hold(retry_after);
            }
            return Err(RestError::Limited { retry_after });
        }
        Err(error)
    }
}

/// The reason as a header takes it, 512 characters at the most.
/// <https://discord.com/developers/docs/resources/audit-log>
fn audit(reason: &str) -> Result<HeaderMap, RestError> {
    let short: String = reason.chars().take(512).collect();
    let encoded: String = percent_encoding::utf8_percent_encode(&short, percent_encoding::NON_ALPHANUMERIC).collect();
    let value = HeaderValue::from_str(&encoded).map_err(|error| RestError::Unfit(error.to_string()))?;
    Ok(HeaderMap::from_iter([(HeaderName::from_static("x-audit-log-reason"), value)]))
}

/// What the request is to the limiter. Ids other than the first are alike to it: they share a bucket.
fn endpoint(call: &Call<'_>) -> Endpoint {
    let path = call.route.path();
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
        // A token is a secret, which the limiter would put into the log; and there are so many of them that each could not be kept. Those
        // that fall together wait for each other, which costs little.
        let hash = Sha256::digest(format!("{kind}/{id}/{token}"));
        let place = u16::from_be_bytes([hash[0], hash[1]]) % PLACES;
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

/// What the answer says of its bucket.
fn limits(response: &Response) -> Option<RateLimitHeaders> {
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
