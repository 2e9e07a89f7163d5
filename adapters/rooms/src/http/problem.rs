//! Refusals of requests, as JSON: `{"error": "…"}`.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::accounts::error::AccountError;

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

    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), retry_after: None, is_code_required: false }
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
