//! A parsed call.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Multipart};
use axum::http::{HeaderMap, Request, header};
use hyper::body::Incoming;
use serde_json::Value;

use crate::discord::id::Id;
use crate::discord::rules::Operation;
use crate::server::upload::Upload;

/// The maximum size of a body, in bytes.
const BODY_MAX: usize = 32 << 20;

/// A request of a client.
#[derive(Debug)]
pub(in crate::discord) struct Call {
    pub(super) operation: Arc<Operation>,
    /// The path below `/api/v10`.
    pub(super) path: String,
    parameters: HashMap<String, String>,
    pub(super) query: HashMap<String, String>,
    /// The JSON, or the JSON part of a form.
    pub(super) body: Option<Value>,
    pub(super) is_form: bool,
    /// The files of a form by number.
    pub(super) files: Vec<(u64, Upload)>,
    pub(super) authorization: Option<String>,
    pub(super) agent: String,
    /// The reason for the audit log.
    pub(super) reason: Option<String>,
    /// The reason why the body could not be read.
    pub(super) unreadable: Option<String>,
}

impl Call {
    pub(super) async fn read(
        request: Request<Incoming>,
        operation: Arc<Operation>,
        path: String,
        parameters: HashMap<String, String>,
    ) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let headers = request.headers();
        let text = |name: &str| text(headers, name);
        let reason = text("x-audit-log-reason").map(|reason| decode(&reason));
        let is_form = text("content-type").is_some_and(|media| media.starts_with("multipart/form-data"));
        let mut call = Self {
            authorization: text(header::AUTHORIZATION.as_str()),
            agent: text(header::USER_AGENT.as_str()).unwrap_or_default(),
            operation,
            path,
            parameters,
            query,
            body: None,
            is_form,
            files: Vec::new(),
            reason,
            unreadable: None,
        };
        let outcome = if is_form { call.read_form(request).await } else { call.read_json(request).await };
        call.unreadable = outcome.err();
        call
    }

    async fn read_json(&mut self, request: Request<Incoming>) -> Result<(), String> {
        let is_json =
            text(request.headers(), "content-type").is_some_and(|media| media.starts_with("application/json"));
        let bytes = to_bytes(Body::new(request.into_body()), BODY_MAX).await.map_err(|error| error.to_string())?;
        if bytes.is_empty() {
            return Ok(());
        }
        if !is_json {
            return Err("the Content-Type is not application/json".to_owned());
        }
        self.body = Some(serde_json::from_slice(&bytes).map_err(|error| format!("the body is no JSON: {error}"))?);
        Ok(())
    }

    async fn read_form(&mut self, request: Request<Incoming>) -> Result<(), String> {
        let form = Multipart::from_request(request.map(Body::new), &()).await;
        let mut form = form.map_err(|error| error.to_string())?;
        while let Some(part) = form.next_field().await.map_err(|error| error.to_string())? {
            let part_name = part.name().unwrap_or_default().to_owned();
            let name = part.file_name().unwrap_or("unknown").to_owned();
            let media = part.content_type().unwrap_or("application/octet-stream").to_owned();
            let bytes = part.bytes().await.map_err(|error| error.to_string())?;
            if part_name == "payload_json" {
                let body =
                    serde_json::from_slice(&bytes).map_err(|error| format!("payload_json is no JSON: {error}"))?;
                self.body = Some(body);
                continue;
            }
            let number = part_name.strip_prefix("files[").and_then(|rest| rest.strip_suffix(']')?.parse().ok());
            let number = number.ok_or_else(|| format!("a part named {part_name:?} means nothing here"))?;
            self.files.push((number, Upload { name, media, bytes }));
        }
        Ok(())
    }

    /// An id in the path.
    pub(super) fn id(&self, name: &str) -> Id {
        self.text(name).parse().expect("the route only fits with an id")
    }

    /// A parameter in the path.
    pub(super) fn text(&self, name: &str) -> &str {
        self.parameters.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A parameter in the path, which may be missing.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// An id in the query.
    pub(super) fn query_id(&self, name: &str) -> Option<Id> {
        self.query.get(name)?.parse().ok()
    }

    /// The parameter `limit` in the query.
    pub(super) fn limit(&self, default: usize) -> usize {
        self.query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(default)
    }

    pub(super) fn asks(&self, name: &str) -> bool {
        self.query.get(name).is_some_and(|value| value == "true" || value == "1")
    }

    /// The body; null if there is none.
    pub(super) fn body_or_null(&self) -> Value {
        self.body.clone().unwrap_or_default()
    }

    /// The files in order.
    pub(super) fn uploads(&self) -> Vec<Upload> {
        self.files.iter().map(|(_, file)| file.clone()).collect()
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(ToOwned::to_owned)
}

/// Decodes percent-encoding; a plus stays a plus.
pub(super) fn decode(text: &str) -> String {
    let pair = format!("v={}", text.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, text)| text.into_owned()).unwrap_or_default()
}
