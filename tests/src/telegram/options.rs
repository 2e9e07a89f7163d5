//! Options of the stand-in.

use std::sync::Arc;
use std::time::Duration;

use palabre_model::{Clock, SystemClock};

use super::api::Limits;

/// How the stand-in behaves. The defaults are Telegram's, where Telegram says what they are.
#[derive(Clone)]
pub struct Options {
    /// The bot's token.
    pub token: String,
    /// Whether the bot's privacy mode is off: if not, it hears in groups where it is no administrator only commands,
    /// answers to it and mentions. Telegram begins with the mode on.
    pub reads_all: bool,
    /// How many messages may be sent.
    pub limits: Limits,
    /// How long a press of a button or an inline query can be answered. Telegram does not say; this is about what is seen.
    pub query_life: Duration,
    /// How long the first pause after a webhook that failed is; each further one is twice as long.
    pub webhook_pause: Duration,
    /// The seed of all randomness.
    pub seed: u64,
    /// The share of objects in updates and answers that get a field that nobody knows.
    pub roughness: f64,
    /// Whether the stand-in holds its own answers and updates against the description too; for its own tests, since it
    /// costs time.
    pub check_answers: bool,
    /// The clock that dates and ages go by.
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
