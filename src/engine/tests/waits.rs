//! Runs that wait: for answers, for the time, and over a restart. And their limits.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::time::Duration;

use palabre_engine::ScriptSetup;
use palabre_types::Limits;
use support::{Harness, script};

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_waits_commits_what_it_has_and_others_run_meanwhile() {
    let text = r#"
        function on_message(event)
          if event.text == "slow" then
            store.set("before", 1) event:reply("waiting") sleep("1m") store.set("after", 1) event:reply("woke")
          elseif event.text == "fails" then
            event:reply("kept") sleep("1m") event:reply("dropped") error("late")
          elseif event.text == "ask" then
            local answer = event.room:ask(event.user, "how many?", { timeout = "30s" })
            event.room:send(answer and "got " .. answer or "nobody")
          else
            event:reply("quick " .. event.text)
          end
        end"#;
    let harness = Harness::new(vec![script("waits", text)]).await;
    harness.alice("slow").await;
    harness.alice("fails").await;
    harness.alice("x").await;
    assert_eq!(harness.replies(), ["waiting", "kept", "quick x"]);
    harness.advance(Duration::from_secs(61)).await;
    assert_eq!(harness.replies(), ["waiting", "kept", "quick x", "woke"]);

    harness.sim.forget();
    harness.alice("ask").await;
    harness.sim.person("bob", "general").says("9").await.unwrap();
    harness.alice("7").await;
    assert_eq!(
        harness.replies(),
        ["how many?", "quick 9", "got 7"],
        "only the asked user answers, and the answer is no message to the hook"
    );
    harness.alice("ask").await;
    harness.advance(Duration::from_secs(31)).await;
    assert_eq!(harness.replies().last().unwrap(), "nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_is_made_by_button_or_by_word() {
    let text = r#"function on_message(event)
        if event.text == "pick" then
          event.room:send("chose " .. (event.room:choose(event.user, "Which?", { "Red", "Blue" }) or "nothing"))
        end
      end"#;
    let harness = Harness::new(vec![script("choice", text)]).await;
    harness.alice("pick").await;
    let line = harness.sim.transcript().lines().last().unwrap().clone();
    assert_eq!(line.buttons.len(), 2);
    harness.sim.person("bob", "general").presses(&line.buttons[0].action, &line.id).await.unwrap();
    harness.sim.person("alice", "general").presses(&line.buttons[1].action, &line.id).await.unwrap();
    harness.engine.when_idle().await;
    assert_eq!(harness.replies().last().unwrap(), "chose Blue");
    assert!(harness.sim.transcript().lines()[1].buttons.is_empty(), "a choice that was made cannot be made again");
    harness.alice("pick").await;
    harness.alice("red").await;
    assert_eq!(harness.replies().last().unwrap(), "chose Red");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waited_over_a_restart_ends_as_interrupted() {
    let text = r#"
        function on_message(event) event:reply("asking") sleep("1h") event:reply("never") end
        function on_error(event) event.room:send(event.error.message) end"#;
    let harness = Harness::new(vec![script("waits", text)]).await;
    harness.alice("x").await;
    let harness = harness.restart(vec![script("waits", text)]).await;
    harness.until("the script is told", |harness| harness.replies().len() == 2).await;
    assert_eq!(harness.replies(), ["asking", "interrupted: the daemon was restarted while on_message waited"]);
    let harness = harness.restart(vec![script("waits", text)]).await;
    harness.alice("asks again").await;
    assert_eq!(harness.replies().len(), 3, "reported once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_takes_too_long_in_all_is_ended() {
    let text = "function on_message(event) while true do sleep('10s') end end \
                function on_error(event) event.room:send(event.error.message) end";
    let limits = Limits { wall_s: 60, ..Limits::default() };
    let harness = Harness::new(vec![ScriptSetup { limits, ..script("s", text) }]).await;
    harness.alice("x").await;
    harness.until("the end of the run", |harness| !harness.replies().is_empty()).await;
    assert!(harness.replies()[0].contains("wall time limit"), "{:?}", harness.replies());
    assert_eq!(harness.engine.status().scripts[0].waiting_runs, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_waiting_runs_are_refused_by_name() {
    let text =
        "function on_message(event) sleep('1h') end function on_error(event) event.room:send(event.error.message) end";
    let limits = Limits { concurrent_runs: 2, ..Limits::default() };
    let harness = Harness::new(vec![ScriptSetup { limits, ..script("s", text) }]).await;
    for _ in 0..3 {
        harness.alice("x").await;
    }
    assert!(harness.replies()[0].contains("run limit"), "{:?}", harness.replies());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_without_end_is_stopped_by_name() {
    let text = r#"
        function on_message() while true do sleep(0) end end
        function on_error(event) rooms.get("sim/general"):send(event.error.message) end"#;
    let mut setup = script("restless", text);
    setup.limits.waits_per_minute = 100;
    setup.grants.push("rooms".to_owned());
    let harness = Harness::new(vec![setup]).await;
    harness.alice("go").await;
    for _ in 0..200 {
        harness.advance(Duration::from_millis(1)).await;
    }
    let replies = harness.replies();
    assert!(replies.iter().any(|reply| reply.contains("limits.waits_per_minute")), "{replies:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_computes_much_over_its_waits_is_stopped_by_name() {
    let text = r#"
        function on_message() while true do for i = 1, 3e5 do end sleep("10ms") end end
        function on_error(event) rooms.get("sim/general"):send(event.error.message) end"#;
    let mut setup = script("busy", text);
    setup.limits.cpu_s_per_minute = 0;
    setup.grants.push("rooms".to_owned());
    let harness = Harness::new(vec![setup]).await;
    harness.alice("go").await;
    for _ in 0..20 {
        harness.advance(Duration::from_millis(10)).await;
    }
    let replies = harness.replies();
    assert!(replies.iter().any(|reply| reply.contains("limits.cpu_s_per_minute")), "{replies:?}");
}
