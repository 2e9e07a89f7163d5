//! Events from Telegram: every kind of message and action as scripts receive it.
//!
//! It also sends updates that Telegram never sends, which must not cause a crash.
//! `PALABRE_FUZZ_SECONDS=600` makes that part take longer.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot continue panics, and a long one reports its progress"
)]

#[path = "telegram_stand_in/bot.rs"]
mod bot;
mod telegram_day;

use std::time::{Duration, Instant};

use bot::{Bot, quick};
use palabre_telegram::Updates;
use palabre_tests::mutate;
use palabre_tests::telegram::{Options, StandIn};
use palabre_types::{Bot as Named, Event, EventName};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

const NOW: u64 = 1_700_000_000_000;

fn reader(telegram: &StandIn) -> Updates {
    let bot = Named { name: "tg".into(), platform: "telegram".into() };
    Updates::new(&bot, telegram.bot(), "palabre_bot")
}

/// Returns all updates of a day in the Village, with the stand-in that sent them.
async fn updates(options: Options) -> Option<(StandIn, Vec<Value>)> {
    let mut bot = Bot::start_with(options).await?;
    bot.asks_for_all().await;
    let (chat, options) = (bot.stand_in.chat("Village"), json!([{ "text": "yes" }, { "text": "no" }]));
    let poll = json!({ "chat_id": chat, "question": "Tea?", "options": options, "is_anonymous": false });
    bot.ok("sendPoll", poll).await;
    telegram_day::begins(&bot.stand_in);
    bot.stand_in.raw(json!({ "the_end": true }));
    let mut all = Vec::new();
    while all.last().is_none_or(|last: &Value| last["the_end"] != true) {
        all.extend(bot.updates().await);
    }
    all.pop();
    Some((bot.stand_in, all))
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
    let ids = regex::Regex::new(r#"-?\d{7,}|"time":\d+,?|telegram:[\w-]+|t\.me/\+[\w-]+"#).unwrap();
    let place = [
        event.space.as_ref().map(|space| space.name.clone()),
        event.room.as_ref().map(|room| format!("{} ({:?})", room.name, room.kind).to_lowercase()),
    ];
    let place = place.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let who = event.user.as_ref().map_or(String::new(), |user| user.name.clone());
    let roles = event.member.as_ref().map_or(String::new(), |member| {
        let muted = if member.muted { " muted" } else { "" };
        format!("{} {:?}{muted}", member.roles.join("+"), member.permission)
    });
    format!("{name} [{place}] {who} <{roles}> {}", ids.replace_all(&text, "…"))
}

#[tokio::test]
async fn every_happening_is_an_event() {
    let Some((telegram, updates)) = updates(quick()).await else { return };
    assert_eq!(telegram.own_misfits(), Vec::<String>::new());
    let reader = reader(&telegram);
    let mut lines = Vec::new();
    for update in &updates {
        let events = reader.read(update, NOW);
        if events.is_empty() {
            let kind = update.as_object().unwrap().keys().find(|key| *key != "update_id").unwrap();
            lines.push(format!("nothing for {kind}"));
        }
        lines.extend(events.iter().map(shown));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn fields_that_nobody_knows_make_no_event_another() {
    let Some((telegram, plain)) = updates(quick()).await else { return };
    let names = |telegram: &StandIn, updates: &[Value]| -> Vec<EventName> {
        let reader = reader(telegram);
        updates.iter().flat_map(|update| reader.read(update, NOW)).map(|event| event.kind.name()).collect()
    };
    let plain = names(&telegram, &plain);
    for seed in 1..6 {
        let (telegram, rough) =
            updates(Options { roughness: 0.8, seed, check_answers: false, ..quick() }).await.unwrap();
        assert_eq!(names(&telegram, &rough), plain, "seed {seed}");
    }
}

#[tokio::test]
async fn updates_that_no_telegram_sends_are_no_reason_to_fall_over() {
    let seconds = std::env::var("PALABRE_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let Some((telegram, updates)) = updates(quick()).await else { return };
    let (mut reader_now, mut random) = (reader(&telegram), StdRng::seed_from_u64(seconds));
    let (began, mut read, mut events) = (Instant::now(), 0_u64, 0_usize);
    while began.elapsed() < Duration::from_secs(seconds) {
        let mut update = updates[random.random_range(0..updates.len())].clone();
        let other = &updates[random.random_range(0..updates.len())];
        for _ in 0..random.random_range(0..6) {
            mutate(&mut update, other, &mut random);
        }
        if random.random_bool(0.1) {
            disturb_entities(&mut update, &mut random);
        }
        events += reader_now.read(&update, random.random_range(0..u64::MAX)).len();
        read += 1;
        if read % 20_000 == 0 {
            reader_now = reader(&telegram);
        }
    }
    println!("{read} updates, {events} events in {seconds} s");
    assert!(events > 0);
    // Afterwards it still decodes ordinary updates.
    let message = updates.iter().find(|update| update["message"]["text"].is_string()).unwrap();
    assert_eq!(reader_now.read(message, NOW).len(), 1);
}

/// Adds entities that are out of range, that overlap, or that begin within a character.
fn disturb_entities(update: &mut Value, random: &mut StdRng) {
    let kinds = ["bold", "italic", "code", "pre", "text_link", "text_mention", "bot_command", "spoiler", "blockquote"];
    let entity = |random: &mut StdRng| {
        let kind = kinds[random.random_range(0..kinds.len())];
        let (offset, length) = (random.random_range(-3..30_i64), random.random_range(-3..30_i64));
        json!({ "type": kind, "offset": offset, "length": length, "url": "https://a.example/)]*", "user": { "id": 5 } })
    };
    let entities: Vec<Value> = (0..random.random_range(0..12)).map(|_| entity(random)).collect();
    let message = json!({
        "message_id": 1, "date": 1, "chat": { "id": -5, "type": "group", "title": "G" },
        "from": { "id": 7, "first_name": "A" },
        "text": "/a@palabre_bot 👩‍👩‍👧‍👦 *x* `y` \u{202e}[z](w)\n> q 💥", "entities": entities,
    });
    *update = json!({ "update_id": 1, "message": message });
}
