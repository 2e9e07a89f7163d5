//! Creates the adapters of the bots in bots.yaml.

use std::sync::Arc;

use palabre_discord::Discord;
use palabre_platform::{Adapter, Clock, Entropy};
use palabre_rooms::Rooms;
use palabre_server::Mount;
use palabre_store::Store;
use palabre_telegram::Telegram;
use palabre_types::{Bot, Permission};

use crate::config::{BotConfig, Config, Platform};
use crate::problem::Problem;

/// The services that adapters need.
pub(crate) struct Context<'o> {
    pub(crate) store: &'o Store,
    pub(crate) clock: &'o Arc<dyn Clock>,
    pub(crate) entropy: &'o Arc<dyn Entropy>,
}

/// The adapters of all bots, and the routes of platforms on the HTTP server.
#[derive(Default)]
pub(crate) struct Attached {
    pub(crate) bots: Vec<(Bot, Arc<dyn Adapter>)>,
    /// The room service, if there is one.
    pub(crate) rooms: Option<Arc<Rooms>>,
    /// The webhooks of platforms.
    pub(crate) webhooks: Vec<Mount>,
}

/// Creates the adapters without connecting them.
pub(crate) fn attach(config: &Config, cx: &Context<'_>) -> Result<Attached, Problem> {
    let mut attached = Attached::default();
    for (name, bot) in &config.file.bots {
        let adapter: Arc<dyn Adapter> = match bot.value.platform {
            Platform::Rooms => {
                let (store, mut settings) = (cx.store.clone(), bot.value.rooms.clone());
                let names = bot.value.permissions.values().flatten();
                let of_bot = format!("{name}/");
                settings.privileged = names.map(|one| one.strip_prefix(&of_bot).unwrap_or(one).to_owned()).collect();
                let rooms = Rooms::new(store, settings, Arc::clone(cx.clock), Arc::clone(cx.entropy));
                attached.rooms = Some(Arc::clone(&rooms));
                rooms
            }
            Platform::Discord => discord(name, &bot.value, cx)?,
            Platform::Telegram => {
                let telegram = telegram(config, name, &bot.value, cx)?;
                let webhook =
                    telegram.router().map(|router| Mount { router, endpoints: vec![palabre_telegram::WEBHOOK] });
                attached.webhooks.extend(webhook);
                telegram
            }
        };
        let platform = bot.value.platform.name().into();
        attached.bots.push((Bot { name: name.as_str().into(), platform }, adapter));
    }
    Ok(attached)
}

fn discord(name: &str, bot: &BotConfig, cx: &Context<'_>) -> Result<Arc<Discord>, Problem> {
    let keep_order = bot.permissions.iter().filter(|(level, _)| level.permission() >= Permission::Moderator);
    let setup = palabre_discord::Setup {
        bot: name.into(),
        token: bot.token.clone().unwrap_or_default(),
        api: bot.api.clone(),
        config: bot.discord.clone(),
        moderators: keep_order.flat_map(|(_, names)| names.iter().cloned()).collect(),
        store: cx.store.clone(),
        clock: Arc::clone(cx.clock),
        entropy: Arc::clone(cx.entropy),
    };
    Discord::new(setup).map_err(|error| Problem::Other(format!("{name}: {error}")))
}

fn telegram(config: &Config, name: &str, bot: &BotConfig, cx: &Context<'_>) -> Result<Arc<Telegram>, Problem> {
    let setup = palabre_telegram::Setup {
        bot: name.into(),
        token: bot.token.clone().unwrap_or_default(),
        api: bot.api.clone(),
        config: bot.telegram.clone(),
        grants: granted(config, name),
        store: cx.store.clone(),
        clock: Arc::clone(cx.clock),
        entropy: Arc::clone(cx.entropy),
    };
    Telegram::new(setup).map_err(|error| Problem::Other(format!("{name}: {error}")))
}

/// Returns the grants of all enabled scripts that get events of the bot.
pub(crate) fn granted(config: &Config, bot: &str) -> Vec<String> {
    let is_assigned = |bots: &Option<Vec<serde_saphyr::Spanned<String>>>| {
        bots.as_ref().is_none_or(|bots| bots.iter().any(|name| name.value == bot))
    };
    let scripts = config.file.scripts.values().map(|script| &script.value);
    let assigned = scripts.filter(|script| script.enabled != Some(false) && is_assigned(&script.bots));
    assigned.flat_map(|script| script.grants.iter().map(|grant| grant.value.clone())).collect()
}
