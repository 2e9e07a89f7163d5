//! Limits that hold for all requests: the global rate limit, a refused token, and invalid requests.
//!
//! Discord blocks an address that sends too many invalid requests.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use tokio::sync::watch;

use crate::rest::error::RestError;

/// The number of invalid requests at which no more are sent.
///
/// Discord counts the statuses 401, 403 and 429 over ten minutes and blocks an address at 10,000;
/// this is half of that.
/// <https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans>
const INVALID_MAX: usize = 5_000;
/// The period over which Discord counts invalid requests.
const INVALID_PERIOD: Duration = Duration::from_secs(600);

#[derive(Default)]
pub(super) struct Guard {
    state: Mutex<GuardState>,
    token_is_refused: watch::Sender<bool>,
}

#[derive(Default)]
struct GuardState {
    invalid_requests: VecDeque<Instant>,
    held_until: Option<Instant>,
}

impl Guard {
    /// Checks that a request may be sent now.
    ///
    /// Responses to interactions are outside the global limit.
    pub(super) fn admit(&self, is_interaction: bool) -> Result<(), RestError> {
        let mut state = self.lock();
        let now = Instant::now();
        if self.is_token_refused() {
            return Err(RestError::Token);
        }
        if let Some(until) = state.held_until {
            if until > now && !is_interaction {
                return Err(RestError::Limited { retry_after: until - now });
            }
            if until <= now {
                state.held_until = None;
            }
        }
        while state.invalid_requests.front().is_some_and(|at| now.duration_since(*at) > INVALID_PERIOD) {
            state.invalid_requests.pop_front();
        }
        match state.invalid_requests.front() {
            Some(first) if state.invalid_requests.len() >= INVALID_MAX => {
                Err(RestError::Limited { retry_after: INVALID_PERIOD.saturating_sub(now.duration_since(*first)) })
            }
            _ => Ok(()),
        }
    }

    /// Counts a response if Discord counts it as invalid.
    pub(super) fn note(&self, status: StatusCode, is_shared: bool) {
        let mut state = self.lock();
        let counts = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS].contains(&status);
        if counts && !is_shared {
            state.invalid_requests.push_back(Instant::now());
            if state.invalid_requests.len() == INVALID_MAX {
                tracing::error!(
                    "Discord refused {INVALID_MAX} requests in ten minutes; the bot waits before its address is blocked"
                );
            }
        }
    }

    /// Records whether Discord refuses the token.
    pub(super) fn token_is_refused(&self, is_refused: bool) {
        self.token_is_refused.send_replace(is_refused);
    }

    pub(super) fn is_token_refused(&self) -> bool {
        *self.token_is_refused.borrow()
    }

    /// Waits until Discord refuses the token.
    pub(super) async fn token_refused(&self) {
        // The sender lives as long as `self`.
        drop(self.token_is_refused.subscribe().wait_for(|is_refused| *is_refused).await);
    }

    /// Refuses all requests for the duration of `pause`, except responses to interactions.
    pub(super) fn hold(&self, pause: Duration) {
        let mut state = self.lock();
        state.held_until = state.held_until.max(Some(Instant::now() + pause));
    }

    fn lock(&self) -> MutexGuard<'_, GuardState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
