//! Responses of a stand-in over HTTP.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;

/// Returns a response with a body of a media type.
pub(crate) fn response(status: u16, media: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).expect("a status that exists");
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

/// Returns a response with JSON, or with an empty body of that type.
pub(crate) fn json_response(status: u16, body: Option<&Value>) -> Response<Body> {
    response(status, "application/json", body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
}

/// Tells the client to wait a number of seconds.
pub(crate) fn set_retry_after(response: &mut Response<Body>, seconds: u64) {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
}
