//! `/health`: liveness, readiness, and the problems found.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use palabre_engine::{BotState, BotStatus, Engine, ScriptState, Status};
use palabre_platform::Clock;
use palabre_store::Store;
use palabre_types::{Millis, iso8601};
use serde_json::{Value, json};

use crate::connections::Connections;

/// The timeout of a read from the store.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);
/// The age of a thread's last heartbeat above which it counts as stuck, in milliseconds.
const HEARTBEAT_AGE_MAX_MS: u64 = 30_000;

/// Returns the number of connections to the room service, and their maximum.
pub type Load = Arc<dyn Fn() -> (usize, usize) + Send + Sync>;

/// The sources of the health report.
pub(crate) struct Health {
    pub(crate) engine: Arc<Engine>,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) started: Millis,
    pub(crate) connections: Arc<Connections>,
    /// The load of the room service, if there is one.
    pub(crate) load: Option<Load>,
}

/// The problems found, one sentence each.
#[derive(Debug, Default)]
struct Report {
    /// Problems that keep the daemon from accepting or writing anything.
    problems: Vec<String>,
    /// Problems with which the rest still works.
    degraded: Vec<String>,
}

pub(crate) fn routes(health: Arc<Health>) -> Router {
    Router::new()
        .route("/health", get(ready))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/api/health", get(ready))
        .with_state(health)
}

/// Responds whether the process can recover by itself; dead threads are not restarted.
async fn live(State(health): State<Arc<Health>>) -> Response {
    let status = health.engine.status();
    let dead: Vec<_> = status.threads.iter().filter(|thread| !thread.alive).map(|thread| &thread.name).collect();
    let code = if dead.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    uncached(code, &json!({ "status": if dead.is_empty() { "alive" } else { "dead" }, "dead_threads": dead }))
}

/// Responds whether events can be accepted and written.
async fn ready(State(health): State<Arc<Health>>) -> Response {
    let status = health.engine.status();
    let store = health.check_store().await;
    let mut report = Report::of(&status);
    if let Err(problem) = &store {
        report.problems.push(problem.clone());
    }
    let (open, limit) = (health.connections.open(), health.connections.limit());
    // Idle connections do not count, since they are evicted for others.
    let busy = health.connections.busy();
    report.check_limit("busy connections to the server", busy, limit);
    let load = health.load.as_ref().map(|load| load());
    if let Some((people, people_max)) = load {
        report.check_limit("connections to the room service", people, people_max);
    }
    let is_ready = report.problems.is_empty();
    let now = health.clock.now();
    let scripts = |state| status.scripts.iter().filter(|script| script.state == state).count();
    let body = json!({
        "status": report.status_word(),
        "timestamp": iso8601(now),
        "version": env!("CARGO_PKG_VERSION"),
        "uptime": now.saturating_sub(health.started) / 1_000,
        "database": if store.is_ok() { "connected" } else { "unavailable" },
        "websocket_connections": load.map_or(0, |(people, _)| people),
        "problems": report.problems,
        "degraded": report.degraded,
        "connections": { "open": open, "busy": busy, "limit": limit },
        "bots": status.bots.iter().map(described).collect::<Vec<_>>(),
        "scripts": {
            "up": scripts(ScriptState::Up),
            "suspended": scripts(ScriptState::Suspended),
            "broken": scripts(ScriptState::Broken),
        },
        "backlog": status.backlog,
        "threads": status.threads,
    });
    uncached(if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &body)
}

fn described(bot: &BotStatus) -> Value {
    let (state, reason) = match &bot.state {
        BotState::Starting => ("starting", None),
        BotState::Up => ("up", None),
        BotState::Down(reason) => ("down", Some(reason)),
        BotState::Refused(reason) => ("refused", Some(reason)),
    };
    json!({ "name": bot.name, "platform": bot.platform, "state": state, "reason": reason })
}

