//! The command lists at Telegram: for everybody and for administrators, in each language.
//!
//! Only lists that have changed are written. <https://core.telegram.org/bots/api#setmycommands>

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use palabre_platform::Backoff;
use palabre_store::Table;
use palabre_types::TableId;
use palabre_types::{Batch, CommandSpec, Permission};
use serde_json::{Value, json};
use teloxide_core::payloads::{DeleteMyCommands, GetMyCommands, SetMyCommands};
use teloxide_core::types::{BotCommand, BotCommandScope};
use tokio::sync::watch;

use crate::api::{Api, ApiError};
use crate::telegram::Telegram;

/// The languages in which command lists were written, by bot.
const LANGUAGES: Table<String, Vec<String>> = Table::new(TableId::TelegramCommands);
/// Limits of Telegram: commands in a list, characters of a description and of a name.
const COMMANDS_MAX: usize = 100;
const DESCRIPTION_MAX: usize = 256;
const NAME_MAX: usize = 32;
const RETRY_DELAY_MAX: Duration = Duration::from_secs(300);
const RETRY_BACKOFF: Backoff = Backoff::new(Duration::from_secs(2), RETRY_DELAY_MAX);

/// Keeps the command lists up to date with the commands of the scripts.
pub(crate) async fn keep(telegram: &Telegram, mut commands: watch::Receiver<Arc<Vec<CommandSpec>>>) {
    loop {
        let bot = telegram.cache.bot();
        let wanted = Arc::clone(&commands.borrow_and_update());
        let mut delays = RETRY_BACKOFF.delays();
        // Stop retrying once the commands have changed again.
        while !commands.has_changed().unwrap_or(true) {
            match telegram.update_lists(&wanted).await {
                Ok(written) => {
                    tracing::info!(%bot, "{} commands; updated {written} command lists", wanted.len());
                    break;
                }
                // The receiving task reports a refused token. It may be accepted again later.
                Err(ApiError::Token) => tokio::time::sleep(RETRY_DELAY_MAX).await,
                Err(error) => {
                    tracing::warn!(%bot, "the command lists cannot be updated, retrying: {error}");
                    let delay = delays.next_delay();
                    let wait = if let ApiError::Limited { retry_after } = error { retry_after } else { delay };
                    tokio::time::sleep(wait).await;
                }
            }
        }
        if commands.changed().await.is_err() {
            return;
        }
    }
}

impl Telegram {
    /// Brings the lists up to date, and returns how many were written.
    async fn update_lists(&self, commands: &[CommandSpec]) -> Result<usize, ApiError> {
        let before: Vec<String> = self.languages_before().await;
        let now = languages(commands);
        let every = now.iter().chain(&before).cloned().collect::<BTreeSet<String>>();
        let mut written = 0;
        for scope in [BotCommandScope::Default, BotCommandScope::AllChatAdministrators] {
            let level = if scope == BotCommandScope::Default { Permission::Member } else { Permission::Owner };
            for language in std::iter::once(None).chain(every.iter().map(Some)) {
                let is_known = language.is_none_or(|language| now.contains(language));
                let wanted = if is_known { offered(commands, level, language.map(String::as_str)) } else { Vec::new() };
                written += usize::from(update_list(&self.api, &scope, language, wanted).await?);
            }
        }
        if now != before.into_iter().collect() {
            let mut batch = Batch::default();
            LANGUAGES.put(&mut batch, &self.cache.bot().to_string(), &now.into_iter().collect());
            // A failed write is made up for at the next start.
            drop(self.write("the languages of the command lists", batch).await);
        }
        Ok(written)
    }

    async fn languages_before(&self) -> Vec<String> {
        let (store, bot, now) = (self.store.clone(), self.cache.bot().to_string(), self.clock.now());
        let read = move || -> palabre_store::Result<Option<Vec<String>>> { LANGUAGES.get(&store.snapshot(now)?, &bot) };
        tokio::task::spawn_blocking(read).await.ok().and_then(Result::ok).flatten().unwrap_or_default()
    }
}

/// Brings one list up to date. Returns true if it had to be written.
async fn update_list(
    api: &Api,
    scope: &BotCommandScope,
    language: Option<&String>,
    wanted: Vec<BotCommand>,
) -> Result<bool, ApiError> {
    let mut get = GetMyCommands::new();
    (get.scope, get.language_code) = (Some(scope.clone()), language.cloned());
    let there = request(api, &get).await?;
    if there == json!(wanted) {
        return Ok(false);
    }
    if wanted.is_empty() {
        let mut delete = DeleteMyCommands::new();
        (delete.scope, delete.language_code) = (Some(scope.clone()), language.cloned());
        request(api, &delete).await?;
    } else {
        let mut set = SetMyCommands::new(wanted);
        (set.scope, set.language_code) = (Some(scope.clone()), language.cloned());
        request(api, &set).await?;
    }
    Ok(true)
}

/// Sends a teloxide request, with retries after transient faults.
async fn request<P: teloxide_core::requests::Payload + serde::Serialize>(
    api: &Api,
    payload: &P,
) -> Result<Value, ApiError> {
    let body = serde_json::to_value(payload).map_err(|error| ApiError::Unfit(error.to_string()))?;
    api.call_with_retry(P::NAME, body).await
}

/// Returns the languages of command names and descriptions: two letters each, as Telegram has them.
fn languages(commands: &[CommandSpec]) -> BTreeSet<String> {
    let all = commands.iter().flat_map(|spec| spec.names.keys().chain(spec.descriptions.keys()));
    all.filter_map(|language| base(language)).collect()
}

fn base(language: &str) -> Option<String> {
    let base = language.split('-').next().unwrap_or_default().to_ascii_lowercase();
    (base.len() == 2 && base.bytes().all(|byte| byte.is_ascii_lowercase())).then_some(base)
}

/// Returns the commands for a permission level, in a language.
fn offered(commands: &[CommandSpec], level: Permission, language: Option<&str>) -> Vec<BotCommand> {
    let in_language = |texts: &std::collections::BTreeMap<String, String>| {
        let language = language?;
        texts.iter().find(|(of, _)| base(of).as_deref() == Some(language)).map(|(_, text)| text.clone())
    };
    let mut list = Vec::new();
    for spec in commands.iter().filter(|spec| !spec.hidden && spec.permission <= level) {
        let own = in_language(&spec.names).filter(|name| is_name(name));
        let Some(name) = own.or_else(|| is_name(&spec.name).then(|| spec.name.clone())) else {
            tracing::debug!(
                "/{} is left out of Telegram's list: names there have lower-case letters, digits and _",
                spec.name
            );
            continue;
        };
        let text = in_language(&spec.descriptions).unwrap_or_else(|| spec.description.clone());
        let text = if text.trim().is_empty() { spec.name.clone() } else { text };
        let description: String = text.chars().take(DESCRIPTION_MAX).collect();
        if list.iter().all(|other: &BotCommand| other.command != name) && list.len() < COMMANDS_MAX {
            list.push(BotCommand::new(name, description));
        }
    }
    list
}

/// Whether Telegram accepts the name of a command.
fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
