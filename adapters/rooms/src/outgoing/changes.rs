//! Creating and deleting outgoing webhooks.

use std::sync::Arc;

use palabre_fetch::{Grants, Url};
use palabre_types::Batch;

use super::rows::{DELIVERIES, DeliveryRow, EVENTS, OUTGOING, OutgoingRow};
use crate::accounts::error::AccountError;
use crate::accounts::rows::Account;
use crate::change_log::rows::newest;
use crate::conversation::is_hidden;
use crate::files::fresh_id;
use crate::service::Rooms;

/// Maximum number of outgoing webhooks of a room.
const OUTGOING_MAX: usize = 10;
/// Maximum length of an address, in bytes.
const URL_BYTES_MAX: usize = 2_000;

impl Rooms {
    /// Creates an outgoing webhook of a room. Returns its id and row.
    pub(crate) async fn create_outgoing(
        self: &Arc<Self>,
        by: &Account,
        room: &str,
        url: String,
        events: Vec<String>,
    ) -> Result<(String, OutgoingRow), AccountError> {
        if is_hidden(room) {
            return Err(AccountError::Invalid("private conversations and sessions take no webhooks".to_owned()));
        }
        self.check_address(&url)?;
        if events.is_empty() {
            return Err(AccountError::Invalid("name at least one event".to_owned()));
        }
        if let Some(unknown) = events.iter().find(|event| !EVENTS.contains(&event.as_str())) {
            return Err(AccountError::Invalid(format!(
                "there is no event {unknown}; events are {}",
                EVENTS.join(", ")
            )));
        }
        let (now, secret) = (self.clock.now(), format!("{}{}", fresh_id(&*self.entropy), fresh_id(&*self.entropy)));
        let row = OutgoingRow { room: room.to_owned(), url, events, secret, created: now, created_by: by.id.clone() };
        let id = format!("{:016x}", self.entropy.next());
        let (rooms, account) = (Arc::clone(self), by.id.clone());
        self.run_to_end(async move {
            let groups = &rooms.authority.groups;
            // With this lock, the room is not deleted meanwhile.
            let _one = groups.changes.lock().await;
            if !groups.may_enter(&row.room, Some(&account)) {
                return Err(AccountError::NotFound("there is no such room"));
            }
            if rooms.outgoing.of_room(&row.room).len() >= OUTGOING_MAX {
                return Err(AccountError::Conflict(format!("the room has {OUTGOING_MAX} of them; delete one first")));
            }
            // Kept until the deliveries follow the log.
            let _follower = rooms.change_log.follow();
            rooms.begin_recording().await?;
            let cursor = rooms.read_store(newest).await?.map_or(0, |(number, _)| number);
            let mut rows = Batch::default();
            OUTGOING.put(&mut rows, &id, &row);
            DELIVERIES.put(&mut rows, &id, &DeliveryRow { cursor, ..DeliveryRow::default() });
            rooms.write("a new outgoing webhook", rows).await?;
            rooms.deliver(rooms.outgoing.add(id.clone(), row.clone()));
            Ok((id, row))
        })
        .await
    }

    /// Deletes an outgoing webhook of a room. What it has not sent yet is not sent.
    pub(crate) async fn delete_outgoing(self: &Arc<Self>, room: &str, id: String) -> Result<(), AccountError> {
        if !self.outgoing.of_room(room).iter().any(|(other, _)| *other == id) {
            return Err(AccountError::NotFound("the room has no such webhook"));
        }
        let rooms = Arc::clone(self);
        self.run_to_end(async move {
            let mut rows = Batch::default();
            OUTGOING.delete(&mut rows, &id);
            DELIVERIES.delete(&mut rows, &id);
            rooms.write("deletion of an outgoing webhook", rows).await?;
            rooms.outgoing.remove(&id);
            Ok(())
        })
        .await
    }

    /// Returns the hosts to which outgoing webhooks may send.
    pub(super) fn webhook_grants(&self) -> Grants {
        // The settings were checked at the start.
        Grants::parse(&self.config.webhook_hosts).unwrap_or_default()
    }

    /// Checks an address as far as it shows. The addresses of a name are checked whenever it is resolved.
    fn check_address(&self, url: &str) -> Result<(), AccountError> {
        let parsed = Url::parse(url).ok().filter(|_| url.len() <= URL_BYTES_MAX);
        let invalid = || AccountError::Invalid(format!("the url is invalid, or longer than {URL_BYTES_MAX} bytes"));
        let refused = "the url is not allowed: it must be http or https, without a password, and on a public host and \
                       the port 80 or 443, unless the operator allows others (webhook_hosts in bots.yaml)";
        let is_allowed = self.webhook_grants().allows(&parsed.ok_or_else(invalid)?).is_ok();
        if is_allowed { Ok(()) } else { Err(AccountError::Invalid(refused.to_owned())) }
    }
}
