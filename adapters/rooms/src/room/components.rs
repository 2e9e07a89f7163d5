//! Presses of buttons and choices from lists.

use std::sync::Arc;

use palabre_types::{Batch, EventKind, Select};
use socketioxide::socket::Sid;

use super::state::State;
use super::state::commit::{CommitResult, OnCommit, Requester};
use crate::decode::{Choose, Press};
use crate::encode::NOT_IN_ROOM;
use crate::history::MessageRow;
use crate::peer::AckSender;
use crate::presence::Author;

impl State {
    pub(super) async fn press(&mut self, sid: Sid, press: Press, ack: AckSender) {
        let requester = Requester::Client { sid, ack };
        let (username, row) = match self.find_control(sid, &press.id).await {
            Ok(found) => found,
            Err(problem) => return requester.reply(Err(problem)),
        };
        let mut buttons = row.buttons.iter().filter(|button| button.action == press.action).peekable();
        if buttons.peek().is_none() {
            return requester.reply(Err("this button is no longer available".to_owned()));
        }
        if !buttons.any(|button| !button.disabled && button.url.is_none()) {
            return requester.reply(Err("this button is disabled".to_owned()));
        }
        let message = row.id.as_str().into();
        let kind = EventKind::Button { action: press.action, message, values: Vec::new(), interaction: None };
        self.emit_interaction(&username, kind, requester);
    }

    pub(super) async fn choose(&mut self, sid: Sid, choose: Choose, ack: AckSender) {
        let requester = Requester::Client { sid, ack };
        let (username, row) = match self.find_control(sid, &choose.id).await {
            Ok(found) => found,
            Err(problem) => return requester.reply(Err(problem)),
        };
        let Some(select) = row.select.as_ref().filter(|select| select.action == choose.action) else {
            return requester.reply(Err("this list is no longer available".to_owned()));
        };
        if let Err(problem) = check(select, &choose.values) {
            return requester.reply(Err(problem));
        }
        let Choose { action, values, .. } = choose;
        let kind = EventKind::Select { action, message: row.id.as_str().into(), values, interaction: None };
        self.emit_interaction(&username, kind, requester);
    }

    /// Returns the user and the message with the control, which may be an ephemeral one.
    async fn find_control(&mut self, sid: Sid, id: &str) -> Result<(String, Arc<MessageRow>), String> {
        let author = self.presence.session(sid).ok_or(NOT_IN_ROOM)?.author();
        self.may_write(&author, self.cx.context.clock.now())?;
        let Author { username, guest, .. } = author;
        if let Some(row) = self.ephemeral.row_of_guest(&guest, id) {
            return Ok((username, row));
        }
        let (_, row) = self.find(id).await.ok_or("there is no such message in this room")?;
        Ok((username, row))
    }

    /// Emits an event that changes nothing in the room, and replies once it is durable.
    fn emit_interaction(&mut self, username: &str, kind: EventKind, requester: Requester) {
        let receipt = self.commit_event(self.event(username, kind), Batch::default());
        self.pending.push_back(Box::pin(async move {
            let result = receipt.await.map(drop).map_err(|error| error.to_string());
            CommitResult { result, on_commit: OnCommit::Reply(requester) }
        }));
    }
}

/// Checks the chosen values of a list.
fn check(select: &Select, values: &[String]) -> Result<(), String> {
    let min = select.min.unwrap_or(1);
    let (min, max) = (usize::from(min), usize::from(select.max.unwrap_or(1).max(min)));
    if !(min..=max).contains(&values.len()) {
        let range = if min == max { min.to_string() } else { format!("{min} to {max}") };
        return Err(format!("you chose {} options; choose {range}", values.len()));
    }
    // There are at most 255 values.
    for (index, value) in values.iter().enumerate() {
        if !select.options.iter().any(|option| option.value == *value) {
            return Err(format!("{value} is not an option of this list"));
        }
        if values[..index].contains(value) {
            return Err(format!("{value} is chosen twice"));
        }
    }
    Ok(())
}
