//! A slow script delays the others of its worker by one of its events, not by all of them.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use palabre_platform::Receipt;
use palabre_sim::Sim;
use support::{Harness, script};

const EVENTS: usize = 30;
/// About 10 ms for each event on today's machines; the exact time does not matter.
const SLOW: &str = "function on_message(event)
    if event.text ~= 'burn' then return end
    local n = 0
    for i = 1, 1000000 do n += i end
    event:reply('burnt')
end";
const QUICK: &str = "command('roll', {}, function(event) event:reply('rolled') end)
    route('GET', '/now', function() return { status = 200, text = 'now' } end)";

async fn burning() -> (Harness, Vec<Receipt>) {
    let mut quick = script("quick", QUICK);
    quick.grants = vec!["routes".into()];
    // On a busy machine the same work takes a multiple of its CPU time.
    let mut slow = script("slow", SLOW);
    slow.limits.cpu_ms = 10_000;
    let harness = Harness::on_one_worker(Sim::new("sim"), vec![slow, quick]).await;
    let alice = harness.sim.person("alice", "general");
    let mut receipts = Vec::new();
    for _ in 0..EVENTS {
        receipts.push(alice.say("burn").await.unwrap().1);
    }
    (harness, receipts)
}

async fn finish(harness: Harness, receipts: Vec<Receipt>) -> Vec<String> {
    for receipt in receipts {
        receipt.await.unwrap();
    }
    harness.engine.when_idle().await;
    let replies = harness.replies();
    for script in harness.engine.status().scripts {
        assert_eq!(script.last_error, None, "{}", script.name);
    }
    harness.engine.shutdown().await;
    replies
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_of_another_script_comes_before_what_a_slow_one_has_still_to_do() {
    let (harness, mut receipts) = burning().await;
    receipts.push(harness.sim.person("bob", "general").say("/roll").await.unwrap().1);
    let replies = finish(harness, receipts).await;
    assert_eq!(replies.len(), EVENTS + 1);
    let rolled = replies.iter().position(|reply| reply == "rolled").unwrap();
    assert!(rolled < EVENTS / 2, "the roll came after {rolled} of {EVENTS} slow answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_another_script_comes_before_what_a_slow_one_has_still_to_do() {
    let (harness, receipts) = burning().await;
    let (name, route) = harness.engine.routes().remove(0);
    let request = serde_json::json!({ "method": "GET", "path": "/now" });
    let answer = harness.engine.request(&name, &route, request).await.unwrap();
    let burnt = harness.replies().len();
    assert!(answer.to_string().contains("now"), "{answer}");
    assert!(burnt < EVENTS / 2, "the answer came after {burnt} of {EVENTS} slow ones");
    assert_eq!(finish(harness, receipts).await.len(), EVENTS);
}
