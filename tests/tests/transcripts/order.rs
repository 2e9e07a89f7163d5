//! Moderation scripts: automod, moderation, report, word_filter.
//!
//! Olivia is a moderator: in the rooms by bots.yaml, on Discord and Telegram as the owner of the
//! server and the groups.

use super::scenario::{
    Fate, Given, IN_PRIVATE, ONE_ROOM, PLAIN, Platform, Rule, Scenario, answers, answers_alone, answers_in, becomes,
    changes, enters, fills_in, is_purged, is_refused, presses, refuses, refuses_before_all, room_becomes, says, uses,
    vanishes,
};

const WITH_A_MODERATOR: &[(&str, &str)] = &[("Alice", "general"), ("Bob", "general"), ("Olivia", "general")];

pub(crate) const AUTOMOD: Scenario = Scenario {
    scripts: &["automod"],
    settings: "grants: [moderation]",
    cast: WITH_A_MODERATOR,
    notes: &[(
        Platform::Rooms,
        "Without `ahead`, which the shipped bots.yaml has for the room service: \
         what breaks a rule is removed afterwards.",
    )],
    steps: &[
        says("Alice", "Hello there"),
        says("Alice", "WHY DOES NOBODY ANSWER ME"),
        vanishes(&["WHY DOES NOBODY ANSWER ME"]),
        answers(1),
        says("Bob", "come to https://Discord.gg/abc"),
        vanishes(&["come to https://Discord.gg/abc"]),
        answers(1),
        says("Alice", "http://a.example http://b.example http://c.example d.org"),
        vanishes(&["http://a.example http://b.example http://c.example d.org"]),
        answers(1),
        says("Alice", "{@Bob} {@Carol} {@Dan} {@Erin} {@Frank} {@Gina}"),
        vanishes(&["{@Bob} {@Carol} {@Dan} {@Erin} {@Frank} {@Gina}"]),
        answers(1),
        says("Olivia", "MODERATORS MAY SHOUT"),
        says("Alice", "WHERE IS EVERYBODY"),
        vanishes(&["WHERE IS EVERYBODY"]),
        answers(1),
        becomes("Alice", Fate::Muted),
    ],
    ..PLAIN
};

const AHEAD: &str = "before_message exists there alone, since nothing can be refused elsewhere before it is seen";

pub(crate) const AUTOMOD_AHEAD: Scenario = Scenario {
    scripts: &["automod", "hello"],
    settings: "grants: [moderation], config: { ahead: true }",
    notes: &[(Platform::Rooms, "As the shipped bots.yaml has it.")],
    steps: &[
        says("Alice", "Hello there"),
        is_refused("Alice", "WHY DOES NOBODY ANSWER ME").only_on(&[Platform::Rooms], AHEAD),
        says("Alice", "!ping"),
        answers(1),
    ],
    ..PLAIN
};

/// Max reads the record room.
const WITH_A_RECORD: Scenario = Scenario {
    scripts: &["moderation"],
    settings: "grants: [moderation, rooms], config: { record: \"{target}\" }",
    cast: &[("Alice", "general"), ("Bob", "general"), ("Olivia", "general"), ("Max", "mods")],
    target: Some("mods"),
    apart: Some(ONE_ROOM),
    notes: IN_PRIVATE,
    placeholders: &[(r"\d{4}-\d\d-\d\d", "DAY")],
    ..PLAIN
};

pub(crate) const MODERATION: Scenario = Scenario {
    steps: &[
        says("Bob", "hello"),
        says("Alice", "!ban {@Bob} because I can"),
        refuses("Alice"),
        refuses_before_all(),
        says("Olivia", "!warn {@Bob} too loud"),
        answers(1),
        answers_in("mods", 1),
        says("Olivia", "!warnings {@Bob}"),
        answers_alone("Olivia"),
        uses("Olivia", "warnings", &[("whom", Given::Person("Bob"))]),
        answers_alone("Olivia"),
        says("Olivia", "!mute {@Bob} 2h30m flood"),
        answers(1),
        answers_in("mods", 1),
        becomes("Bob", Fate::Muted),
        uses("Olivia", "unmute", &[("whom", Given::Person("Bob")), ("reason", Given::Text("sorry"))]),
        answers(1),
        answers_in("mods", 1),
        becomes("Bob", Fate::Unmuted),
        says("Alice", "one"),
        says("Alice", "two"),
        says("Olivia", "!purge 2"),
        is_purged(&["one", "two", "!purge 2"]),
        answers(1),
        answers_in("mods", 1),
        says("Olivia", "!ban {@Olivia}"),
        answers_alone("Olivia"),
        says("Olivia", "!kick {@Bob} out"),
        answers(1),
        answers_in("mods", 1),
        becomes("Bob", Fate::Kicked),
        enters("Bob"),
        uses("Olivia", "tempban", &[("whom", Given::Person("Bob")), ("lasts", Given::Text("7d"))]),
        answers(1),
        answers_in("mods", 1),
        becomes("Bob", Fate::Banned),
    ],
    ..WITH_A_RECORD
};

