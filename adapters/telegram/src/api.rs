//! Requests to Telegram's Bot API.
//!
//! Request types come from teloxide-core, but not the client: teloxide's sleeps ten seconds at each
//! fault of the server, and drops everything of an error response except its description.

mod answer;
mod error;

use std::error::Error;
use std::time::Duration;

use palabre_platform::Backoff;
use reqwest::multipart::{Form, Part};
use reqwest::{Response, StatusCode, Url};
use serde_json::{Map, Value, json};

use answer::Answer;

pub(crate) use error::ApiError;

/// The address of Telegram's Bot API.
const API_URL: &str = "https://api.telegram.org";
/// Timeout of one request, in addition to the time that Telegram is asked to wait.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Timeout of an upload or a download.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(300);
/// Largest response, in bytes; a hundred updates are far smaller.
const RESPONSE_SIZE_MAX: usize = 64 << 20;
/// Attempts at a request that nothing else repeats.
pub(crate) const ATTEMPTS_MAX: u32 = 6;
/// The delays between them.
pub(crate) const RETRY_BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(8));

/// The client of the Bot API.
pub(crate) struct Api {
    client: reqwest::Client,
    base: Url,
    /// Removed from every error.
    token: String,
}

/// A file to upload, under the field name by which the request refers to it.
#[derive(Clone)]
pub(crate) struct Upload {
    pub(crate) field: String,
    pub(crate) name: String,
    pub(crate) content_type: Option<String>,
    pub(crate) data: Vec<u8>,
}

impl Api {
    /// Creates a client for the bot with this token, at `api` or at Telegram's own address.
    pub(crate) fn new(token: &str, api: Option<&str>) -> Result<Self, String> {
        let token = token.trim().to_owned();
        let api = api.unwrap_or(API_URL).trim_end_matches('/');
        let base = Url::parse(&format!("{api}/")).map_err(|error| format!("api: {api} is not a URL: {error}"))?;
        // Following redirects could leak the token, which is part of each URL.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        Ok(Self { client: client.map_err(|error| error.to_string())?, base, token })
    }

    /// Sends a request once.
    pub(crate) async fn call(&self, method: &str, body: Value) -> Result<Value, ApiError> {
        self.call_within(method, body, Duration::ZERO).await
    }

    /// Same as [`Api::call`], with the time that Telegram may hold its response back.
    pub(crate) async fn call_within(&self, method: &str, body: Value, wait: Duration) -> Result<Value, ApiError> {
        match self.post(method, body, wait).await {
            Err(error) => Err(self.checked(method, error).await),
            answered => answered,
        }
    }

    async fn post(&self, method: &str, body: Value, wait: Duration) -> Result<Value, ApiError> {
        let request = self.client.post(self.method(method)?).timeout(REQUEST_TIMEOUT + wait).json(&body);
        let sent = request.send().await.map_err(|error| self.network(error))?;
        self.answer(sent).await
    }

    /// Same as [`Api::call`], with files.
    pub(crate) async fn upload(
        &self,
        method: &str,
        body: Map<String, Value>,
        files: Vec<Upload>,
    ) -> Result<Value, ApiError> {
        let mut form = Form::new();
        for (name, value) in body {
            let text = if let Value::String(text) = value { text } else { value.to_string() };
            form = form.text(name, text);
        }
        for file in files {
            // A line break in the name would start another header.
            let part = Part::bytes(file.data).file_name(file.name.replace(char::is_control, "_"));
            let part = match file.content_type {
                Some(kind) => part.mime_str(&kind).map_err(|error| ApiError::Unfit(error.to_string()))?,
                None => part,
            };
            form = form.part(file.field, part);
        }
        let request = self.client.post(self.method(method)?).timeout(TRANSFER_TIMEOUT).multipart(form);
        let sent = request.send().await.map_err(|error| self.network(error))?;
        match self.answer(sent).await {
            Err(error) => Err(self.checked(method, error).await),
            answered => answered,
        }
    }

    /// Checks a refusal of the token with `getMe`: one refusal does not mean a revoked token.
    async fn checked(&self, method: &str, error: ApiError) -> ApiError {
        if !matches!(error, ApiError::Token | ApiError::NoMethod) {
            return error;
        }
        if method == "getMe" {
            return ApiError::Token;
        }
        match self.post("getMe", json!({}), Duration::ZERO).await {
            Err(ApiError::Token | ApiError::NoMethod) => ApiError::Token,
            Ok(_) if error == ApiError::NoMethod => ApiError::Refused(format!(
                "this Bot API server does not know the method {method}; run a newer version of it"
            )),
            Ok(_) => ApiError::Passing(format!("Telegram refused the token for {method}, but accepts it for getMe")),
            Err(unsure) => ApiError::Passing(format!(
                "Telegram refused the token for {method}, and getMe could not check it: {unsure}"
            )),
        }
    }

