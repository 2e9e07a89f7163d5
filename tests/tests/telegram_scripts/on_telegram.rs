//! Telegram as a driver: the stand-in, whose users have the same names in lower case.
//!
//! Texts are converted to CommonMark, which scripts write and rooms show.

use std::collections::{HashMap, HashSet};

use palabre_telegram::text::{Entity, to_commonmark};
use palabre_tests::telegram::{MessageRef, Post, StandIn};
use serde::Deserialize;
use serde_json::Value;

use crate::transcripts::driver::{Driver, Form, Said, with_mentions};
use crate::transcripts::scenario::{Fate, Given, Platform, Right, Rule};

pub(crate) struct OnTelegram {
    telegram: StandIn,
    /// Rooms by name.
    places: HashMap<String, String>,
    said: HashMap<String, MessageRef>,
    /// Messages that were waited for already, or existed before.
    heard: HashSet<MessageRef>,
    /// The last message with buttons, by room.
    offers: HashMap<String, MessageRef>,
    pressed: Option<MessageRef>,
    /// The last shown state of messages of the bot.
    shown: HashMap<MessageRef, Said>,
    /// The user and the query of each press, until a step has waited for its answer.
    presses: Vec<(String, String)>,
}

impl OnTelegram {
    /// Starts with `cast` as members.
    pub(crate) fn with(telegram: &StandIn, cast: &[(&str, &str)]) -> Self {
        let places: HashMap<_, _> = cast.iter().map(|(who, place)| ((*who).to_owned(), (*place).to_owned())).collect();
        let driver = Self {
            telegram: telegram.clone(),
            places,
            said: HashMap::new(),
            heard: HashSet::new(),
            offers: HashMap::new(),
            pressed: None,
            shown: HashMap::new(),
            presses: Vec::new(),
        };
        // Scheduled messages from before the conversation.
        let before = driver.groups().iter().flat_map(|place| telegram.posted(place)).map(|post| post.at).collect();
        Self { heard: before, ..driver }
    }

    fn groups(&self) -> HashSet<String> {
        self.places.values().cloned().chain(["general".to_owned()]).collect()
    }

    fn place(&self, who: &str) -> String {
        self.places.get(who).cloned().unwrap_or_else(|| "general".to_owned())
    }

    /// Returns the first message of the bot that no step has waited for.
    fn next(&self, place: &str) -> Option<Post> {
        self.telegram.posted(place).into_iter().find(|post| !self.heard.contains(&post.at))
    }

    fn remember(&mut self, place: &str, post: &Post) -> Said {
        let said = said(&post.message);
        self.heard.insert(post.at);
        self.shown.insert(post.at, said.clone());
        if !said.buttons.is_empty() {
            self.offers.insert(place.to_owned(), post.at);
        }
        said
    }

    /// Returns the pop-up that a user was shown after a press.
    fn next_alert(&self, who: &str) -> Option<(usize, Said)> {
        let of_them = self.presses.iter().enumerate().filter(|(_, (presser, _))| presser == who);
        let mut answers = of_them.filter_map(|(index, (_, query))| Some((index, self.telegram.answer_to(query)?.text)));
        let (index, text) = answers.find(|(_, text)| !text.is_empty())?;
        Some((index, Said { text, buttons: Vec::new() }))
    }

    fn status(&self, who: &str) -> Value {
        self.telegram.member_now(who, "general")["status"].clone()
    }
}

fn said(message: &Value) -> Said {
    let (text, entities) = match message["text"].as_str() {
        Some(text) => (text, &message["entities"]),
        None => (message["caption"].as_str().unwrap_or_default(), &message["caption_entities"]),
    };
    let entities = Vec::<Entity>::deserialize(entities).unwrap_or_default();
    let rows = message["reply_markup"]["inline_keyboard"].as_array().into_iter().flatten();
    let buttons = rows.flat_map(|row| row.as_array().into_iter().flatten());
    Said {
        text: to_commonmark(text, &entities),
        buttons: buttons.filter_map(|button| button["text"].as_str()).map(ToOwned::to_owned).collect(),
    }
}

