//! Every step of the journal can be executed again, and does the same.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use palabre_engine::{
    Difference, MemoryRows, Mismatch, NotReexecuted, Reexecution, RunOutcome, RunRecord, ScriptSetup, ScriptVersion,
    journal, reexecute_journal, stored_version,
};
use palabre_script::{Source, Ticker};
use palabre_store::Snapshot;
use palabre_types::{Event, EventKind, EventName, Observation, RunKind, TableId};
use serde_json::json;
use support::{Harness, depends_on, script};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const BANK: &str = r#"
  function exports.give(user, amount)
    if amount < 0 then error("nobody gives less than nothing") end
    store.set("last", amount + random.integer(0, 1000))
    return store.incr("money:" .. user, amount)
  end
"#;

const OBSERVER: &str = r#"
  local bank = import("bank")
  local whom = { name = "whom", type = "member" }

  every("1m", { name = "tick" }, function() store.incr("ticks") end)

  command("look", { args = { whom } }, function(event, args)
    local may = event.member:can_act_on(args.whom)
    store.set("seen:" .. args.whom.id, #args.whom.roles)
    event:reply(`{event:permission()} {may} {event.bot:can("edit")} {args.whom.muted}`)
  end)
  command("mute", { args = { whom } }, function(event, args)
    local done, why = args.whom:mute("10m"):outcome()
    event:reply(`{done} {why}`)
  end)

  function on_message(event)
    local word = event.text
    if word == "roll" then
      event:reply(`{random.integer(1, 100000)} at {time.now()}, for the {store.incr("rolls")}th time`)
    elseif word == "pay" then
      local done, problem = pcall(bank.give, "alice", -1)
      event:reply(`{bank.give("alice", 5)} {bank.give("bob", 7)} {done} {problem}`)
    elseif word == "history" then
      for _, run in tasks.history("tick", { limit = 2 }) do event:reply(`{run.attempt} {run.due}`) end
    elseif word == "wait" then
      event:reply("first")
      sleep("10s")
      store.incr("woken", random.integer(1, 1000))
      local other = event.room:ask(event.user, "what?", { timeout = "1m" })
      event:reply(`got {other} after {store.get("woken")}`)
    elseif word == "fetch" then
      local reply = http.post(config.url, "x", { timeout = "10s" })
      event:reply(`{reply.status} {reply.body}`)
    elseif word == "fail" then
      store.set("never", 1)
      event:reply("never")
      error("no")
    elseif word == "spin" then
      while true do end
    elseif word == "remind" then
      timers.set("remind", { after = "30s" }, { text = "milk" })
    elseif word == "seen" then
      for key, roles in store.scan("seen:") do event:reply(`{key} {roles}`) end
    elseif word == "count" then
      metrics.count("counted", 1)
      event:reply("counted")
    end
  end

  on_timer("remind", function(payload, event) event.room:send("remember " .. payload.text) end)
  function on_typing(event) store.incr("typing") event.room:send(event.user.name .. " types") end
  function before_message(event)
    if event.text == "shout" then store.incr("shouts") return "SHOUT" end
  end
  function on_load() store.set("unloads when loaded", store.get("unloads", 0)) end
  function on_unload() store.incr("unloads") end
  function on_error(event) event.room:send("error: " .. event.error.message) end
"#;

fn observer(url: &str) -> Vec<ScriptSetup> {
    let mut setup = depends_on("observer", &["bank"], OBSERVER);
    setup.config = json!({ "url": url });
    setup.grants.push(format!("http:{}", url.trim_start_matches("http://").trim_end_matches('/')));
    vec![script("bank", BANK), setup]
}

/// Starts a server that gives every request the same response. Returns its URL.
async fn server() -> String {
    drop(rustls::crypto::ring::default_provider().install_default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let read = socket.read(&mut vec![0; 4_096]).await.unwrap();
            let text =
                format!("HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}", if read > 0 { "ok" } else { "no" });
            socket.write_all(text.as_bytes()).await.unwrap();
        }
    });
    tasks.detach_all();
    format!("http://127.0.0.1:{port}/")
}

fn differences(harness: &Harness) -> Vec<Difference> {
    reexecute_journal(&harness.store.snapshot(0).unwrap(), &Ticker::start().unwrap()).unwrap()
}

