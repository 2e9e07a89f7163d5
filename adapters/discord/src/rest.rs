//! REST requests to Discord: rate limits, retries, and errors by what the caller can do about them.

mod buckets;
mod call;
mod error;
mod files;
mod guard;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use palabre_platform::{Backoff, Retry};
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use serenity::http::{LightMethod, Request, Route};
use twilight_http_ratelimiting::{RateLimitHeaders, RateLimiter};

pub(crate) use call::{Call, File};
pub(crate) use error::RestError;

use crate::token;
use buckets::Buckets;
use guard::Guard;

/// The default base URL.
const BASE_URL: &str = "https://discord.com";
/// Requests per second.
///
/// Discord allows 50, counted on arrival, which is less even than departure.
/// <https://discord.com/developers/docs/topics/rate-limits#global-rate-limit>
const REQUESTS_PER_SECOND: u16 = 40;
/// The timeout of a request without files.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The timeout of a request with files.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(60);
/// The timeout of the download of a file.
const FILE_TIMEOUT: Duration = Duration::from_secs(30);
/// The most attempts of a request that nobody else repeats.
const ATTEMPTS_MAX: u32 = 6;
/// The pause after a block by the proxy in front of Discord that names no duration.
const BLOCK_PAUSE: Duration = Duration::from_secs(60);
/// The delays between those attempts.
const RETRY_BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(8));

/// A client of Discord's REST API.
pub(crate) struct Rest {
    client: reqwest::Client,
    /// The client for downloads: it follows no redirects and sends no token.
    files: reqwest::Client,
    token: String,
    api: String,
    /// Created at the first request, since it spawns a task.
    limiter: OnceLock<RateLimiter>,
    timeout: Duration,
    guard: Guard,
    /// The time of the last check of the token.
    ///
    /// Locked during the check, so that requests which are refused together check it once.
    token_checked: tokio::sync::Mutex<Option<Instant>>,
    buckets: Buckets,
}

