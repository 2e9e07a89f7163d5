//! `/metrics`: the metrics of the engine and the server, in the format that the client accepts.
//!
//! With `Accept: application/json` it is the summary that clients of Neural Chat Engine expect.
//!
//! In OpenMetrics, a counter is named `x` and its sample `x_total`; in the older text format of
//! Prometheus, both are named `x_total`.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use palabre_engine::Engine;
use serde_json::json;
use tokio::time::Instant;

use crate::connections::Connections;
use crate::counts::Counts;
use crate::health::Load;

/// <https://prometheus.io/docs/specs/om/open_metrics_spec/>
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// <https://prometheus.io/docs/instrumenting/exposition_formats/>
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
const EOF_LINE: &str = "# EOF\n";

/// The sources of the metrics.
pub(crate) struct Measured {
    pub(crate) engine: Arc<Engine>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) counts: Arc<Counts>,
    /// The load of the room service, if there is one.
    pub(crate) load: Option<Load>,
}

pub(crate) fn routes(measured: Arc<Measured>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(measured)
}

/// Middleware that counts requests. Those of Socket.IO wait for what happens, and would say nothing about speed.
pub(crate) async fn count(State(counts): State<Arc<Counts>>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/socket.io") {
        return next.run(request).await;
    }
    let began = Instant::now();
    let response = next.run(request).await;
    counts.respond(began.elapsed(), response.status().is_server_error());
    response
}

/// Returns the summary. Tokens of language models are not counted here, so there are none.
fn summary(measured: &Measured) -> Response {
    let (requests, response_time, error_rate) = measured.counts.responses();
    let body = json!({
        "total_tokens": 0,
        "total_requests": requests,
        "active_sessions": measured.load.as_ref().map_or(0, |load| load().0),
        "average_response_time": response_time,
        "error_rate": error_rate,
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

async fn metrics(State(measured): State<Arc<Measured>>, headers: HeaderMap) -> Response {
    let Measured { engine, connections, counts, .. } = &*measured;
    let accepts = |kind: &str| {
        let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        accepted.any(|accepted| accepted.contains(kind))
    };
    if accepts("application/json") {
        return summary(&measured);
    }
    let mut text = engine.metrics();
    if text.ends_with(EOF_LINE) {
        text.truncate(text.len() - EOF_LINE.len());
    }
    text.push_str(&counts.text(connections.open(), connections.limit()));
    let (kind, text) = if accepts("application/openmetrics-text") {
        (OPEN_METRICS, text)
    } else {
        (TEXT_FORMAT, in_text_format(&text))
    };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], text).into_response()
}

/// Converts OpenMetrics to the older text format.
fn in_text_format(text: &str) -> String {
    let counter = |line: &str| Some(line.strip_prefix("# TYPE ")?.strip_suffix(" counter")?.to_owned());
    let counters: HashSet<_> = text.lines().filter_map(counter).collect();
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for line in text.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(what @ ("HELP" | "TYPE")), Some(name), Some(rest)) => {
                let total = if counters.contains(name) { "_total" } else { "" };
                let rest = match (what, rest) {
                    ("TYPE", "unknown") => "untyped",
                    ("TYPE", "info" | "stateset") => "gauge",
                    _ => rest,
                };
                out.push_str(&format!("# {what} {name}{total} {rest}\n"));
            }
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_typed_in_the_text_format_by_the_name_of_its_sample() {
        let open = "# HELP palabre_x Things.\n# TYPE palabre_x counter\npalabre_x_total{script=\"a b\"} 3\n\
                    # HELP palabre_y More.\n# TYPE palabre_y gauge\npalabre_y 1\n\
                    # TYPE palabre_z unknown\npalabre_z 1\n# EOF\n";
        let text = "# HELP palabre_x_total Things.\n# TYPE palabre_x_total counter\npalabre_x_total{script=\"a b\"} 3\n\
                    # HELP palabre_y More.\n# TYPE palabre_y gauge\npalabre_y 1\n\
                    # TYPE palabre_z untyped\npalabre_z 1\n";
        assert_eq!(in_text_format(open), text);
    }

    #[test]
    fn what_the_server_counts_is_in_both_formats() {
        let counts = Counts::default();
        counts.accept();
        counts.refuse(crate::counts::Refusal::Host);
        let open = counts.text(3, 10);
        for line in [
            "# TYPE palabre_http_connections gauge",
            "palabre_http_connections 3",
            "palabre_http_connections_limit 10",
            "# TYPE palabre_http_requests_refused counter",
            "palabre_http_requests_refused_total{reason=\"host\"} 1",
            "palabre_http_connections_accepted_total 1",
        ] {
            assert!(open.lines().any(|other| other == line), "{line}: {open}");
        }
        assert!(open.ends_with(EOF_LINE), "{open}");
        assert!(in_text_format(&open).contains("# TYPE palabre_http_requests_refused_total counter\n"));
    }
}