pub(crate) const MODERATION_UNBANS: Scenario = Scenario {
    steps: &[
        says("Bob", "hello"),
        says("Olivia", "!ban {@Bob} spam"),
        answers(1),
        answers_in("mods", 1),
        becomes("Bob", Fate::Banned),
        says("Olivia", "!unban {@Bob}"),
        answers(1),
        answers_in("mods", 1),
        becomes("Bob", Fate::Unbanned),
    ],
    ..WITH_A_RECORD
};

/// Refusals by a locked or slow room are not compared: Discord's own client enforces these rules.
pub(crate) const MODERATION_OF_A_ROOM: Scenario = Scenario {
    steps: &[
        uses("Olivia", "topic", &[("topic", Given::Text("cats, and dogs"))]),
        answers(1),
        answers_in("mods", 1),
        room_becomes(Rule::Topic("cats, and dogs")),
        says("Olivia", "!lock"),
        answers(1),
        answers_in("mods", 1),
        room_becomes(Rule::Locked(true)),
    ],
    ..WITH_A_RECORD
};

const PAUSING: &[Platform] = &[Platform::Rooms, Platform::Discord];
const NO_PAUSES: &str = "on Telegram no bot can have people wait between two messages";

/// A bot that has locked or slowed a room must be able to undo it.
pub(crate) const MODERATION_UNLOCKS: Scenario = Scenario {
    scripts: &["moderation"],
    settings: "grants: [moderation, rooms]",
    cast: WITH_A_MODERATOR,
    steps: &[
        says("Olivia", "!lock"),
        answers(1),
        room_becomes(Rule::Locked(true)),
        uses("Olivia", "unlock", &[]),
        answers(1),
        room_becomes(Rule::Locked(false)),
        says("Olivia", "!slowmode 10s"),
        answers(1).only_on(PAUSING, NO_PAUSES),
        answers_alone("Olivia").only_on(&[Platform::Telegram], NO_PAUSES),
        room_becomes(Rule::Pause(10)).only_on(PAUSING, NO_PAUSES),
        says("Olivia", "!slowmode").only_on(PAUSING, NO_PAUSES),
        answers(1).only_on(PAUSING, NO_PAUSES),
        room_becomes(Rule::Pause(0)).only_on(PAUSING, NO_PAUSES),
    ],
    ..PLAIN
};

const FORMS: &[(Platform, &str)] = &[
    (
        Platform::Discord,
        "On Discord a form is shown only to whoever uses the command from the list: typed, it shows none.",
    ),
    (Platform::Telegram, "Telegram has no forms: one is asked field by field, and /skip leaves a field out."),
];

pub(crate) const REPORT: Scenario = Scenario {
    scripts: &["report"],
    settings: "grants: [rooms], config: { room: \"{target}\" }",
    cast: &[("Alice", "general"), ("Bob", "general"), ("Olivia", "mods")],
    target: Some("mods"),
    apart: Some(ONE_ROOM),
    notes: FORMS,
    steps: &[
        uses("Alice", "report", &[]),
        fills_in("Alice", &[("whom", "Bob"), ("why", "spam everywhere")]),
        answers_alone("Alice"),
        answers_in("mods", 1),
        presses("Olivia", "Done"),
        changes(),
        uses("Bob", "report", &[]),
        fills_in("Bob", &[("why", "too loud")]),
        answers_alone("Bob"),
        answers_in("mods", 1),
    ],
    ..PLAIN
};

pub(crate) const WORD_FILTER: Scenario = Scenario {
    scripts: &["word_filter"],
    settings: "grants: [moderation], config: { words: [darn, heck] }",
    cast: WITH_A_MODERATOR,
    notes: IN_PRIVATE,
    steps: &[
        says("Alice", "nice day"),
        says("Alice", "oh DARN it"),
        answers(1),
        says("Alice", "what the hèçk"),
        vanishes(&["what the hèçk"]),
        answers(1),
        says("Alice", "!words"),
        refuses("Alice"),
        refuses_before_all(),
        says("Olivia", "!words"),
        answers_alone("Olivia"),
        says("Alice", "heck, heck"),
        vanishes(&["heck, heck"]),
        answers(1),
        becomes("Alice", Fate::Muted),
        uses("Olivia", "words", &[("what", Given::Text("forgive")), ("whom", Given::Person("Alice"))]),
        answers_alone("Olivia"),
        becomes("Alice", Fate::Unmuted),
        says("Bob", "d4rn"),
        answers(1),
    ],
    ..PLAIN
};
