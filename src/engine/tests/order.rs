//! Keeping order: moderation, components, private answers, and messages before they are delivered.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::time::Duration;

use palabre_engine::Operators;
use palabre_sim::{SendFailure, Silenced};
use palabre_types::Permission;
use serde_json::json;
use support::{Harness, script};

const MODERATOR: &str = r##"
function on_message(event)
  local member, room = event.member, event.room
  local what = event.text
  if what == "mute me" then member:mute("10m", "flood")
  elseif what == "unmute bob" then
    -- A member of whom only the id is known.
  elseif what == "kick me" then member:kick("out")
  elseif what == "ban me" then member:ban{ for_ = "1h", reason = "enough", purge = "1d" }
  elseif what == "role" then member:add_role("vip") member:rename("Al")
  elseif what == "who" then
    local roles = table.concat(member.roles or {}, ",")
    event:reply(`{roles} {member.nickname} {event:permission()} {member:has_role("vip")}`)
  elseif what == "unrole" then member:remove_role("vip")
  elseif what == "topic" then room:set_topic("cats") room:slowmode("5s")
  elseif what == "lock" then room:lock()
  elseif what == "unlock" then room:unlock() room:slowmode(0)
  elseif what == "pin" then event.message:pin()
  elseif what == "purge" then room:purge(2, { user = event.user, within = "1h", reason = "tidy" })
  elseif what == "dm" then event.user:dm("psst")
  end
end
command("unmute", { args = { { name = "whom", type = "member" } } }, function(event, args)
  args.whom:unmute() args.whom:unban()
end)
"##;

fn moderator() -> palabre_engine::ScriptSetup {
    let mut setup = script("moderator", MODERATOR);
    setup.grants = vec!["moderation".into(), "direct".into()];
    setup
}

