//! The server's own endpoints, for the OpenAPI description.
//!
//! A test compares this list with the routers.

use palabre_types::Endpoint;

const HEALTH: &[(u16, &str)] = &[
    (200, "The service works; partial failures are listed under degraded"),
    (503, "The service cannot accept or write anything; the reasons are listed under problems"),
];
const JSON: &[&str] = &["application/json"];
const HTML: &[&str] = &["text/html"];
/// The formats of Prometheus, and the summary.
const METRICS: &[&str] = &["text/plain", "application/openmetrics-text", "application/json"];
const DESCRIBED: &[(u16, &str)] = &[(200, "The description")];

/// The endpoints that exist on every server, except routes of scripts.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    read("/health", "Whether the service can do its work, with details", HEALTH),
    read("/api/health", "The same as /health", HEALTH),
    read("/health/ready", "The same as /health", HEALTH),
    read(
        "/health/live",
        "Whether the process can recover by itself",
        &[(200, "It can"), (503, "A thread is dead; restart the process")],
    ),
    read("/metrics", "Metrics for Prometheus in both formats; a summary as JSON if asked for", &[(200, "The metrics")])
        .producing(METRICS),
    read("/openapi.json", "The OpenAPI description of this server", DESCRIBED),
    read("/docs", "Redirects to /docs/", &[(308, "See /docs/")]),
    read("/docs/", "The description as a page", DESCRIBED).producing(HTML),
    read("/docs/{name}", "The files of that page", &[(200, "The file"), (404, "There is no such file")]).producing(&[]),
];

const fn read(path: &'static str, summary: &'static str, answers: &'static [(u16, &'static str)]) -> Endpoint {
    Endpoint::new("GET", path, summary, answers).producing(JSON)
}
