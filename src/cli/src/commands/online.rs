//! `palabre check --online`: what the platforms say of the bots, before anything is started.

use palabre_discord::online;

use crate::config::{BotConfig, Config, Platform};
use crate::tell;

/// Asks about every bot; how many things are wrong.
pub(super) async fn ask(config: &Config) -> usize {
    let mut wrong = 0;
    for (name, bot) in &config.file.bots {
        wrong += match bot.value.platform {
            Platform::Discord => discord(config, name, &bot.value).await,
            Platform::Rooms => 0,
        };
    }
    wrong
}

async fn discord(config: &Config, name: &str, bot: &BotConfig) -> usize {
    let token = bot.token.as_deref().unwrap_or_default();
    let online = match online(token, bot.api.as_deref(), &bot.discord, &grants(config, name)).await {
        Ok(online) => online,
        Err(problem) => {
            tell::line(&format!("bot {name}: {problem}"));
            return 1;
        }
    };
    tell::line(&format!("bot {name}: Discord knows it as {}, in {} servers", online.name, online.servers.len()));
    let mut wrong = 0;
    for (intent, without) in &online.lacking {
        wrong += 1;
        tell::line(&format!(
            "bot {name}: its application does not have the {intent}: {without}. Switch it on in the developer portal, or leave it out of `intents`"
        ));
    }
    for (server, lacks) in online.servers.iter().filter(|(_, lacks)| !lacks.is_empty()) {
        wrong += 1;
        tell::line(&format!("bot {name}: in {server} it lacks {}", lacks.join(", ")));
    }
    tell::line(&format!("bot {name}: it is let into a server at {}", online.invite));
    wrong
}

/// What is granted to the scripts that hear the bot.
fn grants(config: &Config, bot: &str) -> Vec<String> {
    let hears = |bots: &Option<Vec<serde_saphyr::Spanned<String>>>| {
        bots.as_ref().is_none_or(|bots| bots.iter().any(|name| name.value == bot))
    };
    let scripts = config.file.scripts.values().map(|script| &script.value);
    let heard = scripts.filter(|script| script.enabled != Some(false) && hears(&script.bots));
    heard.flat_map(|script| script.grants.iter().map(|grant| grant.value.clone())).collect()
}
