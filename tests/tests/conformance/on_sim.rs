//! The simulated platform.

use std::collections::HashMap;
use std::sync::Arc;

use palabre_model::{
    ActionKind, Content, EventKind, EventName, Measure, Message, MessageId, Millis, Room, RoomId, SpaceId, User, UserId,
};
use palabre_sim::{Line, Person, Sim};
use palabre_store::Store;
use serde_json::{Map, Value};

use crate::fixture::Fixture;
use crate::platform::{Deed, Lack, Platform, Seen, SeenMember, SeenRoom};

pub(crate) struct OnSim {
    sim: Arc<Sim>,
    store: Store,
    fixture: Fixture,
    /// The number of kicks that each user in the room had when they entered.
    there: HashMap<String, usize>,
}

impl OnSim {
    fn person(&self, who: &str) -> Person {
        self.sim.person(who, "general")
    }

    fn bot_user(&self) -> User {
        User {
            id: UserId::new(&self.sim.bot().name, "olivia"),
            name: "olivia".to_owned(),
            bot: false,
            locale: None,
            picture: None,
        }
    }

    fn line(&self, id: &str) -> Option<Line> {
        self.sim.transcript().lines().iter().find(|line| line.id == id && !line.deleted).cloned()
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
        let time: Millis = palabre_model::Clock::now(&palabre_model::SystemClock);
        let mut event = palabre_model::Event::without_place(bot, time, kind);
        event.space = Some(Arc::new(palabre_model::Space { id: self.space(), name: "sim".to_owned() }));
        event.room = Some(Arc::new(room));
        self.sim.emit(event).await.await.expect("the store takes it");
    }

    fn room_named(&self, name: &str) -> Room {
        Room::channel(RoomId::new(&self.sim.bot().name, name), name)
    }
}

fn seen(line: &Line) -> Seen {
    let reactions = line.reactions.iter().filter(|(_, who)| who == "sim").map(|(emoji, _)| emoji.clone());
    Seen {
        id: line.id.clone(),
        author: line.author.clone(),
        text: line.text.clone(),
        buttons: line.buttons.clone(),
        select: line.select.as_ref().map(|select| select.options.iter().map(|option| option.label.clone()).collect()),
        embeds: line.embeds.clone(),
        files: line
            .files
            .iter()
            .map(|file| (file.name.clone(), String::from_utf8_lossy(&file.data).into_owned()))
            .collect(),
        reply_to: line.reply_to.clone(),
        reactions: reactions.collect(),
        pinned: line.pinned,
        silent: false,
        notifies: Vec::new(),
    }
}

