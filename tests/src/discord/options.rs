//! What a test may choose about the stand-in.

use std::sync::Arc;
use std::time::Duration;

use palabre_model::{Clock, SystemClock};

use super::intents;
use super::rest::Limits;

/// How the stand-in behaves. The defaults are Discord's, where Discord says what they are.
#[derive(Clone)]
pub struct Options {
    /// The bot's token.
    pub token: String,
    /// How many shards `/gateway/bot` recommends.
    pub shards: u32,
    /// How many shards may identify within one `identify_window`.
    pub max_concurrency: u32,
    /// See `max_concurrency`.
    pub identify_window: Duration,
    /// How often a client has to send a heartbeat.
    pub heartbeat: Duration,
    /// The privileged intents that are switched on in the application.
    pub privileged: u64,
    /// How long a session can be resumed after its connection was lost.
    pub session_life: Duration,
    /// How many dispatches a session keeps for a resume.
    pub session_frames: usize,
    /// How many calls are allowed.
    pub limits: Limits,
    /// From what all that is random here follows.
    pub seed: u64,
    /// The share of objects that get a field that nobody knows, and of optional fields without content that are left out.
    pub roughness: f64,
    /// Whether the stand-in holds its own answers against the description too; for its own tests, since it costs time.
    pub check_answers: bool,
    /// The clock that ids, interactions and sessions go by.
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
