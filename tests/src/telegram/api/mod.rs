//! The HTTP API: each call is authorised, checked against the description, rate-limited, and performed.

mod answering;
mod call;
mod chats;
mod commands;
mod content;
mod copying;
mod deleting;
mod editing;
mod faults;
mod invites;
mod me;
mod members;
mod pacing;
mod pins;
mod polls;
mod reach;
mod reactions;
mod routes;
mod sending;
mod topics;
mod updates;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use futures_util::{StreamExt, stream};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::server::listener::{CutOff, accept, serve_http};
use crate::server::responses::{json_response, response, set_retry_after};

use super::description::Method;
use super::refusal::{Outcome, Refusal};
use super::shared::Shared;

use call::Call;
use faults::Chosen;

/// Accepts connections for as long as it is polled.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let begin = |stream| {
        shared.change_silently(|state| state.counters.connections += 1);
        serve(stream, Arc::clone(&shared))
    };
    accept(listener, &shared.changes, begin).await;
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let mut cuts = shared.change_silently(|state| state.cuts.subscribe());
    tokio::select! {
        // Anything that happens after a cut must not be sent through a connection from before it.
        biased;
        _cut = cuts.changed() => {}
        () = serve_http(stream, |request| answer(Arc::clone(&shared), request)) => {}
    }
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, CutOff> {
    let path = request.uri().path().to_owned();
    if let Some(path) = path.strip_prefix("/file/bot") {
        return download(&shared, path).await;
    }
    let Some((token, name)) = path.strip_prefix("/bot").and_then(|rest| rest.split_once('/')) else {
        return Ok(respond(Err(Refusal::not_found())));
    };
    if token != shared.options.token || shared.change_silently(|state| state.is_revoked) {
        return Ok(respond(Err(Refusal::unauthorized())));
    }
    let Some(method) = shared.rules.find(name) else {
        let refusal = Refusal::not_found();
        let reason = refusal.violation.clone().unwrap_or_default();
        shared.change(|state| state.record_violation(name, &reason, &Value::Null));
        return Ok(respond(Err(refusal)));
    };
    let call = Call::read(request, method, shared.rules).await;
    perform(&shared, method, call).await
}

async fn perform(
    shared: &Shared,
    method: &'static Method,
    call: Result<Call, Refusal>,
) -> Result<Response<Body>, CutOff> {
    let fault = shared.change(|state| {
        *state.counters.calls.entry(method.name.clone()).or_default() += 1;
        state.choose_fault(&method.name)
    });
    match &fault {
        Some(Chosen::Instead(refusal)) => {
            if let (429, Ok(call)) = (refusal.code, &call) {
                shared.change(|state| state.forbid_for(call, faults::RETRY_AFTER_SECONDS));
            }
            return Ok(respond(Err(refusal.clone())));
        }
        Some(Chosen::BadGateway) => return Ok(bad_gateway()),
        Some(Chosen::Before) => return Err(CutOff),
        Some(Chosen::Late(delay)) => tokio::time::sleep(*delay).await,
        Some(Chosen::After | Chosen::Truncated | Chosen::Nulls | Chosen::Unanswered) | None => {}
    }
    let outcome = match call {
        Ok(call) => {
            let outcome = carry_out(shared, &call).await;
            if let Err(Refusal { violation: Some(reason), .. }) = &outcome {
                shared.change(|state| state.record_violation(&method.name, reason, &call.parameters));
            }
            outcome
        }
        Err(refusal) => {
            let reason = refusal.violation.clone().unwrap_or_default();
            shared.change(|state| state.record_violation(&method.name, &reason, &Value::Null));
            Err(refusal)
        }
    };
    if let Ok(result) = &outcome
        && shared.options.check_answers
        // Updates were checked when they were created.
        && method.name != "getUpdates"
        && let Err(misfit) = shared.rules.check_answer(method, result)
    {
        shared.change(|state| state.recording.own_misfits.push(format!("{}: {misfit}", method.name)));
    }
    let outcome = outcome.map(|result| shared.change_silently(|state| state.roughened(&method.name, result)));
    match fault {
        Some(Chosen::After) => Err(CutOff),
        Some(Chosen::Truncated) => Ok(truncated(envelope(outcome).1.to_string().as_bytes())),
        Some(Chosen::Nulls) => Ok(with_nulls(outcome)),
        Some(Chosen::Unanswered) => std::future::pending().await,
        _ => Ok(respond(outcome)),
    }
}