fn assert_no_differences(harness: &Harness) {
    let found: Vec<String> = differences(harness).iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Returns all recorded steps, each with its version, and its event if the journal has that.
fn steps(snapshot: &Snapshot) -> Vec<(ScriptVersion, RunRecord, Option<Arc<Event>>)> {
    let mut events = std::collections::HashMap::new();
    let mut steps = Vec::new();
    for row in journal(snapshot).unwrap() {
        let (_, batch) = row.unwrap();
        events.extend(batch.events().map(|record| (record.seq, Arc::clone(&record.event))));
        for run in batch.steps() {
            steps.push((batch.scripts[usize::from(run.script)].clone(), run.clone()));
        }
    }
    let with_event = |(version, run): (ScriptVersion, RunRecord)| {
        let event = events.get(&run.run.seq).cloned();
        (version, run, event)
    };
    steps.into_iter().map(with_event).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_the_journal_does_the_same_when_it_is_executed_again() {
    let url = server().await;
    let harness = Harness::new(observer(&url)).await;
    let alice = harness.sim.person("alice", "general");
    for text in ["roll", "/look bob", "/mute bob", "pay", "wait", "fail", "remind", "roll", "seen", "count", "shout"] {
        harness.alice(text).await;
    }
    harness.alice("fetch").await;
    // With the clock at rest: a request times out after ten seconds.
    harness.engine.quiesce().await;
    assert!(harness.replies().contains(&"201 ok".to_owned()), "{:?}", harness.replies());
    alice.happens(EventKind::Typing { status: None }).await.unwrap();
    harness.engine.quiesce().await;
    // The question follows, and has a minute for its answer.
    harness.advance(Duration::from_secs(10)).await;
    assert!(harness.replies().contains(&"what?".to_owned()), "{:?}", harness.replies());
    harness.alice("tea").await;
    harness.advance(Duration::from_secs(70)).await;
    for text in ["history", "spin", "roll"] {
        harness.alice(text).await;
    }
    let reloaded = Source::from_stored(&"observer".into(), observer(&url)[1].source.as_ref().unwrap().stored());
    harness.engine.reload(reloaded.unwrap()).await.unwrap();
    harness.alice("roll").await;
    harness.alice("wait").await;
    let harness = harness.restart(observer(&url)).await;
    harness.alice("roll").await;

    let replies = harness.replies();
    for expected in ["remember milk", "alice types", "error: observer/init.luau", "got tea after", "error: CPU limit"] {
        assert!(replies.iter().any(|reply| reply.starts_with(expected)), "{expected}: {replies:?}");
    }
    let steps = steps(&harness.store.snapshot(0).unwrap());
    let hooks: BTreeSet<EventName> = steps.iter().map(|(_, run, _)| run.hook).collect();
    for hook in [
        EventName::Command,
        EventName::Message,
        EventName::Typing,
        EventName::BeforeMessage,
        EventName::Timer,
        EventName::Task,
        EventName::Load,
        EventName::Unload,
        EventName::Error,
    ] {
        assert!(hooks.contains(&hook), "{hook:?} is not among {hooks:?}");
    }
    assert!(steps.iter().any(|(_, run, _)| matches!(run.run.kind, RunKind::Call { .. })));
    assert!(steps.iter().any(|(_, run, _)| run.run.kind == RunKind::Interrupted));
    let cut_short = steps.iter().filter(|(_, run, _)| run.is_cut_short).count();
    assert_eq!(cut_short, 2, "the endless loop, and the run that the restart interrupted");
    assert_no_differences(&harness);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_reads_what_its_record_does_not_have_is_reported() {
    let harness = Harness::new(observer("http://127.0.0.1:9/")).await;
    harness.alice("/look bob").await;
    harness.alice("pay").await;
    let snapshot = harness.store.snapshot(0).unwrap();
    let ticker = Ticker::start().unwrap();
    let mut removed = 0;
    for (version, record, event) in steps(&snapshot) {
        let Some(event) = event.filter(|_| !record.observations.is_empty()) else { continue };
        let stored = stored_version(&snapshot, &version.name, &version.version).unwrap().unwrap();
        let executed = |record: &RunRecord| {
            let mut run = Reexecution::load(&version.name, &stored, &ticker).unwrap();
            run.step(Rc::new(MemoryRows::default()), Arc::clone(&event), record)
        };
        let executed_well = executed(&record).unwrap();
        assert_eq!((executed_well.outcome, executed_well.effects), (RunOutcome::Done, record.effects.clone()));
        for index in 0..record.observations.len() {
            let mut incomplete = record.clone();
            let missing = incomplete.observations.remove(index);
            let outcome = executed(&incomplete);
            assert!(matches!(outcome, Err(NotReexecuted::Diverged(_))), "without {missing:?}: {outcome:?}");
            removed += 1;
        }
        let mut longer = record.clone();
        longer.observations.push(Observation::HasAnswered(true));
        let outcome = executed(&longer);
        assert!(matches!(outcome, Err(NotReexecuted::Diverged(_))), "with one too many: {outcome:?}");
    }
    assert!(removed >= 6, "the permission, the member, the hierarchy, the capability, two calls: {removed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_keeps_state_in_a_module_variable_is_reported() {
    let text = r#"
      local n = 0
      function on_message(event) n += 1 event:reply(tostring(n)) end"#;
    let harness = Harness::new(vec![script("leaky", text)]).await;
    harness.alice("x").await;
    assert_no_differences(&harness);
    harness.alice("y").await;
    let found = differences(&harness);
    assert!(matches!(&found[..], [Difference { mismatch: Mismatch::Effects { .. }, .. }]), "{found:?}");
    let shown = found[0].to_string();
    assert!(shown.starts_with("step 0 of event ") && shown.contains("of leaky: its effects are"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_configuration_alone_is_another_version_with_the_same_files() {
    let text = "function on_message(event) event:reply(tostring(config.greeting)) end";
    let setup = ScriptSetup { config: json!({ "greeting": "hello" }), ..script("s", text) };
    let harness = Harness::new(vec![setup]).await;
    harness.alice("x").await;
    let source = Source::from_text("s", text);
    harness.engine.reload_configured(source.clone(), json!({ "greeting": "hi" })).await.unwrap();
    harness.alice("x").await;
    harness.engine.reload_configured(source, json!({ "greeting": "hello" })).await.unwrap();
    harness.alice("x").await;
    assert_eq!(harness.replies(), ["hello", "hi", "hello"]);
    let snapshot = harness.store.snapshot(0).unwrap();
    let rows = (snapshot.len(TableId::ScriptSources).unwrap(), snapshot.len(TableId::ScriptVersions).unwrap());
    assert_eq!(rows, (1, 2));
    assert_no_differences(&harness);
}
