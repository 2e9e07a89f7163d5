//! Options of the stand-in.

use std::sync::Arc;
use std::time::Duration;

use palabre_platform::{Clock, SystemClock};

use super::intents;
use super::rest::limits::Limits;

/// The behaviour of the stand-in. The defaults are Discord's, as far as Discord documents them.
#[derive(Clone)]
pub struct Options {
    /// The bot's token.
    pub token: String,
    /// The number of shards that `/gateway/bot` recommends.
    pub shards: u32,
    /// The number of shards that may identify within one `identify_window`.
    pub max_concurrency: u32,
    /// See `max_concurrency`.
    pub identify_window: Duration,
    /// The interval in which a client must send a heartbeat.
    pub heartbeat: Duration,
    /// The privileged intents that are enabled for the application.
    pub privileged: u64,
    /// The time for which a session can be resumed after its connection was lost.
    pub session_life: Duration,
    /// The number of dispatches that a session keeps for a resume.
    pub session_frames: usize,
    /// The rate limits.
    pub limits: Limits,
    /// The seed of all randomness.
    pub seed: u64,
    /// The roughness of the data, from 0 to 1.
    ///
    /// This share of objects gets an unknown field, and this share of empty optional fields is left
    /// out.
    pub roughness: f64,
    /// Whether the stand-in also checks its own answers against the description.
    ///
    /// Only for its own tests, because it takes time.
    pub check_answers: bool,
    /// The clock for ids, interactions and sessions.
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            token: "MTE.stand-in.token".to_owned(),
            shards: 1,
            max_concurrency: 1,
            identify_window: Duration::from_secs(5),
            heartbeat: Duration::from_millis(41_250),
            privileged: intents::PRIVILEGED,
            session_life: Duration::from_secs(180),
            session_frames: 20_000,
            limits: Limits::default(),
            seed: 1,
            roughness: 0.1,
            check_answers: false,
            clock: Arc::new(SystemClock),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("seed", &self.seed).finish_non_exhaustive()
    }
}
