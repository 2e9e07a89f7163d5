//! `/scripts/<name>/…`: the routes of scripts. A request is an event like another: journalled, and answered when all that the
//! script did about it is durable.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::any;
use palabre_engine::Engine;
use palabre_model::ScriptName;
use palabre_script::{Notices, RouteReply};
use serde_json::{Map, json};

use crate::access::{Access, Refused};
use crate::body;

/// How long a script may take over a request.
const PATIENCE: Duration = Duration::from_secs(30);
/// Headers of a request that scripts do not see, and of an answer that they do not set.
const HIDDEN: [HeaderName; 13] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::SET_COOKIE,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHORIZATION,
    // They would reach beyond the route: the page has the same origin.
    header::CONTENT_SECURITY_POLICY,
    header::X_CONTENT_TYPE_OPTIONS,
    header::STRICT_TRANSPORT_SECURITY,
    header::REFRESH,
    header::SEC_WEBSOCKET_PROTOCOL,
];
const REACHING: [&str; 2] = ["service-worker-allowed", "clear-site-data"];

/// What the routes of scripts need.
pub(crate) struct Scripts {
    pub(crate) engine: Arc<Engine>,
    pub(crate) access: Access,
    /// What was said about routes of each script: whoever asks must not fill the log.
    pub(crate) notices: Mutex<HashMap<ScriptName, Notices>>,
}

impl Scripts {
    fn warn(&self, script: &ScriptName, what: &str) {
        let now = self.engine.clock().now();
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = notices.entry(script.clone()).or_default().due(now, what) {
            tracing::warn!(script = %script, "{line}");
        }
    }
}

pub(crate) fn routes(scripts: Arc<Scripts>) -> Router {
    Router::new()
        .route("/scripts/{script}", any(answer))
        .route("/scripts/{script}/{*path}", any(answer))
        .with_state(scripts)
}

async fn answer(
    State(scripts): State<Arc<Scripts>>,
    Path(parts): Path<HashMap<String, String>>,
    Query(query): Query<Vec<(String, String)>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let part = |name: &str| parts.get(name).map_or("", String::as_str);
    let (script, path) = (ScriptName::from(part("script")), format!("/{}", part("path")));
    let of_path: Vec<_> = scripts
        .engine
        .routes()
        .into_iter()
        .filter(|(owner, _)| *owner == script)
        .filter_map(|(_, route)| Some((route.matches(&path)?, route)))
        .collect();
    if of_path.is_empty() {
        return refuse(StatusCode::NOT_FOUND, &format!("there is nothing at /scripts/{script}{path}"));
    }
    // What GET answers, HEAD answers without the body; the server sees to that.
    let wanted = if method == Method::HEAD { "GET" } else { method.as_str() };
    let Some((params, route)) = of_path.iter().find(|(_, route)| route.method == wanted) else {
        let allowed: Vec<_> = of_path.iter().map(|(_, route)| route.method.as_str()).collect();
        let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, &format!("use {}", allowed.join(" or ")));
        if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", ")) {
            response.headers_mut().insert(header::ALLOW, allowed);
        }
        return response;
    };
    let caller = match scripts.access.check(&script, route.auth, &headers) {
        Ok(caller) => caller,
        Err(Refused::Unknown) => {
            let mut response = refuse(StatusCode::UNAUTHORIZED, "send a token of bots.yaml as Authorization: Bearer …");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return response;
        }
        Err(Refused::Forbidden) => return refuse(StatusCode::FORBIDDEN, "this token may not use this route"),
    };
    if query.len() > route.limits.values {
        return refuse(StatusCode::URI_TOO_LONG, &format!("the query is too long: {}", body::too_many_values(route)));
    }
    // Only now, so that whoever may not ask sends nothing that is kept.
    let Ok(sent) = axum::body::to_bytes(body, route.limits.bytes).await else {
        let most = route.limits.bytes >> 10;
        let why = format!("the body has more than {most} KiB (limits.request_kb), or did not come whole");
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, &why);
    };
    let sent = match body::read(route, &method, &headers, &sent) {
        Ok(sent) => sent,
        Err((status, problems)) => {
            return (status, Json(json!({ "error": "the body is not what this route takes", "problems": problems })))
                .into_response();
        }
    };
    let shown = headers.iter().filter(|(name, _)| !HIDDEN.contains(name));
    let shown: Map<_, _> =
        shown.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into()))).collect();
    let query: Map<_, _> = query.into_iter().map(|(name, value)| (name, value.into())).collect();
    let request = json!({
        "method": method.as_str(), "path": path, "params": params, "query": query, "headers": shown, "body": sent,
        "address": from.ip().to_string(),
        "user": caller.map(|caller| json!({ "name": caller.name, "permission": caller.permission.as_str() })),
    });
    match tokio::time::timeout(PATIENCE, scripts.engine.request(&script, route, request)).await {
        Err(_) => refuse(StatusCode::GATEWAY_TIMEOUT, "the script has not answered in time"),
        // What went wrong is the operator's to read, in the log.
        Ok(Err(_)) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "the script failed"),
        Ok(Ok(result)) => match RouteReply::of(&result) {
            Ok(reply) => respond(reply),
            Err(problem) => {
                scripts.warn(&script, &format!("its route {}: {problem}", route.key()));
                refuse(StatusCode::INTERNAL_SERVER_ERROR, "the script's answer is none")
            }
        },
    }
}

fn respond(reply: RouteReply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, reply.body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
            && !HIDDEN.contains(&name)
            && !REACHING.contains(&name.as_str())
        {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