/// Performs a call, if it conforms to the description and the limits.
async fn carry_out(shared: &Shared, call: &Call) -> Outcome {
    let object = call.parameters.as_object().expect("the parameters are an object");
    shared.rules.check_call(call.method, object).map_err(|misfit| Refusal::broken_rule(&misfit))?;
    if call.method.name == "getUpdates" {
        return updates::get(shared, call).await;
    }
    shared.change(|state| {
        state.record_call(&call.method.name, &call.parameters);
        state.pace(call)?;
        routes::perform(state, call)
    })
}

fn envelope(outcome: Outcome) -> (u16, Value, Option<u64>) {
    match outcome {
        Ok(result) => (200, json!({ "ok": true, "result": result }), None),
        Err(refusal) => {
            let body = refusal.body();
            let retry_after = body["parameters"]["retry_after"].as_u64();
            (refusal.code, body, retry_after)
        }
    }
}

fn respond(outcome: Outcome) -> Response<Body> {
    let (status, body, retry_after) = envelope(outcome);
    let mut response = json_response(status, Some(&body));
    if let Some(seconds) = retry_after {
        set_retry_after(&mut response, seconds);
    }
    response
}

/// An answer with null in fields that Telegram would leave out.
fn with_nulls(outcome: Outcome) -> Response<Body> {
    let (status, mut body, _) = envelope(outcome);
    for field in ["result", "error_code", "description", "parameters"] {
        if body[field].is_null() {
            body[field] = Value::Null;
        }
    }
    if let Some(result) = body["result"].as_object_mut() {
        for field in ["entities", "caption", "reply_markup", "edit_date"] {
            result.entry(field).or_insert(Value::Null);
        }
    }
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status that exists");
    response
}

/// The answer of a proxy in front of Telegram if the server is down.
fn bad_gateway() -> Response<Body> {
    let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
                <center><h1>502 Bad Gateway</h1></center>\r\n\
                <hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n";
    response(502, "text/html", page)
}

/// An answer that ends in the middle.
fn truncated(whole: &[u8]) -> Response<Body> {
    let half = Bytes::copy_from_slice(&whole[..whole.len() / 2]);
    // Sends the available data before the connection ends.
    let end = async {
        tokio::task::yield_now().await;
        Err(CutOff)
    };
    let pieces = stream::once(async { Ok(half) }).chain(stream::once(end));
    let mut response = response(200, "application/json", Body::from_stream(pieces));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    response
}

/// Returns a file by the token and the path from `getFile`. Faults use the name `download`.
async fn download(shared: &Shared, path: &str) -> Result<Response<Body>, CutOff> {
    let fault = shared.change(|state| {
        *state.counters.calls.entry("download".to_owned()).or_default() += 1;
        state.choose_fault("download")
    });
    let known = path.split_once('/').filter(|(token, _)| *token == shared.options.token);
    let found = known.and_then(|(_, path)| shared.change_silently(|state| state.file_at(path)));
    let Some(bytes) = found else { return Ok(respond(Err(Refusal::not_found()))) };
    match fault {
        Some(Chosen::Instead(refusal)) => return Ok(respond(Err(refusal))),
        Some(Chosen::BadGateway) => return Ok(bad_gateway()),
        Some(Chosen::Before | Chosen::After) => return Err(CutOff),
        Some(Chosen::Truncated) => return Ok(truncated(&bytes)),
        Some(Chosen::Late(delay)) => tokio::time::sleep(delay).await,
        Some(Chosen::Unanswered) => return std::future::pending().await,
        Some(Chosen::Nulls) | None => {}
    }
    Ok(response(200, "application/octet-stream", bytes))
}
