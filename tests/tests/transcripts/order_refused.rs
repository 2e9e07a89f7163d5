//! Moderation scripts whose actions are refused, by rank or by the platform.
//!
//! A refused action is not announced, and the moderator is informed. Max is a moderator, Olivia the
//! owner.

use super::scenario::{
    Fate, IN_PRIVATE, ONE_ROOM, PLAIN, Platform, Right, Scenario, WHO_HAS_RIGHTS, WITH_RIGHTS, answers, answers_alone,
    answers_in, becomes, fills_in, forbids, refuses, refuses_before_all, says, uses, vanishes,
};

const WITH_MODERATORS: Scenario = Scenario {
    scripts: &["moderation"],
    settings: "grants: [moderation]",
    cast: &[("Alice", "general"), ("Bob", "general"), ("Max", "general"), ("Olivia", "general")],
    moderators: &["Max", "Alice"],
    notes: IN_PRIVATE,
    ..PLAIN
};

const NOT_TELEGRAM: &[Platform] = &[Platform::Rooms, Platform::Discord];
const ADMINISTRATORS: &str = "on Telegram a bot restricts no administrator whom it has not made one";

pub(crate) const RANKS: Scenario = Scenario {
    steps: &[
        says("Bob", "!ban {@Max}"),
        refuses("Bob"),
        refuses_before_all(),
        says("Max", "!ban {@Olivia} of all people"),
        answers_alone("Max"),
        says("Max", "!warn {@Olivia} of all people"),
        answers_alone("Max"),
        says("Max", "!kick {@Alice} an equal"),
        answers_alone("Max"),
        says("Max", "!mute {@Bob} 10m too loud"),
        answers(1),
        becomes("Bob", Fate::Muted),
        says("Olivia", "!kick {@Max} enough"),
        answers(1).only_on(NOT_TELEGRAM, ADMINISTRATORS),
        becomes("Max", Fate::Kicked).only_on(NOT_TELEGRAM, ADMINISTRATORS),
        answers_alone("Olivia").only_on(&[Platform::Telegram], ADMINISTRATORS),
    ],
    ..WITH_MODERATORS
};

pub(crate) const MODERATION_REFUSED: Scenario = Scenario {
    settings: "grants: [moderation, rooms], config: { record: \"{target}\" }",
    cast: &[("Alice", "general"), ("Bob", "general"), ("Olivia", "general"), ("Max", "mods")],
    moderators: &[],
    target: Some("mods"),
    apart: Some(ONE_ROOM),
    steps: &[
        says("Bob", "hello"),
        forbids(Right::Restrict),
        says("Olivia", "!kick {@Bob} out").only_on(WITH_RIGHTS, WHO_HAS_RIGHTS),
        answers_alone("Olivia").only_on(WITH_RIGHTS, WHO_HAS_RIGHTS),
        says("Olivia", "!mute {@Bob} 10m quiet").only_on(WITH_RIGHTS, WHO_HAS_RIGHTS),
        answers_alone("Olivia").only_on(WITH_RIGHTS, WHO_HAS_RIGHTS),
        says("Olivia", "!tempban {@Bob} 7d spam").only_on(WITH_RIGHTS, WHO_HAS_RIGHTS),
        answers_alone("Olivia").only_on(WITH_RIGHTS, WHO_HAS_RIGHTS),
        says("Olivia", "!warn {@Bob} then at least this"),
        answers(1),
        answers_in("mods", 1),
    ],
    ..WITH_MODERATORS
};

pub(crate) const AUTOMOD_REFUSED: Scenario = Scenario {
    scripts: &["automod", "hello"],
    moderators: &[],
    steps: &[
        forbids(Right::Remove),
        says("Alice", "WHY DOES NOBODY ANSWER ME").only_on(WITH_RIGHTS, WHO_HAS_RIGHTS),
        says("Bob", "come to https://Discord.gg/abc").only_on(WITH_RIGHTS, WHO_HAS_RIGHTS),
        says("Bob", "!ping"),
        answers(1),
    ],
    ..WITH_MODERATORS
};

pub(crate) const WORD_FILTER_REFUSED: Scenario = Scenario {
    scripts: &["word_filter"],
    settings: "grants: [moderation], config: { words: [darn, heck] }",
    moderators: &[],
    steps: &[
        says("Alice", "oh darn it"),
        answers(1),
        forbids(Right::Restrict),
        says("Alice", "what the heck"),
        vanishes(&["what the heck"]),
        answers(1),
        says("Alice", "heck, heck"),
        vanishes(&["heck, heck"]),
        answers(1).only_on(WITH_RIGHTS, WHO_HAS_RIGHTS),
        answers(1).only_on(&[Platform::Rooms], WHO_HAS_RIGHTS),
    ],
    ..WITH_MODERATORS
};

pub(crate) const REPORT_REFUSED: Scenario = Scenario {
    scripts: &["report"],
    settings: "grants: [rooms], config: { room: \"{target}\" }",
    cast: &[("Alice", "general"), ("Olivia", "mods")],
    moderators: &[],
    target: Some("mods"),
    apart: Some(ONE_ROOM),
    steps: &[
        forbids(Right::Speak("mods")),
        uses("Alice", "report", &[]),
        fills_in("Alice", &[("whom", "Bob"), ("why", "spam everywhere")]),
        answers_alone("Alice").only_on(WITH_RIGHTS, WHO_HAS_RIGHTS),
        answers_alone("Alice").only_on(&[Platform::Rooms], WHO_HAS_RIGHTS),
        answers_in("mods", 1).only_on(&[Platform::Rooms], WHO_HAS_RIGHTS),
    ],
    ..WITH_MODERATORS
};

const NO_PERSONAS: &str = "on Telegram a bot has one name, so that whoever said it stands before what they said";

pub(crate) const BRIDGE: Scenario = Scenario {
    scripts: &["bridge"],
    settings: "grants: [rooms, files, personas], config: { bridges: [[\"{here}\", \"{target}\"]] }",
    cast: &[("Alice", "general"), ("Olivia", "mods")],
    moderators: &[],
    target: Some("mods"),
    apart: Some(ONE_ROOM),
    steps: &[
        says("Alice", "is **anybody** there?"),
        answers_in("mods", 1).only_on(NOT_TELEGRAM, NO_PERSONAS),
        answers_in("mods", 1).only_on(&[Platform::Telegram], NO_PERSONAS),
        says("Olivia", "all of us"),
        answers(1).only_on(NOT_TELEGRAM, NO_PERSONAS),
        answers(1).only_on(&[Platform::Telegram], NO_PERSONAS),
        forbids(Right::Speak("mods")).only_on(&[Platform::Telegram], "a webhook of Discord's speaks wherever it is"),
        says("Alice", "and now?"),
        answers_in("mods", 1).only_on(NOT_TELEGRAM, "on Telegram the bot was thrown out there"),
    ],
    ..WITH_MODERATORS
};
