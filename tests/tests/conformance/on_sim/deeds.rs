//! Actions of users on the simulated platform.

use std::sync::Arc;

use palabre_types::{Content, EventKind, Measure, Message, MessageId, Millis, Room, RoomId, User, UserId};
use serde_json::{Map, Value};

use super::OnSim;
use crate::platform::{Deed, Platform};

impl OnSim {
    pub(super) async fn does(&mut self, deed: Deed<'_>) -> String {
        match deed {
            Deed::Says { who, text } => {
                return self.person(who).says(text).await.map(|id| id.to_string()).unwrap_or_default();
            }
            Deed::Replies { who, to, text } => {
                return self.person(who).replies(to, text).await.map(|id| id.to_string()).unwrap_or_default();
            }
            Deed::Edits { who, .. }
            | Deed::Deletes { who, .. }
            | Deed::Reacts { who, .. }
            | Deed::Unreacts { who, .. }
            | Deed::Types { who }
            | Deed::Connects { who }
            | Deed::Disconnects { who }
            | Deed::Idles { who } => self.happens(who, self.event_of(deed)).await,
            Deed::Presses { .. } | Deed::Chooses { .. } | Deed::Submits { .. } => self.answers(deed).await,
            Deed::Joins { who } => {
                self.there.insert(who.to_owned(), self.person(who).state().kicks);
                self.happens(who, EventKind::Join { by: None, reason: None }).await;
            }
            Deed::Leaves { who } => {
                self.there.remove(who);
                self.happens(who, EventKind::Leave { by: None, reason: None }).await;
            }
            Deed::IsGivenRole { .. } | Deed::IsBanned { .. } | Deed::IsUnbanned { .. } | Deed::Pins { .. } => {
                self.moderates(deed).await;
            }
            Deed::MakesRoom { .. } | Deed::RemovesRoom { .. } | Deed::ChangesTopic { .. } | Deed::DoesSomethingElse => {
                self.changes_room(deed).await
            }
            Deed::EntersVoice { who } => {
                let kind = EventKind::Voice { status: Some("joined".to_owned()) };
                self.person(who).in_room("voice").happens(kind).await.expect("the store takes it");
            }
            Deed::Votes { who } | Deed::Invites { who } | Deed::AsksToJoin { who, .. } | Deed::Queries { who, .. } => {
                let (id, kind) = self.identified(deed);
                self.happens(who, kind).await;
                return id;
            }
            Deed::Attaches { .. } | Deed::SendsDirect { .. } | Deed::Rolls { .. } | Deed::RenamesRoom { .. } => {
                unreachable!("it cannot be done here: {deed:?}")
            }
        }
        String::new()
    }

    /// Returns the event of a deed that concerns a message or a presence.
    fn event_of(&self, deed: Deed<'_>) -> EventKind {
        match deed {
            Deed::Edits { message, text, .. } => {
                let before = self.as_heard(message);
                let after = Message { content: Content::text(text), ..before.clone() };
                EventKind::MessageEdit { message: after, before: Some(before), by: None }
            }
            Deed::Deletes { message, .. } => {
                let before = Some(self.as_heard(message));
                EventKind::MessageDelete { message: message.into(), before, by: None }
            }
            Deed::Reacts { message, emoji, .. } => {
                EventKind::ReactionAdd { message: message.into(), emoji: emoji.to_owned() }
            }
            Deed::Unreacts { message, emoji, .. } => {
                EventKind::ReactionRemove { message: message.into(), emoji: emoji.to_owned() }
            }
            Deed::Types { .. } => EventKind::Typing { status: Some("typing".to_owned()) },
            Deed::Connects { .. } => EventKind::Connect,
            Deed::Disconnects { .. } => EventKind::Disconnect { reason: None },
            Deed::Idles { .. } => EventKind::Presence { status: Some("idle".to_owned()) },
            _ => unreachable!("this is more than an event: {deed:?}"),
        }
    }

    /// Uses a component or a form of the bot.
    async fn answers(&self, deed: Deed<'_>) {
        let done = match deed {
            Deed::Presses { who, message, action } => self.person(who).presses(action, message).await,
            Deed::Chooses { who, message, action, values } => self.person(who).chooses(action, message, values).await,
            Deed::Submits { who, action, values } => {
                let values: Map<_, _> =
                    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
                self.person(who).submits(action, Value::Object(values)).await
            }
            _ => unreachable!("this uses no component: {deed:?}"),
        };
        done.expect("the store takes it");
    }

