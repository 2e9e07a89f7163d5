//! Outcomes of actions, as the scripts that requested them see them.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use palabre_types::{ActionError, ActionKind};
use support::{Harness, script};

const ASKER: &str = r#"
local acts = {
  mute = function(event) return event.member:mute("10m") end,
  unmute = function(event) return event.member:unmute() end,
  kick = function(event) return event.member:kick() end,
  add_role = function(event) return event.member:add_role("vip") end,
  rename = function(event) return event.member:rename("Al") end,
  approve = function(event) return event.member:approve() end,
  dm = function(event) return event.user:dm("psst") end,
  send = function(event) return event.room:send("hi") end,
  reply = function(event) return event:reply("hi") end,
  edit = function(event) return event.room:send("one"):edit("two") end,
  react = function(event) return event.message:react("x"):unreact("x") end,
  pin = function(event) return event.message:pin() end,
  delete = function(event) return event.message:delete() end,
  purge = function(event) return event.room:purge(1) end,
  set_topic = function(event) return event.room:set_topic("cats") end,
  slowmode = function(event) return event.room:slowmode(0) end,
  unlock = function(event) return event.room:unlock() end,
  typing = function(event) return event.room:typing() end,
  thread = function(event) return event.room:thread("aside") end,
  message = function(event) return event.message end,
}
function on_message(event)
  local act = acts[event.text]
  if act then
    store.set(event.text, { act(event):outcome() })
  elseif event.text == "unasked" then
    event.member:mute("10m")
  elseif event.text == "raises" then
    local done, problem = pcall(function() return event.member:mute("10m"):delivered() end)
    store.set("raises", { done, problem })
  elseif event.text == "in a hurry" then
    store.set("in a hurry", { event.member:mute("10m"):outcome({ timeout = "1s" }) })
  elseif event.text == "chain" then
    local message = event.room:send("one")
    local same = message:edit("two"):react("x")
    store.set("chain", { same.key == message.key, (same:outcome()), same:delivered() == message.id })
  end
end
function on_error(event) store.set("error", event.error.message) end
"#;

fn asker() -> palabre_engine::ScriptSetup {
    let mut setup = script("asker", ASKER);
    setup.grants = vec!["moderation".into(), "direct".into()];
    setup
}

fn stored(harness: &Harness, key: &str) -> serde_json::Value {
    let (snapshot, script) = (harness.store.snapshot(0).unwrap(), "asker".into());
    let mut rows = palabre_engine::stored_values(&snapshot, &script, "").unwrap().map(Result::unwrap);
    rows.find(|(name, _)| name == key).map(|(_, value)| value).unwrap_or_default()
}

