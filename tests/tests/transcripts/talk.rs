//! Conversational scripts: hello, karma, levels, quotes, welcome.

use super::scenario::{
    Given, IN_PRIVATE, ONE_STORE, PLAIN, Platform, Scenario, answers, enters, leaves, refuses, refuses_before_all,
    says, uses,
};

pub(crate) const HELLO: Scenario = Scenario {
    scripts: &["hello"],
    steps: &[
        says("Alice", "!ping"),
        answers(1),
        uses("Alice", "hello", &[]),
        answers(1),
        says("Alice", "!hello"),
        answers(1),
        says("Bob", "hello"),
        says("Bob", "!hello"),
        answers(1),
    ],
    ..PLAIN
};

pub(crate) const KARMA: Scenario = Scenario {
    scripts: &["karma"],
    apart: Some(ONE_STORE),
    steps: &[
        says("Alice", "!karma"),
        answers(1),
        says("Alice", "Bob++"),
        answers(1),
        says("Bob", "alice++"),
        answers(1),
        says("Alice", "bob++"),
        answers(1),
        says("Bob", "Bob++"),
        answers(1),
        says("Bob", "c+-"),
        uses("Bob", "karma", &[]),
        answers(1),
        says("Alice", "!karma BOB"),
        answers(1),
        uses("Alice", "karma", &[("name", Given::Text("dave"))]),
        answers(1),
    ],
    ..PLAIN
};

const BY_NAME: &[Platform] = &[Platform::Rooms, Platform::Discord];
const USERNAMES: &str =
    "on Telegram people are mentioned by their username, and nobody is known by it who was not seen";

pub(crate) const KARMA_BY_MENTION: Scenario = Scenario {
    scripts: &["karma"],
    apart: Some(ONE_STORE),
    steps: &[
        says("Bob", "I am here"),
        says("Alice", "{@Bob}++"),
        answers(1).only_on(BY_NAME, USERNAMES),
        answers(1).only_on(&[Platform::Telegram], USERNAMES),
        says("Bob", "{@Bob}++"),
        answers(1),
        says("Alice", "!karma {@Bob}"),
        answers(1).only_on(BY_NAME, USERNAMES),
        answers(1).only_on(&[Platform::Telegram], USERNAMES),
    ],
    ..PLAIN
};

pub(crate) const LEVELS: Scenario = Scenario {
    scripts: &["levels"],
    // The same for every message, so that both platforms count alike. Only three messages count, so
    // that commands typed later do not.
    settings: "config: { least: 40, most: 40, rate: 3/1h }",
    steps: &[
        says("Alice", "!leaderboard"),
        answers(1),
        says("Alice", "two"),
        says("Alice", "three"),
        answers(1),
        says("Bob", "one"),
        says("Alice", "!rank"),
        answers(1),
        says("Alice", "!rank {@Bob}"),
        answers(1),
        uses("Alice", "rank", &[("whom", Given::Person("Bob"))]),
        answers(1),
        uses("Alice", "leaderboard", &[]),
        answers(1),
    ],
    ..PLAIN
};

/// The bot has seen nothing of Carol before she is mentioned.
pub(crate) const LEVELS_OF_A_STRANGER: Scenario = Scenario {
    scripts: &["levels"],
    cast: &[("Alice", "general"), ("Carol", "general")],
    steps: &[
        says("Alice", "!rank {@Carol}"),
        answers(1).only_on(BY_NAME, USERNAMES),
        answers(1).only_on(&[Platform::Telegram], USERNAMES),
    ],
    ..PLAIN
};

pub(crate) const QUOTES: Scenario = Scenario {
    scripts: &["quotes"],
    // In a debug build on a busy machine, the first `text.normalise` can exceed the default limit
    // of 100 ms.
    settings: "limits: { cpu_ms: 2000 }",
    notes: IN_PRIVATE,
    apart: Some(ONE_STORE),
    steps: &[
        says("Alice", "!quote"),
        answers(1),
        says("Alice", "!quote add To be or not to be"),
        answers(1),
        says("Bob", "!quote random"),
        answers(1),
        uses("Bob", "quote", &[("what", Given::Text("add")), ("words", Given::Text("Et tu, Brute?"))]),
        answers(1),
        says("Bob", "!quote search BÉ"),
        answers(1),
        uses("Bob", "quote", &[("what", Given::Text("search")), ("words", Given::Text("cogito"))]),
        answers(1),
        says("Alice", "!quote add"),
        answers(1),
        says("Alice", "!quote sing"),
        refuses("Alice"),
        refuses_before_all(),
    ],
    ..PLAIN
};

/// Nobody is present at first: in the rooms every reader has entered too.
pub(crate) const WELCOME: Scenario = Scenario {
    scripts: &["welcome"],
    settings: "config: { rate: 2/1h }",
    cast: &[],
    steps: &[
        enters("Carol"),
        answers(1),
        enters("Dan"),
        answers(1),
        leaves("Dan"),
        enters("Dan"),
        answers(1),
        leaves("Dan"),
        enters("Dan"),
        enters("Erin"),
        answers(1),
    ],
    ..PLAIN
};