impl Rest {
    /// Creates a client for a bot's token, at Discord or at another base URL.
    pub(crate) fn new(token: &str, api: Option<&str>) -> Result<Self, reqwest::Error> {
        let api = api.unwrap_or(BASE_URL).trim_end_matches('/');
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
            buckets: Buckets::default(),
        })
    }

    /// Sets the timeout of requests without files.
    pub(crate) fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Performs a request once, when its bucket allows it.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Value, RestError> {
        let (is_interaction, has_own_token) = (call.answers_interaction(), call.has_own_token());
        self.guard.admit(is_interaction)?;
        let endpoint = buckets::endpoint(&call);
        if let Some(retry_after) = self.buckets.shut_for(&endpoint) {
            return Err(RestError::Limited { retry_after });
        }
        let permit = self.limiter.get_or_init(|| RateLimiter::new(REQUESTS_PER_SECOND)).acquire(endpoint.clone()).await;
        // Requests ahead in the queue may have changed the guard's state.
        self.guard.admit(is_interaction)?;
        let began = Instant::now();
        let sent = self.client.execute(self.build(call)?).await;
        let response = match sent {
            Ok(response) => response,
            Err(error) => {
                permit.complete(self.buckets.update(endpoint, None));
                return Err(unanswered(error));
            }
        };
        permit.complete(self.buckets.update(endpoint, buckets::state(&response)));
        match self.answer(response).await {
            Err(RestError::Token) if has_own_token => {
                let text = "Discord refuses the token of the webhook or interaction".to_owned();
                Err(RestError::Refused { status: StatusCode::UNAUTHORIZED, code: 0, text })
            }
            Err(RestError::Token) => Err(self.refused_token(began).await),
            answer => answer,
        }
    }

    /// Performs a request like [`Rest::call`], and retries it with back-off after transient errors.
    ///
    /// For background work, which nobody else retries.
    pub(crate) async fn with_retry(&self, call: Call<'_>) -> Result<Value, RestError> {
        let mut is_first = true;
        let judge = |error: &RestError| {
            let retry = error.retry();
            if std::mem::take(&mut is_first) && retry == Retry::WithBackoff {
                tracing::warn!("a request to Discord failed and is retried, up to {ATTEMPTS_MAX} attempts: {error}");
            }
            retry
        };
        RETRY_BACKOFF.retry(ATTEMPTS_MAX, judge, || self.call(call.clone())).await
    }

    /// Asks Discord whether the token is valid, and records the answer.
    ///
    /// While the token is refused, no other request is sent.
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

    /// Whether Discord has refused the token, and has done so again when checked.
    pub(crate) fn is_token_refused(&self) -> bool {
        self.guard.is_token_refused()
    }

    /// Waits until Discord refuses the token.
    pub(crate) async fn token_refused(&self) {
        self.guard.token_refused().await;
    }

    /// Returns the error of a request that began at `began` and had its token refused.
    ///
    /// The token is checked unless that was done since: Discord has refused single requests by
    /// mistake, so one refusal is not enough.
    async fn refused_token(&self, began: Instant) -> RestError {
        let mut checked = self.token_checked.lock().await;
        if checked.is_none_or(|at| at < began) {
            let check = self.check_token().await;
            *checked = Some(Instant::now());
            match check {
                Ok(()) => tracing::warn!("Discord refused the token for one request, but it is valid: retrying"),
                Err(RestError::Token) => {}
                Err(error) => tracing::warn!("Discord refused the token for one request; could not check it: {error}"),
            }
        }
        if self.guard.is_token_refused() {
            RestError::Token
        } else {
            RestError::Passing("Discord refused the token for this request only".to_owned())
        }
    }

    fn build(&self, call: Call<'_>) -> Result<reqwest::Request, RestError> {
        let unfit = |error: String| RestError::Unfit(error);
        let moved = call.moved_path();
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
            *request.url_mut() = url.parse().map_err(|error| unfit(format!("{url} is not a URL: {error}")))?;
        }
        // serenity sets a length before there is a body: the later header is the right one.
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
                    .map_err(|error| RestError::Lost(format!("Discord's response is not JSON: {error}")))
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
        let Some(said) = said else { return Err(self.foreign(status, retry_after(BLOCK_PAUSE))) };
        if status == StatusCode::TOO_MANY_REQUESTS {
            let retry_after = retry_after(Duration::from_secs(1));
            if said["global"] == true || headers.contains_key("x-ratelimit-global") {
                self.guard.hold(retry_after);
            }
            return Err(RestError::Limited { retry_after });
        }
        Err(RestError::of(status, &said))
    }

    /// Returns the error for a refusal that is not in Discord's format.
    ///
    /// It comes from a proxy in front of Discord, which blocks an address for a while and says
    /// nothing about the request.
    fn foreign(&self, status: StatusCode, retry_after: Duration) -> RestError {
        match status {
            StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
                tracing::warn!("Discord blocks this address ({status}); requests are paused for {retry_after:?}");
                self.guard.hold(retry_after);
                RestError::Limited { retry_after }
            }
            StatusCode::NOT_FOUND => RestError::Passing(format!("a proxy in front of Discord answered {status}")),
            status => RestError::of(status, &Value::Null),
        }
    }
}

/// Returns the error of a request without a response, without its URL, which may contain a token.
///
/// Once there was a connection, Discord may have performed the request.
fn unanswered(error: reqwest::Error) -> RestError {
    use std::error::Error;
    let is_unsent = error.is_connect();
    let what = if error.is_timeout() { "Discord does not answer in time" } else { "Discord cannot be reached" };
    let error = error.without_url();
    let cause = error.source().map_or_else(|| error.to_string(), |cause| cause.to_string());
    let text = format!("{what} ({cause})");
    if is_unsent { RestError::Passing(text) } else { RestError::Lost(text) }
}

/// Returns the audit-log reason as a header, cut to 512 characters.
///
/// <https://discord.com/developers/docs/resources/audit-log>
fn audit(reason: &str) -> Result<HeaderMap, RestError> {
    let short: String = reason.chars().take(512).collect();
    let encoded: String = percent_encoding::utf8_percent_encode(&short, percent_encoding::NON_ALPHANUMERIC).collect();
    let value = HeaderValue::from_str(&encoded).map_err(|error| RestError::Unfit(error.to_string()))?;
    Ok(HeaderMap::from_iter([(HeaderName::from_static("x-audit-log-reason"), value)]))
}
