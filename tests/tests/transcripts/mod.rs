//! The shipped scripts must give the same transcript on the room service and on another platform.
//!
//! Each transcript is a readable snapshot. `crate::Other` is the other platform of the test.

pub(crate) mod driver;
mod execution;
pub(crate) mod fixture;
mod games;
mod money;
mod on_rooms;
mod order;
mod order_refused;
pub(crate) mod scenario;
mod services;
mod talk;

use regex::Regex;

use crate::Other;
use execution::play;
use fixture::{Fixture, OtherPlatform};
use on_rooms::OnRooms;
use scenario::{Platform, Scenario, Step};

/// The lines of each step.
type Transcript = Vec<Vec<String>>;

/// Defines one test for each scenario, with one snapshot by its name.
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
    automod_refused = order_refused::AUTOMOD_REFUSED;
    bridge = order_refused::BRIDGE;
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
    moderation_of_ranks = order_refused::RANKS;
    moderation_refused = order_refused::MODERATION_REFUSED;
    moderation_unbans = order::MODERATION_UNBANS;
    moderation_unlocks = order::MODERATION_UNLOCKS;
    poll = games::POLL;
    quotes = talk::QUOTES;
    reminder = services::REMINDER;
    report = order::REPORT;
    report_refused = order_refused::REPORT_REFUSED;
    shop = money::SHOP;
    standup = services::STANDUP;
    status = services::STATUS;
    trivia = games::TRIVIA;
    welcome = talk::WELCOME;
    word_filter = order::WORD_FILTER;
    word_filter_refused = order_refused::WORD_FILTER_REFUSED;
}

async fn reads_the_same_everywhere(name: &str, scenario: &Scenario) {
    let Some((rooms, other)) = played::<Other>(scenario).await else { return };
    let shared = |transcript: &Transcript| {
        let is_shared = |step: &Step| step.is_on(Platform::Rooms) && step.is_on(Other::PLATFORM);
        let steps = scenario.steps.iter().zip(transcript).filter(|(step, _)| is_shared(step));
        steps.flat_map(|(_, lines)| lines.clone()).collect::<Vec<_>>().join("\n")
    };
    let (on_rooms, on_other) = (shared(&rooms), shared(&other));
    assert!(on_rooms == on_other, "in the rooms:\n{on_rooms}\n\non {:?}:\n{on_other}", Other::PLATFORM);
    insta::with_settings!({
        snapshot_path => Other::SNAPSHOTS,
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, shown(scenario, &rooms, &other));
    });
}

/// Returns the transcripts of the rooms and of the other platform, with placeholders for random parts.
async fn played<P: OtherPlatform>(scenario: &Scenario) -> Option<(Transcript, Transcript)> {
    let fixture = Fixture::<P>::start(scenario, Platform::Rooms).await?;
    let (rooms, other) = if scenario.apart.is_some() {
        let rooms = in_the_rooms(&fixture, scenario).await;
        let apart = Fixture::<P>::start(scenario, P::PLATFORM).await?;
        let other = on_the_other(&apart, scenario).await;
        apart.ends_well().await;
        (rooms, other)
    } else {
        tokio::join!(in_the_rooms(&fixture, scenario), on_the_other(&fixture, scenario))
    };
    fixture.ends_well().await;
    Some((with_placeholders(scenario, rooms), with_placeholders(scenario, other)))
}

async fn in_the_rooms<P: OtherPlatform>(fixture: &Fixture<P>, scenario: &Scenario) -> Transcript {
    let mut driver = OnRooms::with(&fixture.daemon.address, scenario.cast).await;
    play(&mut driver, fixture, scenario.steps).await
}

async fn on_the_other<P: OtherPlatform>(fixture: &Fixture<P>, scenario: &Scenario) -> Transcript {
    let mut driver = fixture.other.driver(scenario.cast);
    play(&mut driver, fixture, scenario.steps).await
}

fn with_placeholders(scenario: &Scenario, mut transcript: Transcript) -> Transcript {
    for (pattern, placeholder) in scenario.placeholders {
        let pattern = Regex::new(pattern).unwrap();
        for line in transcript.iter_mut().flatten() {
            *line = pattern.replace_all(line, *placeholder).into_owned();
        }
    }
    transcript
}

/// Formats the conversation, and marks what is not the same on both platforms.
fn shown(scenario: &Scenario, rooms: &Transcript, other: &Transcript) -> String {
    let played = [(Platform::Rooms, rooms), (Other::PLATFORM, other)];
    let is_played = |platform: &Platform| played.iter().any(|(one, _)| one == platform);
    let notes = scenario.notes.iter().filter(|(platform, _)| is_played(platform));
    let mut lines: Vec<String> = notes.map(|(_, note)| format!("({note})\n")).collect();
    for (index, step) in scenario.steps.iter().enumerate() {
        let mut on = played.iter().filter(|(platform, _)| step.is_on(*platform));
        match (on.next(), on.next(), step.only) {
            (Some((platform, transcript)), None, Some((_, why))) => {
                lines.extend(transcript[index].iter().map(|line| format!("{line}    ({platform:?} only: {why})")));
            }
            (Some((_, transcript)), ..) => lines.extend(transcript[index].clone()),
            (None, ..) => {}
        }
    }
    lines.join("\n")
}
