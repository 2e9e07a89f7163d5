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

use crate::token;
use guard::Guard;

/// Where Discord is.
const DISCORD: &str = "https://discord.com";
/// So many requests a second. Discord takes 50, counted from when they reach it, which is not as evenly as they leave.
/// <https://discord.com/developers/docs/topics/rate-limits#global-rate-limit>
const GLOBAL: u16 = 40;
/// How long one request may take; with files, which may be large; and a file that is fetched.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(60);
const FILE_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a request that nobody else repeats is tried.
const TRIES: u32 = 6;
/// A bucket that stays shut for longer is told to the caller, which has other things to do meanwhile.
const BUCKET_WAIT_MAX: Duration = Duration::from_secs(5);
/// How long nothing is asked of what stands before Discord and shuts us out, where it does not say how long.
const SHUT_OUT: Duration = Duration::from_secs(60);
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
    timeout: Duration,
    guard: Guard,
    /// When the token was checked last. Held while it is, so that requests which are refused together check it once.
    token_checked: tokio::sync::Mutex<Option<Instant>>,
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

    /// Returns whether it carries the token of an interaction or a webhook, so that a refusal says nothing of the bot's.
    fn has_own_token(&self) -> bool {
        self.answers_interaction()
            || matches!(self.route, Route::WebhookWithToken { .. } | Route::WebhookMessage { .. })
    }

    fn answers_interaction(&self) -> bool {
        matches!(
            self.route,
            Route::InteractionResponse { .. }
                | Route::WebhookFollowupMessage { .. }
                | Route::WebhookFollowupMessages { .. }
                | Route::WebhookOriginalInteractionResponse { .. }
        )
    }
}

