//! Moderation measures, and how they reach the sessions of the user.

use std::sync::Arc;

use palabre_types::{ActionError, EventKind, Measure, User, UserId};
use tokio::sync::mpsc::error::TrySendError;

use super::answer::{Answer, failed};
use super::command::Command;
use super::moderation_notice::{ModerationNotice, Reach};
use super::purge::PurgeFilter;
use super::state::State;
use super::state::commit::{CommitResult, OnCommit, Requester};
use crate::decode;
use crate::encode::{Moderated, end};

impl State {
    /// Applies a measure of a bot. Repeating it has no effect.
    ///
    /// The user need not be in the room, nor ever have been online.
    pub(super) async fn moderate(&mut self, user: &UserId, measure: Measure, reason: Option<String>, answer: Answer) {
        let name = user.native().to_lowercase();
        if let Err(problem) = decode::username(&name) {
            return failed(answer, ActionError::NotFound(problem));
        }
        let guest = self.cx.directory.holder(&name);
        if let Some(problem) = self.cx.members.check(&name, &measure, guest.as_deref()) {
            return failed(answer, ActionError::Rejected(problem));
        }
        if let Measure::Ban { purge_since: Some(since), .. } = &measure {
            // First, so that the reply to the ban covers the purge too.
            let filter = PurgeFilter {
                count: usize::MAX,
                user: Some(name.clone()),
                since: Some(*since),
                author: None,
                once: None,
            };
            self.purge(filter, Requester::Nobody).await;
        }
        let now = self.cx.context.clock.now();
        let concerned = self.user(&name, self.presence.locale(&name));
        let concerned = match self.presence.name(&name) {
            Some(name) => User { name, ..concerned },
            None => concerned,
        };
        let about = (guest.as_deref(), now);
        let guest = guest.as_deref();
        let taken = self.cx.members.apply(&name, &measure, reason.as_deref(), about, |before, after, rows| {
            // For a user who is offline: the guest who was given the roles of the name.
            let before = before.member(concerned.id.clone(), guest.or(before.role_holder.as_deref()), now);
            let after = after.member(concerned.id.clone(), guest.or(after.role_holder.as_deref()), now);
            let (by, reason) = (Some(self.bot_user()), reason.clone());
            let kind = match &measure {
                Measure::Ban { .. } => EventKind::Ban { by, reason },
                Measure::Unban => EventKind::Unban { by, reason },
                Measure::Mute { .. }
                | Measure::Unmute
                | Measure::Kick
                | Measure::AddRole(_)
                | Measure::RemoveRole(_)
                | Measure::Rename(_) => EventKind::MemberUpdate { before: Some(before) },
            };
            self.cx.context.sink.emit(self.event_with(concerned, Some(after), kind), rows)
        });
        let (undo, receipt) = taken.unzip();
        let notice = Arc::new(ModerationNotice::of(name, &measure, reason));
        let on_commit = OnCommit::Moderated { notice, undo, requester: Requester::Bot(answer) };
        self.pending.push_back(Box::pin(async move {
            let result = match receipt {
                Some(receipt) => receipt.await.map(drop).map_err(|error| error.to_string()),
                // Nothing changed.
                None => Ok(()),
            };
            CommitResult { result, on_commit }
        }));
    }

    /// Carries out a durable measure here and in the other rooms that it concerns.
    pub(super) fn carry_out(&mut self, notice: &Arc<ModerationNotice>) {
        self.moderated(notice);
        if notice.reach == Reach::OutOfRoom {
            return;
        }
        for (name, room) in self.cx.directory.rooms_of(&notice.user) {
            if name == self.room.name {
                continue;
            }
            if let Err(TrySendError::Full(command)) = room.try_send(Command::Moderated(Arc::clone(notice))) {
                // The command must not be lost; a busy room receives it later.
                self.spawn_background(async move { drop(room.send(command).await) });
            }
        }
    }

    /// Notifies the user of a measure, if in this room, and removes the user if it requires that.
    pub(super) fn moderated(&mut self, notice: &ModerationNotice) {
        let notification = Moderated {
            kind: notice.kind,
            reason: notice.reason.as_deref(),
            until: end(notice.until),
            name: notice.name.as_deref(),
        };
        self.send_to(&notice.user, "moderated", &notification);
        if notice.reach == Reach::NotifyOnly {
            return;
        }
        if let Some(session) = self.presence.leave_all(&notice.user) {
            let by = Some(self.bot_user());
            self.left(session, "was removed", by, notice.reason.clone());
        }
    }
}
