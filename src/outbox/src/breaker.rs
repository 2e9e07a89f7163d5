//! The circuit breaker of a bot: stops sending to a platform that is away.
//!
//! While it is open, one action at a time probes the platform, and failures count against none.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use palabre_platform::{Backoff, Clock, Shutdown};
use palabre_types::{ActionKey, Millis};
use tokio::sync::watch;

/// Different actions that fail in a row before the platform, not an action, is considered at fault.
const OPEN_THRESHOLD: usize = 5;
const PROBE_DELAY_MAX: Millis = 30_000;
/// The delays between probes.
const PROBE_BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_millis(PROBE_DELAY_MAX));

#[derive(Default)]
pub(crate) struct Breaker {
    state: Mutex<State>,
    /// Whether it is open; the reason is in the state.
    is_open: watch::Sender<bool>,
    /// Held by the action that probes the platform while it is open.
    probe: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    failing: HashSet<ActionKey>,
    /// The last failure, while it is open.
    reason: Option<String>,
    /// The number of failures while it is open.
    failed: u32,
    next_probe: Millis,
}

/// The result of [`Breaker::pass`].
pub(crate) enum Pass<'b> {
    /// The action may be tried; if it is the probe, it holds the guard meanwhile.
    Go(Option<tokio::sync::MutexGuard<'b, ()>>),
    /// The action has expired.
    Expired,
    /// The daemon is shutting down.
    Stop,
}

impl Breaker {
    /// Waits until an action may be tried.
    pub(crate) async fn pass(&self, clock: &dyn Clock, shutdown: &Shutdown, expires: Option<Millis>) -> Pass<'_> {
        let mut is_open = self.is_open.subscribe();
        let mut shutdown = shutdown.clone();
        loop {
            if expires.is_some_and(|at| at <= clock.now()) {
                return Pass::Expired;
            }
            if !*is_open.borrow_and_update() {
                return Pass::Go(None);
            }
            let probing = async {
                let guard = self.probe.lock().await;
                // Capped, or everybody would wait after the clock was set back.
                let at = self.lock().next_probe.min(clock.now().saturating_add(PROBE_DELAY_MAX));
                clock.sleep_until(at).await;
                guard
            };
            tokio::select! {
                guard = probing => return if *is_open.borrow() { Pass::Go(Some(guard)) } else { Pass::Go(None) },
                _ = is_open.changed() => {}
                () = clock.sleep_until(expires.unwrap_or(Millis::MAX)), if expires.is_some() => {}
                () = shutdown.requested() => return Pass::Stop,
            }
        }
    }

    /// Records any answer of the platform, which closes the breaker.
    pub(crate) fn answered(&self, bot: &str) {
        let mut state = self.lock();
        if !state.failing.is_empty() {
            state.failing.clear();
        }
        if state.reason.take().is_some() {
            state.failed = 0;
            tracing::info!(bot, "the platform accepts actions again");
            self.is_open.send_replace(false);
        }
    }

    /// Records a transient failure. Returns whether the platform is away: then it does not count.
    pub(crate) fn failed(&self, key: &ActionKey, is_away: bool, now: Millis, reason: &str, bot: &str) -> bool {
        let mut state = self.lock();
        if state.failing.len() < OPEN_THRESHOLD {
            state.failing.insert(key.clone());
        }
        let is_open = state.reason.is_some();
        if !is_away && state.failing.len() < OPEN_THRESHOLD {
            // It closes once the platform is back and few actions fail: those may be at fault
            // themselves.
            if state.reason.take().is_some() {
                self.is_open.send_replace(false);
            }
            return false;
        }
        state.failed = state.failed.saturating_add(1);
        state.next_probe = now + PROBE_BACKOFF.delay_millis(state.failed);
        state.reason = Some(reason.to_owned());
        if !is_open {
            tracing::warn!(bot, "the platform accepts no actions at present; they wait in the outbox: {reason}");
            self.is_open.send_replace(true);
        }
        true
    }

    /// Returns the reason why actions wait, if they do.
    pub(crate) fn reason(&self) -> Option<String> {
        self.lock().reason.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
