//! Discord as a driver: the stand-in, whose users have the same names in lower case.

use std::collections::{HashMap, HashSet};

use palabre_tests::discord::{Id, Permission, Post, StandIn};
use serde_json::{Map, Value, json};

use crate::transcripts::driver::{Driver, Form, Said, with_mentions};
use crate::transcripts::scenario::{Fate, Given, Platform, Right, Rule};

const EPHEMERAL: u64 = 64;
/// The flag of a deferred answer.
const LOADING: u64 = 128;

pub(crate) struct OnDiscord {
    discord: StandIn,
    /// Rooms by name.
    places: HashMap<String, String>,
    said: HashMap<String, Id>,
    /// Messages that were waited for already, or existed before.
    heard: HashSet<Id>,
    /// The last message with buttons, by room.
    offers: HashMap<String, Id>,
    pressed: Option<Id>,
    /// The last shown state of messages of the bot.
    shown: HashMap<Id, Said>,
    /// The last interaction of each user.
    interactions: HashMap<String, Id>,
}

impl OnDiscord {
    /// Starts with `cast` as members.
    pub(crate) fn with(discord: &StandIn, cast: &[(&str, &str)]) -> Self {
        let places: HashMap<_, _> = cast.iter().map(|(who, place)| ((*who).to_owned(), (*place).to_owned())).collect();
        let driver = Self {
            discord: discord.clone(),
            places,
            said: HashMap::new(),
            heard: HashSet::new(),
            offers: HashMap::new(),
            pressed: None,
            shown: HashMap::new(),
            interactions: HashMap::new(),
        };
        // Scheduled messages from before the conversation.
        let before = driver.channels().iter().flat_map(|place| discord.posted(place)).map(|post| post.id).collect();
        Self { heard: before, ..driver }
    }

    fn channels(&self) -> HashSet<String> {
        self.places.values().cloned().chain(["general".to_owned()]).collect()
    }

    fn place(&self, who: &str) -> String {
        self.places.get(who).cloned().unwrap_or_else(|| "general".to_owned())
    }

    /// Returns the first message of the bot that fits and that no step has waited for.
    fn next(&self, place: &str, fits: impl Fn(&Post) -> bool) -> Option<Post> {
        let posts = self.discord.posted(place).into_iter();
        posts.filter(|post| post.flags() & LOADING == 0 && !self.heard.contains(&post.id)).find(|post| fits(post))
    }

    fn remember(&mut self, place: &str, post: &Post) -> Said {
        let said = said(&post.message);
        self.heard.insert(post.id);
        self.shown.insert(post.id, said.clone());
        if !said.buttons.is_empty() {
            self.offers.insert(place.to_owned(), post.id);
        }
        said
    }

    fn gone(&self, who: &str) -> bool {
        self.discord.member_now(who).is_null()
    }
}

fn is_for_all(post: &Post) -> bool {
    post.flags() & EPHEMERAL == 0
}

fn is_for(post: &Post, user: Id) -> bool {
    post.flags() & EPHEMERAL != 0 && Id::of(&post.message["interaction_metadata"]["user"], "id") == Some(user)
}

fn said(message: &Value) -> Said {
    let rows = message["components"].as_array().into_iter().flatten();
    let buttons = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
    Said {
        text: message["content"].as_str().unwrap_or_default().to_owned(),
        buttons: buttons.filter_map(|button| button["label"].as_str()).map(ToOwned::to_owned).collect(),
    }
}

/// Returns the user name, which is in lower case here; it is displayed capitalised.
pub(crate) fn small(who: &str) -> String {
    who.to_lowercase()
}

impl Driver for OnDiscord {
    const PLATFORM: Platform = Platform::Discord;

    fn mention(&self, who: &str) -> String {
        format!("<@{}>", self.discord.person(&small(who)))
    }

    fn room(&self, place: &str) -> String {
        format!("guild/{}", self.discord.channel(place))
    }

    async fn says(&mut self, who: &str, text: &str) {
        let id = self.discord.says(&small(who), &self.place(who), text);
        self.said.insert(text.to_owned(), id);
    }

    async fn is_refused(&mut self, _who: &str, text: &str) -> String {
        panic!("on Discord nothing is refused ahead: {text}")
    }

    async fn uses(&mut self, who: &str, command: &str, given: &[(&str, Given)]) {
        let is_listed =
            |discord: &StandIn| discord.commands(None).iter().any(|one| one["name"] == command).then_some(());
        self.discord.until(&format!("/{command} in the list"), is_listed).await;
        let options: Map<String, Value> = given
            .iter()
            .map(|(name, value)| match value {
                Given::Text(text) => ((*name).to_owned(), json!(text)),
                Given::Number(number) => ((*name).to_owned(), json!(number)),
                Given::Person(person) => ((*name).to_owned(), json!(small(person))),
            })
            .collect();
        let used = self.discord.uses(&small(who), &self.place(who), command, &Value::Object(options));
        self.interactions.insert(who.to_owned(), used);
    }

    async fn presses(&mut self, who: &str, fits: &dyn Fn(&str) -> bool) {
        let place = self.place(who);
        let offer = *self.offers.get(&place).unwrap_or_else(|| panic!("there is no button in {place}"));
        let labels = said(&self.discord.message(offer)).buttons;
        let label = labels.iter().find(|label| fits(label)).expect("a button that fits");
        self.pressed = Some(offer);
        self.discord.presses(&small(who), offer, label);
    }

