//! Events of the room, with their user, member and room.

use std::sync::Arc;

use palabre_platform::Receipt;
use palabre_types::{Batch, Event, EventKind, Member, User, UserId};

use super::state::State;
use crate::conversation::is_conversation;
use crate::history::MessageRow;
use crate::presence::Author;

impl State {
    /// Returns an event caused by a person in the room.
    pub(super) fn event(&self, username: &str, kind: EventKind) -> Event {
        let guest = self.presence.guest(username);
        self.event_of(self.user(username, self.presence.locale(username)), guest.as_deref(), kind)
    }

    /// Returns an event about a user, with the member if it is not the bot of the scripts.
    ///
    /// `guest` is the id of the guest who uses the name. Other programs are bots to scripts too, so that no command
    /// follows from what they say.
    pub(super) fn event_of(&self, user: User, guest: Option<&str>, kind: EventKind) -> Event {
        let now = self.cx.context.clock.now();
        let permission = guest.map(|guest| self.cx.authority.roles.of(guest));
        let member = (!user.bot).then(|| self.cx.members.member(user.id.clone(), guest, now));
        let member = member.map(|member| Member { permission, ..member });
        let bot = user.bot || guest.is_some_and(|guest| self.cx.authority.is_program(guest));
        self.event_with(User { bot, ..user }, member, kind)
    }

    pub(super) fn event_with(&self, user: User, member: Option<Member>, kind: EventKind) -> Event {
        Event {
            time: self.cx.context.clock.now(),
            bot: self.cx.context.bot.clone(),
            space: Some(Arc::clone(&self.space)),
            room: Some(Arc::clone(&self.room)),
            user: Some(Arc::new(user)),
            member: member.map(Arc::new),
            kind,
        }
    }

    /// Returns the event of a message deleted by a bot.
    pub(super) fn removal(&self, row: &MessageRow) -> Event {
        let author = self.author(row);
        let before = row.message(author.id.clone());
        let (message, by) = (before.id.clone(), Some(self.bot_user()));
        self.event_of(author, row.author.as_deref(), EventKind::MessageDelete { message, before: Some(before), by })
    }

    /// Returns an event caused by an author, who need not be in the room.
    pub(super) fn event_by(&self, author: &Author, kind: EventKind) -> Event {
        let user = self.user(&author.username, self.presence.locale(&author.username));
        self.event_of(user, Some(&*author.guest), kind)
    }

    /// Emits an event without rows, for which nobody waits.
    pub(super) fn emit(&self, event: Event) {
        drop(self.commit_event(event, Batch::default()));
    }

    /// Commits an event with its rows. Scripts do not see what happens in a private conversation.
    pub(super) fn commit_event(&self, event: Event, rows: Batch) -> Receipt {
        let cx = &self.cx.context;
        if is_conversation(&self.room.name) {
            cx.sink.write(&cx.bot.name, "in a private conversation", rows)
        } else {
            cx.sink.emit(event, rows)
        }
    }

    pub(super) fn user(&self, username: &str, locale: Option<String>) -> User {
        User { id: self.user_id(username), name: username.to_owned(), bot: false, locale, picture: None }
    }

    pub(super) fn bot_user(&self) -> User {
        let nickname = &self.cx.config.nickname;
        User { id: self.user_id(nickname), name: nickname.clone(), bot: true, locale: None, picture: None }
    }

    /// Returns the user who wrote a message.
    pub(super) fn author(&self, row: &MessageRow) -> User {
        if row.bot { self.bot_user() } else { self.user(&row.username, self.presence.locale(&row.username)) }
    }

    pub(super) fn user_id(&self, username: &str) -> UserId {
        UserId::new(&self.cx.context.bot.name, &username.to_lowercase())
    }
}
