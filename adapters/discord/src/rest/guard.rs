//! What holds for all requests together: Discord's global limit, a token that it refuses, and the number of requests in vain
//! after which it would shut everybody at this address out.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use tokio::sync::watch;

use super::RestError;

/// Discord counts answers of 401, 403 and 429 in ten minutes, and blocks an address at 10,000 of them. We stop at half of that.
/// <https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans>
const IN_VAIN: usize = 5_000;
const WINDOW: Duration = Duration::from_secs(600);

#[derive(Default)]
pub(super) struct Guard {
    known: Mutex<Known>,
    token_is_refused: watch::Sender<bool>,
}

#[derive(Default)]
struct Known {
    in_vain: VecDeque<Instant>,
    held_until: Option<Instant>,
}

impl Guard {
    /// Whether a request may be made now. Answers to interactions are outside the global limit.
    pub(super) fn admit(&self, is_interaction: bool) -> Result<(), RestError> {
        let mut known = self.lock();
        let now = Instant::now();
        if self.is_token_refused() {
            return Err(RestError::Token);
        }
        if let Some(until) = known.held_until {
            if until > now && !is_interaction {
                return Err(RestError::Limited { retry_after: until - now });
            }
            if until <= now {
                known.held_until = None;
            }
        }
        while known.in_vain.front().is_some_and(|at| now.duration_since(*at) > WINDOW) {
            known.in_vain.pop_front();
        }
        match known.in_vain.front() {
            Some(first) if known.in_vain.len() >= IN_VAIN => {
                Err(RestError::Limited { retry_after: WINDOW.saturating_sub(now.duration_since(*first)) })
            }
            _ => Ok(()),
        }
    }

    /// Counts an answer that Discord counts.
    pub(super) fn note(&self, status: StatusCode, is_shared: bool) {
        let mut known = self.lock();
        let counts = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS].contains(&status);
        if counts && !is_shared {
            known.in_vain.push_back(Instant::now());
            if known.in_vain.len() == IN_VAIN {
                tracing::error!(
                    "{IN_VAIN} requests in ten minutes were refused by Discord; the bot waits before it is shut out"
                );
            }
        }
    }

    /// Keeps whether Discord refuses the token.
    pub(super) fn token_is_refused(&self, is_refused: bool) {
        self.token_is_refused.send_replace(is_refused);
    }

    pub(super) fn is_token_refused(&self) -> bool {
        *self.token_is_refused.borrow()
    }

    /// Returns once Discord refuses the token.
    pub(super) async fn token_refused(&self) {
        // The sender is there as long as this is.
        drop(self.token_is_refused.subscribe().wait_for(|is_refused| *is_refused).await);
    }

    /// Nothing is asked for that long.
    pub(super) fn hold(&self, pause: Duration) {
        let mut known = self.lock();
        known.held_until = known.held_until.max(Some(Instant::now() + pause));
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
