//! Telegram under stress: cut connections, failing calls, a killed daemon, rate limits, a rival.
//!
//! `PALABRE_KILLS=200 cargo test -p palabre-tests --test telegram_storm -- --nocapture` is the long
//! version; `PALABRE_PACE=telegram` uses Telegram's real rate limits, which takes minutes.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a test that cannot continue panics, and a long one reports its progress"
)]

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use palabre_engine::stored_values;
use palabre_store::Store;
use palabre_tests::Project;
use palabre_tests::telegram::{Fault, Limit, Limits, Options, StandIn};
use rand::RngExt;
use rand::rngs::StdRng;

/// The maximum time until everything is answered after the faults end.
const WAIT_MAX: Duration = Duration::from_secs(110);
const CHATS: [&str; 8] = ["Village", "Hamlet", "Forum/General", "Forum/ideas", "@alice", "Mill", "Inn", "Square"];
/// The maximum number of answers in one chat whose delivery may not be recorded yet.
///
/// These are the answers of a few milliseconds.
const IN_FLIGHT_MAX: usize = 8;
/// Answers with the messages of each room in the order of handling.
const SCRIPT: &str = r#"
function on_message(event)
  store.incr("count")
  store.set(event.room.id, (store.get(event.room.id) or "") .. event.text .. ";")
  event:reply("reply to " .. event.text)
end
"#;
/// Like the other script, but rather loses an answer than to repeat it.
const AT_MOST_ONCE: &str = r#"
function on_message(event)
  store.incr("count")
  event:reply{ text = "reply to " .. event.text, delivery = "at_most_once" }
end
function on_error(event)
  if string.find(event.error.message, "may or may not have been sent") then store.incr("told") end
end
"#;
const UNPACED: &str = "{ per_second: 10000, per_second_in_chat: 10000, per_minute_in_group: 100000 }";
/// The faults after which nothing was performed.
const HARMLESS: [Fault; 4] = [Fault::TooMany, Fault::Broken, Fault::BadGateway, Fault::CutBefore];

fn bots(telegram: &StandIn, pace: &str) -> String {
    let (api, token) = (telegram.api(), telegram.token());
    format!(
        "bots: {{ tg: {{ platform: telegram, token: \"{token}\", api: \"{api}\", telegram: {{ pace: {pace} }} }} }}\n"
    )
}

async fn set_up(seed: u64, script: &str) -> Option<(StandIn, Project)> {
    let telegram = StandIn::start_with(Options { limits: Limits::none(), seed, ..Options::default() }).await?;
    for title in &CHATS[5..] {
        telegram.add_supergroup(title);
    }
    let project = Project::new(&bots(&telegram, UNPACED), &[("counter.luau", script)]);
    Some((telegram, project))
}

/// The messages of users by chat.
struct Said {
    random: StdRng,
    by_chat: HashMap<&'static str, Vec<String>>,
    count: usize,
}

impl Said {
    fn new() -> Self {
        Self { random: palabre_tests::random(), by_chat: HashMap::new(), count: 0 }
    }

    fn say(&mut self, telegram: &StandIn) {
        let chat = CHATS[self.random.random_range(0..CHATS.len())];
        let text = format!("message {}", self.count);
        telegram.says("alice", chat, &text);
        self.by_chat.entry(chat).or_default().push(text);
        self.count += 1;
    }

    /// Spreads the load, in real time for a real process.
    async fn pause(&mut self, millis_max: u64) {
        tokio::time::sleep(Duration::from_millis(self.random.random_range(0..millis_max))).await;
    }

    /// Waits until everything is answered, and returns the numbers of repetitions.
    ///
    /// The answers must be in order. Repeated ones must be the last ones before, in their order.
    async fn is_answered(&self, telegram: &StandIn, project: &Project) -> Vec<usize> {
        let all_answers = |telegram: &StandIn| {
            let all: HashSet<String> = CHATS.iter().flat_map(|chat| answers(telegram, chat)).collect();
            (all.len() >= self.count).then_some(())
        };
        telegram.until_within(WAIT_MAX, "every message is answered", all_answers).await;
        let mut repetitions = Vec::new();
        for (chat, said) in &self.by_chat {
            let mut next = 0;
            for text in answers(telegram, chat) {
                let of = said.iter().position(|one| text == format!("reply to {one}"));
                let of = of.unwrap_or_else(|| panic!("{text:?} answers nothing in {chat}"));
                assert!(of <= next, "{text:?} is ahead of {:?} in {chat}\n{}", said[next], project.log());
                repetitions.extend((of < next).then_some(next - of));
                next = of + 1;
            }
            assert_eq!(next, said.len(), "the last answer in {chat} answers the last message");
        }
        repetitions
    }

