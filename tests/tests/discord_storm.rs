//! Discord under stress: connections are cut, a fifth of calls fail, and the daemon is killed.
//!
//! `PALABRE_KILLS=200 cargo test -p palabre-tests --test discord_storm -- --nocapture` is the long
//! version.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a test that cannot continue panics, and a long one reports its progress"
)]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use palabre_engine::stored_values;
use palabre_store::Store;
use palabre_tests::Project;
use palabre_tests::discord::{Cut, Limit, Limits, Options, StandIn};
use rand::RngExt;

/// The maximum time until everything is answered after the faults end.
const WAIT_MAX: Duration = Duration::from_secs(120);
const CHANNELS: [&str; 4] = ["general", "random", "news", "games"];
const SCRIPT: &str = r#"
function on_message(event)
  store.incr("count")
  event:reply("reply to " .. event.text)
end
"#;

fn bots(discord: &StandIn) -> String {
    let (api, token) = (discord.api(), discord.token());
    format!("bots: {{ guild: {{ platform: discord, token: \"{token}\", api: \"{api}\" }} }}\n")
}

async fn set_up(options: Options) -> Option<(StandIn, Project)> {
    let discord = StandIn::start_with(options).await?;
    for channel in &CHANNELS[2..] {
        discord.add_channel(channel, 0);
    }
    let project = Project::new(&bots(&discord), &[("counter.luau", SCRIPT)]);
    Some((discord, project))
}

/// Checks that every message was counted once and answered once.
async fn all_is_answered(discord: &StandIn, said: usize, project: &Project) {
    let answers = |discord: &StandIn| CHANNELS.iter().map(|channel| discord.posted(channel).len()).sum::<usize>();
    // A bot may post forty messages per second.
    let timeout = WAIT_MAX + Duration::from_millis(30 * said as u64);
    let answered =
        discord.until_within(timeout, "every message is answered", |discord| (answers(discord) >= said).then_some(()));
    answered.await;
    let mut replies = HashMap::new();
    for channel in CHANNELS {
        // Uses the original texts: the channel drops its oldest messages.
        for post in discord.posted(channel) {
            *replies.entry(post.body["content"].as_str().unwrap_or_default().to_owned()).or_insert(0) += 1;
        }
    }
    let wrong: Vec<_> = replies.iter().filter(|(_, count)| **count != 1).collect();
    assert!(wrong.is_empty(), "answered more than once: {wrong:?}\n{}", project.log());
    assert_eq!(replies.len(), said, "{}", project.log());
    assert_eq!(format!("{:#?}", discord.violations()), "[]");
}

fn counted(project: &Project) -> u64 {
    let store = Store::open(&project.path().join("data")).unwrap();
    let snapshot = store.snapshot(0).unwrap();
    let values: HashMap<_, _> = stored_values(&snapshot, &"counter".into(), "").unwrap().map(Result::unwrap).collect();
    values["count"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_messages_through_a_storm_are_each_answered_once() {
    let mut limits = Limits::default();
    limits.named.insert("create_message", Limit::new(5, 600));
    let options = Options { heartbeat: Duration::from_secs(2), limits, seed: 7, ..Options::default() };
    let Some((discord, project)) = set_up(options).await else { return };
    let daemon = project.start().await;
    discord.identified(1).await;
    discord.faults(0.2);
    let mut random = palabre_tests::random();
    let (mut said, began) = (0, Instant::now());
    for round in 0..20 {
        for _ in 0..50 {
            let who = if random.random_bool(0.5) { "alice" } else { "bob" };
            let channel = CHANNELS[random.random_range(0..CHANNELS.len())];
            discord.says(who, channel, &format!("message {said}"));
            said += 1;
            // Load in real time, for a real process.
            tokio::time::sleep(Duration::from_millis(random.random_range(0..12))).await;
        }
        discord.cut(match round % 5 {
            0 => Cut::Clean,
            1 => Cut::Dirty,
            2 => Cut::Reconnect,
            3 => Cut::InvalidSession { resumable: true },
            _ => Cut::Silence,
        });
    }
    all_is_answered(&discord, said, &project).await;
    let counters = discord.counters();
    println!(
        "{said} messages, 20 cuts, {} connections, {} resumes, {} calls that went wrong, {} overruns, in {:.1?}",
        counters.connections,
        counters.resumes,
        counters.faults,
        counters.overruns,
        began.elapsed()
    );
    assert_eq!(counters.overruns, 0, "no bucket is overrun");
    assert_eq!(counters.identifies, 1, "every session is resumed");
    discord.faults(0.0);
    assert!(daemon.stop().await);
    assert_eq!(counted(&project), said as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_daemon_on_discord_loses_and_repeats_nothing() {
    let kills: usize = std::env::var("PALABRE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(10);
    let options = Options { limits: Limits::none(), seed: 11, session_frames: 200_000, ..Options::default() };
    let Some((discord, project)) = set_up(options).await else { return };
    let mut random = palabre_tests::random();
    let (mut said, began) = (0, Instant::now());
    for _ in 0..kills {
        let daemon = project.start().await;
        discord.identified(1).await;
        let until = Instant::now() + Duration::from_millis(random.random_range(20..400));
        while Instant::now() < until {
            let channel = CHANNELS[random.random_range(0..CHANNELS.len())];
            discord.says("alice", channel, &format!("message {said}"));
            said += 1;
            // Load in real time, for a real process.
            tokio::time::sleep(Duration::from_millis(random.random_range(0..6))).await;
        }
        daemon.kill().await;
    }
    let daemon = project.start().await;
    all_is_answered(&discord, said, &project).await;
    assert!(daemon.stop().await);
    assert_eq!(counted(&project), said as u64);
    assert_eq!(discord.counters().identifies, 1);
    let (code, out, _) = project.run(&["check"]);
    assert_eq!(code, Some(0), "{out}");
    println!("{kills} kills on Discord, {said} messages counted and answered once, in {:.1?}", began.elapsed());
}
