//! The guarantees of the engine: hooks are transactions, in order, once.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::time::Duration;

use palabre_engine::{RunOutcome, ScriptState, journal, stored_values};
use palabre_script::Source;
use palabre_types::*;
use support::*;

const COUNTER: &str = r#"function on_message(event) event:reply(tostring(store.incr("n"))) end"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_answered_and_counted_once() {
    let harness = Harness::new(vec![script("counter", COUNTER)]).await;
    for _ in 0..3 {
        harness.alice("hello").await;
    }
    assert_eq!(harness.replies(), ["1", "2", "3"]);
    let snapshot = harness.store.snapshot(0).unwrap();
    let values: Vec<_> = stored_values(&snapshot, &"counter".into(), "").unwrap().map(Result::unwrap).collect();
    assert_eq!(values, [("n".to_owned(), 3.into())]);
    harness.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_failed_hook_is_kept_but_the_error() {
    let text = r#"
        function on_message(event)
          store.set("lost", 1) event:reply("lost") timers.set("never", "1s")
          error("boom")
        end
        function on_error(event)
          local kind, lost = event.error.event.kind, tostring(store.get("lost"))
          event.room:send(`{event.error.hook}: {event.error.message} about {kind} {lost}`)
        end"#;
    let harness = Harness::new(vec![script("fails", text), script("counter", COUNTER)]).await;
    harness.alice("x").await;
    let mut replies = harness.replies();
    replies.sort();
    assert_eq!(
        replies,
        ["1", "on_message: fails.luau:4: boom about message nil"],
        "and another script is not disturbed"
    );
    let snapshot = harness.store.snapshot(0).unwrap();
    let failed = journal(&snapshot).unwrap().flat_map(|block| block.unwrap().1.into_steps());
    assert!(
        failed
            .into_iter()
            .any(|run| matches!(&run.outcome, RunOutcome::Failed(fault) if fault.message.contains("boom")))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_where_the_last_daemon_was() {
    let harness = Harness::new(vec![script("counter", COUNTER)]).await;
    harness.alice("a").await;
    let harness = harness.restart(vec![script("counter", COUNTER)]).await;
    harness.alice("b").await;
    assert_eq!(harness.replies(), ["1", "2"]);
    assert_eq!(harness.sim.transcript().repeats(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_one_room_leave_in_order_even_when_the_platform_stumbles() {
    let text = r#"function on_message(event) for n = 1, 5 do event.room:send(event.text .. n) end end"#;
    let harness = Harness::new(vec![script("many", text)]).await;
    harness.sim.fail_next([
        ActionError::Transient("down".into()),
        ActionError::RateLimited { retry_after: Duration::from_secs(3) },
        ActionError::Transient("down".into()),
    ]);
    harness.sim.person("alice", "general").says("m").await.unwrap();
    harness.until("five replies", |harness| harness.replies().len() == 5).await;
    assert_eq!(harness.replies(), ["m1", "m2", "m3", "m4", "m5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_refuses_is_told_to_the_script_and_what_it_never_takes_goes_to_the_dead_letters() {
    let text = r#"
        function on_message(event) event:reply(event.text) end
        function on_error(event) store.set("told", event.error.message .. " / " .. event.error.action) end"#;
    let harness = Harness::new(vec![script("talks", text)]).await;
    harness.sim.fail_next([ActionError::Forbidden("no right to speak".into())]);
    harness.alice("refused").await;
    let reported = |harness: &Harness| {
        let snapshot = harness.store.snapshot(0).unwrap();
        stored_values(&snapshot, &"talks".into(), "").unwrap().map(|row| row.unwrap().1.to_string()).collect::<Vec<_>>()
    };
    assert!(reported(&harness)[0].contains("no right to speak / send"), "{:?}", reported(&harness));

    harness.sim.fail_next((0..12).map(|_| ActionError::Transient("unreachable".into())));
    harness.sim.person("alice", "general").says("never").await.unwrap();
    harness.until("the end of all attempts", |harness| reported(harness)[0].contains("unreachable")).await;
    assert!(reported(&harness)[0].contains("unreachable"), "{:?}", reported(&harness));
    let snapshot = harness.store.snapshot(0).unwrap();
    assert_eq!(palabre_engine::dead_letters(&snapshot).unwrap().count(), 1);
    harness.alice("next").await;
    assert_eq!(harness.replies(), ["next"], "the queue continues");
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_survive_a_restart_and_go_off_once() {
    let text = r#"
        on_timer("remind", function(payload, event) event.room:send("remember " .. payload) end)
        function on_message(event)
          if event.text == "cancel" then timers.cancel("k")
          else timers.set("remind", { after = "1h", key = "k" }, event.text) end
        end"#;
    let harness = Harness::new(vec![script("reminder", text)]).await;
    harness.alice("milk").await;
    harness.alice("bread").await;
    harness.advance(Duration::from_secs(3_000)).await;
    assert_eq!(harness.replies(), [""; 0]);
    let harness = harness.restart(vec![script("reminder", text)]).await;
    harness.advance(Duration::from_secs(700)).await;
    assert_eq!(harness.replies(), ["remember bread"], "the same key replaces");
    let harness = harness.restart(vec![script("reminder", text)]).await;
    harness.alice("eggs").await;
    harness.alice("cancel").await;
    harness.advance(Duration::from_secs(7_200)).await;
    assert_eq!(harness.replies(), ["remember bread"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_on_unload_sends_at_a_shutdown_is_sent_before_it_is_over_and_once() {
    let text = "function on_unload() rooms.get('sim/general'):send('goodbye') end";
    let harness = Harness::new(vec![script("s", text)]).await;
    harness.engine.shutdown().await;
    assert_eq!(harness.replies(), ["goodbye"]);
    let Harness { store, sim, clock, .. } = harness;
    let harness = Harness::at(store, sim, clock, vec![script("s", COUNTER)]).await;
    harness.alice("hello").await;
    assert_eq!((harness.replies(), harness.sim.transcript().repeats()), (vec!["goodbye".into(), "1".into()], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_takes_over_only_when_it_loads() {
    let harness = Harness::new(vec![script("s", "function on_message(event) event:reply('one') end")]).await;
    harness.alice("x").await;
    for broken in ["function on_message(", "error('at load')", "function on_load() error('in on_load') end"] {
        let failure = harness.engine.reload(Source::from_text("s", broken)).await.unwrap_err();
        assert!(failure.fault.message.starts_with("s.luau:1:"), "{failure}");
        harness.alice("x").await;
    }
    let text = "function on_load(event) store.set('loaded', event.reason) end \
                function on_message(event) event:reply('two ' .. store.get('loaded')) end";
    harness.engine.reload(Source::from_text("s", text)).await.unwrap();
    harness.alice("x").await;
    assert_eq!(harness.replies(), ["one", "one", "one", "one", "two reload"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_under_way_ends_on_the_version_that_it_began_with() {
    let version =
        |n: u8| format!("function on_message(event) event:reply('{n} begins') sleep('1m') event:reply('{n} ends') end");
    let harness = Harness::new(vec![script("s", &version(1))]).await;
    harness.alice("x").await;
    harness.engine.reload(Source::from_text("s", &version(2))).await.unwrap();
    harness.alice("x").await;
    harness.advance(Duration::from_secs(61)).await;
    assert_eq!(harness.replies(), ["1 begins", "2 begins", "1 ends", "2 ends"]);
    let snapshot = harness.store.snapshot(0).unwrap();
    let mut versions = std::collections::BTreeSet::new();
    for block in journal(&snapshot).unwrap() {
        let (_, block) = block.unwrap();
        versions
            .extend(block.steps().map(|run| (run.run.clone(), block.scripts[usize::from(run.script)].version.clone())));
    }
    assert_eq!(versions.len(), 4, "each step names the version that it ran on: {versions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_keeps_failing_is_suspended_and_then_goes_on() {
    let text = "function on_message(event) if event.text == 'bad' then error('no') end event:reply(event.text) end";
    let harness = Harness::new(vec![script("s", text)]).await;
    for _ in 0..10 {
        harness.alice("bad").await;
    }
    assert_eq!(harness.engine.status().scripts[0].state, ScriptState::Suspended);
    harness.sim.person("alice", "general").says("good").await.unwrap();
    assert_eq!(harness.replies(), [""; 0]);
    harness.until("the end of the suspension", |harness| harness.replies().len() == 1).await;
    assert_eq!(harness.replies(), ["good"], "events during the suspension are not lost");
    assert_eq!(harness.engine.status().scripts[0].state, ScriptState::Up);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_runs_out_of_memory_gets_a_new_vm_and_serves_on() {
    let text = r#"
        local kept = {}
        function on_message(event)
          if event.text == "eat" then while true do kept[#kept + 1] = ("x"):rep(100000) .. #kept end end
          event:reply("fine")
        end"#;
    let limits = Limits { memory_mb: 8, cpu_ms: 5_000, ..Limits::default() };
    let harness = Harness::new(vec![palabre_engine::ScriptSetup { limits, ..script("s", text) }]).await;
    harness.alice("eat").await;
    harness.alice("x").await;
    assert_eq!(harness.replies(), ["fine"]);
    assert!(harness.engine.status().scripts[0].last_error.as_ref().unwrap().contains("memory limit"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_script_takes_its_events_once_it_is_mended() {
    let harness = Harness::new(vec![script("s", COUNTER)]).await;
    harness.alice("one").await;
    let harness = harness.restart(vec![script("s", "function on_message(")]).await;
    let status = harness.engine.status();
    assert_eq!(status.scripts[0].state, ScriptState::Broken);
    assert!(status.scripts[0].last_error.as_ref().unwrap().starts_with("s.luau:1:"));
    harness.alice("while it is broken it has no hooks").await;
    harness.engine.reload(Source::from_text("s", COUNTER)).await.unwrap();
    harness.alice("two").await;
    assert_eq!(harness.replies(), ["1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_deletes_and_reactions_find_the_message_that_was_sent() {
    let text = r#"function on_message(event)
        if event.text == "later" then
          local m = event:reply("first")
          sleep("1m")
          m:edit("second"):react("👍")
        elseif event.text == "stored" then
          store.set("m", event.room:send("stored").id)
        elseif event.text == "gone" then
          event.message:delete("spam")
        end
      end"#;
    let harness = Harness::new(vec![script("s", text)]).await;
    harness.alice("later").await;
    harness.advance(Duration::from_secs(61)).await;
    harness.alice("stored").await;
    harness.alice("gone").await;
    assert_eq!(
        harness.sim.transcript().to_string(),
        "alice: later\nsim: second 👍 (edited)\nalice: stored\nsim: stored\nalice: (removed)\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fleeting_events_reach_hooks_and_are_not_journalled() {
    let harness =
        Harness::new(vec![script("s", "function on_typing(event) event.room:send(event.user.name .. ' types') end")])
            .await;
    harness.sim.person("alice", "general").happens(EventKind::Typing { status: None }).await.unwrap();
    harness.until("the hook", |harness| !harness.replies().is_empty()).await;
    assert_eq!(harness.replies(), ["alice types"]);
    let snapshot = harness.store.snapshot(0).unwrap();
    let typing = journal(&snapshot).unwrap().flat_map(|block| block.unwrap().1.into_events());
    assert!(!typing.into_iter().any(|record| record.event.kind.name() == EventName::Typing));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_forgets_what_is_old_and_done() {
    let harness = Harness::new(vec![script("counter", COUNTER)]).await;
    for _ in 0..5 {
        harness.alice("x").await;
    }
    let batches = || journal(&harness.store.snapshot(0).unwrap()).unwrap().count();
    let before = batches();
    assert!(before >= 5);
    harness.clock.advance(Duration::from_secs(8 * 86_400));
    harness.until("a shorter journal", |_| batches() < before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_are_attached_to_the_bots_that_they_name() {
    let setup = palabre_engine::ScriptSetup { bots: Some(vec!["other".into()]), ..script("s", COUNTER) };
    let harness = Harness::new(vec![setup]).await;
    harness.alice("x").await;
    assert_eq!(harness.replies(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_script_starts_its_hooks_in_the_order_of_the_journal() {
    let text = r#"
        function on_message(event)
          store.update("order", function(old) return (old or "") .. event.text .. "," end)
        end"#;
    let harness = Harness::new(vec![script("a", text), script("b", text)]).await;
    let (alice, bob) = (harness.sim.person("alice", "one"), harness.sim.person("bob", "two"));
    let mut receipts = Vec::new();
    for number in 0..300 {
        let person = if number % 3 == 0 { &alice } else { &bob };
        receipts.push(person.say(&number.to_string()).await.unwrap().1);
    }
    for receipt in receipts {
        receipt.await.unwrap();
    }
    harness.engine.when_idle().await;
    let snapshot = harness.store.snapshot(0).unwrap();
    let mut journalled = Vec::new();
    for block in journal(&snapshot).unwrap() {
        for record in block.unwrap().1.into_events() {
            if let EventKind::Message { message } = &record.event.kind {
                journalled.push((record.seq, message.content.text.clone()));
            }
        }
    }
    assert!(journalled.is_sorted());
    let expected: String = journalled.into_iter().map(|(_, text)| text + ",").collect();
    for name in ["a", "b"] {
        let values: Vec<_> = stored_values(&snapshot, &name.into(), "").unwrap().map(Result::unwrap).collect();
        assert_eq!(values, [("order".to_owned(), expected.clone().into())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_was_due_while_the_daemon_was_down_goes_off_at_the_start_whichever_script_it_is_of() {
    let text = r#"
        on_timer("remind", function(payload, event) event.room:send("remember " .. payload) end)
        function on_message(event) timers.set("remind", "1m", event.text) end"#;
    let scripts = || vec![script("a_other", COUNTER), script("b_other", COUNTER), script("reminder", text)];
    let harness = Harness::new(scripts()).await;
    harness.alice("milk").await;
    let clock = harness.clock.clone();
    let (store, sim) = (harness.store.clone(), std::sync::Arc::clone(&harness.sim));
    harness.engine.shutdown().await;
    clock.advance(Duration::from_secs(3_600));
    let harness = Harness::at(store, sim, clock, scripts()).await;
    harness.until("the timer", |harness| harness.replies().iter().any(|text| text == "remember milk")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_is_not_scanned_even_when_nothing_is_written_meanwhile() {
    let text = r#"
      function on_message(event)
        if event.text == "set" then store.set("a:1", 1, { ttl = "1h" }) return end
        local count = 0
        for _ in store.scan("a:") do count += 1 end
        event:reply(`{count} {store.get("a:1")}`)
      end
    "#;
    let harness = Harness::new(vec![script("keeper", text)]).await;
    harness.alice("set").await;
    harness.clock.advance(Duration::from_secs(1_800));
    harness.alice("scan").await;
    harness.clock.advance(Duration::from_secs(7_200));
    harness.alice("scan").await;
    assert_eq!(harness.replies(), ["1 1", "0 nil"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_is_stopped_is_told_where() {
    let text = "function on_message()\n  local n = 0\n  while true do\n    n += 1\n  end\nend\n\
                function on_error(event) event.room:send(event.error.message .. event.error.traceback) end";
    let harness = Harness::new(vec![script("looping", text)]).await;
    harness.alice("go").await;
    let reported = harness.replies().remove(0);
    assert!(
        reported.contains("CPU limit") && (reported.contains("looping.luau:3") || reported.contains("looping.luau:4")),
        "{reported}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_only_reads_does_not_make_the_file_grow() {
    let folder = tempfile::tempdir().unwrap();
    let reader = r#"function on_message(event) for _ in store.scan("") do end end"#;
    let writer = r#"function on_message(event) store.set("x" .. event.id % 50, string.rep("y", 4000)) end"#;
    let store = palabre_store::Store::open(folder.path()).unwrap();
    let scripts = vec![script("reader", reader), script("writer", writer)];
    let harness = Harness::on(store, palabre_sim::Sim::new("sim"), scripts).await;
    for _ in 0..600 {
        harness.alice("more").await;
    }
    let size = std::fs::metadata(folder.path().join("palabre.redb")).unwrap().len() >> 20;
    assert!(size <= 8, "{size} MiB for 200 KiB of values and a small journal");
}
