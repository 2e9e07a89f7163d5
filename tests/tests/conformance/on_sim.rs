//! The simulated platform.

mod deeds;

use std::collections::HashMap;
use std::sync::Arc;

use palabre_sim::{Line, Person, Sim};
use palabre_store::Store;
use palabre_types::{ActionKind, EventName, MessageId, Room, RoomId, SpaceId, UserId};

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

    fn line(&self, id: &str) -> Option<Line> {
        self.sim.transcript().lines().iter().find(|line| line.id == id && !line.deleted).cloned()
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
        self.does(deed).await
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
        let (state, now) = (self.person(who).state(), palabre_platform::Clock::now(&palabre_platform::SystemClock));
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
