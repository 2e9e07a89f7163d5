//! `/scripts/<name>/…`: the routes of scripts.
//!
//! A request is an event like any other: it is journalled, and the response is sent once all effects of
//! the script are durable. A body that the route does not declare is dropped before that, unless the
//! request has a token.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::any;
use futures_util::StreamExt;
use palabre_engine::Engine;
use palabre_script::{RepeatLimiter, RouteReply, RouteSpec};
use palabre_types::ScriptName;
use serde_json::{Map, Value, json};

use crate::access::{self, Access, Caller, Refused};
use crate::body;
use crate::budget::Budget;

/// The timeout of a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Request headers that scripts do not get, and response headers that they cannot set.
const HIDDEN_HEADERS: [HeaderName; 13] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::SET_COOKIE,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHORIZATION,
    // These would affect more than the route: the chat page has the same origin.
    header::CONTENT_SECURITY_POLICY,
    header::X_CONTENT_TYPE_OPTIONS,
    header::STRICT_TRANSPORT_SECURITY,
    header::REFRESH,
    header::SEC_WEBSOCKET_PROTOCOL,
];
const HIDDEN_RESPONSE_HEADERS: [&str; 2] = ["service-worker-allowed", "clear-site-data"];

/// The state of the handler for routes of scripts.
pub(crate) struct Scripts {
    pub(crate) engine: Arc<Engine>,
    pub(crate) access: Access,
    pub(crate) budget: Arc<Budget>,
    /// Limits the log lines about each script, so that clients cannot fill the log.
    pub(crate) repeat_limiter: Mutex<HashMap<ScriptName, RepeatLimiter>>,
}

/// The client of a request.
struct Client {
    caller: Option<Caller>,
    address: IpAddr,
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
    let client = Client { caller: scripts.access.caller(&script, &headers), address: from.ip() };
    let (params, route) = match scripts.find(&script, &path, &method, &client) {
        Ok(found) => found,
        Err(refused) => return after(body, *refused).await,
    };
    if query.len() > route.limits.values {
        let error = format!("the query is too long: {}", body::too_many_values(&route));
        return after(body, refuse(StatusCode::URI_TOO_LONG, &error)).await;
    }
    let sent = match scripts.take_body(&route, &method, &headers, body, &client).await {
        Ok(sent) => sent,
        Err(refused) => return *refused,
    };
    let shown = headers.iter().filter(|(name, _)| !HIDDEN_HEADERS.contains(name));
    let shown: Map<_, _> =
        shown.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into()))).collect();
    let query: Map<_, _> = query.into_iter().map(|(name, value)| (name, value.into())).collect();
    let request = json!({
        "method": method.as_str(), "path": path, "params": params, "query": query, "headers": shown, "body": sent,
        "address": client.address.to_string(),
        "user": client.caller.map(|caller| json!({ "name": caller.name, "permission": caller.permission.as_str() })),
    });
    scripts.ask(&script, &route, request).await
}

impl Scripts {
    fn warn(&self, script: &ScriptName, what: &str) {
        let now = self.engine.clock().now();
        let mut repeat_limiter = self.repeat_limiter.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = repeat_limiter.entry(script.clone()).or_default().due(now, what) {
            tracing::warn!(script = %script, "{line}");
        }
    }

