//! HTTP in tests: responses to the requests of scripts, and requests to the routes of the tested script.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use palabre_engine::{Engine, Http};
use palabre_fetch::{FetchError, Grants, Url};
use palabre_platform::{Clock, VirtualClock};
use palabre_script::RouteReply;
use palabre_types::{Millis, Reply, ReplyGuard, Request, ScriptName};
use serde_json::{Value, json};

/// The timeout of a route, in milliseconds; the server has the same.
const ROUTE_TIMEOUT: Millis = 30_000;

/// The responses to HTTP requests of scripts, by the beginning of the URL.
#[derive(Default)]
pub(super) struct Replies(Mutex<Vec<(String, Reply)>>);

impl Replies {
    /// Adds the response to requests whose URL begins with `url`. If several match, the newest counts.
    pub(super) fn add(&self, url: &str, reply: &Value) {
        let body = match &reply["json"] {
            Value::Null => reply["body"].as_str().unwrap_or_default().to_owned(),
            json => json.to_string(),
        };
        let reply = Reply {
            status: reply["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200),
            headers: reply["headers"].as_object().into_iter().flatten().map(header).collect(),
            body: body.into_bytes(),
            is_body_omitted: false,
            url: url.to_owned(),
            guard: ReplyGuard::default(),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((url.to_owned(), reply));
    }
}

#[async_trait]
impl Http for Replies {
    async fn fetch(&self, request: &Request, grants: &Grants) -> Result<Reply, FetchError> {
        let url = Url::parse(&request.url).map_err(|error| FetchError::BadUrl(error.to_string()))?;
        grants.allows(&url)?;
        let replies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = replies.iter().rev().find(|(beginning, _)| request.url.starts_with(beginning));
        found.map(|(_, reply)| reply.clone()).ok_or_else(|| {
            FetchError::Failed(format!("the test defines no reply of {}; add one with t:reply_to", request.url))
        })
    }
}

/// Calls a route of `script`. Returns status and body of the response.
pub(super) async fn request(
    engine: &Engine,
    clock: &VirtualClock,
    script: &ScriptName,
    question: &Value,
) -> Result<Value, String> {
    let text = |name: &str| question[name].as_str().unwrap_or_default();
    let (method, options) = (text("method"), &question["options"]);
    let (path, query) = text("path").split_once('?').unwrap_or((text("path"), ""));
    let routes = engine.routes().into_iter();
    let mut of_script = routes.filter(|(of, route)| of == script && route.method == method);
    let found = of_script.find_map(|(_, route)| Some((route.matches(path)?, route)));
    let Some((params, route)) = found else { return Ok(json!({ "status": 404, "body": "" })) };
    let body = match &options["body"] {
        // As in the server, a route without declared fields gets the text, if its method has a body.
        _ if route.body.is_none() && matches!(method, "GET" | "DELETE") => Value::Null,
        table @ (Value::Object(_) | Value::Array(_)) if route.body.is_none() => table.to_string().into(),
        other => other.clone(),
    };
    if let Err(wrong) = route.check_body(&body) {
        return Ok(json!({ "status": 422, "body": wrong.join("; ") }));
    }
    let query: serde_json::Map<_, _> = Url::parse(&format!("http://test/?{query}"))
        .map(|url| url.query_pairs().map(|(name, value)| (name.into_owned(), value.into())).collect())
        .unwrap_or_default();
    let headers = if options["headers"].is_object() { options["headers"].clone() } else { json!({}) };
    let user = options["permission"].as_str().map(|level| json!({ "name": "test", "permission": level }));
    let request = json!({
        "method": method, "path": path, "params": params, "query": query, "body": body, "headers": headers,
        "address": "127.0.0.1", "user": user,
    });
    let result = answered(engine, clock, engine.request(script, &route, request)).await?;
    let reply = RouteReply::of(&result)?;
    let json: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    Ok(json!({ "status": reply.status, "body": reply.body, "json": json }))
}

/// Waits for the result of a route. It may wait for the virtual clock, which is then advanced.
async fn answered(
    engine: &Engine,
    clock: &VirtualClock,
    asking: impl Future<Output = Result<Value, String>>,
) -> Result<Value, String> {
    let mut asking = std::pin::pin!(asking);
    let end = clock.now() + ROUTE_TIMEOUT;
    loop {
        tokio::select! {
            biased;
            result = &mut asking => return result,
            () = engine.quiesce() => {}
        }
        let (now, next) = (clock.now(), engine.next_due());
        if next > end {
            let answered = tokio::time::timeout(Duration::from_millis(100), &mut asking).await;
            return answered.ok().ok_or("the route did not respond within 30 s of virtual time")?;
        }
        clock.advance(Duration::from_millis(next.saturating_sub(now).max(1)));
    }
}

fn header((name, value): (&String, &Value)) -> (String, String) {
    (name.to_lowercase(), value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
}