async fn says(harness: &Harness, text: &str) -> serde_json::Value {
    harness.answer_to("alice", text).await;
    stored(harness, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_has_an_outcome() {
    let harness = Harness::new(vec![asker()]).await;
    let acts = "unmute add_role rename approve dm send reply edit react pin delete purge set_topic slowmode unlock \
                typing thread message kick mute";
    for act in acts.split_whitespace() {
        assert_eq!(says(&harness, act).await, serde_json::json!([true]), "{act}");
    }
    assert_eq!(stored(&harness, "error"), serde_json::Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mute_that_the_platform_refuses_is_told_in_plain_words_and_only_to_the_run_that_waits() {
    let harness = Harness::new(vec![asker()]).await;
    let rights = ActionError::Forbidden("not enough rights to restrict/unrestrict chat member".into());
    for (error, wanted) in [
        (rights, "I do not have the right to do that here"),
        (ActionError::Rejected("user is an administrator of the chat".into()), "they are an administrator here"),
        (
            ActionError::Rejected("method is available for supergroup and channel chats only".into()),
            "this group has to become a supergroup first",
        ),
        (ActionError::Unsupported(ActionKind::Mute), "that cannot be done here"),
        (ActionError::NotFound("no such member".into()), "it is not there any more, or never was (no such member)"),
    ] {
        harness.sim.refuse(ActionKind::Mute, Some(error));
        assert_eq!(says(&harness, "mute").await, serde_json::json!([false, wanted]));
    }
    assert_eq!(stored(&harness, "error"), serde_json::Value::Null, "a run that waits for the outcome gets no on_error");
    says(&harness, "unasked").await;
    assert!(stored(&harness, "error").as_str().unwrap().starts_with("mute in sim/general: not found"));
    let raised = says(&harness, "raises").await;
    assert!(raised[0] == false && raised[1].as_str().unwrap().contains("it was not done: not found"), "{raised}");
    let zoe = harness.sim.person("zoe", "general").speaking("fr");
    harness.sim.refuse(ActionKind::Mute, Some(ActionError::Unsupported(ActionKind::Mute)));
    zoe.says("mute").await.unwrap();
    harness.engine.quiesce().await;
    assert_eq!(stored(&harness, "mute")[1], "ce n'est pas possible ici");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_is_not_known_in_time_is_no_success() {
    let harness = Harness::new(vec![asker()]).await;
    harness.sim.fail_next((0..12).map(|_| ActionError::Transient("the cable is out".into())));
    harness.sim.person("alice", "general").says("in a hurry").await.unwrap();
    harness.until("it gives up", |harness| stored(harness, "in a hurry") != serde_json::Value::Null).await;
    assert_eq!(stored(&harness, "in a hurry"), serde_json::json!([false, "the platform has not answered yet", true]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_yet_is_told_from_what_is_refused() {
    let text = r#"function on_message(event)
        store.set(event.text, { event.member:mute("10m"):outcome({ timeout = "2s" }) })
    end"#;
    let harness = Harness::new(vec![script("asker", text)]).await;
    harness.sim.fail_next((0..12).map(|_| ActionError::Transient("the cable is out".into())));
    harness.sim.person("alice", "general").says("late").await.unwrap();
    let stored = |harness: &Harness, key: &str| {
        let (snapshot, script) = (harness.store.snapshot(0).unwrap(), "asker".into());
        let mut rows = palabre_engine::stored_values(&snapshot, &script, "").unwrap().map(Result::unwrap);
        rows.find(|(name, _)| name == key).map(|(_, value)| value).unwrap_or_default()
    };
    harness.until("it gives up", |harness| stored(harness, "late") != serde_json::Value::Null).await;
    assert_eq!(stored(&harness, "late"), serde_json::json!([false, "the platform has not answered yet", true]));
    harness.sim.fail_next([]);
    harness.sim.refuse(ActionKind::Mute, Some(ActionError::Rejected("user is an administrator of the chat".into())));
    harness.until("the platform is back", |harness| harness.engine.status().bots[0].waiting_actions == 0).await;
    harness.answer_to("bob", "refused").await;
    assert_eq!(stored(&harness, "refused"), serde_json::json!([false, "they are an administrator here"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_edits_and_reactions_return_is_the_message_with_an_outcome_of_their_own() {
    let harness = Harness::new(vec![asker()]).await;
    assert_eq!(says(&harness, "chain").await, serde_json::json!([true, true, true]));
    harness.sim.refuse(ActionKind::React, Some(ActionError::Forbidden("no".into())));
    assert_eq!(
        says(&harness, "chain").await,
        serde_json::json!([true, false, true]),
        "the message is out all the same"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_can_wait_for_several_outcomes_one_after_another() {
    let text = r#"function on_message(event)
        sleep("1s")
        local told = {}
        for n = 1, 3 do table.insert(told, tostring(event:reply(tostring(n)):outcome())) end
        event:reply(table.concat(told, " "))
    end"#;
    let harness = Harness::new(vec![script("asker", text)]).await;
    harness.alice("go").await;
    harness.advance(std::time::Duration::from_secs(2)).await;
    assert_eq!(harness.replies(), ["1", "2", "3", "true true true"]);
}
