//! Creating and deleting incoming webhooks, and the names under which they post.

use std::sync::Arc;

use palabre_types::Batch;

use super::rows::{WEBHOOKS, WebhookRow, hash_of};
use crate::accounts::error::AccountError;
use crate::accounts::rows::Account;
use crate::conversation::is_hidden;
use crate::decode;
use crate::files::fresh_id;
use crate::service::Rooms;

/// Maximum number of incoming webhooks of a room.
const WEBHOOKS_MAX: usize = 20;

/// A new incoming webhook. Its secret is shown once.
pub(crate) struct NewWebhook {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) row: WebhookRow,
}

impl Rooms {
    /// Creates an incoming webhook of a room.
    pub(crate) async fn create_webhook(
        self: &Arc<Self>,
        by: &Account,
        room: &str,
        name: &str,
    ) -> Result<NewWebhook, AccountError> {
        if is_hidden(room) {
            return Err(AccountError::Invalid("private conversations and sessions take no webhooks".to_owned()));
        }
        let name = self.check_webhook_name(name)?;
        let secret = format!("{}{}", fresh_id(&*self.entropy), fresh_id(&*self.entropy));
        let row = WebhookRow {
            room: room.to_owned(),
            name,
            secret_hash: hash_of(&secret),
            created: self.clock.now(),
            created_by: by.id.clone(),
        };
        let id = format!("{:016x}", self.entropy.next());
        let (rooms, account) = (Arc::clone(self), by.id.clone());
        self.run_to_end(async move {
            let (groups, webhooks) = (&rooms.authority.groups, &rooms.authority.webhooks);
            // With this lock, the room is not deleted meanwhile.
            let _one = groups.changes.lock().await;
            if !groups.may_enter(&row.room, Some(&account)) {
                return Err(AccountError::NotFound("there is no such room"));
            }
            if webhooks.of_room(&row.room).len() >= WEBHOOKS_MAX {
                return Err(AccountError::Conflict(format!("the room has {WEBHOOKS_MAX} webhooks; delete one first")));
            }
            let mut rows = Batch::default();
            WEBHOOKS.put(&mut rows, &id, &row);
            rooms.write("a new webhook", rows).await?;
            webhooks.set(&id, row.clone());
            Ok(NewWebhook { id, secret, row })
        })
        .await
    }

    /// Deletes an incoming webhook of a room. Its messages stay.
    pub(crate) async fn delete_webhook(self: &Arc<Self>, room: &str, id: String) -> Result<(), AccountError> {
        let unknown = AccountError::NotFound("the room has no such webhook");
        self.authority.webhooks.get(&id).filter(|row| row.room == room).ok_or(unknown)?;
        let rooms = Arc::clone(self);
        self.run_to_end(async move {
            let mut rows = Batch::default();
            WEBHOOKS.delete(&mut rows, &id);
            rooms.write("deletion of a webhook", rows).await?;
            rooms.authority.webhooks.remove(&id);
            Ok(())
        })
        .await
    }

    /// Returns the name under which a webhook posts: its own, or the one that the message asks for.
    ///
    /// If somebody else has its own name by now, an addition tells them apart.
    pub(crate) fn name_for_webhook(&self, webhook: &WebhookRow, asked: Option<&str>) -> Result<String, AccountError> {
        match asked.map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => self.check_webhook_name(name),
            None if self.is_of_somebody(&webhook.name) => Ok(format!("{} (webhook)", webhook.name)),
            None => Ok(webhook.name.clone()),
        }
    }

    /// Checks a name that a webhook is to post under, and returns it trimmed, in its composed form.
    fn check_webhook_name(&self, name: &str) -> Result<String, AccountError> {
        let name = decode::username(name).map_err(AccountError::Invalid)?;
        if self.is_of_somebody(&name) {
            let problem = format!("the name {name}, or one that looks like it, belongs to somebody else");
            return Err(AccountError::Invalid(problem));
        }
        Ok(name)
    }

    /// Whether a name, or one that looks like it, is that of an account, of a guest who is online, or reserved.
    fn is_of_somebody(&self, name: &str) -> bool {
        self.account_names.contains(name) || self.is_reserved(name) || self.directory.is_held(name)
    }
}