impl Platform for OnSim {
    const NEVER: &'static [(EventName, &'static str)] = &[
        (EventName::Lost, "it is a part of the process that runs it"),
        (EventName::Command, "people type commands, which the engine reads"),
    ];
    const LACKS: &'static [Lack] = &[
        Lack::Uploads,
        Lack::DirectMessages,
        Lack::Echo,
        Lack::FixedRooms,
        Lack::FixedPeople,
        Lack::FixedRoles,
        Lack::Notifications,
    ];

    async fn start() -> Option<Self> {
        let (sim, store) = (Sim::new("sim"), Store::in_memory().expect("an in-memory store opens"));
        let fixture = Fixture::new(sim.bot(), Arc::clone(&sim) as _, &store, Vec::new()).await;
        let there = ["alice", "bob"].map(|who| (who.to_owned(), 0)).into();
        Some(Self { sim, store, fixture, there })
    }

    fn fixture(&self) -> &Fixture {
        &self.fixture
    }

    fn fixture_mut(&mut self) -> &mut Fixture {
        &mut self.fixture
    }

    async fn restart(&mut self) {
        // The state of users belongs to the platform, not to the process.
        self.fixture = Fixture::new(self.sim.bot(), Arc::clone(&self.sim) as _, &self.store, Vec::new()).await;
    }

    fn room(&self) -> RoomId {
        self.room_named("general").id
    }

    fn space(&self) -> SpaceId {
        SpaceId::new(&self.sim.bot().name, "sim")
    }

    fn user(&self, who: &str) -> UserId {
        UserId::new(&self.sim.bot().name, who)
    }

    fn nowhere(&self) -> RoomId {
        unreachable!("it lacks fixed rooms")
    }

    fn nobody(&self) -> UserId {
        unreachable!("it lacks fixed people")
    }

    async fn people(&mut self, deed: Deed<'_>) -> String {
        match deed {
            Deed::Says { who, text } => {
                return self.person(who).says(text).await.map(|id| id.to_string()).unwrap_or_default();
            }
            Deed::Replies { who, to, text } => {
                return self.person(who).replies(to, text).await.map(|id| id.to_string()).unwrap_or_default();
            }
            Deed::Edits { who, message, text } => {
                let before = self.as_heard(message);
                let after = Message { content: Content::text(text), ..before.clone() };
                self.happens(who, EventKind::MessageEdit { message: after, before: Some(before), by: None }).await;
            }
            Deed::Deletes { who, message } => {
                let before = Some(self.as_heard(message));
                self.happens(who, EventKind::MessageDelete { message: message.into(), before, by: None }).await;
            }
            Deed::Reacts { who, message, emoji } => {
                let (message, emoji) = (message.into(), emoji.to_owned());
                self.happens(who, EventKind::ReactionAdd { message, emoji }).await;
            }
            Deed::Unreacts { who, message, emoji } => {
                let (message, emoji) = (message.into(), emoji.to_owned());
                self.happens(who, EventKind::ReactionRemove { message, emoji }).await;
            }
            Deed::Presses { who, message, action } => {
                self.person(who).presses(action, message).await.expect("the store takes it");
            }
            Deed::Chooses { who, message, action, values } => {
                self.person(who).chooses(action, message, values).await.expect("the store takes it");
            }
            Deed::Submits { who, action, values } => {
                let values: Map<_, _> =
                    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
                self.person(who).submits(action, Value::Object(values)).await.expect("the store takes it");
            }
            Deed::Types { who } => self.happens(who, EventKind::Typing { status: Some("typing".to_owned()) }).await,
            Deed::Connects { who } => self.happens(who, EventKind::Connect).await,
            Deed::Disconnects { who } => self.happens(who, EventKind::Disconnect { reason: None }).await,
            Deed::Idles { who } => self.happens(who, EventKind::Presence { status: Some("idle".to_owned()) }).await,
            Deed::Joins { who } => {
                self.there.insert(who.to_owned(), self.person(who).state().kicks);
                self.happens(who, EventKind::Join { by: None, reason: None }).await;
            }
            Deed::Leaves { who } => {
                self.there.remove(who);
                self.happens(who, EventKind::Leave { by: None, reason: None }).await;
            }
            Deed::IsGivenRole { who, role } => {
                let measure = Measure::AddRole(role.to_owned());
                let action = crate::actions::measure(&self.room(), None, &self.user(who), measure);
                self.fixture.does(&action).await;
                self.happens(who, EventKind::MemberUpdate { before: None }).await;
            }
            Deed::IsBanned { who, reason } => {
                let (by, reason) = (Some(self.bot_user()), Some(reason.to_owned()));
                self.happens(who, EventKind::Ban { by, reason }).await;
            }
            Deed::IsUnbanned { who } => {
                self.happens(who, EventKind::Unban { by: Some(self.bot_user()), reason: None }).await;
            }
            Deed::Pins { message } => {
                let kind = EventKind::Pin { message: message.into(), pinned: true, by: Some(self.bot_user()) };
                self.happens("olivia", kind).await;
            }
            Deed::MakesRoom { name } => self.comes_about(name, None, EventKind::RoomCreate).await,
            Deed::RemovesRoom { name } => {
                self.comes_about(name, None, EventKind::RoomDelete { before: Some(self.room_named(name)) }).await;
            }
            Deed::ChangesTopic { topic } => {
                let before = Some(self.room_named("general"));
                self.comes_about("general", Some(topic), EventKind::RoomUpdate { before }).await;
            }
            Deed::Votes { who } => {
                let (message, values) = (MessageId::from("poll"), vec!["1".to_owned()]);
                self.happens(who, EventKind::PollVote { message, values }).await;
                return "poll".to_owned();
            }
            Deed::EntersVoice { who } => {
                let kind = EventKind::Voice { status: Some("joined".to_owned()) };
                self.person(who).in_room("voice").happens(kind).await.expect("the store takes it");
            }
            Deed::Invites { who } => {
                let (code, by) = (Some("code".to_owned()), Some(self.user(who)));
                self.happens(who, EventKind::Invite { code, by }).await;
                return "code".to_owned();
            }
            Deed::AsksToJoin { who, invited_by } => {
                let (code, by) = (Some("https://sim.invalid/1".to_owned()), Some(self.user(invited_by)));
                self.happens(who, EventKind::JoinRequest { code: code.clone(), by, about: None }).await;
                return code.unwrap_or_default();
            }
            Deed::Queries { who, text } => {
                let interaction = "query".to_owned();
                let kind = EventKind::InlineQuery { text: text.to_owned(), interaction: interaction.clone() };
                self.happens(who, kind).await;
                return interaction;
            }
            Deed::DoesSomethingElse => {
                let kind = EventKind::Native { name: "earthquake".to_owned(), data: Value::Null };
                self.comes_about("general", None, kind).await;
            }
            Deed::Attaches { .. } | Deed::SendsDirect { .. } | Deed::Rolls { .. } | Deed::RenamesRoom { .. } => {
                unreachable!("it cannot be done here: {deed:?}")
            }
        }
        String::new()
    }

    async fn message(&mut self, id: &MessageId) -> Option<Seen> {
        self.line(id.as_str()).filter(|line| line.to.is_none()).as_ref().map(seen)
    }

    async fn said(&mut self) -> Vec<Seen> {
        let transcript = self.sim.transcript();
        let own = |line: &&Line| line.author == "sim" && line.is_seen_by("olivia", "general");
        transcript.lines().iter().filter(own).map(seen).collect()
    }

    async fn private_messages(&mut self, who: &str) -> Vec<Seen> {
        let transcript = self.sim.transcript();
        let to_them = |line: &&Line| line.to.as_deref() == Some(who) && !line.deleted && line.form.is_none();
        transcript.lines().iter().filter(to_them).map(seen).collect()
    }

    async fn form(&mut self, who: &str) -> Option<(String, Vec<String>)> {
        let transcript = self.sim.transcript();
        let mut to_them = transcript.lines().iter().filter(|line| line.to.as_deref() == Some(who));
        let form = to_them.rfind(|line| line.form.is_some())?.form.clone()?;
        Some((form.title, form.fields.into_iter().map(|field| field.label).collect()))
    }

    async fn member(&mut self, who: &str) -> SeenMember {
        let (state, now) = (self.person(who).state(), palabre_model::Clock::now(&palabre_model::SystemClock));
        let is_there = self.there.get(who).is_some_and(|kicks| *kicks == state.kicks) && !state.is_banned(now);
        let is_there = is_there || state.approved == Some(true);
        if !is_there {
            self.there.remove(who);
        }
        let (is_muted, is_banned) = (state.is_muted(now), state.is_banned(now));
        SeenMember { is_there, is_muted, is_banned, roles: state.roles, nickname: state.nickname }
    }

    async fn room_now(&mut self) -> SeenRoom {
        let room = self.sim.room("general");
        SeenRoom { topic: room.topic, slowmode: room.slowmode / 1_000, is_locked: room.locked }
    }

    async fn offered(&mut self, who: &str) -> Vec<(String, String)> {
        let last = self.private_messages(who).await.pop().expect("something is offered");
        let pair = |line: &str| line.split_once(": ").map(|(title, text)| (title.to_owned(), text.to_owned()));
        last.text.lines().filter_map(pair).collect()
    }

    async fn typings(&mut self) -> usize {
        self.sim.room("general").typings
    }

    async fn thread(&mut self, id: &str) -> Option<String> {
        self.sim.room(id).thread
    }

    async fn forbid(&mut self, _: ActionKind) -> bool {
        // Tests inject faults themselves; nothing else is forbidden.
        false
    }

    async fn cut(&mut self) -> bool {
        false
    }
}