    /// Finds the route of a request and its path parameters.
    ///
    /// Fails if the client exceeds a rate limit or may not use the route.
    fn find(
        &self,
        script: &ScriptName,
        path: &str,
        method: &Method,
        client: &Client,
    ) -> Result<(Map<String, Value>, RouteSpec), Box<Response>> {
        let admitted = match &client.caller {
            Some(caller) => self.budget.token(&caller.name),
            None => self.budget.anonymous(client.address),
        };
        admitted.map_err(boxed)?;
        let routes = self.engine.routes().into_iter().filter(|(owner, _)| owner == script);
        let of_path: Vec<_> = routes.filter_map(|(_, route)| Some((route.matches(path)?, route))).collect();
        if of_path.is_empty() {
            return Err(boxed(refuse(StatusCode::NOT_FOUND, &format!("there is nothing at /scripts/{script}{path}"))));
        }
        let allowed = of_path.iter().map(|(_, route)| route.method.clone()).collect::<Vec<_>>();
        // HEAD runs the route of GET; the server drops the body.
        let wanted = if method == Method::HEAD { "GET" } else { method.as_str() };
        let Some((params, route)) = of_path.into_iter().find(|(_, route)| route.method == wanted) else {
            return Err(boxed(wrong_method(&allowed)));
        };
        access::check(client.caller.as_ref(), route.auth).map_err(|refused| boxed(unauthorised(refused)))?;
        if client.caller.is_none() {
            self.budget.route(script.as_str(), &route.key()).map_err(boxed)?;
        }
        Ok((params, route))
    }

    /// Reads the body, if the route declares one or the request has a token; otherwise discards it.
    async fn take_body(
        &self,
        route: &RouteSpec,
        method: &Method,
        headers: &HeaderMap,
        body: Body,
        client: &Client,
    ) -> Result<Value, Box<Response>> {
        if route.body.is_none() && client.caller.is_none() {
            drain(body).await;
            return Ok(Value::Null);
        }
        let Ok(sent) = to_bytes(body, route.limits.bytes).await else {
            let kib_max = route.limits.bytes >> 10;
            let error = format!("the body has more than {kib_max} KiB (limits.request_kb) or is incomplete");
            return Err(boxed(refuse(StatusCode::PAYLOAD_TOO_LARGE, &error)));
        };
        if client.caller.is_none() && !sent.is_empty() {
            self.budget.body(client.address, sent.len()).map_err(boxed)?;
        }
        body::read(route, method, headers, &sent).map_err(|(status, problems)| {
            let error = json!({ "error": "the body does not match the fields of this route", "problems": problems });
            boxed((status, Json(error)))
        })
    }

    /// Runs the route and returns its response once all its effects are durable.
    async fn ask(&self, script: &ScriptName, route: &RouteSpec, request: Value) -> Response {
        match tokio::time::timeout(REQUEST_TIMEOUT, self.engine.request(script, route, request)).await {
            Err(_) => refuse(StatusCode::GATEWAY_TIMEOUT, "the script did not respond in time"),
            // The error is in the log, for the operator only.
            Ok(Err(_)) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "the script failed"),
            Ok(Ok(result)) => match RouteReply::of(&result) {
                Ok(reply) => respond(reply),
                Err(problem) => {
                    self.warn(script, &format!("invalid response of the route {}: {problem}", route.key()));
                    refuse(StatusCode::INTERNAL_SERVER_ERROR, "the script returned an invalid response")
                }
            },
        }
    }
}

/// Returns the rejection after draining the body: a client that is still sending would not read it.
async fn after(body: Body, refused: Response) -> Response {
    drain(body).await;
    refused
}

/// Reads a body to its end and discards it.
async fn drain(body: Body) {
    let mut chunks = body.into_data_stream();
    while let Some(Ok(_)) = chunks.next().await {}
}

fn boxed(refused: impl IntoResponse) -> Box<Response> {
    Box::new(refused.into_response())
}

fn wrong_method(allowed: &[String]) -> Response {
    let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, &format!("use {}", allowed.join(" or ")));
    if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", ")) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

fn unauthorised(refused: Refused) -> Response {
    match refused {
        Refused::Forbidden => refuse(StatusCode::FORBIDDEN, "this token may not use this route"),
        Refused::Unknown => {
            let mut response =
                refuse(StatusCode::UNAUTHORIZED, "send a token from bots.yaml as Authorization: Bearer …");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            response
        }
    }
}

fn respond(reply: RouteReply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, reply.body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
            && !HIDDEN_HEADERS.contains(&name)
            && !HIDDEN_RESPONSE_HEADERS.contains(&name.as_str())
        {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