fn uncached(code: StatusCode, body: &Value) -> Response {
    let mut response = (code, Json(body)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl Health {
    async fn check_store(&self) -> Result<(), String> {
        if let Some(damage) = self.store.damage() {
            return Err(format!("{damage}; stop the daemon and restore the last backup with `palabre restore`"));
        }
        let store = self.store.clone();
        let read = tokio::task::spawn_blocking(move || store.snapshot(0).map(drop));
        match tokio::time::timeout(STORE_TIMEOUT, read).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(format!("the store cannot be read: {error}")),
            Ok(Err(error)) => Err(format!("reading the store failed: {error}")),
            Err(_elapsed) => Err(format!("the store did not respond within {} s", STORE_TIMEOUT.as_secs())),
        }
    }
}

impl Report {
    fn of(status: &Status) -> Self {
        let mut report = Self::default();
        for thread in &status.threads {
            let name = &thread.name;
            if !thread.alive {
                report.problems.push(format!("the thread {name} is dead; restart the process"));
            } else if thread.beat_age_ms >= HEARTBEAT_AGE_MAX_MS {
                let seconds = thread.beat_age_ms / 1_000;
                report.problems.push(format!("the thread {name} has not reported for {seconds} s"));
            }
        }
        if let Some(reason) = &status.stalled {
            report.problems.push(format!("nothing can be written: {reason}"));
        }
        for bot in &status.bots {
            let (name, platform) = (&bot.name, &bot.platform);
            match &bot.state {
                BotState::Starting | BotState::Up => {}
                BotState::Down(reason) => {
                    report.degraded.push(format!("the bot {name} ({platform}) is down: {reason}"));
                }
                BotState::Refused(reason) => {
                    report.degraded.push(format!("the bot {name} ({platform}) is refused: {reason}"));
                }
            }
        }
        report.degraded.extend(status.back_pressure.iter().cloned());
        report
    }

    /// Reports a count that is near its limit (from nine tenths on) or has reached it.
    fn check_limit(&mut self, what: &str, count: usize, limit: usize) {
        let error = format!("{count} {what}, of at most {limit}");
        if count >= limit {
            self.problems.push(error);
        } else if count.saturating_mul(10) >= limit.saturating_mul(9) {
            self.degraded.push(error);
        }
    }

    const fn status_word(&self) -> &'static str {
        match (self.problems.is_empty(), self.degraded.is_empty()) {
            (false, _) => "unhealthy",
            (true, false) => "degraded",
            (true, true) => "healthy",
        }
    }
}

#[cfg(test)]
mod tests {
    use palabre_engine::ThreadStatus;

    use super::*;

    fn status() -> Status {
        let thread = ThreadStatus { name: "sequencer".to_owned(), alive: true, beat_age_ms: 10 };
        Status {
            bots: vec![BotStatus {
                name: "guild".into(),
                platform: "discord".to_owned(),
                state: BotState::Up,
                waiting_actions: 0,
                waiting_bytes: 0,
                is_full: false,
                held_back: None,
            }],
            scripts: Vec::new(),
            backlog: 0,
            stalled: None,
            threads: vec![thread],
            back_pressure: Vec::new(),
        }
    }

    fn report(change: impl FnOnce(&mut Status)) -> Report {
        let mut status = status();
        change(&mut status);
        Report::of(&status)
    }

    #[test]
    fn each_thing_that_can_be_wrong_is_named() {
        assert_eq!(report(|_| {}).status_word(), "healthy");
        let dead = report(|status| status.threads[0].alive = false);
        assert!(dead.status_word() == "unhealthy" && dead.problems[0].contains("sequencer"), "{dead:?}");
        let stuck = report(|status| status.threads[0].beat_age_ms = 31_000);
        assert!(stuck.status_word() == "unhealthy" && stuck.problems[0].contains("31 s"), "{stuck:?}");
        let stalled = report(|status| status.stalled = Some("no space left".to_owned()));
        assert!(stalled.status_word() == "unhealthy" && stalled.problems[0].contains("no space left"), "{stalled:?}");
        for state in [BotState::Down("the socket closed".to_owned()), BotState::Refused("the token is none".to_owned())]
        {
            let less = report(|status| status.bots[0].state = state);
            assert!(less.status_word() == "degraded" && less.degraded[0].contains("guild"), "{less:?}");
        }
        let slowed = report(|status| status.back_pressure.push("the outbox is full".to_owned()));
        assert_eq!((slowed.status_word(), &*slowed.degraded[0]), ("degraded", "the outbox is full"));
    }

    #[test]
    fn a_limit_is_near_from_nine_tenths_on_and_reached_at_all_of_it() {
        for (count, word) in [(0, "healthy"), (89, "healthy"), (90, "degraded"), (99, "degraded"), (100, "unhealthy")] {
            let mut report = Report::default();
            report.check_limit("connections", count, 100);
            assert_eq!(report.status_word(), word, "{count}");
        }
    }
}
