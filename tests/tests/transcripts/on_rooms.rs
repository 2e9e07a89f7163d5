//! The room service as a driver: each user has a client.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use palabre_tests::Client;
use serde_json::{Value, json};

use super::driver::{Driver, Form, Said, typed, with_mentions};
use super::scenario::{Fate, Given, Platform, Right, Rule};

/// The maximum time until a user may enter again.
const ENTER_TIMEOUT: Duration = Duration::from_secs(10);

struct Person {
    place: String,
    client: Client,
    /// The bot's messages to this user that no step has waited for.
    heard: VecDeque<Value>,
}

pub(crate) struct OnRooms {
    address: String,
    /// By name, in order of arrival: the first in each room reads its messages.
    people: Vec<(String, Person)>,
    /// The ids of users' messages, by text.
    said: HashMap<String, String>,
    /// The last message with buttons, by room.
    offers: HashMap<String, Value>,
    pressed: String,
    /// The room of `pressed`.
    pressed_in: String,
    nonce: usize,
}

impl OnRooms {
    /// Enters the rooms as `cast`.
    pub(crate) async fn with(address: &str, cast: &[(&str, &str)]) -> Self {
        let mut driver = Self {
            address: address.to_owned(),
            people: Vec::new(),
            said: HashMap::new(),
            offers: HashMap::new(),
            pressed: String::new(),
            pressed_in: String::new(),
            nonce: 0,
        };
        for (who, place) in cast {
            driver.comes_in(who, place).await;
        }
        driver
    }

    async fn comes_in(&mut self, who: &str, place: &str) {
        let (client, _) = Client::enter(&self.address, who, place).await.unwrap();
        let person = Person { place: place.to_owned(), client, heard: VecDeque::new() };
        match self.people.iter_mut().find(|(name, _)| name == who) {
            Some((_, there)) => *there = person,
            None => self.people.push((who.to_owned(), person)),
        }
    }

    async fn may_enter(&self, who: &str) -> bool {
        let mut client = Client::connect_as(&self.address, who).await.unwrap();
        let asked = client.ask("join_room", json!({ "username": who, "room": "general" })).await.unwrap();
        client.ack(asked).await.unwrap()["error"].is_null()
    }

    fn person(&mut self, who: &str) -> &mut Person {
        let found = self.people.iter_mut().find(|(name, _)| name == who);
        &mut found.unwrap_or_else(|| panic!("{who} is not there")).1
    }

    /// Returns the user who reads the messages of a room.
    fn listener(&mut self, place: &str) -> &mut Person {
        let found = self.people.iter_mut().find(|(_, person)| person.place == place);
        &mut found.unwrap_or_else(|| panic!("nobody is in {place}")).1
    }

    /// Posts a message; returns the error if it is refused.
    async fn send(&mut self, who: &str, text: &str) -> Result<(), String> {
        self.nonce += 1;
        let nonce = self.nonce.to_string();
        let client = &mut self.person(who).client;
        let asked = client.ask("send_message", json!({ "message": text, "nonce": nonce })).await.unwrap();
        let answer = client.ack(asked).await.unwrap();
        match answer["id"].as_str() {
            Some(id) => {
                self.said.insert(text.to_owned(), id.to_owned());
                Ok(())
            }
            None => Err(answer["error"].as_str().unwrap_or_default().to_owned()),
        }
    }
}

impl Person {
    /// Returns the bot's next message for this user only, or for everyone.
    async fn hears(&mut self, alone: bool) -> Value {
        if let Some(index) = self.heard.iter().position(|message| is_for_one(message) == alone) {
            return self.heard.remove(index).unwrap();
        }
        loop {
            let message = self.client.wait("new_message").await.unwrap_or_else(|error| {
                let which = if alone { "for one person alone" } else { "for all" };
                panic!("{}: waited for something {which}; there is: {:?}", error.0, self.heard)
            });
            if message["bot"] != true {
                continue;
            }
            if is_for_one(&message) == alone {
                return message;
            }
            self.heard.push_back(message);
        }
    }
}

fn is_for_one(message: &Value) -> bool {
    message["ephemeral"] == true || message["private"] == true
}

fn said(message: &Value) -> Said {
    let buttons = message["buttons"].as_array().into_iter().flatten();
    Said {
        text: message["message"].as_str().unwrap_or_default().to_owned(),
        buttons: buttons.filter_map(|button| button["label"].as_str()).map(ToOwned::to_owned).collect(),
    }
}

impl Driver for OnRooms {
    const PLATFORM: Platform = Platform::Rooms;

    fn mention(&self, who: &str) -> String {
        format!("@{who}")
    }

    fn room(&self, place: &str) -> String {
        format!("lobby/{place}")
    }

    async fn says(&mut self, who: &str, text: &str) {
        self.send(who, text).await.unwrap_or_else(|problem| panic!("{text:?} is refused: {problem}"));
    }

