//! Rate limits: a token bucket for each address, token and route.
//!
//! A bucket is full at first, and an empty one refills within a minute.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Json, Response};
use serde_json::json;
use tokio::time::Instant;

use crate::counts::{Counts, Refusal};
use crate::settings::Settings;

const MINUTE_NANOS: u64 = 60_000_000_000;
/// The maximum number of buckets that are not full. Above it, all are reset.
const BUCKETS_MAX: usize = 100_000;
/// The paths of pages and files without such a prefix.
const FILE_PATHS: &[&str] = &["/", "/chat", "/service-worker.js"];
/// The path prefixes of pages and files.
const FILE_PREFIXES: &[&str] = &["/assets/", "/rooms/", "/docs", "/openapi.json", "/metrics"];
/// The path prefixes of Engine.IO and WebSockets.
const TRANSPORT_PREFIXES: &[&str] = &["/socket.io", "/ws/"];

/// The key of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owner {
    Address(Kind, IpAddr),
    Token(String),
    Route(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Request,
    Kilobyte,
    File,
    Transport,
}

/// All buckets.
#[derive(Debug)]
pub(crate) struct Budget {
    start: Instant,
    rates: Settings,
    /// The time at which each bucket is full again, in nanoseconds since `start`.
    full_at: Mutex<HashMap<Owner, u64>>,
    counts: Arc<Counts>,
}

/// The error of an exceeded rate limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exhausted {
    what: String,
    retry_after: Duration,
}

impl Budget {
    pub(crate) fn new(rates: Settings, counts: Arc<Counts>) -> Self {
        Self { start: Instant::now(), rates, full_at: Mutex::default(), counts }
    }

    /// Counts a request without a token.
    pub(crate) fn anonymous(&self, address: IpAddr) -> Result<(), Exhausted> {
        self.spend(Owner::Address(Kind::Request, network(address)), 1)
    }

    /// Counts a request with a token, by the name of its holder.
    pub(crate) fn token(&self, holder: &str) -> Result<(), Exhausted> {
        self.spend(Owner::Token(holder.to_owned()), 1)
    }

    /// Counts a request without a token to a route of a script.
    pub(crate) fn route(&self, script: &str, route: &str) -> Result<(), Exhausted> {
        self.spend(Owner::Route(format!("{script} {route}")), 1)
    }

    /// Counts the bytes of a body that is sent without a token and goes into the journal.
    pub(crate) fn body(&self, address: IpAddr, bytes: usize) -> Result<(), Exhausted> {
        self.spend(Owner::Address(Kind::Kilobyte, network(address)), bytes.div_ceil(1_024) as u64)
    }

    fn spend(&self, owner: Owner, cost: u64) -> Result<(), Exhausted> {
        let (rate, unit, refusal) = self.rate(&owner);
        // A cost above a full bucket takes the whole bucket.
        let price = (MINUTE_NANOS / u64::from(rate)).saturating_mul(cost.min(rate.into()));
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= BUCKETS_MAX {
            full_at.retain(|_, at| *at > now);
            if full_at.len() >= BUCKETS_MAX {
                full_at.clear();
            }
        }
        let known = full_at.entry(owner).or_default();
        let then = (*known).max(now).saturating_add(price);
        if then - now <= MINUTE_NANOS {
            *known = then;
            return Ok(());
        }
        let retry_after = Duration::from_nanos(then - now - MINUTE_NANOS);
        drop(full_at);
        self.counts.refuse(refusal);
        Err(Exhausted { what: format!("{rate} {unit}"), retry_after })
    }

    /// Returns the rate per minute, its unit, and the reason for the metrics.
    const fn rate(&self, owner: &Owner) -> (u32, &'static str, Refusal) {
        let rates = &self.rates;
        match owner {
            Owner::Address(Kind::Request, _) => {
                (rates.requests_per_minute, "requests a minute from one address", Refusal::Address)
            }
            Owner::Address(Kind::Kilobyte, _) => {
                (rates.body_kb_per_minute, "KiB of bodies a minute from one address", Refusal::Body)
            }
            Owner::Address(Kind::File, _) => {
                (rates.file_requests_per_minute, "pages and files a minute for one address", Refusal::Files)
            }
            Owner::Address(Kind::Transport, _) => {
                let rate = rates.transport_requests_per_minute;
                (rate, "Engine.IO requests a minute from one address", Refusal::Transport)
            }
            Owner::Token(_) => (rates.token_requests_per_minute, "requests a minute with one token", Refusal::Token),
            Owner::Route(_) => {
                (rates.route_requests_per_minute, "requests a minute without a token to this route", Refusal::Route)
            }
        }
    }
}

