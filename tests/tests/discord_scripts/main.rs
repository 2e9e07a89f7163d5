//! The scripts that ship, on the room service and on Discord: the same conversation, and the same transcript. Each is kept as a
//! snapshot to be read.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "a test that cannot go on says so, and how far it came"
)]

mod games;
mod money;
mod on_discord;
mod on_rooms;
mod order;
mod scenario;
mod services;
mod stage;
mod talk;
mod town;

use regex::Regex;

use on_discord::OnDiscord;
use on_rooms::OnRooms;
use scenario::{Platform, Scenario};
use stage::play;
use town::Town;

/// The lines of each step.
type Transcript = Vec<Vec<String>>;

/// One test for each scenario, and one snapshot by its name.
macro_rules! transcripts {
    ($($(#[$attribute:meta])* $name:ident = $scenario:expr;)+) => {
        $(
            $(#[$attribute])*
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                reads_the_same_everywhere(stringify!($name), &$scenario).await;
            }
        )+
    };
}

transcripts! {
    automod = order::AUTOMOD;
    automod_ahead = order::AUTOMOD_AHEAD;
    dice = games::DICE;
    economy = money::ECONOMY;
    feed = services::FEED;
    guess = games::GUESS;
    hello = talk::HELLO;
    karma = talk::KARMA;
    karma_by_mention = talk::KARMA_BY_MENTION;
    levels = talk::LEVELS;
    levels_of_a_stranger = talk::LEVELS_OF_A_STRANGER;
    moderation = order::MODERATION;
    moderation_of_a_room = order::MODERATION_OF_A_ROOM;
    moderation_unbans = order::MODERATION_UNBANS;
    moderation_unlocks = order::MODERATION_UNLOCKS;
    poll = games::POLL;
    quotes = talk::QUOTES;
    reminder = services::REMINDER;
    report = order::REPORT;
    shop = money::SHOP;
    standup = services::STANDUP;
    status = services::STATUS;
    trivia = games::TRIVIA;
    welcome = talk::WELCOME;
    word_filter = order::WORD_FILTER;
}

async fn reads_the_same_everywhere(name: &str, scenario: &Scenario) {
    let Some((rooms, discord)) = played(scenario).await else { return };
    let shared = |transcript: &Transcript| {
        let steps = scenario.steps.iter().zip(transcript).filter(|(step, _)| step.only.is_none());
        steps.flat_map(|(_, lines)| lines.clone()).collect::<Vec<_>>().join("\n")
    };
    let (on_rooms, on_discord) = (shared(&rooms), shared(&discord));
    assert!(on_rooms == on_discord, "in the rooms:\n{on_rooms}\n\non Discord:\n{on_discord}");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, shown(scenario, &rooms, &discord));
    });
}

/// The transcripts of the rooms and of Discord, with marks for what is random.
async fn played(scenario: &Scenario) -> Option<(Transcript, Transcript)> {
    let town = Town::start(scenario, Platform::Rooms).await?;
    let (rooms, discord) = if scenario.apart.is_some() {
        let rooms = in_the_rooms(&town, scenario).await;
        let other = Town::start(scenario, Platform::Discord).await?;
        let discord = on_discord(&other, scenario).await;
        other.ends_well().await;
        (rooms, discord)
    } else {
        tokio::join!(in_the_rooms(&town, scenario), on_discord(&town, scenario))
    };
    town.ends_well().await;
    Some((marked(scenario, rooms), marked(scenario, discord)))
}

async fn in_the_rooms(town: &Town, scenario: &Scenario) -> Transcript {
    let mut stage = OnRooms::with(&town.daemon.address, scenario.cast).await;
    play(&mut stage, town, scenario.steps).await
}

async fn on_discord(town: &Town, scenario: &Scenario) -> Transcript {
    let mut stage = OnDiscord::with(&town.discord, scenario.cast);
    play(&mut stage, town, scenario.steps).await
}

fn marked(scenario: &Scenario, mut transcript: Transcript) -> Transcript {
    let marks: Vec<_> = scenario.marks.iter().map(|(what, mark)| (Regex::new(what).unwrap(), *mark)).collect();
    for line in transcript.iter_mut().flatten() {
        for (what, mark) in &marks {
            *line = what.replace_all(line, *mark).into_owned();
        }
    }
    transcript
}

/// The conversation as people read it, with what is of one platform alone marked as such.
fn shown(scenario: &Scenario, rooms: &Transcript, discord: &Transcript) -> String {
    let mut lines: Vec<String> = Vec::new();
    lines.extend((!scenario.note.is_empty()).then(|| format!("({})\n", scenario.note)));
    for (index, step) in scenario.steps.iter().enumerate() {
        match step.only {
            None => lines.extend(rooms[index].clone()),
            Some((platform, why)) => {
                let played = if platform == Platform::Rooms { rooms } else { discord };
                lines.extend(played[index].iter().map(|line| format!("{line}    ({platform:?} only: {why})")));
            }
        }
    }
    lines.join("\n")
}
