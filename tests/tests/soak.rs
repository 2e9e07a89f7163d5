//! All shipped scripts in one daemon with many users, while a script is saved again and again.
//!
//! Nothing fails, no reply is lost or repeated, and memory does not grow. `PALABRE_SOAK_SECONDS` is
//! the duration (default 12), `PALABRE_SOAK_PEOPLE` the number of users.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use palabre_tests::{Client, Daemon, Project};
use tokio::task::JoinSet;

/// Answers every message of its kind once with its token, so that losses and repetitions are seen.
const ECHO: &str = r#"
function on_message(event)
  local token = string.match(event.text, "^token (%S+)$")
  if token then event:reply("heard " .. token) end
end
"#;

const SAVED_EVERY: Duration = Duration::from_secs(10);

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Returns the resident memory of a process, in MiB (`VmRSS` of `/proc/PID/status`).
fn memory(daemon: &Daemon) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap() / 1_024.0
}

#[derive(Default)]
struct Counts {
    tokens: AtomicU64,
    others: AtomicU64,
}

#[tokio::test(flavor = "multi_thread")]
async fn all_shipped_scripts_together_under_a_mixed_load_lose_and_double_nothing() {
    let (seconds, people) = (number("PALABRE_SOAK_SECONDS", 12), number("PALABRE_SOAK_PEOPLE", 40));
    let project = Project::shipped();
    project.write_script("echo.luau", ECHO);
    let daemon = project.start().await;
    let end = Instant::now() + Duration::from_secs(seconds);
    let counts = Arc::new(Counts::default());
    let mut talks = JoinSet::new();
    for person in 0..people {
        talks.spawn(talk(daemon.address.clone(), person, end, Arc::clone(&counts)));
    }
    // There is always some talk between two reloads, however short the run.
    let pause = SAVED_EVERY.min(Duration::from_secs(seconds) / 4);
    let (mut saves, mut samples) = (0_u64, Vec::new());
    let began = Instant::now();
    while Instant::now() + pause < end {
        // The length of the test is its purpose.
        tokio::time::sleep(pause).await;
        saves += 1;
        project.write_script("echo.luau", &format!("{ECHO}\n-- saved {saves} times\n"));
        samples.push((began.elapsed().as_secs(), memory(&daemon)));
    }
    while let Some(ended) = talks.join_next().await {
        ended.unwrap();
    }
    let log = project.log();
    let wrong: Vec<_> = log.lines().filter(|line| line.contains(" WARN ") || line.contains(" ERROR ")).collect();
    let reloads = log.matches("reloaded").count() as u64;
    // After a quarter, everything has been used once; from then on memory may not grow.
    let baseline = samples[samples.len() / 4].1;
    let last = samples.last().unwrap().1;
    let shown: Vec<_> =
        samples.iter().step_by((samples.len() / 12).max(1)).map(|(s, mb)| format!("{s} s: {mb:.0}")).collect();
    eprintln!(
        "{seconds} s, {people} people: {} tokens answered once each, {} other messages, {reloads} reloads; \
         memory in MiB {}",
        counts.tokens.load(Relaxed),
        counts.others.load(Relaxed),
        shown.join(", ")
    );
    assert!(wrong.is_empty(), "{} lines, the first: {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    assert_eq!(reloads, saves, "each save was taken up");
    assert!(counts.tokens.load(Relaxed) > people, "there was little talk");
    assert!(seconds < 600 || last < baseline * 1.15 + 4.0, "memory grew from {baseline:.0} to {last:.0} MiB");
    assert!(daemon.stop().await);
    let (code, out, _) = project.run(&["check"]);
    assert!(out.contains("0 dead letters"), "{code:?} {out}");
}

/// The talk of one user: tokens, each answered once before the next, and various commands between them.
async fn talk(address: String, person: u64, end: Instant, counts: Arc<Counts>) {
    let name = format!("person{person}");
    let room = ["general", "random", "tech", "games"][person as usize % 4];
    let (mut client, _) = Client::enter(&address, &name, room).await.unwrap();
    let mut turn = 0_u64;
    while Instant::now() < end {
        turn += 1;
        let token = format!("{person}-{turn}");
        client.say(&format!("token {token}"), &format!("m{turn}")).await.unwrap();
        client.hears(&format!("heard {token}")).await.unwrap();
        counts.tokens.fetch_add(1, Relaxed);
        // Commands that do not accumulate data, which would show in the memory.
        let other = match (person + turn) % 12 {
            0 => "/roll 20".to_owned(),
            1 => format!("person{}++ thanks", (person + 1) % 40),
            2 => "/rank".to_owned(),
            3 => "/leaderboard".to_owned(),
            4 => format!("/remind 1m turn {turn}"),
            5 => "good morning, what a day".to_owned(),
            6 => "/balance".to_owned(),
            7 => "/help".to_owned(),
            8 if turn < 60 => format!("/quote add words number {turn} of {name}"),
            9 => "/quote random".to_owned(),
            10 => "hello".to_owned(),
            _ => format!("something about {turn} that nobody listens for, with a é and a 🎉"),
        };
        client.say(&other, &format!("o{turn}")).await.unwrap();
        counts.others.fetch_add(1, Relaxed);
        // Pauses as users do (automod would act on faster ones), and reads the others' messages. A
        // token that comes again is an error.
        let until = Instant::now() + Duration::from_millis(3_000 + (person * 37 + turn * 101) % 2_000);
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            match tokio::time::timeout(left, client.wait("new_message")).await {
                Ok(Ok(message)) => {
                    let text = message["message"].as_str().unwrap_or_default();
                    assert!(!text.ends_with(&format!("heard {token}")), "answered twice: {text}");
                }
                Ok(Err(error)) => panic!("{name}: {error:?}"),
                Err(_) => break,
            }
        }
    }
}
