//! The check of a bot without starting it: its token, privacy mode, webhook and rights.

use palabre_store::{Snapshot, Store};
use palabre_types::BotName;
use serde_json::json;

use crate::api::{Api, ApiError};
use crate::cache::PlatformCache;
use crate::me::Me;
use crate::rights::lacking;

/// The data that Telegram has about a bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Online {
    /// The username, without `@`.
    pub name: String,
    /// The consequences of privacy mode, if it is on.
    pub privacy: Option<String>,
    /// The webhook that is set at present, if any.
    pub webhook: Option<String>,
    /// The link that adds the bot to a group, with the rights that it needs.
    pub invite: String,
    /// The groups in the store, each with the rights that the bot lacks there.
    pub groups: Vec<(String, Vec<&'static str>)>,
}

/// Asks Telegram about the bot with this token.
///
/// `grants` are those of its scripts. The groups come from `store`, since Telegram does not list
/// them.
///
/// # Errors
/// If Telegram refuses the token or cannot be reached.
pub async fn online(
    bot: &BotName,
    token: &str,
    api: Option<&str>,
    grants: &[String],
    store: Option<&Store>,
) -> Result<Online, String> {
    let api = Api::new(token, api)?;
    let asked = |error: ApiError| match error {
        ApiError::Token => error.to_string(),
        other => format!("Telegram cannot be queried: {other}"),
    };
    let response = api.call_with_retry("getMe", json!({})).await.map_err(asked)?;
    let me = Me::of(&response).ok_or("Telegram did not send the bot's id")?;
    let webhook = api.call_with_retry("getWebhookInfo", json!({})).await.map_err(asked)?;
    let webhook = webhook["url"].as_str().filter(|url| !url.is_empty()).map(ToOwned::to_owned);
    let mut groups = Vec::new();
    for (chat, title) in store.map(|store| stored_groups(bot, store)).unwrap_or_default() {
        let body = json!({ "chat_id": chat, "user_id": me.id });
        if let Ok(membership) = api.call_with_retry("getChatMember", body).await {
            groups.push((title, lacking(grants, &membership)));
        }
    }
    let rights = if grants.iter().any(|grant| grant == "moderation") {
        "&admin=delete_messages+restrict_members+invite_users+pin_messages+change_info"
    } else {
        ""
    };
    let invite = format!("https://t.me/{}?startgroup=true{rights}", me.username);
    Ok(Online { privacy: me.privacy(), name: me.username, webhook, invite, groups })
}

fn stored_groups(bot: &BotName, store: &Store) -> Vec<(i64, String)> {
    let cache = PlatformCache::new(bot);
    let read = |snapshot: Snapshot| cache.load(&snapshot);
    if let Err(error) = store.snapshot(0).and_then(read) {
        tracing::warn!("the stored groups cannot be read: {error}");
    }
    let state = cache.lock();
    let groups = state.chats.iter().filter(|(id, row)| **id < 0 && row.is_in && row.moved_to.is_none());
    groups.map(|(id, row)| (*id, row.title.clone())).collect()
}