/// Returns the user name, which is in lower case here; it is displayed capitalised.
pub(crate) fn small(who: &str) -> String {
    who.to_lowercase()
}

/// A question of a form.
struct Question {
    title: Option<String>,
    label: String,
    /// The number of further questions.
    left: usize,
    is_optional: bool,
}

impl Question {
    fn of(text: &str) -> Option<Self> {
        let bold = |line: &str| Some(line.split_once("**")?.1.split_once("**")?.0.to_owned());
        let title = text.lines().find(|line| line.starts_with('✎')).and_then(bold);
        let field = text.lines().find(|line| !line.starts_with('✎') && line.contains("**"))?;
        let left = field.split_once(" · ").and_then(|(count, _)| {
            let (at, of) = count.split_once('/')?;
            of.parse::<usize>().ok()?.checked_sub(at.parse().ok()?)
        });
        let label = bold(field)?;
        Some(Self { title, label, left: left.unwrap_or_default(), is_optional: text.contains("/skip") })
    }
}

impl Driver for OnTelegram {
    const PLATFORM: Platform = Platform::Telegram;

    fn mention(&self, who: &str) -> String {
        format!("@{}", small(who))
    }

    fn room(&self, place: &str) -> String {
        format!("village/{}", self.telegram.chat(place))
    }

    async fn says(&mut self, who: &str, text: &str) {
        let at = self.telegram.says(&small(who), &self.place(who), text);
        self.said.insert(text.to_owned(), at);
    }

    async fn is_refused(&mut self, _who: &str, text: &str) -> String {
        panic!("on Telegram nothing is refused ahead: {text}")
    }

    /// A command chosen from the list is sent with the bot's name after it.
    async fn uses(&mut self, who: &str, command: &str, given: &[(&str, Given)]) {
        let place = self.place(who);
        let is_listed = |telegram: &StandIn| {
            telegram.sees_commands(&small(who), &place).iter().any(|one| one == command).then_some(())
        };
        self.telegram.until(&format!("/{command} in the list"), is_listed).await;
        let words = given.iter().map(|(_, value)| match value {
            Given::Text(text) => (*text).to_owned(),
            Given::Number(number) => number.to_string(),
            Given::Person(person) => self.mention(person),
        });
        let words: Vec<_> = std::iter::once(format!("/{command}@palabre_bot")).chain(words).collect();
        self.says(who, &words.join(" ")).await;
    }

    async fn presses(&mut self, who: &str, fits: &dyn Fn(&str) -> bool) {
        let place = self.place(who);
        let offer = *self.offers.get(&place).unwrap_or_else(|| panic!("there is no button in {place}"));
        let labels = said(&self.telegram.message(offer)).buttons;
        let label = labels.iter().find(|label| fits(label)).expect("a button that fits");
        self.pressed = Some(offer);
        let query = self.telegram.presses(&small(who), offer, label);
        self.presses.push((who.to_owned(), query));
    }

    /// Answers one field after the other; fields without a value are skipped.
    async fn fills_in(&mut self, who: &str, values: &[(&str, &str)]) -> Form {
        let place = self.place(who);
        let mut form = Form { title: String::new(), labels: Vec::new() };
        let mut values = values.iter().peekable();
        loop {
            let asked = self.hears(&place).await.text;
            let question = Question::of(&asked).unwrap_or_else(|| panic!("{asked:?} asks nothing"));
            form.title = question.title.unwrap_or(form.title);
            form.labels.push(question.label);
            let is_left_out = question.is_optional && values.len() <= question.left;
            let answer = if is_left_out { "/skip" } else { values.next().expect("a value for each field").1 };
            // Clients reply to the question if asked to.
            let asking = self.telegram.posted(&place).pop().expect("the question was heard").at;
            let at = self.telegram.replies(&small(who), asking, answer);
            self.said.insert(answer.to_owned(), at);
            if question.left == 0 {
                return form;
            }
        }
    }

