//! Lifts temporary bans when they expire, which Discord does not do.
//!
//! Expiries are rows of the store, so they survive a restart.

use std::sync::Arc;

use palabre_platform::{Clock, EmitError, Shutdown, SinkCell};
use palabre_store::{Direction, Store, Table};
use palabre_types::TableId;
use palabre_types::{ActionError, Batch, BotName, Millis};
use reqwest::StatusCode;
use serenity::http::{LightMethod, Route};
use serenity::model::id::{GuildId, UserId};
use tokio::sync::Notify;

use crate::rest::{Call, Rest, RestError};

/// Expiries by bot, time, and server and user; the value is the time at which it was set.
const EXPIRIES: Table<ExpiryKey, Option<Millis>> = Table::new(TableId::DiscordBanExpiries);
type ExpiryKey = (String, Millis, String);
/// The delay before another attempt to lift a ban.
const RETRY_DELAY: Millis = 60_000;
/// The longest time between two checks.
const CHECK_INTERVAL_MAX: Millis = 3_600_000;
/// Steps of the clock that are shorter than this are normal corrections, and are ignored.
const CLOCK_STEP_MIN: Millis = 60_000;

/// The expiries of temporary bans.
pub(crate) struct BanExpiries {
    bot: BotName,
    store: Store,
    sink: Arc<SinkCell>,
    clock: Arc<dyn Clock>,
    changed: Notify,
}

/// The reason why expiries could not be processed.
#[derive(Debug, thiserror::Error)]
enum ExpiryError {
    #[error(transparent)]
    Read(#[from] palabre_store::Error),
    #[error(transparent)]
    Write(#[from] EmitError),
}

impl BanExpiries {
    pub(crate) fn new(bot: &BotName, store: Store, sink: Arc<SinkCell>, clock: Arc<dyn Clock>) -> Self {
        Self { bot: bot.clone(), store, sink, clock, changed: Notify::new() }
    }

    /// Sets or removes the expiry of a user's ban, and returns the one before.
    pub(crate) async fn set(
        &self,
        until: Option<Millis>,
        guild: u64,
        user: u64,
    ) -> Result<Option<Millis>, ActionError> {
        let whom = format!("{guild}/{user}");
        let rows = self.rows(usize::MAX).await.map_err(|error| ActionError::Transient(error.to_string()))?;
        let mut batch = Batch::default();
        let before: Vec<_> = rows.iter().map(|(key, _)| key).filter(|(_, _, of)| *of == whom).collect();
        before.iter().for_each(|key| EXPIRIES.delete(&mut batch, key));
        let before = before.last().map(|(_, until, _)| *until);
        if let Some(until) = until {
            EXPIRIES.put(&mut batch, &(self.bot.to_string(), until, whom), &Some(self.clock.now()));
        }
        self.sink.write(&self.bot, "the expiry of a ban", batch).await?;
        self.changed.notify_one();
        Ok(before)
    }

    /// Lifts expired bans until shutdown.
    pub(crate) async fn run(&self, rest: &Rest, mut shutdown: Shutdown) {
        loop {
            let next = match self.lift_expired(rest).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(bot = %self.bot, "could not process the bans that expire: {error}");
                    None
                }
            };
            let now = self.clock.now();
            let until = next.unwrap_or(now + CHECK_INTERVAL_MAX).clamp(now + 1, now + CHECK_INTERVAL_MAX);
            tokio::select! {
                () = self.clock.sleep_until(until) => {}
                () = self.changed.notified() => {}
                () = shutdown.requested() => return,
            }
        }
    }

    /// Returns the first expiries of the bot, in the order of their times.
    async fn rows(&self, count_max: usize) -> palabre_store::Result<Vec<(ExpiryKey, Option<Millis>)>> {
        let (store, bot, now) = (self.store.clone(), self.bot.to_string(), self.clock.now());
        let read = tokio::task::spawn_blocking(move || -> palabre_store::Result<Vec<_>> {
            let snapshot = store.snapshot(now)?;
            let rows = EXPIRIES.scan(&snapshot, &bot, Direction::Forward)?.take(count_max);
            rows.filter(|row| row.as_ref().map_or(true, |((of, ..), _)| *of == bot)).collect()
        });
        // The task only reads, and does not panic.
        read.await.unwrap_or_else(|_| Ok(Vec::new()))
    }

    /// Restarts the expiries that were set while the clock was ahead, with their full durations.
    async fn restart_expiries(&self) -> Result<(), ExpiryError> {
        let now = self.clock.now();
        let mut batch = Batch::default();
        for ((bot, due, whom), set) in self.rows(usize::MAX).await? {
            let Some(set) = set.filter(|set| *set > now.saturating_add(CLOCK_STEP_MIN)) else { continue };
            let later = now.saturating_add(due.saturating_sub(set));
            EXPIRIES.delete(&mut batch, &(bot.clone(), due, whom.clone()));
            EXPIRIES.put(&mut batch, &(bot, later, whom), &Some(now));
        }
        if !batch.is_empty() {
            self.sink.write(&self.bot, "expiries of bans corrected after the clock went back", batch).await?;
        }
        Ok(())
    }

    /// Lifts expired bans, and returns the time of the next expiry.
    async fn lift_expired(&self, rest: &Rest) -> Result<Option<Millis>, ExpiryError> {
        self.restart_expiries().await?;
        let now = self.clock.now();
        let mut next = None::<Millis>;
        for (key, set) in self.rows(100).await? {
            let (bot, due, whom) = &key;
            if *due > now {
                next = Some(next.map_or(*due, |next| next.min(*due)));
                break;
            }
            let mut batch = Batch::default();
            EXPIRIES.delete(&mut batch, &key);
            if let Err(error) = unban(rest, whom).await {
                // A refusal is retried later, since the bot may get back the permission that it
                // lacks.
                let pause = if matches!(error, RestError::Refused { .. }) { CHECK_INTERVAL_MAX } else { RETRY_DELAY };
                tracing::warn!(
                    bot = %self.bot,
                    "could not lift the expired ban of {whom} (server/user), retrying in {} s: {error}",
                    pause / 1_000
                );
                EXPIRIES.put(&mut batch, &(bot.clone(), now + pause, whom.clone()), &set);
                next = Some(next.map_or(now + pause, |next| next.min(now + pause)));
            }
            self.sink.write(&self.bot, "a ban that has expired", batch).await?;
        }
        Ok(next)
    }
}

async fn unban(rest: &Rest, whom: &str) -> Result<(), RestError> {
    let ids = whom.split_once('/').and_then(|(guild, user)| guild.parse().ok().zip(user.parse().ok()));
    let Some((guild, user)) = ids.filter(|(guild, user)| *guild != 0 && *user != 0) else { return Ok(()) };
    let route = Route::GuildBan { guild_id: GuildId::new(guild), user_id: UserId::new(user) };
    match rest
        .with_retry(Call::new(LightMethod::Delete, route).body(serde_json::json!({})).reason(Some("ban expired")))
        .await
    {
        // Somebody else has lifted the ban already.
        Ok(_) | Err(RestError::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