    /// Acts on a member or a message as the moderator.
    async fn moderates(&self, deed: Deed<'_>) {
        let by = Some(self.moderator());
        match deed {
            Deed::IsGivenRole { who, role } => {
                let measure = Measure::AddRole(role.to_owned());
                let action = crate::actions::measure(&self.room(), None, &self.user(who), measure);
                self.fixture.does(&action).await;
                self.happens(who, EventKind::MemberUpdate { before: None }).await;
            }
            Deed::IsBanned { who, reason } => {
                self.happens(who, EventKind::Ban { by, reason: Some(reason.to_owned()) }).await;
            }
            Deed::IsUnbanned { who } => self.happens(who, EventKind::Unban { by, reason: None }).await,
            Deed::Pins { message } => {
                self.happens("olivia", EventKind::Pin { message: message.into(), pinned: true, by }).await;
            }
            _ => unreachable!("no moderator does this: {deed:?}"),
        }
    }

    async fn changes_room(&self, deed: Deed<'_>) {
        match deed {
            Deed::MakesRoom { name } => self.comes_about(name, None, EventKind::RoomCreate).await,
            Deed::RemovesRoom { name } => {
                self.comes_about(name, None, EventKind::RoomDelete { before: Some(self.room_named(name)) }).await;
            }
            Deed::ChangesTopic { topic } => {
                let before = Some(self.room_named("general"));
                self.comes_about("general", Some(topic), EventKind::RoomUpdate { before }).await;
            }
            Deed::DoesSomethingElse => {
                let kind = EventKind::Native { name: "earthquake".to_owned(), data: Value::Null };
                self.comes_about("general", None, kind).await;
            }
            _ => unreachable!("this changes no room: {deed:?}"),
        }
    }

    /// Returns the event of a deed whose result has an id, and that id.
    fn identified(&self, deed: Deed<'_>) -> (String, EventKind) {
        match deed {
            Deed::Votes { .. } => {
                let kind = EventKind::PollVote { message: MessageId::from("poll"), values: vec!["1".to_owned()] };
                ("poll".to_owned(), kind)
            }
            Deed::Invites { who } => {
                let code = "code".to_owned();
                (code.clone(), EventKind::Invite { code: Some(code), by: Some(self.user(who)) })
            }
            Deed::AsksToJoin { invited_by, .. } => {
                let code = "https://sim.invalid/1".to_owned();
                let by = Some(self.user(invited_by));
                (code.clone(), EventKind::JoinRequest { code: Some(code), by, about: None })
            }
            Deed::Queries { text, .. } => {
                let interaction = "query".to_owned();
                (interaction.clone(), EventKind::InlineQuery { text: text.to_owned(), interaction })
            }
            _ => unreachable!("the result has no id: {deed:?}"),
        }
    }

    fn moderator(&self) -> User {
        User {
            id: UserId::new(&self.sim.bot().name, "olivia"),
            name: "olivia".to_owned(),
            bot: false,
            locale: None,
            picture: None,
        }
    }

    fn as_heard(&self, id: &str) -> Message {
        let line = self.line(id).expect("people change what is there");
        let author = Some(self.user(&line.author));
        Message { id: id.into(), author, time: line.time, content: Content::text(line.text), reply_to: None }
    }

    /// Emits an event caused by a user in the room, or affecting them.
    async fn happens(&self, who: &str, kind: EventKind) {
        self.person(who).happens(kind).await.expect("the store takes it");
    }

    /// Emits an event without a user, possibly in another room.
    async fn comes_about(&self, room: &str, topic: Option<&str>, kind: EventKind) {
        let bot = self.sim.bot();
        let room = Room { topic: topic.map(ToOwned::to_owned), ..Room::channel(RoomId::new(&bot.name, room), room) };
        let time: Millis = palabre_platform::Clock::now(&palabre_platform::SystemClock);
        let mut event = palabre_types::Event::without_place(bot, time, kind);
        event.space = Some(Arc::new(palabre_types::Space { id: self.space(), name: "sim".to_owned() }));
        event.room = Some(Arc::new(room));
        self.sim.emit(event).await.await.expect("the store takes it");
    }
}
