//! Options of the stand-in.

use std::sync::Arc;
use std::time::Duration;

use palabre_platform::{Clock, SystemClock};

use super::limits::Limits;

/// The behaviour of the stand-in. The defaults are Telegram's, as far as Telegram documents them.
#[derive(Clone)]
pub struct Options {
    /// The bot's token.
    pub token: String,
    /// Whether the bot's privacy mode is off; it is on by default at Telegram.
    ///
    /// If it is on, the bot receives in groups where it is not an administrator only commands,
    /// replies to it and mentions.
    pub reads_all: bool,
    /// The rate limits for messages.
    pub limits: Limits,
    /// The time in which a button press or an inline query can be answered.
    ///
    /// Undocumented; this is about the observed time.
    pub query_life: Duration,
    /// The first pause after a failed webhook post; each further one is twice as long.
    pub webhook_pause: Duration,
    /// The seed of all randomness.
    pub seed: u64,
    /// The share of objects in updates and answers that get an unknown field.
    pub roughness: f64,
    /// Whether the stand-in also checks its own answers and updates against the description.
    ///
    /// Only for its own tests, because it takes time.
    pub check_answers: bool,
    /// The clock for dates and ages.
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            token: "123456789:AAstand-in".to_owned(),
            reads_all: true,
            limits: Limits::default(),
            query_life: Duration::from_secs(15),
            webhook_pause: Duration::from_millis(200),
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
