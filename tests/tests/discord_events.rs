//! Events from Discord: every kind of message and action as scripts receive it.
//!
//! It also sends frames that Discord never sends, which must not cause a crash.
//! `PALABRE_FUZZ_SECONDS=600` makes that part take longer.

#![allow(clippy::unwrap_used, dead_code, unreachable_pub, missing_docs, reason = "a test that cannot continue panics")]

mod discord_client;

use std::time::{Duration, Instant};

use discord_client::{Bot, quick};
use palabre_discord::Frames;
use palabre_tests::discord::{Options, StandIn};
use palabre_tests::mutate;
use palabre_types::{Bot as Named, Event};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use twilight_gateway::Intents;

fn reader() -> Frames {
    Frames::new(Named { name: "guild".into(), platform: "discord".into() }, false)
}

/// Returns all frames of a day in the Village.
async fn frames(options: Options) -> Option<Vec<(String, Value)>> {
    let mut bot = Bot::start(options, Intents::all()).await?;
    let mut frames = Vec::new();
    let mut keep = |text: &str| {
        let frame: Value = serde_json::from_str(text).unwrap();
        let name = frame["t"].as_str().unwrap_or_default().to_owned();
        if !name.is_empty() {
            frames.push((name.clone(), frame["d"].clone()));
        }
        (name, frame["d"]["name"] == "the end")
    };
    while keep(&bot.next().await).0 != "GUILD_CREATE" {}
    a_day(&bot.stand_in);
    bot.stand_in.add_channel("the end", 0);
    while !keep(&bot.next().await).1 {}
    Some(frames)
}

fn a_day(discord: &StandIn) {
    let first = discord.says("alice", "general", "hello **all**");
    discord.replies("bob", first, "hi");
    discord.forwards("bob", first, "random");
    let answers = json!([{ "poll_media": { "text": "yes" } }, { "poll_media": { "text": "no" } }]);
    let poll = json!({ "question": { "text": "Tea?" }, "answers": answers, "duration": 1 });
    let poll = discord.posts("alice", "general", json!({ "poll": poll }));
    discord.votes("bob", poll, 1);
    let embed = json!({
        "title": "News", "description": "*big*", "color": 255, "url": "https://news.example",
        "fields": [{ "name": "a", "value": "1", "inline": true }],
    });
    discord.posts("alice", "general", json!({ "embeds": [embed] }));
    let files: [(&str, &str, &[u8]); 2] = [("a.png", "image/png", b"x"), ("b.txt", "text/plain", b"yy")];
    discord.posts_files("alice", "general", json!({ "content": "look" }), &files);
    discord.posts("alice", "general", json!({ "sticker_ids": [discord.sticker("wave").to_string()] }));
    discord.sends_direct("alice", "psst");
    discord.webhook_says("weather", "general", "it rains");
    discord.system_message("alice", "general", 8);
    discord.edits(first, "hello again");
    discord.unfurls(first, json!({ "url": "https://news.example", "title": "News" }));
    discord.reacts("alice", first, "👍");
    discord.reacts("bob", first, "tree");
    discord.unreacts("alice", first, "👍");
    discord.types("alice", "general");
    discord.pins("alice", first);
    discord.unpins("alice", first);
    let thread = discord.opens_thread("alice", "general", "aside").to_string();
    discord.says("bob", &thread, "in a thread");
    discord.posts_in_forum("alice", "ideas", "An idea", "a bench under the tree");
    let doomed = [0; 3].map(|_| discord.says("alice", "general", "away"));
    discord.deletes(doomed[0]);
    discord.purges("olivia", "general", &doomed[1..]);
    discord.appears("alice", "idle", json!([]));
    discord.appears("alice", "offline", json!([]));
    discord.goes_to_voice("bob", Some("voice"));
    discord.goes_to_voice("bob", None);
    discord.invites("alice", "general");
    discord.joins("carol");
    discord.renames("olivia", "carol", Some("Caz"));
    discord.gives_role("olivia", "carol", "Moderator");
    discord.times_out("olivia", "bob", Duration::from_secs(600), Some("flood"));
    discord.kicks("olivia", "carol", Some("enough"));
    discord.joins("dave");
    discord.bans("olivia", "dave", Some("spam"));
    discord.unbans("olivia", "dave");
    discord.leaves("bob");
    discord.changes_channel("olivia", "random", json!({ "topic": "anything", "name": "chance" }));
    discord.removes_channel("chance");
    discord.add_role("Guest", &[], false);
}

