//! The people behind requests, and what their levels allow.

use palabre_types::{EventKind, Permission};
use tokio::sync::oneshot;

use super::command::{Origin, Refusal};
use super::state::State;
use super::state::commit::{CommitResult, OnCommit, Requester};
use crate::accounts::rows::is_account_id;
use crate::conversation::{is_conversation, other_person};
use crate::encode::{Ack, Moderated, NOT_IN_ROOM};
use crate::guests::PersonKind;
use crate::history::MessageRow;
use crate::presence::Author;

impl State {
    /// Returns the person behind a request, and the recipient of its result.
    ///
    /// `None` if the client is not in the room, which it has been told.
    pub(super) fn person(&mut self, origin: Origin) -> Option<(Author, Requester)> {
        match origin {
            Origin::Http { author, answer } => {
                if let Err(refusal) = self.check_access(&author) {
                    let _asked = answer.send(Err(refusal));
                    return None;
                }
                Some((author, Requester::Http(answer)))
            }
            Origin::Client { sid, ack } => match self.presence.session(sid) {
                Some(session) => Some((session.author(), Requester::Client { sid, ack })),
                None => {
                    drop(ack.send(&Ack::Error { error: NOT_IN_ROOM.to_owned() }));
                    None
                }
            },
        }
    }

    /// Checks that an author who is not in the room may use it.
    ///
    /// The room may have been closed to the author, or deleted, since the request was admitted.
    fn check_access(&self, author: &Author) -> Result<(), Refusal> {
        let (authority, room) = (&self.cx.authority, self.room.name.as_str());
        let account = (author.kind == PersonKind::Account).then_some(&*author.guest);
        let is_gone = |account: &str| authority.roles.is_closed(account);
        let has_lost_a_person = account.is_some_and(|own| is_gone(own) || other_person(room, own).is_some_and(is_gone));
        let may_enter = match author.kind {
            PersonKind::Webhook => authority.webhooks.is_of(&author.guest, room),
            PersonKind::Account | PersonKind::Guest => authority.groups.may_enter(room, account),
        };
        if has_lost_a_person || !may_enter {
            return Err(Refusal::NotFound("there is no such room".to_owned()));
        }
        if is_conversation(room) {
            return Ok(());
        }
        let now = self.cx.context.clock.now();
        let banning = self.cx.members.banning(&author.username.to_lowercase(), &author.guest, now);
        banning.and_then(|row| row.banned(now)).map_or(Ok(()), |problem| Err(Refusal::Refused(problem)))
    }

    /// Returns the permission level of a person here: in the whole service, by bots.yaml, or in this room.
    pub(super) fn level(&self, author: &Author) -> Permission {
        let event = self.event_by(author, EventKind::Typing { status: None });
        let of_service = self.cx.context.gate.permission(&event);
        of_service.max(self.cx.authority.of(&self.room.name, &author.guest))
    }

    /// Whether a person moderates this room.
    pub(super) fn is_moderator(&self, author: &Author) -> bool {
        self.level(author) >= Permission::Moderator
    }

    /// Whether a person may delete a message: the author, and moderators of a higher level than the author's.
    pub(super) fn may_delete(&self, author: &Author, row: &MessageRow) -> bool {
        let is_own = !row.bot && row.author.as_deref() == Some(&*author.guest);
        if is_own {
            return true;
        }
        let theirs = match &row.author {
            Some(guest) if !row.bot => self.level(&Author::of_stored(row.username.clone(), guest)),
            _ => Permission::Everyone,
        };
        let own = self.level(author);
        own >= Permission::Moderator && theirs < own
    }

    /// Removes the sessions of those who may not enter the room any more.
    pub(super) fn remove_strangers(&mut self, answer: oneshot::Sender<()>) {
        let (groups, room) = (self.cx.authority.groups.clone(), self.room.name.clone());
        self.remove_people(|person| !groups.may_enter(&room, is_account_id(person).then_some(person)));
        let requester = Requester::Waiting(answer);
        let on_commit = OnCommit::Reply(requester);
        // After everything that was said before.
        self.pending.push_back(Box::pin(async { CommitResult { result: Ok(()), on_commit } }));
    }

    /// Removes the people whose ids, of accounts or guests, `concerns` selects.
    pub(super) fn remove_people(&mut self, concerns: impl Fn(&str) -> bool) {
        for name in self.presence.names_where(concerns) {
            let removed = Moderated { kind: "removed", reason: None, until: None, name: None };
            self.send_to(&name, "moderated", &removed);
            if let Some(session) = self.presence.leave_all(&name) {
                self.left(session, "was removed", None, None);
            }
        }
    }
}
