//! What there is to say of a bot before it is started: whether Telegram takes its token, what it hears, and what it lacks where.

use palabre_model::BotName;
use palabre_store::{Snapshot, Store};
use serde_json::json;

use crate::api::{Api, ApiError};
use crate::me::Me;
use crate::rights::lacking;
use crate::world::World;

/// What Telegram says of a bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Online {
    /// What it is called there, without `@`.
    pub name: String,
    /// What is missing in privacy mode, where that is on.
    pub privacy: Option<String>,
    /// The address at which updates are brought at present, where one is set.
    pub webhook: Option<String>,
    /// Where it is let into a group, with the rights that it needs.
    pub invite: String,
    /// The groups that the store knows of, each with the rights that it lacks there.
    pub groups: Vec<(String, Vec<&'static str>)>,
}

/// Asks Telegram about the bot of that token. `grants` are those of its scripts; the groups are those of `store`, since Telegram
/// tells none.
///
/// # Errors
/// When Telegram refuses the token, or cannot be asked.
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
        other => format!("Telegram cannot be asked: {other}"),
    };
    let said = api.insist("getMe", json!({})).await.map_err(asked)?;
    let me = Me::of(&said).ok_or("Telegram does not say who the bot is")?;
    let webhook = api.insist("getWebhookInfo", json!({})).await.map_err(asked)?;
    let webhook = webhook["url"].as_str().filter(|url| !url.is_empty()).map(ToOwned::to_owned);
    let mut groups = Vec::new();
    for (chat, title) in store.map(|store| known(bot, store)).unwrap_or_default() {
        let body = json!({ "chat_id": chat, "user_id": me.id });
        if let Ok(membership) = api.insist("getChatMember", body).await {
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

fn known(bot: &BotName, store: &Store) -> Vec<(i64, String)> {
    let world = World::new(bot);
    let read = |snapshot: Snapshot| world.load(&snapshot);
    if let Err(error) = store.snapshot(0).and_then(read) {
        tracing::warn!("the groups that are known cannot be read: {error}");
    }
    let known = world.lock();
    let groups = known.chats.iter().filter(|(id, row)| **id < 0 && row.is_in && row.moved_to.is_none());
    groups.map(|(id, row)| (*id, row.title.clone())).collect()
}
