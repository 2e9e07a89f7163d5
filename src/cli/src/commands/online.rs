//! `palabre check --online`: checks tokens and permissions of bots with their platforms.

use std::future::Future;
use std::time::Duration;

use palabre_discord::online;
use palabre_store::Store;

use crate::config::{BotConfig, Config, Platform};
use crate::output::{self, count};
use crate::platforms::granted;

/// The time without a response after which a line says that the platform is slow.
const SLOW_RESPONSE_DELAY: Duration = Duration::from_secs(2);

/// Checks every bot. Returns the number of problems.
pub(super) async fn ask(config: &Config) -> usize {
    let mut wrong = 0;
    for (name, bot) in &config.file.bots {
        wrong += match bot.value.platform {
            Platform::Discord => discord(config, name, &bot.value).await,
            Platform::Telegram => telegram(config, name, &bot.value).await,
            Platform::Rooms => 0,
        };
    }
    wrong
}

/// Waits for the response of a platform, and prints a line if that takes long.
async fn answered<T>(name: &str, platform: &str, asked: impl Future<Output = T>) -> T {
    let mut asked = std::pin::pin!(asked);
    if let Ok(answer) = tokio::time::timeout(SLOW_RESPONSE_DELAY, asked.as_mut()).await {
        return answer;
    }
    output::line(&format!("bot {name}: {platform} has not responded yet; waiting a few more seconds"));
    asked.await
}

async fn discord(config: &Config, name: &str, bot: &BotConfig) -> usize {
    let token = bot.token.as_deref().unwrap_or_default();
    let grants = granted(config, name);
    let asked = online(token, bot.api.as_deref(), &bot.discord, &grants);
    let online = match answered(name, "Discord", asked).await {
        Ok(online) => online,
        Err(problem) => {
            output::line(&format!("bot {name}: {problem}"));
            return 1;
        }
    };
    output::line(&format!("bot {name}: {} on Discord, in {}", online.name, count(online.servers.len(), "server")));
    let mut wrong = 0;
    for (intent, without) in &online.lacking {
        wrong += 1;
        output::line(&format!(
            "bot {name}: its application lacks the {intent}: {without}. Enable it in the developer portal, or remove \
             it from `intents`"
        ));
    }
    for (server, lacks) in online.servers.iter().filter(|(_, lacks)| !lacks.is_empty()) {
        wrong += 1;
        output::line(&format!("bot {name}: in {server} it lacks {}", lacks.join(", ")));
    }
    output::line(&format!("bot {name}: invite it to a server with {}", online.invite));
    wrong
}

async fn telegram(config: &Config, name: &str, bot: &BotConfig) -> usize {
    let (token, grants) = (bot.token.as_deref().unwrap_or_default(), granted(config, name));
    // The bot's groups are only known from its store, which cannot be read while the daemon runs.
    let data = config.data();
    let store = data.join("palabre.redb").exists().then(|| Store::open(&data).ok()).flatten();
    let bot_name = name.into();
    let asked = palabre_telegram::online(&bot_name, token, bot.api.as_deref(), &grants, store.as_ref());
    let online = match answered(name, "Telegram", asked).await {
        Ok(online) => online,
        Err(problem) => {
            output::line(&format!("bot {name}: {problem}"));
            return 1;
        }
    };
    output::line(&format!("bot {name}: @{} on Telegram", online.name));
    let mut wrong = 0;
    if let Some(problem) = &online.privacy {
        wrong += 1;
        output::line(&format!("bot {name}: {problem}"));
    }
    if let (Some(webhook), None) = (&online.webhook, &bot.telegram.webhook) {
        output::line(&format!(
            "bot {name}: updates currently go to the webhook {webhook}; the daemon removes it and uses polling"
        ));
    }
    for (group, lacks) in online.groups.iter().filter(|(_, lacks)| !lacks.is_empty()) {
        wrong += 1;
        output::line(&format!("bot {name}: in {group} it lacks the rights {}", lacks.join(", ")));
    }
    output::line(&format!("bot {name}: add it to a group with {}", online.invite));
    wrong
}
