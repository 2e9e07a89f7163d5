//! The gateway: connects the shards, and resumes their sessions after disconnects and restarts.
//!
//! The frames of each shard are processed in order.
//! <https://discord.com/developers/docs/events/gateway>

mod condition;
mod correlation;
mod error;
mod session;
mod shard;

use std::sync::Arc;
use std::time::Duration;

use palabre_platform::{AdapterContext, AdapterError};
use serde_json::Value;
use serenity::http::{LightMethod, Route};
use tokio::task::JoinSet;
use twilight_gateway::queue::InMemoryQueue;
use twilight_gateway::{Intents, ShardId};

use crate::config::Privileged;
use crate::discord::Discord;
use crate::rest::{Call, RestError};

use condition::ShardConditions;
use error::unreachable;

/// The intents that an application needs no permission for.
const UNPRIVILEGED: Intents =
    Intents::all().difference(Intents::GUILD_MEMBERS.union(Intents::GUILD_PRESENCES).union(Intents::MESSAGE_CONTENT));

/// Discord's parameters for connecting.
struct Plan {
    url: String,
    shards: u32,
    concurrency: u16,
    remaining: u32,
    total: u32,
    reset_after: Duration,
}

/// Connects all shards of this process, and stays connected until shutdown.
pub(crate) async fn run(discord: &Arc<Discord>, context: &AdapterContext) -> Result<(), AdapterError> {
    // The token may be valid again, or was refused by mistake.
    if discord.rest.is_token_refused() {
        discord.rest.check_token().await.map_err(|error| unreachable(discord, error))?;
    }
    let plan = plan(discord).await?;
    let intents = intents(discord).await?;
    fetch_own_id(discord).await?;
    let store = discord.store.clone();
    let now = context.clock.now();
    let (loading, bot) = (Arc::clone(discord), context.bot.name.clone());
    let known = tokio::task::spawn_blocking(move || {
        let snapshot = store.snapshot(now)?;
        loading.cache.load(&snapshot)?;
        loading.seen_interactions.load(&snapshot, &bot)?;
        session::load(&snapshot, &bot)
    });
    let sessions =
        known.await.map_err(|error| error.to_string()).and_then(|known| known.map_err(|error| error.to_string()));
    let mut sessions =
        sessions.map_err(|error| AdapterError::Lost(format!("could not read the stored state: {error}")))?;

    let (total, range) = match &discord.config.shards {
        Some(range) => (range.total, range.first..=range.last),
        None => (plan.shards, 0..=plan.shards - 1),
    };
    let queue = InMemoryQueue::new(plan.concurrency, plan.remaining, plan.reset_after, plan.total);
    let conditions = Arc::new(ShardConditions::new(&context.condition, range.clone()));
    let mut shards = JoinSet::new();
    for number in range {
        // A session depends on the number of shards, and cannot be resumed with another.
        let session = sessions.remove(&number).filter(|session| session.shards == total);
        let id = ShardId::new(number, total);
        let connection = shard::connect(discord, id, intents, &plan.url, queue.clone(), session);
        let (discord, context, conditions) = (Arc::clone(discord), context.clone(), Arc::clone(&conditions));
        shards.spawn(async move { shard::run(&discord, &context, &conditions, connection).await });
    }
    loop {
        tokio::select! {
            ended = shards.join_next() => match ended {
                // A shard that ends for good ends the bot; the others are closed when they are
                // dropped.
                Some(ended) => {
                    ended.unwrap_or_else(|error| Err(AdapterError::Lost(format!("a shard failed: {error}"))))?;
                }
                None => return Ok(()),
            },
            // The sessions are resumed once the token is accepted again.
            () = discord.rest.token_refused() => return Err(unreachable(discord, RestError::Token)),
        }
    }
}

/// Asks Discord for the parameters of the connection.
async fn plan(discord: &Discord) -> Result<Plan, AdapterError> {
    let said = discord
        .rest
        .with_retry(Call::new(LightMethod::Get, Route::GatewayBot))
        .await
        .map_err(|error| unreachable(discord, error))?;
    let limit = &said["session_start_limit"];
    let number =
        |value: &Value, otherwise: u32| value.as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(otherwise);
    let remaining = number(&limit["remaining"], 1_000);
    let reset_after = Duration::from_millis(limit["reset_after"].as_u64().unwrap_or(86_400_000));
    let url = said["url"].as_str().unwrap_or("wss://gateway.discord.gg").trim_end_matches('/').to_owned();
    let concurrency = u16::try_from(number(&limit["max_concurrency"], 1)).unwrap_or(1).max(1);
    Ok(Plan {
        url,
        shards: number(&said["shards"], 1).max(1),
        concurrency,
        remaining,
        total: number(&limit["total"], 1_000).max(remaining),
        reset_after,
    })
}

/// Returns the intents to request.
///
/// Those that the application is not allowed are omitted, and a warning says what will be missing.
async fn intents(discord: &Discord) -> Result<Intents, AdapterError> {
    let application = discord.rest.with_retry(Call::new(LightMethod::Get, Route::Oauth2ApplicationCurrent)).await;
    let flags = match application {
        Ok(said) => {
            let mut known = discord.cache.lock();
            let id = |user: &Value| user["id"].as_str().and_then(|id| id.parse().ok());
            known.application = id(&said).unwrap_or(known.application);
            known.me = id(&said["bot"]).unwrap_or(known.me);
            said["flags"].as_u64()
        }
        Err(RestError::Token) => return Err(unreachable(discord, RestError::Token)),
        Err(error) => {
            tracing::warn!(bot = %discord.cache.bot(), "could not ask Discord for the application's intents: {error}");
            None
        }
    };
    let mut intents = UNPRIVILEGED;
    for privileged in &discord.config.intents {
        if flags.is_none_or(|flags| flags & privileged.flags() != 0) {
            intents |= match privileged {
                Privileged::Members => Intents::GUILD_MEMBERS,
                Privileged::Presences => Intents::GUILD_PRESENCES,
                Privileged::MessageContent => Intents::MESSAGE_CONTENT,
            };
        } else {
            tracing::warn!(
                bot = %discord.cache.bot(),
                "the application does not have the {}: {}. Switch it on in the developer portal \
                 (your application, Bot), or leave it out of `intents` in bots.yaml",
                privileged.title(),
                privileged.without()
            );
        }
    }
    Ok(intents)
}

/// Fetches the bot's user id, unless it is known: a resumed session does not deliver it.
async fn fetch_own_id(discord: &Discord) -> Result<(), AdapterError> {
    if discord.cache.lock().me != 0 {
        return Ok(());
    }
    let said = discord.rest.with_retry(Call::new(LightMethod::Get, Route::UserMe)).await;
    let said = said.map_err(|error| unreachable(discord, error))?;
    discord.cache.lock().me = said["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default();
    Ok(())
}
