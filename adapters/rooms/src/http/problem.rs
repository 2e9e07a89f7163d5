//! Refusals of requests, as JSON: `{"error": "…"}`.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::accounts::error::AccountError;

/// Maximum length of a refusal in plain text, in bytes; of a longer one, only the status is kept.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// A refusal.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    text: String,
    /// Seconds after which the request may be repeated.
    retry_after: Option<u64>,
    /// Whether the same request with a one-time code may succeed.
    is_code_required: bool,
}

impl Problem {
    /// Returns the status, and the text that a person reads.
    pub(super) fn parts(&self) -> (StatusCode, &str) {
        (self.status, &self.text)
    }

    /// Returns the refusal of a request that may be repeated after some seconds.
    pub(super) fn unavailable(text: impl Into<String>, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, text) }
    }

    /// Returns a refusal. One that is not for good says to try again after a moment.
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        let is_passing = status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS;
        Self { status, text: text.into(), retry_after: is_passing.then_some(1), is_code_required: false }
    }
}

/// Returns the refusal of a request without a valid credential.
pub(super) fn unauthorized(text: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, text)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({ "error": self.text });
        if self.is_code_required {
            body["otp_required"] = json!(true);
        }
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        let (status, retry_after) = match &error {
            AccountError::Invalid(_) => (StatusCode::BAD_REQUEST, None),
            AccountError::CodeRequired => {
                return Self { is_code_required: true, ..Self::new(StatusCode::UNAUTHORIZED, error.to_string()) };
            }
            AccountError::WrongCredentials | AccountError::WrongCode => (StatusCode::UNAUTHORIZED, None),
            AccountError::Conflict(_) => (StatusCode::CONFLICT, None),
            AccountError::Forbidden(_) => (StatusCode::FORBIDDEN, None),
            AccountError::NotFound(_) => (StatusCode::NOT_FOUND, None),
            AccountError::TooMany(wait) => (StatusCode::TOO_MANY_REQUESTS, Some(wait.as_secs().max(1))),
            AccountError::Busy => (StatusCode::SERVICE_UNAVAILABLE, Some(1)),
            AccountError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, Some(1)),
        };
        Self { retry_after, ..Self::new(status, error.to_string()) }
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        // A field that is missing or of the wrong type is the client's mistake like any other.
        let status = match rejection.status() {
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            status => status,
        };
        Self::new(status, rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(StatusCode::BAD_REQUEST, rejection.body_text())
    }
}

/// Returns the response to a request for an address without a route.
pub(super) async fn no_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, reason(StatusCode::NOT_FOUND))
}

/// Middleware that turns refusals in plain text or without any, such as those of the framework, into JSON.
pub(super) async fn as_json(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_plain = kind.is_none_or(|kind| kind.starts_with(b"text/plain"));
    if !is_plain || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, TEXT_BYTES_MAX).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let text = if text.trim().is_empty() { reason(status) } else { text.into_owned() };
    let mut refusal = Problem::new(status, text).into_response();
    // The others stay, such as `Allow` and `Content-Range`.
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    refusal.headers_mut().extend(parts.headers);
    refusal
}

/// Returns the text of a refusal without one.
fn reason(status: StatusCode) -> String {
    match status {
        StatusCode::NOT_FOUND => "there is nothing at this address".to_owned(),
        StatusCode::METHOD_NOT_ALLOWED => {
            "this address does not take that method; the header Allow lists those that it takes".to_owned()
        }
        other => other.canonical_reason().unwrap_or("the request was refused").to_lowercase(),
    }
}
