//! The server's own endpoints, for the OpenAPI description.
//!
//! A test compares this list with the routers.

use palabre_model::Endpoint;

const HEALTH: &[(u16, &str)] = &[
    (200, "It works; what is less than it should be is named under degraded"),
    (503, "Nothing can be accepted or written; why is named under problems"),
];
const DESCRIBED: &[(u16, &str)] = &[(200, "The description")];

/// The endpoints that exist on every server, except routes of scripts.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    read("/health", "Whether the service can do its work, with details", HEALTH),
    read("/api/health", "The same as /health", HEALTH),
    read("/health/ready", "The same as /health", HEALTH),
    read(
        "/health/live",
        "Whether the process can recover by itself",
        &[(200, "It can"), (503, "A thread is dead: the process has to be started again")],
    ),
    read("/metrics", "Metrics for Prometheus, as OpenMetrics or in the older text format", &[(200, "The metrics")]),
    read("/openapi.json", "What can be asked of this server", DESCRIBED),
    read("/docs", "Leads to /docs/", &[(308, "See /docs/")]),
    read("/docs/", "The description as a page", DESCRIBED),
    read("/docs/{path}", "The files of that page", &[(200, "The file"), (404, "There is no such file")]),
];

const fn read(path: &'static str, summary: &'static str, answers: &'static [(u16, &'static str)]) -> Endpoint {
    Endpoint { method: "GET", path, summary, body: None, answers }
}
