//! Checks that a message must pass: mutes, the rules of the room, and the scripts.

use std::sync::Arc;

use palabre_platform::Verdict;
use palabre_types::{EventKind, Millis};

use super::state::State;
use crate::conversation::is_conversation;
use crate::decode;
use crate::groups::rows::RoomRole;
use crate::guests::PersonKind;
use crate::history::MessageRow;
use crate::presence::Author;

impl State {
    /// Checks whether a person may post, edit or react now. The error says why not.
    pub(super) fn may_speak(&self, author: &Author, now: Millis) -> Result<(), String> {
        self.may_write(author, now)?;
        // Moderators have created it, and it has a rate limit of its own.
        if author.kind == PersonKind::Webhook {
            return Ok(());
        }
        let is_bound = self.rules.locked || self.rules.slowmode > 0;
        // A moderator must be able to lift the rules.
        if !is_bound || self.is_moderator(author) {
            return Ok(());
        }
        if self.rules.locked {
            return Err("the room is locked: only moderators can write for now".to_owned());
        }
        if let Some(left) = self.rules.wait(&author.guest, now) {
            let left = left.div_ceil(1_000);
            return Err(format!("the room is in slow mode: you can write again in {left} s"));
        }
        Ok(())
    }

    /// Checks that a person is not muted, and that the room is not archived.
    pub(super) fn may_write(&self, author: &Author, now: Millis) -> Result<(), String> {
        let groups = &self.cx.authority.groups;
        if groups.is_archived(&self.room.name) {
            return Err("the room is archived: nobody can write in it any more".to_owned());
        }
        if groups.role(&self.room.name, &author.guest).is_some_and(|role| role < RoomRole::Member) {
            return Err("you are muted in this room".to_owned());
        }
        let muting = self.cx.members.muting(&author.username.to_lowercase(), &author.guest, now);
        muting.and_then(|row| row.muted(now)).map_or(Ok(()), Err)
    }

    /// Passes a new or edited message through the scripts, which may change or refuse it.
    pub(super) async fn apply_gate(&mut self, author: &Author, row: MessageRow) -> Result<MessageRow, String> {
        if is_conversation(&self.room.name) {
            return Ok(row);
        }
        let kind = EventKind::BeforeMessage { message: row.message(self.user_id(&row.username)) };
        let (gate, event) = (Arc::clone(&self.cx.context.gate), self.event_by(author, kind));
        match gate.before_message(event).await {
            Verdict::Pass => Ok(row),
            Verdict::Change(text) => match decode::text(&text) {
                Ok(()) => Ok(MessageRow { text, ..row }),
                Err(problem) => Err(format!("a script changed the message, and the new text is not valid: {problem}")),
            },
            Verdict::Refuse(reason) => Err(reason),
        }
    }
}
