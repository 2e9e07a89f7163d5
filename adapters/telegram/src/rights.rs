//! Who keeps order in a chat, and whether the bot may do what its scripts are granted.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Telegram;
use crate::frames::Membership;
use crate::lenient::each;
use crate::world::ChatKind;

/// How long an update waits for the list of administrators.
const PATIENCE: Duration = Duration::from_secs(5);
/// What the grants of scripts need, in Telegram's words. <https://core.telegram.org/bots/api#chatmemberadministrator>
const NEEDED: &[(&str, &[(&str, &str)])] = &[(
    "moderation",
    &[
        ("can_delete_messages", "Delete Messages"),
        ("can_restrict_members", "Ban Users"),
        ("can_invite_users", "Invite Users via Link"),
        ("can_pin_messages", "Pin Messages"),
        ("can_change_info", "Change Group Info"),
    ],
)];

/// What the bot lacks in a chat, of what the grants need; `membership` is what it is there.
pub(crate) fn lacking(grants: &[String], membership: &Value) -> Vec<&'static str> {
    if membership["status"] == "creator" {
        return Vec::new();
    }
    let needed = NEEDED.iter().filter(|(grant, _)| grants.iter().any(|given| given == grant));
    let rights = needed.flat_map(|(_, rights)| rights.iter());
    rights.filter(|(right, _)| membership[*right] != true).map(|(_, name)| *name).collect()
}

impl Telegram {
    /// Asks who keeps order in a chat, where that is not known or not lately. Those that are known are believed meanwhile.
    pub(crate) async fn know_admins(self: &Arc<Self>, chat: i64) {
        let (needs, has) = {
            let known = self.world.lock();
            (known.people.needs_admins(chat), known.people.has_admins(chat))
        };
        if !needs {
            return;
        }
        // So that nobody else asks at the same time.
        self.world.lock().people.admins_unknown(chat);
        if has {
            let telegram = Arc::clone(self);
            self.beside(async move { telegram.ask_admins(chat).await });
        } else if tokio::time::timeout(PATIENCE, self.ask_admins(chat)).await.is_err() {
            tracing::debug!(bot = %self.world.bot(), chat, "the administrators are not told in time");
        }
    }

    async fn ask_admins(&self, chat: i64) {
        match self.api.call("getChatAdministrators", json!({ "chat_id": chat })).await {
            Ok(said) => {
                let members: Vec<Membership> = each(said).unwrap_or_default();
                // They are found by name also before they say anything.
                for one in &members {
                    self.world.saw(&one.user);
                }
                self.world.lock().people.set_admins(chat, &members);
            }
            Err(error) => {
                tracing::debug!(bot = %self.world.bot(), chat, "the administrators cannot be told: {error}");
            }
        }
    }

    /// Says in which chats the bot may not do what its scripts are granted.
    pub(crate) async fn look_at_rights(&self) {
        if !NEEDED.iter().any(|(grant, _)| self.grants.iter().any(|given| given == grant)) {
            return;
        }
        // Until the bot knows who it is.
        while self.world.lock().me == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let (me, chats) = {
            let known = self.world.lock();
            let of_many = known.chats.iter().filter(|(_, row)| row.is_in && row.moved_to.is_none());
            let groups = of_many.filter(|(_, row)| matches!(row.kind, ChatKind::Group | ChatKind::Supergroup));
            (known.me, groups.map(|(id, row)| (*id, row.title.clone())).collect::<Vec<_>>())
        };
        for (chat, title) in chats {
            let said = self.api.insist("getChatMember", json!({ "chat_id": chat, "user_id": me })).await;
            let Ok(membership) = said else { continue };
            let lacks = lacking(&self.grants, &membership);
            if !lacks.is_empty() {
                tracing::warn!(bot = %self.world.bot(), "in {title} it lacks the rights: {}; make it an administrator with them", lacks.join(", "));
            }
        }
    }
}
