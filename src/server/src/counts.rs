//! The metrics of the server itself.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

type Label = [(&'static str, &'static str); 1];

/// The reason why a request is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is for another host.
    Host,
    /// It comes from a page of another site.
    Origin,
    /// The request limit of its address.
    Address,
    /// The request limit of its token.
    Token,
    /// The request limit of its route.
    Route,
    /// The limit of body bytes of its address.
    Body,
    /// The limit of pages and files of its address.
    Files,
    /// The limit of Engine.IO requests of its address.
    Transport,
}

/// The reason why a connection is closed or rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The limit of connections is reached.
    Full,
    /// The limit of connections of its address is reached.
    Address,
    /// It was idle, and another connection needed its slot.
    Evicted,
    /// The head of a request did not arrive in time.
    Header,
    /// It sent no further request in time.
    Idle,
    /// The body of a request did not arrive in time.
    Body,
    /// The client did not read a response in time.
    Unread,
}

/// The counters since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    refused: Family<Label, Counter>,
    closed: Family<Label, Counter>,
    accepted: Counter,
    requests: Counter,
    failed: Counter,
    /// The time until the beginnings of all responses, in microseconds.
    response_time: AtomicU64,
}

impl Counts {
    /// Records a response. `has_failed` tells whether the server could not do what was requested.
    pub(crate) fn respond(&self, elapsed: Duration, has_failed: bool) {
        self.requests.inc();
        if has_failed {
            self.failed.inc();
        }
        self.response_time.fetch_add(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Returns the number of requests, the average response time in seconds, and the share of failed requests.
    pub(crate) fn responses(&self) -> (u64, f64, f64) {
        let requests = self.requests.get();
        let per_request = |total: f64| if requests == 0 { 0.0 } else { total / requests as f64 };
        let seconds = self.response_time.load(Relaxed) as f64 / 1e6;
        (requests, per_request(seconds), per_request(self.failed.get() as f64))
    }

    pub(crate) fn refuse(&self, refusal: Refusal) {
        self.refused.get_or_create(&[("reason", refusal.name())]).inc();
    }

    pub(crate) fn close(&self, cause: Cause) {
        self.closed.get_or_create(&[("reason", cause.name())]).inc();
    }

    pub(crate) fn accept(&self) {
        self.accepted.inc();
    }

    /// Returns all metrics in OpenMetrics format, including the final `# EOF`.
    pub(crate) fn text(&self, open: usize, limit: usize) -> String {
        let mut registry = Registry::with_prefix("palabre_http");
        let gauge = |count: usize| {
            let gauge: Gauge = Gauge::default();
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
            gauge
        };
        registry.register("connections", "Open connections", gauge(open));
        registry.register("connections_limit", "Maximum number of open connections", gauge(limit));
        registry.register("connections_accepted", "Accepted connections", self.accepted.clone());
        let why = "Connections that the server closed or rejected, by reason";
        registry.register("connections_closed", why, self.closed.clone());
        registry.register("requests_refused", "Rejected requests, by reason", self.refused.clone());
        registry.register("requests", "Requests, without those of Socket.IO", self.requests.clone());
        registry.register("requests_failed", "Requests with a status from 500 on", self.failed.clone());
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &registry) {
            tracing::error!("cannot encode the metrics of the server: {error}");
        }
        text
    }
}

impl Refusal {
    const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Origin => "origin",
            Self::Address => "address",
            Self::Token => "token",
            Self::Route => "route",
            Self::Body => "body",
            Self::Files => "files",
            Self::Transport => "transport",
        }
    }
}

impl Cause {
    const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Address => "address",
            Self::Evicted => "evicted",
            Self::Header => "header",
            Self::Idle => "idle",
            Self::Body => "body",
            Self::Unread => "unread",
        }
    }
}