    async fn fills_in(&mut self, who: &str, values: &[(&str, &str)]) -> Form {
        let form = self.discord.answer(self.interactions[who]).await;
        assert_eq!(form["type"], 9, "{form}");
        let rows = form["data"]["components"].as_array().into_iter().flatten();
        let label = |row: &Value| row["label"].as_str().or(row["components"][0]["label"].as_str()).map(str::to_owned);
        let sent = self.discord.submits(self.interactions[who], values);
        self.interactions.insert(who.to_owned(), sent);
        Form {
            title: form["data"]["title"].as_str().unwrap_or_default().to_owned(),
            labels: rows.filter_map(label).collect(),
        }
    }

    fn forbids(&mut self, right: Right) {
        let denied = match right {
            Right::Restrict => vec![Permission::MODERATE_MEMBERS, Permission::KICK_MEMBERS, Permission::BAN_MEMBERS],
            Right::Remove => vec![Permission::MANAGE_MESSAGES],
            Right::Speak(place) => {
                // Through a webhook a bot can post where it may not write itself.
                let needed = [Permission::SEND_MESSAGES, Permission::MANAGE_WEBHOOKS];
                return needed.into_iter().for_each(|permission| self.discord.deny_in(place, permission));
            }
        };
        denied.into_iter().for_each(|permission| self.discord.deny(permission));
    }

    async fn enters(&mut self, who: &str) {
        self.discord.joins(&small(who));
    }

    async fn leaves(&mut self, who: &str) {
        self.discord.leaves(&small(who));
    }

    async fn hears(&mut self, place: &str) -> Said {
        let what = format!("something in {place}");
        let post = self.discord.until(&what, |_| self.next(place, is_for_all)).await;
        self.remember(place, &post)
    }

    async fn hears_alone(&mut self, who: &str) -> Said {
        let (place, user, direct) = (self.place(who), self.discord.user(&small(who)), format!("@{}", small(who)));
        let what = format!("something for {who} alone");
        let look = |_: &StandIn| self.next(&place, |post| is_for(post, user)).or_else(|| self.next(&direct, |_| true));
        let post = self.discord.until(&what, look).await;
        self.remember(&place, &post)
    }

    async fn hears_change(&mut self) -> Said {
        let id = self.pressed.expect("a button was pressed");
        let before = self.shown[&id].clone();
        let look = |discord: &StandIn| Some(said(&discord.message(id))).filter(|now| *now != before);
        let now = self.discord.until("a change of the message that was pressed", look).await;
        self.shown.insert(id, now.clone());
        now
    }

    async fn vanishes(&mut self, texts: &[&str], _purged: bool) {
        for text in texts {
            let id = self.said[&with_mentions(text, |name| self.mention(name))];
            let is_gone = |discord: &StandIn| discord.message(id).is_null().then_some(());
            self.discord.until(&format!("{text:?} is gone"), is_gone).await;
        }
    }

    async fn becomes(&mut self, who: &str, fate: Fate) {
        let who = small(who);
        let is_muted = || self.discord.member_now(&who)["communication_disabled_until"].is_string();
        let is_so = |_: &StandIn| {
            let so = match fate {
                Fate::Muted => is_muted(),
                Fate::Unmuted => !is_muted(),
                Fate::Kicked => self.gone(&who) && !self.discord.is_banned(&who),
                Fate::Banned => self.gone(&who) && self.discord.is_banned(&who),
                Fate::Unbanned => !self.discord.is_banned(&who),
            };
            so.then_some(())
        };
        self.discord.until(&format!("{who} is {fate:?}"), is_so).await;
    }

    async fn room_becomes(&mut self, place: &str, rule: Rule) {
        let everyone = self.discord.guild();
        let is_so = |discord: &StandIn| {
            let channel = discord.channel_now(place);
            let so = match rule {
                Rule::Topic(topic) => channel["topic"] == topic,
                Rule::Pause(seconds) => channel["rate_limit_per_user"] == seconds,
                Rule::Locked(locked) => denies_speaking(&channel, everyone) == locked,
            };
            so.then_some(())
        };
        self.discord.until(&format!("{rule:?} in {place}"), is_so).await;
    }

    fn left_over(&mut self) -> Vec<Said> {
        let direct = self.places.keys().map(|who| format!("@{}", small(who)));
        let everywhere = self.channels().into_iter().chain(direct);
        let posts: Vec<_> = everywhere.flat_map(|place| self.discord.posted(&place)).collect();
        posts.iter().filter(|post| !self.heard.contains(&post.id)).map(|post| said(&post.message)).collect()
    }
}

/// Whether everyone is denied writing in a channel.
fn denies_speaking(channel: &Value, everyone: Id) -> bool {
    let overwrites = channel["permission_overwrites"].as_array().into_iter().flatten();
    let of_everyone = overwrites.filter(|one| Id::of(one, "id") == Some(everyone));
    let denied = |one: &Value| one["deny"].as_str().and_then(|bits| bits.parse().ok()).unwrap_or(0_u64);
    of_everyone.map(denied).any(|bits| bits & Permission::SEND_MESSAGES.0 != 0)
}