    /// Checks that every message was handled once, those of each chat in order.
    fn is_handled(&self, telegram: &StandIn, project: &Project) {
        let store = Store::open(&project.path().join("data")).unwrap();
        let snapshot = store.snapshot(0).unwrap();
        let values: HashMap<_, _> =
            stored_values(&snapshot, &"counter".into(), "").unwrap().map(Result::unwrap).collect();
        assert_eq!(values["count"].as_u64(), Some(self.count as u64));
        for (chat, said) in &self.by_chat {
            let topic = if *chat == "Forum/ideas" { format!(":{}", telegram.topic(chat)) } else { String::new() };
            let room = format!("tg/{}{topic}", telegram.chat(chat));
            let handled = values[&room].as_str().unwrap().trim_end_matches(';').split(';');
            assert_eq!(handled.collect::<Vec<_>>(), *said, "{chat}");
        }
    }
}

/// Returns all texts of the bot in a chat in order; for old ones the stand-in knows only the calls.
fn answers(telegram: &StandIn, chat: &str) -> Vec<String> {
    telegram.posted(chat).iter().map(|post| post.parameters["text"].as_str().unwrap().to_owned()).collect()
}

fn kills() -> usize {
    std::env::var("PALABRE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(20)
}

async fn is_asked(telegram: &StandIn, before: u64) {
    let asks = move |counters: &palabre_tests::telegram::Counters| polls(counters) > before;
    telegram.counts("the bot asks for updates", asks).await;
}

fn polls(counters: &palabre_tests::telegram::Counters) -> u64 {
    counters.calls.get("getUpdates").copied().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_updates_through_kills_cuts_and_faults_are_each_handled_once_in_order() {
    let Some((telegram, project)) = set_up(7, SCRIPT).await else { return };
    let (mut said, began, kills) = (Said::new(), Instant::now(), kills());
    telegram.faults(0.08);
    for _ in 0..kills {
        let before = polls(&telegram.counters());
        let daemon = project.start().await;
        is_asked(&telegram, before).await;
        let cut = said.random.random_range(0..50);
        for number in 0..50 {
            said.say(&telegram);
            said.pause(8).await;
            if number == cut {
                telegram.cut();
            }
        }
        daemon.kill().await;
    }
    let daemon = project.start().await;
    let repetitions = said.is_answered(&telegram, &project).await;
    telegram.faults(0.0);
    assert!(daemon.stop().await, "{}", project.log());
    said.is_handled(&telegram, &project);
    assert_eq!(format!("{:#?}", telegram.violations()), "[]");
    let counters = telegram.counters();
    let (times, longest) = (repetitions.len(), repetitions.iter().max().copied().unwrap_or_default());
    println!(
        "{} updates, {kills} kills, {kills} cuts, {} calls that went wrong, {} updates given again; \
         {} answers repeated on {times} occasions, at most {longest} in a row, in {:.1?}",
        said.count,
        counters.faults,
        counters.duplicates,
        repetitions.iter().sum::<usize>(),
        began.elapsed()
    );
    // Each occasion is a kill, a cut, or a lost answer; the repeated messages were then in flight.
    assert!(times as u64 <= (kills * 2 * CHATS.len()) as u64 + counters.faults, "{times} occasions");
    assert!(longest <= IN_FLIGHT_MAX, "{longest} answers of one chat came again at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_again_after_a_fault_in_which_nothing_was_done() {
    let Some((telegram, project)) = set_up(11, SCRIPT).await else { return };
    let mut said = Said::new();
    let daemon = project.start().await;
    telegram.faults_of(0.15, &HARMLESS);
    for _ in 0..300 {
        said.say(&telegram);
        said.pause(4).await;
    }
    assert_eq!(said.is_answered(&telegram, &project).await, [0; 0], "{}", project.log());
    telegram.faults(0.0);
    assert!(daemon.stop().await, "{}", project.log());
    said.is_handled(&telegram, &project);
    let counters = telegram.counters();
    assert!(counters.faults > 40 && counters.overruns == 0, "a 429 is waited for: {counters:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_sent_at_most_once_is_never_repeated_and_no_loss_is_kept_silent() {
    let Some((telegram, project)) = set_up(13, AT_MOST_ONCE).await else { return };
    let (mut said, kills) = (Said::new(), kills());
    telegram.faults(0.08);
    for _ in 0..kills {
        let before = polls(&telegram.counters());
        let daemon = project.start().await;
        is_asked(&telegram, before).await;
        for _ in 0..30 {
            said.say(&telegram);
            said.pause(8).await;
        }
        daemon.kill().await;
    }
    telegram.faults(0.0);
    let daemon = project.start().await;
    for chat in CHATS {
        // It comes after everything in its chat, whatever became of that.
        telegram.says("alice", chat, "the end");
        let is_answered =
            |telegram: &StandIn| answers(telegram, chat).contains(&"reply to the end".to_owned()).then_some(());
        telegram.until_within(WAIT_MAX, "the last message is answered", is_answered).await;
    }
    assert!(daemon.stop().await, "{}", project.log());
    let all: Vec<(&str, String)> =
        CHATS.iter().flat_map(|chat| answers(&telegram, chat).into_iter().map(move |text| (*chat, text))).collect();
    let different: HashSet<&(&str, String)> = all.iter().collect();
    assert_eq!(different.len(), all.len(), "an answer is sent twice\n{}", project.log());
    let store = Store::open(&project.path().join("data")).unwrap();
    let snapshot = store.snapshot(0).unwrap();
    let values: HashMap<_, _> = stored_values(&snapshot, &"counter".into(), "").unwrap().map(Result::unwrap).collect();
    let wanted = said.count + CHATS.len();
    assert_eq!(values["count"].as_u64(), Some(wanted as u64), "every message is handled once");
    let told = values.get("told").and_then(serde_json::Value::as_u64).unwrap_or_default();
    let lost = (wanted - all.len()) as u64;
    assert!(lost <= told, "{lost} answers are lost, and on_error is told of {told}\n{}", project.log());
    println!("{wanted} messages, {kills} kills: {lost} answers lost, {told} uncertain, none repeated");
}

/// The rate limit counts seconds and minutes, as Telegram does, but with larger numbers.
///
/// 100 messages take ten seconds. The limit per minute is tested with a virtual clock in
/// adapters/telegram/src/pace.rs, and here with `PALABRE_PACE=telegram`.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_answers_at_once_arrive_in_order_and_at_the_pace_that_is_allowed() {
    let is_real = std::env::var("PALABRE_PACE").is_ok_and(|pace| pace == "telegram");
    let quick = Limits { chat: Limit::new(12, 1_000), group: Limit::new(110, 60_000), ..Limits::default() };
    let (limits, pace) = if is_real {
        (Limits::default(), "{}")
    } else {
        (quick, "{ per_second_in_chat: 12, per_minute_in_group: 110 }")
    };
    let Some(telegram) = StandIn::start_with(Options { limits, ..Options::default() }).await else { return };
    let script = "function on_message(event) for i = 1, 100 do event.room:send(tostring(i)) end end";
    let project = Project::new(&bots(&telegram, pace), &[("crier.luau", script)]);
    let daemon = project.start().await;
    let began = Instant::now();
    // One is refused despite the rate limit: someone else may use the same token.
    telegram.fault_next("sendMessage", Fault::TooMany);
    telegram.says("alice", "Village", "go");
    let timeout = Duration::from_secs(if is_real { 360 } else { 60 });
    let all = |telegram: &StandIn| (telegram.texts("Village").len() >= 100).then_some(());
    telegram.until_within(timeout, "a hundred answers", all).await;
    assert_eq!(telegram.texts("Village"), (1..=100).map(|number| number.to_string()).collect::<Vec<_>>());
    let counters = telegram.counters();
    assert_eq!((counters.overruns, counters.hasty, counters.faults), (0, 0, 1), "no 429 except the injected one");
    assert!(daemon.stop().await, "{}", project.log());
    println!("a hundred answers in {:.1?}", began.elapsed());
}
