//! What ends by itself and Discord does not end: bans for a time. They are rows, so that they end over a restart too.

use std::sync::Arc;

use palabre_model::{ActionError, Batch, BotName, Clock, Millis, Shutdown};
use palabre_store::{Direction, Store, Table, TableId};
use serenity::http::{LightMethod, Route};
use serenity::model::id::{GuildId, UserId};
use tokio::sync::Notify;

use crate::rest::{Call, Rest, RestError};

/// By bot, when it ends, the server and the person.
const ENDS: Table<(String, Millis, String), ()> = Table::new(TableId::DiscordEnds);
/// How long an end that could not be made waits for the next try.
const AGAIN: Millis = 60_000;
/// How far apart two looks are, at the most.
const LOOK: Millis = 3_600_000;

pub(crate) struct Ends {
    bot: BotName,
    store: Store,
    clock: Arc<dyn Clock>,
    news: Notify,
}

impl Ends {
    pub(crate) fn new(bot: &BotName, store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { bot: bot.clone(), store, clock, news: Notify::new() }
    }

    /// Notes that a ban ends then.
    pub(crate) async fn ban(&self, until: Millis, guild: u64, user: u64) -> Result<(), ActionError> {
        let mut batch = Batch::default();
        ENDS.put(&mut batch, &(self.bot.to_string(), until, format!("{guild}/{user}")), &());
        self.store.commit(batch).await.map_err(|error| ActionError::Transient(error.to_string()))?;
        self.news.notify_one();
        Ok(())
    }

    /// Ends what is due, until the word to stop.
    pub(crate) async fn run(&self, rest: &Rest, mut shutdown: Shutdown) {
        loop {
            let next = match self.end_due(rest).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(bot = %self.bot, "bans that end could not be looked up: {error}");
                    None
                }
            };
            let now = self.clock.now();
            let until = next.unwrap_or(now + LOOK).clamp(now + 1, now + LOOK);
            tokio::select! {
                () = self.clock.sleep_until(until) => {}
                () = self.news.notified() => {}
                () = shutdown.requested() => return,
            }
        }
    }

    /// Ends what is due; when the next one is.
    async fn end_due(&self, rest: &Rest) -> palabre_store::Result<Option<Millis>> {
        let now = self.clock.now();
        let (store, bot) = (self.store.clone(), self.bot.to_string());
        let read = tokio::task::spawn_blocking(move || -> palabre_store::Result<Vec<_>> {
            let snapshot = store.snapshot(now)?;
            ENDS.scan(&snapshot, &bot, Direction::Forward)?.take(100).map(|row| row.map(|(key, ())| key)).collect()
        });
        // A task that reads and nothing else does not panic.
        let rows = read.await.unwrap_or_else(|_| Ok(Vec::new()))?;
        for key in rows {
            let (bot, due, whom) = &key;
            if *bot != *self.bot.as_str() {
                return Ok(None);
            }
            if *due > now {
                return Ok(Some(*due));
            }
            let mut batch = Batch::default();
            ENDS.delete(&mut batch, &key);
            if let Err(error) = unban(rest, whom).await {
                tracing::warn!(bot = %self.bot, "a ban that is over could not be lifted, and is tried again: {error}");
                ENDS.put(&mut batch, &(bot.clone(), now + AGAIN, whom.clone()), &());
            }
            self.store.commit(batch).await?;
        }
        Ok(None)
    }
}

async fn unban(rest: &Rest, whom: &str) -> Result<(), RestError> {
    let ids = whom.split_once('/').and_then(|(guild, user)| guild.parse().ok().zip(user.parse().ok()));
    let Some((guild, user)) = ids.filter(|(guild, user)| *guild != 0 && *user != 0) else { return Ok(()) };
    let route = Route::GuildBan { guild_id: GuildId::new(guild), user_id: UserId::new(user) };
    match rest
        .insist(Call::new(LightMethod::Delete, route).body(serde_json::json!({})).reason(Some("its time is over")))
        .await
    {
        // Somebody was faster, or the bot is no longer there.
        Ok(_) | Err(RestError::Refused { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