/// Formats an event as one line, without ids and times, which differ each time.
fn shown(event: &Event) -> String {
    let mut kind = serde_json::to_value(&event.kind).unwrap();
    let (name, mut fields) = match kind.as_object_mut().and_then(|map| map.iter_mut().next()) {
        Some((name, fields)) => (name.clone(), fields.take()),
        None => (kind.as_str().unwrap_or_default().to_owned(), Value::Null),
    };
    if name == "native" {
        fields = fields["name"].take();
    }
    let text = serde_json::to_string(&fields).unwrap();
    let ids = regex::Regex::new(r#"\d{15,}|"time":\d+,?|https?://[^"/]+/attachments/[^"]*|"code":"[^"]+""#).unwrap();
    let place = [
        event.space.as_ref().map(|space| space.name.clone()),
        event.room.as_ref().map(|room| format!("{} ({:?})", room.name, room.kind).to_lowercase()),
    ];
    let place = place.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let who = event.user.as_ref().map_or(String::new(), |user| user.name.clone());
    let roles = event
        .member
        .as_ref()
        .map_or(String::new(), |member| format!("{} {:?}", member.roles.join("+"), member.permission));
    format!("{name} [{place}] {who} <{roles}> {}", ids.replace_all(&text, "…"))
}

#[tokio::test]
async fn every_happening_is_an_event() {
    let Some(frames) = frames(Options { roughness: 0.0, ..quick() }).await else { return };
    let reader = reader();
    let events = frames.into_iter().flat_map(|(name, data)| reader.read(&name, data, 1_700_000_000_000));
    insta::assert_snapshot!(events.map(|event| shown(&event)).collect::<Vec<_>>().join("\n"));
}

#[tokio::test]
async fn missing_and_unknown_fields_do_not_change_events() {
    let Some(plain) = frames(Options { roughness: 0.0, ..quick() }).await else { return };
    let kinds = |frames: Vec<(String, Value)>| {
        let reader = reader();
        let events = frames.into_iter().flat_map(move |(name, data)| reader.read(&name, data, 1_700_000_000_000));
        events.map(|event| event.kind.name()).collect::<Vec<_>>()
    };
    let plain = kinds(plain);
    for seed in 1..6 {
        let rough = frames(Options { roughness: 0.8, seed, ..quick() }).await.unwrap();
        let mut rough = kinds(rough);
        // The audit log entry comes before or after its action, at random.
        let mut plain = plain.clone();
        rough.sort();
        plain.sort();
        assert_eq!(rough, plain, "seed {seed}");
    }
}

#[tokio::test]
async fn a_server_that_was_left_meanwhile_is_forgotten() {
    let Some(frames) = frames(quick()).await else { return };
    let reader = reader();
    let (mut ready, mut message) = (Value::Null, Value::Null);
    for (name, data) in frames {
        match name.as_str() {
            "READY" => ready = data.clone(),
            "MESSAGE_CREATE" if message.is_null() => message = data.clone(),
            _ => {}
        }
        let _events = reader.read(&name, data, 0);
    }
    let place =
        |reader: &Frames| reader.read("MESSAGE_CREATE", message.clone(), 0)[0].space.clone().unwrap().name.clone();
    assert_eq!(place(&reader), "Village");
    ready["guilds"] = json!([]);
    assert_eq!(reader.read("READY", ready, 0).len(), 1);
    assert_eq!(place(&reader), "");
}

#[tokio::test]
async fn frames_that_no_discord_sends_are_no_reason_to_fall_over() {
    let seconds = std::env::var("PALABRE_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let Some(frames) = frames(quick()).await else { return };
    let (reader, mut random) = (reader(), StdRng::seed_from_u64(seconds));
    let (began, mut read, mut events) = (Instant::now(), 0_u64, 0_usize);
    while began.elapsed() < Duration::from_secs(seconds) {
        let (name, data) = &frames[random.random_range(0..frames.len())];
        let (_, other) = &frames[random.random_range(0..frames.len())];
        let mut data = data.clone();
        for _ in 0..random.random_range(0..6) {
            mutate(&mut data, other, &mut random);
        }
        events += reader.read(name, data, random.random_range(0..u64::MAX)).len();
        read += 1;
    }
    println!("{read} frames, {events} events in {seconds} s");
    assert!(events > 0);
}
