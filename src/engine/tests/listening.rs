//! Searching for patterns delays neither the message nor other scripts.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use palabre_engine::ScriptSetup;
use support::*;

const GREETS: &str = "hear('(?i)hello', function(event) event:reply('heard') end)";

fn a_and_b(length: usize) -> String {
    let mut number: u32 = 1;
    let letter = |_| {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if number >> 31 == 0 { 'a' } else { 'b' }
    };
    (0..length).map(letter).collect()
}

fn metric(harness: &Harness, script: &str) -> bool {
    let line = format!("script=\"{script}\",what=\"limit_hear_ms\"");
    harness.engine.metrics().lines().any(|known| known.contains(&line))
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_that_take_too_long_are_named_and_others_hear_on() {
    let slow =
        "for i = 1, 40 do hear('[ab]*a[ab]{' .. 300 + i .. '}c[ab]*', function(event) event:reply('slow') end) end";
    let mut slow = script("slow", slow);
    slow.limits.cpu_ms = 10_000;
    let harness = Harness::new(vec![script("greets", GREETS), slow]).await;
    harness.alice(&format!("hello {}", a_and_b(5_000))).await;
    assert_eq!(harness.replies(), ["heard"]);
    assert!(metric(&harness, "slow") && !metric(&harness, "greets"));
    // A short message matches in both scripts.
    harness.alice(&format!("hello a{}c", "ab".repeat(151))).await;
    assert_eq!(harness.replies().iter().filter(|reply| *reply == "heard").count(), 2);
    harness.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_word_lists_of_ten_scripts_are_heard_from_the_first_message_on() {
    let text = |number: usize| {
        format!(
            "local words = {{}} for i = 1, 5000 do words[i] = 'w' .. i .. 'x{number}' end
             hear({{ words = words, normalise = true }}, function(event, found) event:reply(found[1].word) end)"
        )
    };
    let scripts: Vec<ScriptSetup> = (0..10)
        .map(|number| {
            let mut setup = script(&format!("list{number}"), &text(number));
            setup.limits.cpu_ms = 10_000;
            setup
        })
        .collect();
    let harness = Harness::new(scripts).await;
    harness.alice("there is w1234x0 and W1357X9 here").await;
    let mut replies = harness.replies();
    replies.sort();
    assert_eq!(replies, ["w1234x0", "w1357x9"]);
    harness.engine.shutdown().await;
}
