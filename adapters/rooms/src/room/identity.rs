//! The identity under which bots post in the room, and its store for attachments.

use palabre_types::Millis;

use super::state::State;
use crate::bot_identity::BotIdentity;
use crate::files::AttachmentStore;

impl State {
    /// Returns the identity under which bots post.
    ///
    /// `files_life` is set for files that do not live as long as their message.
    pub(super) fn bot_identity(&self, files_life: Option<Millis>) -> BotIdentity<'_> {
        let now = self.cx.context.clock.now();
        let expires = files_life.map(|life| now.saturating_add(life));
        let attachment_store = self.attachment_store(expires);
        BotIdentity { nickname: &self.cx.config.nickname, attachment_store }
    }

    /// Returns the store for attachments of this room.
    pub(super) fn attachment_store(&self, expires: Option<Millis>) -> AttachmentStore<'_> {
        AttachmentStore {
            room: &self.room.name,
            now: self.cx.context.clock.now(),
            largest: self.cx.config.max_file_mb << 20,
            expires,
            entropy: &*self.cx.entropy,
        }
    }
}
