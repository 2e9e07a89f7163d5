//! The REST API: each call is authorised, rate-limited, checked against the description, and performed.

mod access;
mod bans;
mod call;
mod channels;
pub(super) mod command_lists;
mod commands;
mod editing;
pub(super) mod faults;
mod forms;
mod guilds;
mod interactions;
mod invites;
pub(super) mod limits;
mod me;
mod members;
mod message_rules;
mod messages;
mod pace;
mod pins;
mod reactions;
mod refusal;
mod reply;
mod routes;
mod threads;
mod treatment;
mod webhooks;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::server::listener::{CutOff, accept, serve_http};
use crate::server::responses::{json_response, response, set_retry_after};

use super::counters::Violation;
use super::rules::Operation;
use super::shared::Shared;
use super::state::State;

use call::Call;
use pace::Pace;
use refusal::Refusal;
use reply::{Outcome, Reply};
use treatment::Treatment;

/// Accepts connections for as long as it is polled.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let serve = |stream| {
        let shared = Arc::clone(&shared);
        serve_http(stream, move |request| answer(Arc::clone(&shared), request))
    };
    accept(listener, &shared.changes, serve).await;
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, CutOff> {
    let path = request.uri().path();
    if path.starts_with("/attachments/") {
        return Ok(file(&shared, path));
    }
    let Some(path) = path.strip_prefix("/api/v10").map(ToOwned::to_owned) else {
        return Ok(refuse(Refusal::missing_route()));
    };
    let method = request.method().as_str().to_owned();
    match shared.rules.find(&method, &path) {
        Ok((operation, mut parameters)) => {
            parameters.values_mut().for_each(|value| *value = call::decode(value));
            let call = Call::read(request, Arc::clone(&operation), path, parameters).await;
            perform(&shared, &operation, call).await
        }
        Err(elsewhere) => {
            let reason = "Discord has no such call";
            shared.change(|state| state.record_violation(&method, &path, reason, &Value::Null));
            Ok(refuse(if elsewhere { Refusal::wrong_method() } else { Refusal::missing_route() }))
        }
    }
}

async fn perform(shared: &Shared, operation: &Operation, call: Call) -> Result<Response<Body>, CutOff> {
    let (mut pace, fault) = shared.change(|state| {
        *state.counters.calls.entry(operation.name.clone()).or_default() += 1;
        state.recording.record_call((operation.name.clone(), call.reason.clone(), call.body_or_null()));
        let pace = state.pace(&call);
        let fault = if pace.allows() { state.choose_fault(&operation.name) } else { None };
        (pace, fault)
    });
    if !pace.allows() {
        shared.change(|state| state.counters.overruns += 1);
        return Ok(finish(shared, refuse(pace.refusal()), &pace));
    }
    match fault {
        Some(Treatment::Instead(refusal)) => {
            if let Some(retry_after) = refusal.retry_after() {
                shared.change(|state| state.forbid(&call, retry_after));
                pace.shut(retry_after);
            }
            return Ok(finish(shared, refuse(refusal), &pace));
        }
        Some(Treatment::Page) => return Ok(shut_out()),
        Some(Treatment::Before) => return Err(CutOff),
        Some(Treatment::Late(delay)) => tokio::time::sleep(delay).await,
        Some(Treatment::After) | None => {}
    }
    let outcome = check(shared, operation, &call).and_then(|()| {
        shared.change(|state| match routes::perform(state, &call) {
            Ok(mut reply) => {
                if let Some(body) = &mut reply.body {
                    state.rough.roughen(routes::kind(&operation.name), body);
                }
                Ok(reply)
            }
            refused => refused,
        })
    });
    if matches!(fault, Some(Treatment::After)) {
        return Err(CutOff);
    }
    if shared.options.check_answers {
        check_own(shared, operation, &outcome);
    }
    if let Err(refusal) = &outcome
        && let Some(reason) = refusal.violation()
    {
        shared.change(|state| state.record_violation(&operation.method, &call.path, reason, &call.body_or_null()));
    }
    let response = outcome.map_or_else(refuse, |reply| json_response(reply.status, reply.body.as_ref()));
    Ok(finish(shared, response, &pace))
}

/// Checks that the call is authorised and conforms to the description.
fn check(shared: &Shared, operation: &Operation, call: &Call) -> Result<(), Refusal> {
    if !call.agent.starts_with("DiscordBot (") {
        let reason = format!("the User-Agent must begin with \"DiscordBot (\", not be {:?}", call.agent);
        shared.change(|state| state.record_violation(&operation.method, &call.path, &reason, &Value::Null));
    }
    let right = call.authorization.as_deref() == Some(format!("Bot {}", shared.options.token).as_str());
    let needless = operation.open && call.authorization.is_none();
    if !right && !needless {
        return Err(Refusal::unauthorized());
    }
    if operation.deprecated {
        return Err(Refusal::new(410, 0, "410: Gone").blamed(&format!("{} is deprecated", operation.name)));
    }
    if let Some(reason) = &call.unreadable {
        return Err(Refusal::form("", reason));
    }
    let mut misfits = shared.rules.check_query(operation, &call.query);
    misfits.extend(shared.rules.check_body(operation, call.body.as_ref(), call.is_form));
    misfits.extend(forms::check(call));
    if misfits.is_empty() { Ok(()) } else { Err(Refusal::misfits(&misfits)) }
}

fn check_own(shared: &Shared, operation: &Operation, outcome: &Outcome) {
    let Ok(Reply { status, body: Some(body) }) = outcome else { return };
    for misfit in shared.rules.check_answer(operation, *status, body) {
        let text = format!("{} {}: {}: {}", operation.method, operation.path, misfit.at, misfit.why);
        shared.change(|state| state.recording.own_misfits.push(text));
    }
}

fn refuse(refusal: Refusal) -> Response<Body> {
    let retry_after = refusal.retry_after();
    let mut response = json_response(refusal.status(), Some(&refusal.body()));
    if let Some(seconds) = retry_after {
        // The header has whole seconds, the body fractions.
        set_retry_after(&mut response, seconds.ceil() as u64);
    }
    for (name, value) in refusal.headers() {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The answer of a proxy in front of Discord.
fn shut_out() -> Response<Body> {
    let mut response = response(403, "text/html", "<!doctype html><title>Access denied (1015)</title>");
    set_retry_after(&mut response, 1);
    response
}

/// Counts the answer, and adds the headers of the bucket.
fn finish(shared: &Shared, mut response: Response<Body>, pace: &Pace) -> Response<Body> {
    let shares = response.headers().get("x-ratelimit-scope").is_some_and(|scope| scope == "shared");
    if matches!(response.status().as_u16(), 401 | 403) || response.status().as_u16() == 429 && !shares {
        shared.change(|state| state.counters.invalid += 1);
    }
    pace.write(response.headers_mut());
    response
}

fn file(shared: &Shared, path: &str) -> Response<Body> {
    let path = call::decode(path);
    match shared.change_silently(|state| state.files.get(&path).cloned()) {
        Some(file) => {
            let mut response = Response::new(Body::from(file.bytes));
            let media = HeaderValue::from_str(&file.media);
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, media.unwrap_or(HeaderValue::from_static("text/plain")));
            response
        }
        None => json_response(404, Some(&json!("This content is no longer available."))),
    }
}

impl State {
    fn record_violation(&mut self, method: &str, path: &str, reason: &str, body: &Value) {
        let (method, path, reason) = (method.to_owned(), path.to_owned(), reason.to_owned());
        self.recording.violations.push(Violation { method, path, reason, body: body.clone() });
    }
}
