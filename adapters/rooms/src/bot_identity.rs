//! Messages of bots as rows, with their text checked and their files added to the batch.

use palabre_types::{ActionError, Batch, Content, Millis};

use crate::decode::TEXT_MAX;
use crate::files::{self, AttachmentStore};
use crate::history::MessageRow;

/// Life of the files of ephemeral and direct messages, in milliseconds.
pub(crate) const UNSTORED_FILES_LIFE: Millis = 86_400_000;

/// The name under which bots post, and the store for their attachments.
pub(crate) struct BotIdentity<'a> {
    pub(crate) nickname: &'a str,
    pub(crate) attachment_store: AttachmentStore<'a>,
}

impl BotIdentity<'_> {
    /// Returns the row of a new message and adds its files to `batch`.
    pub(crate) fn new_message(
        &self,
        batch: &mut Batch,
        id: String,
        content: Content,
    ) -> Result<MessageRow, ActionError> {
        check_text(&content.text)?;
        Ok(MessageRow {
            id,
            username: self.nickname.to_owned(),
            persona: content.persona.map(|persona| persona.name),
            text: content.text,
            time: self.attachment_store.now,
            bot: true,
            buttons: content.buttons,
            embeds: content.embeds,
            select: content.select,
            attachments: self.attachment_store.put(batch, content.files)?,
            ..MessageRow::default()
        })
    }

    /// Returns the row of an edited message. Files stay, unless there are new ones.
    pub(crate) fn edited_message(
        &self,
        batch: &mut Batch,
        row: &MessageRow,
        content: Content,
    ) -> Result<MessageRow, ActionError> {
        check_text(&content.text)?;
        let mut row = MessageRow {
            text: content.text,
            edited: true,
            buttons: content.buttons,
            embeds: content.embeds,
            select: content.select,
            ..row.clone()
        };
        if !content.files.is_empty() {
            let attachments = self.attachment_store.put(batch, content.files)?;
            files::remove(batch, &row.attachments);
            row.attachments = attachments;
        }
        Ok(row)
    }
}

fn check_text(text: &str) -> Result<(), ActionError> {
    let length = text.chars().count();
    if length > TEXT_MAX {
        return Err(ActionError::Rejected(format!("the message has {length} characters; the limit is {TEXT_MAX}")));
    }
    Ok(())
}
