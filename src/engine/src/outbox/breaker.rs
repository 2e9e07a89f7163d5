//! Stops asking a platform that is away: while the breaker of a bot is open, one action at a time is tried, and failures count
//! against none.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use palabre_model::{ActionKey, Clock, Millis, Shutdown};
use tokio::sync::watch;

/// So many different actions have failed since the last success, and it is the platform that is away and not an action that is bad.
const THRESHOLD: usize = 5;
const FIRST_PAUSE: Millis = 500;
const LONGEST_PAUSE: Millis = 30_000;

#[derive(Default)]
pub(crate) struct Breaker {
    state: Mutex<State>,
    /// Whether it is open; the reason is in the state.
    is_open: watch::Sender<bool>,
    /// Held by the one action that is tried while it is open.
    probe: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    failing: HashSet<ActionKey>,
    /// Set while it is open.
    reason: Option<String>,
    pause: Millis,
    next_probe: Millis,
}

/// What [`Breaker::pass`] says.
pub(crate) enum Pass<'b> {
    /// It may be tried; the guard is held meanwhile where it is the probe.
    Go(Option<tokio::sync::MutexGuard<'b, ()>>),
    /// It is too late for it.
    Expired,
    /// The daemon stops.
    Stop,
}

impl Breaker {
    /// Returns once an action may be tried.
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
                // No later than it can be, or a clock that was set back would have everybody wait.
                let at = self.lock().next_probe.min(clock.now().saturating_add(LONGEST_PAUSE));
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

    /// The platform has answered, whatever it said.
    pub(crate) fn answered(&self, bot: &str) {
        let mut state = self.lock();
        if !state.failing.is_empty() {
            state.failing.clear();
        }
        if state.reason.take().is_some() {
            state.pause = 0;
            tracing::info!(bot, "its platform takes actions again");
            self.is_open.send_replace(false);
        }
    }

    /// An action has failed for now. Returns whether it is the platform that is away: then the failure does not count.
    pub(crate) fn failed(&self, key: &ActionKey, is_away: bool, now: Millis, reason: &str, bot: &str) -> bool {
        let mut state = self.lock();
        if state.failing.len() < THRESHOLD {
            state.failing.insert(key.clone());
        }
        let is_open = state.reason.is_some();
        if !is_away && state.failing.len() < THRESHOLD {
            // It is open no longer when the platform is there again and few actions fail: those may be bad themselves.
            if state.reason.take().is_some() {
                self.is_open.send_replace(false);
            }
            return false;
        }
        state.pause = (state.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        state.next_probe = now + state.pause;
        state.reason = Some(reason.to_owned());
        if !is_open {
            tracing::warn!(bot, "its platform takes no actions at present; they wait in the outbox: {reason}");
            self.is_open.send_replace(true);
        }
        true
    }

    /// Why actions wait, if they do.
    pub(crate) fn reason(&self) -> Option<String> {
        self.lock().reason.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