    fn forbids(&mut self, right: Right) {
        match right {
            Right::Restrict => self.telegram.deny("general", "can_restrict_members"),
            Right::Remove => self.telegram.deny("general", "can_delete_messages"),
            Right::Speak(place) => self.telegram.throws_bot_out(place),
        }
    }

    async fn enters(&mut self, who: &str) {
        self.telegram.joins(&small(who), "general");
    }

    async fn leaves(&mut self, who: &str) {
        self.telegram.leaves(&small(who), "general");
    }

    async fn hears(&mut self, place: &str) -> Said {
        let what = format!("something in {place}");
        let post = self.telegram.until(&what, |_| self.next(place)).await;
        self.remember(place, &post)
    }

    async fn hears_alone(&mut self, who: &str) -> Said {
        let direct = format!("@{}", small(who));
        let what = format!("something for {who} alone");
        let look = |_: &StandIn| {
            let alert = self.next_alert(who).map(Ok);
            alert.or_else(|| self.next(&direct).map(Err))
        };
        match self.telegram.until(&what, look).await {
            Ok((index, said)) => {
                self.presses.remove(index);
                said
            }
            Err(post) => self.remember(&direct, &post),
        }
    }

    async fn hears_change(&mut self) -> Said {
        let at = self.pressed.expect("a button was pressed");
        let before = self.shown[&at].clone();
        let look = |telegram: &StandIn| Some(said(&telegram.message(at))).filter(|now| *now != before);
        let now = self.telegram.until("a change of the message that was pressed", look).await;
        self.shown.insert(at, now.clone());
        now
    }

    async fn vanishes(&mut self, texts: &[&str], _purged: bool) {
        for text in texts {
            let at = self.said[&with_mentions(text, |name| self.mention(name))];
            let is_gone = |telegram: &StandIn| telegram.message(at).is_null().then_some(());
            self.telegram.until(&format!("{text:?} is gone"), is_gone).await;
        }
    }

    async fn becomes(&mut self, who: &str, fate: Fate) {
        let who = small(who);
        let is_so = |telegram: &StandIn| {
            let so = match fate {
                Fate::Muted => !telegram.can_speak(&who, "general"),
                Fate::Unmuted => telegram.can_speak(&who, "general"),
                Fate::Kicked => self.status(&who) == "left",
                Fate::Banned => telegram.is_banned(&who, "general"),
                Fate::Unbanned => !telegram.is_banned(&who, "general"),
            };
            so.then_some(())
        };
        self.telegram.until(&format!("{who} is {fate:?}"), is_so).await;
    }

    async fn room_becomes(&mut self, place: &str, rule: Rule) {
        let is_so = |telegram: &StandIn| {
            let chat = telegram.chat_now(place);
            let so = match rule {
                Rule::Topic(topic) => chat["description"] == topic,
                Rule::Pause(_) => panic!("on Telegram no bot sets a pause"),
                Rule::Locked(locked) => (chat["permissions"]["can_send_messages"] == true) != locked,
            };
            so.then_some(())
        };
        self.telegram.until(&format!("{rule:?} in {place}"), is_so).await;
    }

    fn left_over(&mut self) -> Vec<Said> {
        let direct = self.places.keys().map(|who| format!("@{}", small(who)));
        let everywhere = self.groups().into_iter().chain(direct);
        let posts: Vec<_> = everywhere.flat_map(|place| self.telegram.posted(&place)).collect();
        let unheard = posts.iter().filter(|post| !self.heard.contains(&post.at)).map(|post| said(&post.message));
        let alerts = self.places.keys().filter_map(|who| Some(self.next_alert(who)?.1));
        unheard.chain(alerts).collect()
    }
}