    /// Same as [`Api::call`], with retries after transient faults.
    ///
    /// For requests that the engine does not retry.
    pub(crate) async fn call_with_retry(&self, method: &str, body: Value) -> Result<Value, ApiError> {
        RETRY_BACKOFF.retry(ATTEMPTS_MAX, ApiError::retry, || self.call(method, body.clone())).await
    }

    /// Downloads a file by its path at Telegram; at most `size_max` bytes.
    pub(crate) async fn download(&self, path: &str, size_max: usize) -> Result<Vec<u8>, ApiError> {
        let url = self.base.join(&format!("file/bot{}/{path}", self.token));
        let url = url.map_err(|error| ApiError::Unfit(format!("the path of the file is invalid: {error}")))?;
        let sent = self.client.get(url).timeout(TRANSFER_TIMEOUT).send().await;
        let response = sent.map_err(|error| self.network(error))?;
        if response.status() == StatusCode::NOT_FOUND {
            return Err(ApiError::NotFound(
                "Telegram has no such file any more: a link is valid for an hour, and bots get files of at most 20 MB"
                    .to_owned(),
            ));
        }
        if !response.status().is_success() {
            let error = self.answer(response).await.err().unwrap_or(ApiError::Passing("no file was sent".to_owned()));
            return Err(self.checked("the download of a file", error).await);
        }
        self.body(response, size_max)
            .await?
            .ok_or_else(|| ApiError::Unfit(format!("the file has more than {size_max} bytes, which is the limit")))
    }

    /// Reads the body of a response; `None` if it has more than `size_max` bytes.
    async fn body(&self, mut response: Response, size_max: usize) -> Result<Option<Vec<u8>>, ApiError> {
        let mut data = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.network(error))? {
            if data.len() + chunk.len() > size_max {
                return Ok(None);
            }
            data.extend_from_slice(&chunk);
        }
        Ok(Some(data))
    }

    fn method(&self, method: &str) -> Result<Url, ApiError> {
        // Pushed as path segments: a token with characters such as `/` must not lead elsewhere.
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut path) => drop(path.pop_if_empty().push(&format!("bot{}", self.token)).push(method)),
            Err(()) => return Err(ApiError::Unfit("the address of the API is not an https:// address".to_owned())),
        }
        Ok(url)
    }

    async fn answer(&self, response: Response) -> Result<Value, ApiError> {
        let status = response.status();
        let Some(body) = self.body(response, RESPONSE_SIZE_MAX).await? else {
            return Err(ApiError::Lost(format!(
                "the response has more than {RESPONSE_SIZE_MAX} bytes, so it is not from the Bot API"
            )));
        };
        let answer = match Answer::read(&body) {
            Ok(answer) => answer,
            // Probably from a proxy in between, so it is transient.
            Err(what) if status.is_success() => {
                let words = format!("the response cannot be read ({what})");
                return Err(ApiError::Garbled { words, update: first_update(&body) });
            }
            Err(_) => return Err(ApiError::Lost(format!("the response is not from the Bot API ({status})"))),
        };
        match answer {
            Answer::Done(result) => Ok(result),
            Answer::Limited { retry_after } => Err(ApiError::Limited { retry_after }),
            Answer::Moved { to } => Err(ApiError::Moved { to }),
            Answer::Refused { code, description } => {
                let code = code.unwrap_or(status.as_u16());
                Err(ApiError::of(code, &description.replace(&self.token, "…")))
            }
        }
    }

    /// Converts a network error to its root cause, without the URL, which contains the token.
    ///
    /// Once there was a connection, Telegram may have performed the request.
    fn network(&self, error: reqwest::Error) -> ApiError {
        let is_unsent = error.is_connect();
        let error = error.without_url();
        let mut cause: &dyn Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let text = if error.is_timeout() { "no response in time".to_owned() } else { cause.to_string() };
        let text = text.replace(&self.token, "…");
        if is_unsent { ApiError::Passing(text) } else { ApiError::Lost(text) }
    }
}

/// Finds the number of the first update in a response that is not valid JSON.
fn first_update(body: &[u8]) -> Option<i64> {
    let text = String::from_utf8_lossy(body);
    let (_, behind) = text.split_once("\"update_id\"")?;
    let digits = behind.trim_start_matches([' ', ':', '\n', '\t']);
    digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())].parse().ok()
}