    async fn is_refused(&mut self, who: &str, text: &str) -> String {
        self.send(who, text).await.expect_err("it is taken")
    }

    async fn uses(&mut self, who: &str, command: &str, given: &[(&str, Given)]) {
        self.says(who, &typed(command, given)).await;
    }

    async fn presses(&mut self, who: &str, fits: &dyn Fn(&str) -> bool) {
        let place = self.person(who).place.clone();
        let offer = self.offers.get(&place).unwrap_or_else(|| panic!("there is no button in {place}"));
        let mut buttons = offer["buttons"].as_array().into_iter().flatten();
        let button = buttons.find(|button| fits(button["label"].as_str().unwrap_or_default()));
        let press = json!({ "id": offer["id"], "action": button.expect("a button that fits")["action"] });
        self.pressed = offer["id"].as_str().unwrap_or_default().to_owned();
        self.pressed_in = place;
        let client = &mut self.person(who).client;
        let asked = client.ask("button", press).await.unwrap();
        let answer = client.ack(asked).await.unwrap();
        assert!(answer["error"].is_null(), "{answer}");
    }

    async fn fills_in(&mut self, who: &str, values: &[(&str, &str)]) -> Form {
        let client = &mut self.person(who).client;
        let form = client.wait("form").await.unwrap();
        let values: HashMap<_, _> = values.iter().copied().collect();
        let asked = client.ask("form", json!({ "form": form["form"], "values": values })).await.unwrap();
        let answer = client.ack(asked).await.unwrap();
        assert!(answer["error"].is_null(), "{answer}");
        let fields = form["fields"].as_array().into_iter().flatten();
        Form {
            title: form["title"].as_str().unwrap_or_default().to_owned(),
            labels: fields.filter_map(|field| field["label"].as_str()).map(ToOwned::to_owned).collect(),
        }
    }

    fn forbids(&mut self, right: Right) {
        panic!("the room service keeps its bots from nothing: {right:?}")
    }

    async fn enters(&mut self, who: &str) {
        self.comes_in(who, "general").await;
    }

    async fn leaves(&mut self, who: &str) {
        let client = &mut self.person(who).client;
        let asked = client.ask("leave_room", json!({})).await.unwrap();
        client.ack(asked).await.unwrap();
    }

    async fn hears(&mut self, place: &str) -> Said {
        let message = self.listener(place).hears(false).await;
        let said = said(&message);
        if !said.buttons.is_empty() {
            self.offers.insert(place.to_owned(), message);
        }
        said
    }

    async fn hears_alone(&mut self, who: &str) -> Said {
        said(&self.person(who).hears(true).await)
    }

    async fn hears_change(&mut self) -> Said {
        let (id, place) = (self.pressed.clone(), self.pressed_in.clone());
        loop {
            let message = self.listener(&place).client.wait("message_edited").await.unwrap();
            if message["id"] == id.as_str() {
                return said(&message);
            }
        }
    }

    async fn vanishes(&mut self, texts: &[&str], purged: bool) {
        let written = texts.iter().map(|text| with_mentions(text, |name| self.mention(name)));
        let mut missing: Vec<_> = written.map(|text| self.said[&text].clone()).collect();
        let client = &mut self.listener("general").client;
        while !missing.is_empty() {
            let event = if purged { "messages_deleted" } else { "message_deleted" };
            let gone = client.wait(event).await.unwrap();
            missing.retain(|id| gone["id"] != id.as_str() && !gone["ids"].to_string().contains(&format!("\"{id}\"")));
        }
    }

    async fn becomes(&mut self, who: &str, fate: Fate) {
        if fate == Fate::Unbanned {
            // A banned user is not connected, so nobody is informed of the unban.
            let trying = async { while !self.may_enter(who).await {} };
            return tokio::time::timeout(ENTER_TIMEOUT, trying).await.expect("they may come in again");
        }
        let wanted = format!("{fate:?}").to_lowercase();
        while self.person(who).client.wait("moderated").await.unwrap()["kind"] != wanted.as_str() {}
    }

    async fn room_becomes(&mut self, place: &str, rule: Rule) {
        loop {
            let room = self.listener(place).client.wait("room_updated").await.unwrap();
            let is_so = match rule {
                Rule::Topic(topic) => room["topic"] == topic,
                Rule::Pause(seconds) => room["slowmode"].as_u64().unwrap_or_default() == seconds,
                Rule::Locked(locked) => room["locked"] == locked,
            };
            if is_so {
                return;
            }
        }
    }

    fn left_over(&mut self) -> Vec<Said> {
        let mut places = HashSet::new();
        let mut left = Vec::new();
        for (_, person) in &self.people {
            // Messages for everyone are read only by the first user in the room.
            let listens = places.insert(&person.place);
            left.extend(person.heard.iter().filter(|message| listens || is_for_one(message)).map(said));
        }
        left
    }
}
