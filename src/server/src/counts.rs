//! What the server counts of itself, for `/metrics`.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

type Label = [(&'static str, &'static str); 1];

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It means another host.
    Host,
    /// A page of another site makes it.
    Origin,
    /// Its address has made too many.
    Address,
    /// Its token has been used too often.
    Token,
    /// Its route has been asked too often.
    Route,
    /// Its address has sent too much.
    Body,
    /// Its address has asked for too many pages and files.
    Files,
    /// Its address has made too many requests of Engine.IO.
    Transport,
}

/// Why a connection is closed or not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// There are as many as there may be.
    Full,
    /// There are as many from its address as there may be.
    Address,
    /// It was idle, and others wanted in.
    Evicted,
    /// The head of a request did not come in time.
    Header,
    /// Nothing was asked any more.
    Idle,
    /// The body of a request did not come in time.
    Body,
    /// The answer was not read in time.
    Unread,
}

/// What is counted since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    refused: Family<Label, Counter>,
    closed: Family<Label, Counter>,
    accepted: Counter,
}

impl Counts {
    pub(crate) fn refuse(&self, refusal: Refusal) {
        self.refused.get_or_create(&[("reason", refusal.name())]).inc();
    }

    pub(crate) fn close(&self, cause: Cause) {
        self.closed.get_or_create(&[("reason", cause.name())]).inc();
    }

    pub(crate) fn accept(&self) {
        self.accepted.inc();
    }

    /// All of it as OpenMetrics has it, to its `# EOF`.
    pub(crate) fn text(&self, open: usize, limit: usize) -> String {
        let mut registry = Registry::with_prefix("palabre_http");
        let gauge = |count: usize| {
            let gauge: Gauge = Gauge::default();
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
            gauge
        };
        registry.register("connections", "Connections that are open", gauge(open));
        registry.register("connections_limit", "Connections that may be open", gauge(limit));
        registry.register("connections_accepted", "Connections that were taken", self.accepted.clone());
        let why = "Connections that the server closed or did not take, by reason";
        registry.register("connections_closed", why, self.closed.clone());
        registry.register("requests_refused", "Requests that were refused, by reason", self.refused.clone());
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &registry) {
            tracing::error!("the metrics of the server cannot be written down: {error}");
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