#[tokio::test(flavor = "multi_thread")]
async fn measures_against_members_take_hold_and_end_by_themselves_over_a_restart() {
    let harness = Harness::new(vec![moderator()]).await;
    let alice = harness.sim.person("alice", "general");
    harness.alice("mute me").await;
    assert_eq!(alice.says("hello?").await, Err(SendFailure::Silenced(Silenced::Muted)));
    let harness = harness.restart(vec![moderator()]).await;
    harness.advance(Duration::from_secs(599)).await;
    assert_eq!(alice.says("hello?").await, Err(SendFailure::Silenced(Silenced::Muted)));
    harness.advance(Duration::from_secs(2)).await;
    harness.alice("role").await;
    harness.alice("who").await;
    harness.alice("unrole").await;
    harness.alice("who").await;
    assert_eq!(harness.replies(), ["vip Al member true", " Al member false"]);
    harness.alice("kick me").await;
    assert_eq!(alice.state().kicks, 1);
    harness.alice("ban me").await;
    assert_eq!(alice.says("?").await, Err(SendFailure::Silenced(Silenced::Banned)));
    assert!(
        !harness.texts().iter().any(|text| text == "who"),
        "what alice said in a day is gone: {:?}",
        harness.texts()
    );
    harness.sim.person("bob", "general").says("/unmute alice").await.unwrap();
    harness.engine.when_idle().await;
    alice.says("back").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_arranged_and_tidied() {
    let harness = Harness::new(vec![moderator()]).await;
    let alice = harness.sim.person("alice", "general");
    harness.alice("topic").await;
    assert_eq!(harness.sim.room("general").topic.as_deref(), Some("cats"));
    harness.advance(Duration::from_secs(5)).await;
    harness.alice("pin").await;
    assert_eq!(alice.says("too fast").await, Err(SendFailure::Silenced(Silenced::Slow)));
    harness.advance(Duration::from_secs(5)).await;
    harness.alice("lock").await;
    harness.advance(Duration::from_secs(5)).await;
    assert_eq!(alice.says("?").await, Err(SendFailure::Silenced(Silenced::Locked)));
    alice.may(Permission::Moderator);
    harness.alice("unlock").await;
    harness.alice("one").await;
    harness.alice("dm").await;
    harness.alice("purge").await;
    assert_eq!(harness.texts(), ["topic", "pin", "lock", "unlock", "one"]);
    let transcript = harness.sim.transcript();
    assert!(transcript.lines().iter().any(|line| line.text == "pin" && line.pinned));
    assert!(transcript.lines().iter().any(|line| line.text == "psst" && line.to.as_deref() == Some("alice")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_is_refused_with_the_grant_that_is_missing() {
    let text = r#"
      function on_message(event)
        local try = {
          function() event.member:mute("1m") end, function() event.room:lock() end, function() event.message:pin() end,
          function() event.room:purge(1) end, function() event.user:dm("x") end, function() event.message:delete() end,
          function() rooms.get("sim/other"):send("x") end,
          function() event:reply{ text = "x", files = {{ name = "a.txt", data = "a" }} } end,
        }
        local grants = {}
        for _, f in try do
          local _, problem = pcall(f)
          table.insert(grants, string.match(problem, 'needs the grant "(.-)"'))
        end
        event:reply(table.concat(grants, " "))
      end
    "#;
    let mut setup = script("bare", text);
    setup.grants.clear();
    let harness = Harness::new(vec![setup]).await;
    harness.alice("try").await;
    assert_eq!(harness.replies(), ["moderation moderation moderation moderation direct moderation rooms files"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_forms_make_a_dialogue_of_several_steps() {
    let text = r#"
      function on_message(event)
        if event.text == "report" then
          event:reply{ text = "What is it about?", select = {
            action = "topic", placeholder = "Choose…", max = 2,
            options = {
              { label = "Spam", value = "spam" }, { label = "Rudeness", value = "rude", description = "bad words" },
            },
          } }
        end
      end
      function on_select(event)
        store.set("topic", event.values)
        event:form{ action = "details", title = "Report", fields = {
          { name = "why", label = "What happened?", long = true, min = 3 },
          { name = "link", label = "Where?", optional = true },
        } }
      end
      function on_form(event)
        event:answer{ text = `Thanks: {table.concat(store.get("topic"), "+")}: {event.values.why}`, ephemeral = true }
        event:answer("A report was made.")
      end
      function on_button(event) event:answer{ text = "pressed " .. event.action, ephemeral = true } end
    "#;
    let harness = Harness::new(vec![script("report", text)]).await;
    let alice = harness.sim.person("alice", "general");
    harness.alice("report").await;
    let question = alice.sees().last().unwrap().clone();
    assert_eq!(question.to_string(), "sim: What is it about? [Spam|Rudeness ▾]");
    alice.chooses("topic", &question.id, &["spam", "rude"]).await.unwrap();
    harness.engine.when_idle().await;
    let form = alice.sees().last().unwrap().form.clone().unwrap();
    assert_eq!((form.action.as_str(), form.fields.len(), form.fields[1].optional), ("details", 2, true));
    alice.submits("details", json!({ "why": "too loud" })).await.unwrap();
    alice.presses("ok", &question.id).await.unwrap();
    harness.engine.when_idle().await;
    let seen: Vec<_> = alice.sees().iter().rev().take(3).map(ToString::to_string).collect();
    assert_eq!(
        seen,
        ["sim → alice: pressed ok", "sim: A report was made.", "sim → alice: Thanks: spam+rude: too loud"]
    );
    assert!(!harness.sim.person("bob", "general").sees().iter().any(|line| line.text.contains("Thanks")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_can_be_refused_or_changed_before_it_is_delivered() {
    let gate = r#"
      function before_message(event)
        store.incr("seen")
        if event.text == "bad" then return false, "no such words" end
        if event.text == "loud" then return string.upper(event.text) end
        if event.text == "boom" then error("a broken gate lets everything pass") end
        if event.text == "wait" then sleep("1s") end
      end
      function on_message(event) event:reply(`{event.text} {store.get("seen")}`) end
    "#;
    let second = r#"function before_message(event) if event.text == "LOUD" then return "LOUD!" end end"#;
    let harness = Harness::new(vec![script("gate", gate), script("second", second)]).await;
    let alice = harness.sim.person("alice", "general");
    assert_eq!(alice.says("bad").await, Err(SendFailure::Refused("no such words".into())));
    for text in ["loud", "fine", "boom", "wait"] {
        harness.alice(text).await;
    }
    assert_eq!(
        harness.replies(),
        ["LOUD! 2", "fine 3", "boom 3", "wait 3"],
        "a failed gate keeps nothing of what it stored"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_is_told_in_a_room_and_by_a_webhook_when_a_script_keeps_failing() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let hook = async {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut bytes = vec![0; 4_096];
        let mut read = 0;
        while !String::from_utf8_lossy(&bytes[..read]).contains('}') {
            read += socket.read(&mut bytes[read..]).await.unwrap();
        }
        socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    };
    let operators = Operators { room: Some("sim/ops".into()), webhook: Some(url) };
    let broken = script("broken", r#"function on_message(event) error("no luck with " .. event.text) end"#);
    let harness = Harness::with_operators(operators, vec![broken]).await;
    let failing = async {
        for number in 0..10 {
            harness.sim.person("alice", "general").says(&number.to_string()).await.unwrap();
        }
        harness.until("it is told", |harness| !harness.sim.transcript().texts("ops").is_empty()).await;
    };
    let (posted, ()) = tokio::join!(hook, failing);
    let reported = harness.sim.transcript().texts("ops")[0].to_owned();
    assert!(reported.contains("The script broken is suspended for 1 s after 10 failures in a row"), "{reported}");
    assert!(reported.contains("no luck with 9"), "{reported}");
    assert!(posted.starts_with("POST /hook") && posted.contains("The script broken is suspended"), "{posted}");
    let metrics = harness.engine.metrics();
    assert!(metrics.contains(r#"palabre_script_happened_total{script="broken",what="suspension"} 1"#), "{metrics}");
    // The next suspension is longer.
    harness.sim.person("alice", "general").says("again").await.unwrap();
    harness.until("told again", |harness| harness.sim.transcript().texts("ops").len() >= 2).await;
    assert!(harness.sim.transcript().texts("ops")[1].contains("suspended for 2 s"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_answers_a_failure_with_the_same_failure_is_not_kept_busy_by_it() {
    let text = r#"
      function on_message(event)
        if event.text == "count" then event:reply(tostring(store.get("errors", 0))) return end
        rooms.get("gone/general"):send("hi")
      end
      function on_error(event) store.incr("errors") event.room:send("sorry: " .. event.error.message) end
    "#;
    let harness = Harness::new(vec![script("sorry", text)]).await;
    harness.alice("hello").await;
    harness.engine.quiesce().await;
    harness.alice("count").await;
    assert_eq!(harness.replies(), ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_at_messages_ahead_needs_the_grant() {
    let mut setup = script("gate", "function before_message() return false end");
    setup.grants.clear();
    let harness = Harness::new(vec![setup]).await;
    harness.alice("hello").await;
    let error = harness.engine.status().scripts.remove(0).last_error.unwrap();
    assert!(error.contains("needs the grant \"moderation\""), "{error}");
}
