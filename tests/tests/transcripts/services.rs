//! Scripts driven by time or by programs: feed, reminder, standup, status.

use super::scenario::{
    Given, IN_PRIVATE, ONE_ROOM, PLAIN, Scenario, answers, answers_alone, answers_in, asks, begins_in, publishes, says,
    uses,
};

pub(crate) const FEED: Scenario = Scenario {
    scripts: &["feed"],
    settings: "grants: [rooms, \"http:{host}\"], config: { url: \"{feed}/feed.json\", room: \"{target}\", every: 1s }",
    cast: &[("Alice", "news")],
    target: Some("news"),
    apart: Some(ONE_ROOM),
    steps: &[publishes("Article 2"), answers_in("news", 1), publishes("Article 3"), answers_in("news", 1)],
    ..PLAIN
};

pub(crate) const REMINDER: Scenario = Scenario {
    scripts: &["reminder"],
    // The remaining time.
    placeholders: &[(r"\(.*(minute|second)s?\)", "(TIME)")],
    steps: &[
        says("Alice", "!remind 1s the tea"),
        answers(2),
        says("Alice", "!remind 10m the cake"),
        answers(1),
        says("Alice", "!reminders"),
        answers(1),
        says("Bob", "!reminders"),
        answers(1),
        uses("Alice", "forget", &[]),
        answers(1),
        says("Alice", "!forget"),
        answers(1),
        says("Bob", "!remind"),
        answers(1),
        says("Bob", "!remind soon something"),
        answers(1),
    ],
    ..PLAIN
};

pub(crate) const STANDUP: Scenario = Scenario {
    scripts: &["standup"],
    // Frequent enough for a test, and rare enough to end before the next one begins.
    settings: "grants: [rooms], config: { room: \"{target}\", at: \"*/10 * * * * *\", zone: Europe/Paris, open: 4s }",
    cast: &[("Alice", "standup"), ("Bob", "standup")],
    moderators: &[],
    target: Some("standup"),
    apart: Some(ONE_ROOM),
    notes: IN_PRIVATE,
    placeholders: &[(r"\d\d\.\d\d\.", "DAY")],
    steps: &[
        begins_in("standup", "☀️"),
        says("Alice", "!standup the wrong thing"),
        answers_alone("Alice"),
        says("Alice", "!standup the tests"),
        answers_alone("Alice"),
        uses("Bob", "standup", &[("what", Given::Text("the documentation"))]),
        answers_alone("Bob"),
        answers_in("standup", 1),
    ],
};

pub(crate) const STATUS: Scenario = Scenario {
    scripts: &["status"],
    settings: "grants: [routes, rooms], token: {token}",
    placeholders: &[(r#""(messages|uptime)":\d+"#, "\"$1\":N"), (r#""since":"[^"]+""#, "\"since\":TIME")],
    steps: &[
        says("Alice", "one"),
        asks("GET", "/scripts/status/status", ""),
        asks("POST", "/scripts/status/say", r#"{"room":"{room}","text":"The backup is done"}"#),
        answers(1),
        asks("POST", "/scripts/status/say", r#"{"room":"general","text":"The backup is done"}"#),
    ],
    ..PLAIN
};