impl Rest {
    /// For the bot with that token, at Discord or at another address.
    pub(crate) fn new(token: &str, api: Option<&str>) -> Result<Self, reqwest::Error> {
        let api = api.unwrap_or(DISCORD).trim_end_matches('/');
        let api = api.trim_end_matches("/v10").trim_end_matches("/api").to_owned();
        let token = format!("Bot {}", token::trimmed(token));
        let client = reqwest::Client::builder().build()?;
        let files =
            reqwest::Client::builder().timeout(FILE_TIMEOUT).redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self {
            client,
            files,
            token,
            api,
            limiter: OnceLock::new(),
            timeout: REQUEST_TIMEOUT,
            guard: Guard::default(),
            token_checked: tokio::sync::Mutex::default(),
            said: Mutex::default(),
        })
    }

    /// Limits how long one request may take.
    pub(crate) fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Performs a request once, when its bucket lets it.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Value, RestError> {
        let (is_interaction, has_own_token) = (call.answers_interaction(), call.has_own_token());
        self.guard.admit(is_interaction)?;
        let endpoint = endpoint(&call);
        if let Some(retry_after) = self.shut_for(&endpoint) {
            return Err(RestError::Limited { retry_after });
        }
        let permit = self.limiter.get_or_init(|| RateLimiter::new(GLOBAL)).acquire(endpoint.clone()).await;
        // Much may have come of those that were ahead in the queue.
        self.guard.admit(is_interaction)?;
        let began = Instant::now();
        let sent = self.client.execute(self.build(call)?).await;
        let response = match sent {
            Ok(response) => response,
            Err(error) => {
                permit.complete(self.last(endpoint, None));
                return Err(unanswered(error));
            }
        };
        permit.complete(self.last(endpoint, limits(&response)));
        match self.answer(response).await {
            Err(RestError::Token) if has_own_token => {
                let text = "the token of the webhook or interaction is refused".to_owned();
                Err(RestError::Refused { status: StatusCode::UNAUTHORIZED, code: 0, text })
            }
            Err(RestError::Token) => Err(self.refused_token(began).await),
            answer => answer,
        }
    }

    /// As [`Rest::call`], again after a passing fault: for what runs in the background, where nobody else repeats it.
    pub(crate) async fn insist(&self, call: Call<'_>) -> Result<Value, RestError> {
        let mut pause = FIRST_PAUSE;
        for attempt in 1..TRIES {
            let error = match self.call(call.clone()).await {
                Err(error) if error.is_passing() => error,
                other => return other,
            };
            let wait = error.retry_after().unwrap_or(pause);
            if attempt == 1 && error.retry_after().is_none() {
                tracing::warn!("a request to Discord failed and is tried again, {TRIES} times at the most: {error}");
            }
            tokio::time::sleep(wait).await;
            pause *= 2;
        }
        self.call(call).await
    }

    /// Asks Discord whether it takes the token, whatever is known of it, and keeps the answer: while it is refused, nothing is asked.
    pub(crate) async fn check_token(&self) -> Result<(), RestError> {
        let request = self.build(Call::new(LightMethod::Get, Route::UserMe))?;
        let response = self.client.execute(request).await.map_err(unanswered)?;
        let answer = self.answer(response).await;
        match &answer {
            Ok(_) => self.guard.token_is_refused(false),
            Err(RestError::Token) => self.guard.token_is_refused(true),
            Err(_) => {}
        }
        answer.map(drop)
    }

    /// Returns whether Discord has refused the token, also when asked again.
    pub(crate) fn is_token_refused(&self) -> bool {
        self.guard.is_token_refused()
    }

    /// Returns once Discord refuses the token.
    pub(crate) async fn token_refused(&self) {
        self.guard.token_refused().await;
    }

    /// Returns what the refusal of the token comes to for a request that began at `began`: Discord has refused single requests by mistake,
    /// so the token is checked before it counts as refused.
    async fn refused_token(&self, began: Instant) -> RestError {
        let mut checked = self.token_checked.lock().await;
        if checked.is_none_or(|at| at < began) {
            let check = self.check_token().await;
            *checked = Some(Instant::now());
            match check {
                Ok(()) => tracing::warn!("Discord refused the token for one request, and takes it: it is tried again"),
                Err(RestError::Token) => {}
                Err(error) => tracing::warn!("Discord refused the token for one request; checking it failed: {error}"),
            }
        }
        if self.guard.is_token_refused() {
            RestError::Token
        } else {
            RestError::Passing("Discord refused the token for this request alone".to_owned())
        }
    }

    /// Returns for how long the bucket stays shut, where that is too long to wait for.
    fn shut_for(&self, endpoint: &Endpoint) -> Option<Duration> {
        let known = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = known.get(endpoint).filter(|bucket| bucket.remaining == 0)?;
        let left = bucket.reset_at.checked_duration_since(Instant::now())?;
        (left > BUCKET_WAIT_MAX).then_some(left)
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
        let moved = moved(&call.route);
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
        request = request.timeout(if call.files.is_empty() { self.timeout } else { UPLOAD_TIMEOUT });
        if !call.files.is_empty() {
            let mut form = reqwest::multipart::Form::new().text("payload_json", payload.unwrap_or_default());
            for (index, file) in call.files.into_iter().enumerate() {
                let part = reqwest::multipart::Part::bytes(file.data).file_name(file.name);
                form = form.part(format!("files[{index}]"), part);
            }
            request = request.multipart(form);
        }
        let mut request = request.build().map_err(|error| unfit(error.without_url().to_string()))?;
        if let Some(path) = moved {
            let url = format!("{}/api/v10/{path}", self.api);
            *request.url_mut() = url.parse().map_err(|error| unfit(format!("{url} is no address: {error}")))?;
        }
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
            let body = body.map_err(unanswered)?;
            return if body.is_empty() {
                Ok(Value::Null)
            } else {
                serde_json::from_slice(&body)
                    .map_err(|error| RestError::Passing(format!("an answer that is no JSON: {error}")))
            };
        }
        let said = body.ok().and_then(|body| serde_json::from_slice::<Value>(&body).ok()).filter(Value::is_object);
        let is_shared = headers.get(RateLimitHeaders::SCOPE).is_some_and(|scope| scope == "shared");
        self.guard.note(status, is_shared);
        let header = |name: &str| headers.get(name)?.to_str().ok()?.parse::<f64>().ok();
        let asked = said.as_ref().and_then(|said| said["retry_after"].as_f64()).or_else(|| header("retry-after"));
        let asked = asked.filter(|seconds| seconds.is_finite());
        let retry_after =
            |default: Duration| asked.map_or(default, |seconds| Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0)));
        let Some(said) = said else { return Err(self.foreign(status, retry_after(SHUT_OUT))) };
        if status == StatusCode::TOO_MANY_REQUESTS {
            let retry_after = retry_after(Duration::from_secs(1));
            if said["global"] == true || headers.contains_key("x-ratelimit-global") {
                self.guard.hold(retry_after);
            }
            return Err(RestError::Limited { retry_after });
        }
        Err(RestError::of(status, &said))
    }

    /// Returns what a refusal comes to that is not in Discord's form: what stands before Discord has answered, which shuts out an address
    /// for a while and says nothing of the request.
    fn foreign(&self, status: StatusCode, retry_after: Duration) -> RestError {
        match status {
            StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
                tracing::warn!("this address is shut out of Discord ({status}); nothing is asked for {retry_after:?}");
                self.guard.hold(retry_after);
                RestError::Limited { retry_after }
            }
            StatusCode::NOT_FOUND => RestError::Passing(format!("what answers for Discord says {status}")),
            status => RestError::of(status, &Value::Null),
        }
    }
}

/// Returns why a request got no answer, without its address, which may have a token in it.
fn unanswered(error: reqwest::Error) -> RestError {
    use std::error::Error;
    let what = if error.is_timeout() { "Discord does not answer in time" } else { "Discord cannot be reached" };
    let error = error.without_url();
    let cause = error.source().map_or_else(|| error.to_string(), |cause| cause.to_string());
    RestError::Passing(format!("{what} ({cause})"))
}

/// Returns the path below the API's address of a route that Discord has given another one since serenity's were written.
/// <https://discord.com/developers/docs/resources/message#pin-message>
fn moved(route: &Route<'_>) -> Option<String> {
    let Route::ChannelPin { channel_id, message_id } = route else { return None };
    Some(format!("channels/{channel_id}/messages/pins/{message_id}"))
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
    let path = moved(&call.route).map_or_else(|| call.route.path(), Into::into);
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
