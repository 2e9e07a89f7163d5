//! The room service, with real clients on real sockets.

mod deeds;
mod looks;
mod visitor;

use std::collections::HashMap;
use std::sync::Arc;

use palabre_platform::{SeededEntropy, SystemClock};
use palabre_rooms::{Config, Rooms};
use palabre_store::Store;
use palabre_tests::{App, Client};
use palabre_types::{ActionKind, Bot, EventName, MessageId, RoomId, SpaceId, UserId};
use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::platform::{Deed, Lack, Platform, Seen, SeenMember, SeenRoom};

use visitor::Visitor;

const ROOM: &str = "general";

pub(crate) struct OnRooms {
    store: Store,
    fixture: Fixture,
    app: App,
    people: HashMap<String, Visitor>,
    http: reqwest::Client,
}

impl OnRooms {
    async fn serve(store: &Store) -> (Fixture, App) {
        let entropy = Arc::new(SeededEntropy::new(7));
        let rooms = Rooms::new(store.clone(), Config::default(), Arc::new(SystemClock), entropy);
        let app = App::serve(rooms.router()).await;
        let bot = Bot { name: "rooms".into(), platform: "rooms".into() };
        (Fixture::new(bot, rooms, store, Vec::new()).await, app)
    }

    async fn open(store: Store) -> Self {
        let (fixture, app) = Self::serve(&store).await;
        let mut here = Self { store, fixture, app, people: HashMap::new(), http: crate::http::client() };
        here.come_in().await;
        here
    }

    async fn come_in(&mut self) {
        for who in ["alice", "bob"] {
            self.people.insert(who.to_owned(), Visitor::enter(&self.app.address, who, ROOM).await);
        }
    }

    /// Returns `room_joined` of a user who enters now.
    async fn looked_into(&self) -> Value {
        Client::enter(&self.app.address, "watcher", ROOM).await.expect("the room is open").1
    }
}

impl Platform for OnRooms {
    const NEVER: &'static [(EventName, &'static str)] = &[
        (EventName::Lost, "it is a part of the daemon"),
        (EventName::Command, "people type commands, which the engine reads"),
        (EventName::Presence, "people are there or not, which is connect and disconnect"),
        (EventName::PollVote, "there are no polls"),
        (EventName::RoomCreate, "a room comes to be when somebody enters, which is a join"),
        (EventName::RoomDelete, "a room is forgotten when it was empty for long, and nobody removes it"),
        (EventName::Voice, "there is no voice"),
        (EventName::Invite, "nobody needs an invitation"),
        (EventName::JoinRequest, "nobody needs to ask"),
        (EventName::InlineQuery, "people write to a bot where it is"),
        (EventName::Native, "there is nothing that it has no kind for"),
    ];
    const LACKS: &'static [Lack] = &[Lack::DirectMessages, Lack::FixedRoles, Lack::Notifications];

    async fn start() -> Option<Self> {
        Some(Self::open(Store::in_memory().expect("an in-memory store opens")).await)
    }

    fn fixture(&self) -> &Fixture {
        &self.fixture
    }

    fn fixture_mut(&mut self) -> &mut Fixture {
        &mut self.fixture
    }

    async fn restart(&mut self) {
        *self = Self::open(self.store.clone()).await;
    }

    fn room(&self) -> RoomId {
        RoomId::new(&self.fixture.bot.name, ROOM)
    }

    fn space(&self) -> SpaceId {
        SpaceId::new(&self.fixture.bot.name, "rooms")
    }

    fn user(&self, who: &str) -> UserId {
        UserId::new(&self.fixture.bot.name, who)
    }

    fn nowhere(&self) -> RoomId {
        // Any other name is a valid room, which is created by the first message.
        RoomId::new(&self.fixture.bot.name, "no/room")
    }

    fn nobody(&self) -> UserId {
        // Anyone can enter under any other name.
        UserId::new(&self.fixture.bot.name, &"n".repeat(100))
    }

    async fn people(&mut self, deed: Deed<'_>) -> String {
        self.does(deed).await
    }

    async fn message(&mut self, id: &MessageId) -> Option<Seen> {
        let shown = self.looked_into().await["messages"].take();
        let found = shown.as_array()?.iter().find(|message| message["id"] == id.as_str())?;
        Some(self.seen(found).await)
    }

    async fn said(&mut self) -> Vec<Seen> {
        let shown = self.looked_into().await["messages"].take();
        let mut said = Vec::new();
        for message in shown.as_array().into_iter().flatten().filter(|message| message["bot"] == true) {
            said.push(self.seen(message).await);
        }
        said
    }

    async fn private_messages(&mut self, who: &str) -> Vec<Seen> {
        let visitor = self.people.get_mut(who).expect("a visitor who reads it has entered");
        visitor.looks().await;
        let private = visitor.private.clone();
        let mut heard = Vec::new();
        for message in &private {
            heard.push(self.seen(message).await);
        }
        heard
    }

    async fn form(&mut self, who: &str) -> Option<(String, Vec<String>)> {
        let visitor = self.people.get_mut(who)?;
        visitor.looks().await;
        let form = visitor.form.as_ref()?;
        let labels = form["fields"].as_array()?.iter().filter_map(|field| field["label"].as_str());
        Some((form["title"].as_str()?.to_owned(), labels.map(ToOwned::to_owned).collect()))
    }

    async fn member(&mut self, who: &str) -> SeenMember {
        let users = self.looked_into().await["users"].take();
        let is_there = users.as_array().is_some_and(|users| users.iter().any(|user| user["username"] == who));
        // A banned user cannot enter any other room either.
        let mut client = Client::connect_as(&self.app.address, who).await.expect("the service is up");
        let number = client.ask("join_room", json!({ "username": who, "room": "lobby" })).await;
        let answer = client.ack(number.expect("the connection holds")).await.expect("it is acknowledged");
        let is_banned = answer["error"].as_str().is_some_and(|error| error.contains("banned"));
        let state = match self.people.get_mut(who) {
            Some(visitor) if is_there => {
                visitor.looks().await;
                visitor.state.clone()
            }
            _ => SeenMember::default(),
        };
        SeenMember { is_there, is_banned, ..state }
    }

    async fn room_now(&mut self) -> SeenRoom {
        let room = self.looked_into().await;
        SeenRoom {
            topic: room["topic"].as_str().map(ToOwned::to_owned),
            slowmode: room["slowmode"].as_u64().unwrap_or_default(),
            is_locked: room["locked"] == true,
        }
    }

    async fn offered(&mut self, _: &str) -> Vec<(String, String)> {
        Vec::new()
    }

    async fn typings(&mut self) -> usize {
        let visitor = self.people.get_mut("alice").expect("she is there");
        visitor.looks().await;
        visitor.typings
    }

    async fn thread(&mut self, _: &str) -> Option<String> {
        unreachable!("it has no threads")
    }

    async fn forbid(&mut self, _: ActionKind) -> bool {
        // The operator's own bots are never restricted.
        false
    }

    async fn cut(&mut self) -> bool {
        false
    }
}
