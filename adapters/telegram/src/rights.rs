//! The administrators of chats, and the rights that the bot needs for its scripts' grants.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cache::ChatKind;
use crate::frames::Membership;
use crate::lenient::each;
use crate::telegram::Telegram;

/// Maximum wait of an update for the list of administrators.
const ADMINS_TIMEOUT: Duration = Duration::from_secs(5);
/// The rights that grants need: Telegram's field, and its label in clients.
/// <https://core.telegram.org/bots/api#chatmemberadministrator>
const NEEDED_RIGHTS: &[(&str, &[(&str, &str)])] = &[(
    "moderation",
    &[
        ("can_delete_messages", "Delete Messages"),
        ("can_restrict_members", "Ban Users"),
        ("can_invite_users", "Invite Users via Link"),
        ("can_pin_messages", "Pin Messages"),
        ("can_change_info", "Change Group Info"),
    ],
)];

/// Returns the rights that the grants need and `membership`, the bot's own, does not have.
pub(crate) fn lacking(grants: &[String], membership: &Value) -> Vec<&'static str> {
    if membership["status"] == "creator" {
        return Vec::new();
    }
    let needed = NEEDED_RIGHTS.iter().filter(|(grant, _)| grants.iter().any(|given| given == grant));
    let rights = needed.flat_map(|(_, rights)| rights.iter());
    rights.filter(|(right, _)| membership[*right] != true).map(|(_, name)| *name).collect()
}

impl Telegram {
    /// Requests the administrators of a chat, if they are not known or outdated.
    ///
    /// An outdated list stays valid in the meantime.
    pub(crate) async fn refresh_admins(self: &Arc<Self>, chat: i64) {
        let (needs, has) = {
            let state = self.cache.lock();
            (state.people.needs_admins(chat), state.people.has_admins(chat))
        };
        if !needs {
            return;
        }
        // So that no other task requests them at the same time.
        self.cache.lock().people.retry_admins_later(chat);
        if has {
            let telegram = Arc::clone(self);
            self.background_tasks.spawn(async move { telegram.request_admins(chat).await });
        } else if tokio::time::timeout(ADMINS_TIMEOUT, self.request_admins(chat)).await.is_err() {
            tracing::debug!(bot = %self.cache.bot(), chat, "the list of administrators did not arrive in time");
        }
    }

    async fn request_admins(&self, chat: i64) {
        match self.api.call("getChatAdministrators", json!({ "chat_id": chat })).await {
            Ok(response) => {
                let members: Vec<Membership> = each(response).unwrap_or_default();
                // So that they are found by name before they write anything.
                for one in &members {
                    self.cache.saw(&one.user);
                }
                self.cache.lock().people.set_admins(chat, &members);
            }
            Err(error) => {
                tracing::debug!(bot = %self.cache.bot(), chat, "the list of administrators is not available: {error}");
            }
        }
    }

    /// Logs the chats in which the bot lacks rights that its scripts' grants need.
    pub(crate) async fn check_rights(&self) {
        if !NEEDED_RIGHTS.iter().any(|(grant, _)| self.grants.iter().any(|given| given == grant)) {
            return;
        }
        // Until the bot knows its own id.
        while self.cache.lock().me == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let (me, chats) = {
            let state = self.cache.lock();
            let of_many = state.chats.iter().filter(|(_, row)| row.is_in && row.moved_to.is_none());
            let groups = of_many.filter(|(_, row)| matches!(row.kind, ChatKind::Group | ChatKind::Supergroup));
            (state.me, groups.map(|(id, row)| (*id, row.title.clone())).collect::<Vec<_>>())
        };
        for (chat, title) in chats {
            let response = self.api.call_with_retry("getChatMember", json!({ "chat_id": chat, "user_id": me })).await;
            let Ok(membership) = response else { continue };
            let lacks = lacking(&self.grants, &membership);
            if !lacks.is_empty() {
                let (bot, lacks) = (self.cache.bot(), lacks.join(", "));
                tracing::warn!(%bot, "the bot lacks rights in {title}: {lacks}; make it an administrator with them");
            }
        }
    }
}