impl IntoResponse for Exhausted {
    fn into_response(self) -> Response {
        let seconds = self.retry_after.as_secs() + 1;
        let error = format!("the limit is {}; try again in {seconds} s", self.what);
        let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(json!({ "error": error }))).into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        // Requests that were pipelined on this connection are not answered one by one.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

/// Middleware that applies the rate limits of addresses.
///
/// Health endpoints have no limit. Routes of scripts apply their own limits, which depend on the token.
pub(crate) async fn limit(
    State(budget): State<Arc<Budget>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    match kind(request.method(), request.uri().path()) {
        Some(kind) => match budget.spend(Owner::Address(kind, network(from.ip())), 1) {
            Ok(()) => next.run(request).await,
            Err(exhausted) => exhausted.into_response(),
        },
        None => next.run(request).await,
    }
}

fn kind(method: &Method, path: &str) -> Option<Kind> {
    let begins = |with: &[&str]| with.iter().any(|beginning| path.starts_with(beginning));
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if path == "/api/health" || path == "/health" || path.starts_with("/health/") || path.starts_with("/scripts/") {
        None
    } else if begins(TRANSPORT_PREFIXES) {
        Some(Kind::Transport)
    } else if reads && (FILE_PATHS.contains(&path) || begins(FILE_PREFIXES) || path.starts_with("/api/files/")) {
        Some(Kind::File)
    } else {
        Some(Kind::Request)
    }
}

/// Returns the unit of limits: an IPv4 address, or the /64 network of an IPv6 address.
///
/// A client usually has a whole /64 network.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_is_full_at_first_and_fills_itself_again() {
        let rates = Settings { requests_per_minute: 60, ..Settings::default() };
        let budget = Budget::new(rates, Arc::default());
        let one = address("192.0.2.1");
        for _ in 0..60 {
            assert_eq!(budget.anonymous(one), Ok(()));
        }
        let exhausted = budget.anonymous(one).expect_err("nothing is left");
        assert_eq!(exhausted.retry_after, Duration::from_secs(1));
        assert_eq!(exhausted.into_response().headers()["retry-after"], "2");
        assert_eq!(budget.anonymous(address("192.0.2.2")), Ok(()), "another address has a bucket of its own");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(budget.anonymous(one), Ok(()));
        assert!(budget.anonymous(one).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_count_by_their_size_and_one_that_is_too_large_passes_once_a_minute() {
        let budget = Budget::new(Settings { body_kb_per_minute: 1_024, ..Settings::default() }, Arc::default());
        let one = address("192.0.2.1");
        assert_eq!(budget.body(one, 780_000), Ok(()));
        assert!(budget.body(one, 780_000).is_err());
        assert_eq!(budget.body(one, 1), Ok(()), "a small one still fits");
        assert_eq!(budget.body(address("192.0.2.2"), 5 << 20), Ok(()));
        assert!(budget.body(address("192.0.2.2"), 1).is_err());
    }

    #[test]
    fn addresses_of_one_network_are_one() {
        assert_eq!(network(address("2001:db8:1:2:3::4")), network(address("2001:db8:1:2:ffff::9")));
        assert_ne!(network(address("2001:db8:1:2::4")), network(address("2001:db8:1:3::4")));
        assert_eq!(network(address("::ffff:192.0.2.1")), address("192.0.2.1"));
    }

    #[test]
    fn each_path_counts_as_what_it_is() {
        for (method, path, wanted) in [
            (Method::GET, "/", Some(Kind::File)),
            (Method::GET, "/assets/app.js", Some(Kind::File)),
            (Method::GET, "/api/files/1", Some(Kind::File)),
            (Method::PUT, "/api/files/1", Some(Kind::Request)),
            (Method::GET, "/api/rooms", Some(Kind::Request)),
            (Method::POST, "/join", Some(Kind::Request)),
            (Method::GET, "/chat", Some(Kind::File)),
            (Method::GET, "/service-worker.js", Some(Kind::File)),
            (Method::GET, "/chat/history/1", Some(Kind::Request)),
            (Method::GET, "/nothing", Some(Kind::Request)),
            (Method::POST, "/socket.io/", Some(Kind::Transport)),
            (Method::GET, "/health/ready", None),
            (Method::GET, "/scripts/status/status", None),
        ] {
            assert_eq!(kind(&method, path), wanted, "{method} {path}");
        }
    }
}
