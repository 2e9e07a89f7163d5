//! Direct messages of bots to one person in every room that the person is in. They are not stored.

use std::sync::Arc;

use palabre_types::{ActionError, ActionKey, Batch, Content, Outcome, UserId};
use tokio::sync::oneshot;

use crate::bot_identity::{BotIdentity, UNSTORED_FILES_LIFE};
use crate::files::AttachmentStore;
use crate::room::answer::PendingResult;
use crate::room::command::{Command, DirectMessage};
use crate::service::Rooms;

impl Rooms {
    /// Sends a message to a person in every room that the person is in.
    pub(crate) async fn direct(
        &self,
        user: &UserId,
        content: Content,
        key: &ActionKey,
    ) -> Result<PendingResult, ActionError> {
        let name = user.native().to_lowercase();
        let offline = ActionError::NotFound(format!("{} is not online", user.native()));
        let rooms = self.directory.rooms_of(&name);
        if rooms.is_empty() {
            return Err(offline);
        }
        let mut batch = Batch::default();
        let now = self.clock.now();
        // No room name, since the files do not belong to one room.
        let attachment_store = AttachmentStore {
            room: "",
            now,
            largest: self.config.max_file_mb << 20,
            expires: Some(now.saturating_add(UNSTORED_FILES_LIFE)),
            entropy: &*self.entropy,
        };
        let bot_identity = BotIdentity { nickname: &self.config.nickname, attachment_store };
        let row = Arc::new(bot_identity.new_message(&mut batch, key.to_string(), content)?);
        if !batch.is_empty() {
            self.write("files of a direct message", batch).await?;
        }
        let mut asked = Vec::with_capacity(rooms.len());
        for (_, room) in rooms {
            let (answer, is_here) = oneshot::channel();
            let message = DirectMessage { user: name.clone(), row: Arc::clone(&row), answer };
            // A room that has closed in the meantime is empty.
            if room.send(Command::Direct(message)).await.is_ok() {
                asked.push(is_here);
            }
        }
        Ok(Box::pin(async move {
            let mut is_there = false;
            for is_here in asked {
                is_there |= is_here.await.unwrap_or(false);
            }
            if is_there { Ok(Outcome { message: Some(row.id.as_str().into()) }) } else { Err(offline) }
        }))
    }
}
