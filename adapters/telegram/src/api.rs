//! Requests to Telegram's Bot API. What they are made of is teloxide's; the way there is our own, since teloxide's waits ten seconds in
//! place at each fault of the server, and drops what an answer says beside its words.

mod answer;
mod error;

use std::error::Error;
use std::time::Duration;

use reqwest::multipart::{Form, Part};
use reqwest::{Response, StatusCode, Url};
use serde_json::{Map, Value, json};

use answer::Answer;

pub(crate) use error::ApiError;

/// Where Telegram is.
const TELEGRAM: &str = "https://api.telegram.org";
/// How long one request may take, beside what Telegram is asked to wait.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long an upload may take.
const UPLOAD: Duration = Duration::from_secs(300);
/// The longest answer, in bytes: a hundred updates are far from it.
const ANSWER: usize = 64 << 20;
/// How often a request that nobody else repeats is tried.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The way to Telegram.
pub(crate) struct Api {
    client: reqwest::Client,
    base: Url,
    /// Kept out of every error.
    token: String,
}

/// A file that is sent along, under the name by which the request refers to it.
#[derive(Clone)]
pub(crate) struct Upload {
    pub(crate) field: String,
    pub(crate) name: String,
    pub(crate) content_type: Option<String>,
    pub(crate) data: Vec<u8>,
}

impl Api {
    /// For the bot with that token, at Telegram or at another address.
    pub(crate) fn new(token: &str, api: Option<&str>) -> Result<Self, String> {
        let token = token.trim().to_owned();
        let api = api.unwrap_or(TELEGRAM).trim_end_matches('/');
        let base = Url::parse(&format!("{api}/")).map_err(|error| format!("api: {api} is no address: {error}"))?;
        // What is in a redirection would be asked with the token in its address.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        Ok(Self { client: client.map_err(|error| error.to_string())?, base, token })
    }

    /// Performs a request once.
    pub(crate) async fn call(&self, method: &str, body: Value) -> Result<Value, ApiError> {
        self.call_within(method, body, Duration::ZERO).await
    }

    /// As [`Api::call`], with how long Telegram is asked to wait for something to tell.
    pub(crate) async fn call_within(&self, method: &str, body: Value, wait: Duration) -> Result<Value, ApiError> {
        match self.post(method, body, wait).await {
            Err(error) => Err(self.checked(method, error).await),
            answered => answered,
        }
    }

    async fn post(&self, method: &str, body: Value, wait: Duration) -> Result<Value, ApiError> {
        let request = self.client.post(self.method(method)?).timeout(PATIENCE + wait).json(&body);
        let sent = request.send().await.map_err(|error| self.network(error))?;
        self.answer(sent).await
    }

    /// As [`Api::call`], with files.
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
            // A line end would begin another header.
            let part = Part::bytes(file.data).file_name(file.name.replace(char::is_control, "_"));
            let part = match file.content_type {
                Some(kind) => part.mime_str(&kind).map_err(|error| ApiError::Unfit(error.to_string()))?,
                None => part,
            };
            form = form.part(file.field, part);
        }
        let request = self.client.post(self.method(method)?).timeout(UPLOAD).multipart(form);
        let sent = request.send().await.map_err(|error| self.network(error))?;
        match self.answer(sent).await {
            Err(error) => Err(self.checked(method, error).await),
            answered => answered,
        }
    }

    /// Checks a refusal of the token with `getMe`: one request that is refused does not mean that the token is none any more.
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
                "this server of the Bot API has no method {method}; it has to be a newer one"
            )),
            Ok(_) => ApiError::Passing(format!("Telegram refused the token for {method}, and takes it for getMe")),
            Err(unsure) => ApiError::Passing(format!(
                "Telegram refused the token for {method}, and getMe cannot be asked: {unsure}"
            )),
        }
    }

    /// As [`Api::call`], again after a passing fault: for what the engine does not repeat itself.
    pub(crate) async fn insist(&self, method: &str, body: Value) -> Result<Value, ApiError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            let wait = match self.call(method, body.clone()).await {
                Err(ApiError::Limited { retry_after }) => retry_after,
                Err(ApiError::Passing(_)) => pause,
                other => return other,
            };
            tokio::time::sleep(wait).await;
            pause *= 2;
        }
        self.call(method, body).await
    }

    /// A file that Telegram keeps, by its path there; at most `most` bytes.
    pub(crate) async fn download(&self, path: &str, most: usize) -> Result<Vec<u8>, ApiError> {
        let url = self.base.join(&format!("file/bot{}/{path}", self.token));
        let url = url.map_err(|error| ApiError::Unfit(format!("the path of the file is none: {error}")))?;
        let sent = self.client.get(url).timeout(UPLOAD).send().await;
        let response = sent.map_err(|error| self.network(error))?;
        if response.status() == StatusCode::NOT_FOUND {
            return Err(ApiError::NotFound(
                "Telegram has no such file any more: an address holds for an hour, and bots get files of at most 20 MB"
                    .to_owned(),
            ));
        }
        if !response.status().is_success() {
            let error = self.answer(response).await.err().unwrap_or(ApiError::Passing("no file came".to_owned()));
            return Err(self.checked("the download of a file", error).await);
        }
        self.body(response, most)
            .await?
            .ok_or_else(|| ApiError::Unfit(format!("the file has more than {most} bytes, which is the limit")))
    }

    /// What comes; nothing where it is more than `most` bytes.
    async fn body(&self, mut response: Response, most: usize) -> Result<Option<Vec<u8>>, ApiError> {
        let mut data = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.network(error))? {
            if data.len() + chunk.len() > most {
                return Ok(None);
            }
            data.extend_from_slice(&chunk);
        }
        Ok(Some(data))
    }

    fn method(&self, method: &str) -> Result<Url, ApiError> {
        // A token of letters that mean something in an address must not lead elsewhere.
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut path) => drop(path.pop_if_empty().push(&format!("bot{}", self.token)).push(method)),
            Err(()) => return Err(ApiError::Unfit("the address of the API has no path".to_owned())),
        }
        Ok(url)
    }

    async fn answer(&self, response: Response) -> Result<Value, ApiError> {
        let status = response.status();
        let Some(body) = self.body(response, ANSWER).await? else {
            return Err(ApiError::Passing(format!(
                "an answer of more than {ANSWER} bytes, which is none of Telegram's"
            )));
        };
        let answer = match Answer::read(&body) {
            Ok(answer) => answer,
            // Something in between answers: that passes.
            Err(what) if status.is_success() => {
                let words = format!("an answer that cannot be read ({what})");
                return Err(ApiError::Garbled { words, update: first_update(&body) });
            }
            Err(_) => return Err(ApiError::Passing(format!("no answer of Telegram's ({status})"))),
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

    /// Without the address, which has the token in it; with the last cause, which says what is wrong.
    fn network(&self, error: reqwest::Error) -> ApiError {
        let error = error.without_url();
        let mut cause: &dyn Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let said = if error.is_timeout() { "no answer came in time".to_owned() } else { cause.to_string() };
        ApiError::Passing(said.replace(&self.token, "…"))
    }
}

/// The number of the first update in an answer that is no JSON as a whole.
fn first_update(body: &[u8]) -> Option<i64> {
    let text = String::from_utf8_lossy(body);
    let (_, behind) = text.split_once("\"update_id\"")?;
    let digits = behind.trim_start_matches([' ', ':', '\n', '\t']);
    digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())].parse().ok()
}
