//! Mentions in messages, and the messages whose content the bot may read.

use serde_json::{Value, json};

use super::draft::Draft;
use super::id::Id;
use super::permissions::Permission;
use super::state::State;
use crate::json::without;

impl State {
    /// Sets the mentions of a message: those in the text that `allowed_mentions` allows.
    pub(super) fn mention(&self, message: &mut Value, draft: &Draft, replied: Option<&Value>) {
        let text = message["content"].as_str().unwrap_or_default();
        let allowed = &draft.body["allowed_mentions"];
        let free = allowed.is_null();
        let parses = |what: &str| free || allowed["parse"].as_array().is_some_and(|all| all.contains(&json!(what)));
        let allows = |what: &str, id: Id| parses(what) || Id::list(&allowed[what]).contains(&id);
        let mut users: Vec<Id> = ids_after(text, "<@").into_iter().chain(ids_after(text, "<@!")).collect();
        users.retain(|id| self.users.contains_key(id) && allows("users", *id));
        if draft.body["message_reference"]["type"] != 1
            && let Some(author) = replied.and_then(|message| Id::of(&message["author"], "id"))
            && allowed.get("replied_user").map_or(free, |wanted| wanted == true)
            && self.users.contains_key(&author)
        {
            users.push(author);
        }
        users.sort_unstable();
        users.dedup();
        let guild = self.guild_of(draft.channel).and_then(|guild| self.guilds.get(&guild));
        let mut roles = ids_after(text, "<@&");
        roles.retain(|id| guild.is_some_and(|guild| guild.roles.contains_key(id)) && allows("roles", *id));
        let may = || {
            self.guild_of(draft.channel).is_some_and(|guild| {
                let bits = self.permissions(guild, draft.author, Some(draft.channel));
                draft.webhook.is_some() || bits & Permission::MENTION_EVERYONE.0 != 0
            })
        };
        let everyone = (text.contains("@everyone") || text.contains("@here")) && parses("everyone") && may();
        message["mentions"] = users.iter().map(|id| self.user_frame(*id)).collect();
        message["mention_roles"] = json!(roles);
        message["mention_everyone"] = json!(everyone);
    }
}

/// Returns the ids in mentions that begin with `start`.
fn ids_after(text: &str, start: &str) -> Vec<Id> {
    text.split(start).skip(1).filter_map(|rest| rest.split_once('>')?.0.parse().ok()).collect()
}

/// Whether the bot can read a guild message without the intent: its own, and those that mention it.
pub(super) fn is_open_to(message: &Value, bot: Id) -> bool {
    let mentions = message["mentions"].as_array().into_iter().flatten();
    let is_bot = |user: &Value| Id::of(user, "id") == Some(bot);
    is_bot(&message["author"]) || mentions.into_iter().any(is_bot) || Id::of(message, "application_id") == Some(bot)
}

/// A message without its content, for sessions that may not read it.
pub(super) fn without_content(message: &Value) -> Value {
    let mut bare = without(message.clone(), &["poll"]);
    bare["content"] = json!("");
    for list in ["embeds", "attachments", "components"] {
        bare[list] = json!([]);
    }
    if bare["referenced_message"].is_object() {
        bare["referenced_message"] = without_content(&bare["referenced_message"]);
    }
    for snapshot in bare["message_snapshots"].as_array_mut().into_iter().flatten() {
        snapshot["message"] = without_content(&snapshot["message"]);
    }
    bare
}
