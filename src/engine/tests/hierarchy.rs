//! Permissions to act on members: by the platform, by bots.yaml, by a command or by a script alone.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use palabre_engine::{BotSettings, ScriptState};
use palabre_types::{Permission, Rank};
use support::{Harness, script};

const KEEPER: &str = r#"
local whom = { name = "whom", type = "member" }
local function tell(event, handle)
  local done, why = handle:outcome()
  event:reply(if done then "done" else "not done: " .. why)
end
command("ban", { args = { whom } }, function(event, args) tell(event, args.whom:ban("out")) end)
command("mute", { args = { whom } }, function(event, args) tell(event, args.whom:mute("10m")) end)
command("kick", { args = { whom } }, function(event, args) tell(event, args.whom:kick()) end)
command("unmute", { args = { whom } }, function(event, args) tell(event, args.whom:unmute()) end)
command("unrole", { args = { whom } }, function(event, args) tell(event, args.whom:remove_role("vip")) end)
command("role", { args = { whom } }, function(event, args) tell(event, args.whom:add_role("vip")) end)
command("purge", { args = { whom } }, function(event, args) tell(event, event.room:purge(5, { user = args.whom })) end)
command("hush", { args = { whom } }, function(event, args) args.whom:mute("10m") event:reply("hushed") end)
command("may", { args = { whom } }, function(event, args)
  local may, why = event.member:can_act_on(args.whom)
  event:reply(`{may} {why} {event.user:can_act_on(args.whom.id)}`)
end)
function on_message(event)
  if event.text == "mute me" then tell(event, event.member:mute("10m"))
  elseif event.text == "promote me" then tell(event, event.member:add_role("vip"))
  elseif event.text == "rename me" then tell(event, event.member:rename("Al"))
  elseif event.text == "errors" then event:reply(tostring(store.get("errors", 0)))
  end
end
function on_button(event) tell(event, event.member:kick("wrong answer")) end
function on_error(event) store.incr("errors") store.set("last", event.error.message) end
"#;

const AS_HIGH: &str = "not done: they have as many rights as you do, or more";

fn owned_by_boss() -> BotSettings {
    let permissions =
        vec![(Permission::Owner, vec!["boss".to_owned()]), (Permission::Moderator, vec!["sim/mo".to_owned()])];
    BotSettings { permissions, ..BotSettings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moderator_does_nothing_to_the_owner_nor_to_another_moderator() {
    let harness = Harness::with_settings(owned_by_boss(), vec![script("keeper", KEEPER)]).await;
    harness.sim.person("mia", "general").may(Permission::Moderator);
    harness.sim.person("ada", "general").may(Permission::Admin);
    for (who, text, wanted) in [
        ("mo", "/ban boss", AS_HIGH),
        ("mo", "/mute mia", AS_HIGH),
        ("mia", "/kick mo", AS_HIGH),
        ("mia", "/unmute mo", AS_HIGH),
        ("mia", "/purge ada", AS_HIGH),
        ("mia", "/unrole ada", AS_HIGH),
        ("ada", "/ban boss", AS_HIGH),
        ("ada", "/mute mo", "done"),
        ("boss", "/mute ada", "done"),
        ("mia", "/ban bob", "done"),
        ("mia", "/purge bob", "done"),
        ("mia", "/role ada", "done"),
    ] {
        assert_eq!(harness.answer_to(who, text).await, wanted, "{who}: {text}");
    }
    assert!(!harness.sim.person("boss", "general").state().is_banned(2_000_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_acts_on_the_bot_or_on_themselves() {
    let harness = Harness::with_settings(owned_by_boss(), vec![script("keeper", KEEPER)]).await;
    assert_eq!(harness.answer_to("boss", "/ban sim").await, "not done: that is me");
    assert_eq!(harness.answer_to("boss", "/ban boss").await, "not done: you cannot do that to yourself");
    assert_eq!(harness.answer_to("bob", "/mute bob").await, "not done: you cannot do that to yourself");
    assert_eq!(harness.answer_to("bob", "/unrole bob").await, "done", "everybody may give up a role of their own");
    assert_eq!(harness.answer_to("boss", "/purge boss").await, "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_by_itself_keeps_order_among_those_who_do_not() {
    let harness = Harness::with_settings(owned_by_boss(), vec![script("keeper", KEEPER)]).await;
    assert_eq!(harness.answer_to("boss", "mute me").await, "not done: they are a moderator");
    assert_eq!(harness.answer_to("mo", "mute me").await, "not done: they are a moderator");
    for text in ["promote me", "rename me"] {
        assert_eq!(harness.answer_to("mo", text).await, "done", "{text}");
    }
    assert_eq!(harness.answer_to("bob", "mute me").await, "done");
    let carol = harness.sim.person("carol", "general");
    carol.presses("any", "x").await.unwrap();
    harness.engine.quiesce().await;
    assert_eq!(carol.state().kicks, 1, "the script decides what a component does to its user");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_the_platform_counts_among_those_whom_it_ranks_and_for_the_bot() {
    let harness = Harness::with_settings(owned_by_boss(), vec![script("keeper", KEEPER)]).await;
    let mia = harness.sim.person("mia", "general");
    mia.may(Permission::Moderator);
    mia.ranks(Rank(5));
    harness.sim.person("vip", "general").ranks(Rank(5));
    harness.sim.person("bob", "general").ranks(Rank(3));
    assert_eq!(harness.answer_to("mia", "/mute vip").await, "not done: their role is as high as yours, or higher");
    assert_eq!(harness.answer_to("mia", "/mute bob").await, "done");
    assert_eq!(harness.answer_to("boss", "/mute vip").await, "done", "bots.yaml puts the owner above all roles");
    harness.sim.bot_ranks(Rank(4));
    assert_eq!(harness.answer_to("boss", "/kick vip").await, "not done: my role is not above theirs");
    assert_eq!(harness.answer_to("boss", "/kick bob").await, "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_the_script_does_not_ask_about_is_told_to_whoever_asked_for_it() {
    let harness = Harness::with_settings(owned_by_boss(), vec![script("keeper", KEEPER)]).await;
    for _ in 0..12 {
        assert_eq!(
            harness.answer_to("mo", "/hush boss").await,
            "This was not done: they have as many rights as you do, or more."
        );
    }
    let seen_by_all = harness.texts();
    assert!(!seen_by_all.iter().any(|text| text.starts_with("This was not done")), "{seen_by_all:?}");
    assert_eq!(harness.answer_to("bob", "errors").await, "12");
    assert_eq!(harness.engine.status().scripts[0].state, ScriptState::Up, "a refusal is no failure of the script");
    assert_eq!(harness.engine.take_refusals().len(), 12);
    assert!(harness.engine.take_refusals().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_can_ask_who_may_act_on_whom() {
    let harness = Harness::with_settings(owned_by_boss(), vec![script("keeper", KEEPER)]).await;
    assert_eq!(harness.answer_to("mo", "/may bob").await, "true nil true");
    assert_eq!(harness.answer_to("mo", "/may boss").await, "false they have as many rights as you do, or more false");
    assert_eq!(harness.answer_to("mo", "/may sim").await, "false that is me false");
}

/// Members who are looked up from elsewhere have their own rank, not one of the event's place.
#[tokio::test(flavor = "multi_thread")]
async fn a_script_by_itself_spares_moderators_also_by_the_clock_and_from_another_room() {
    let text = r#"
        local last
        function on_message(event)
          last = event.member
          if event.text == "later" then timers.set("strike", { after = "1s" }) end
        end
        on_timer("strike", function() last:ban("struck") end)
        every("1m", { name = "strike" }, function() if last then last:kick("struck") end end)
        function on_error(event) store.set("error", event.error.message) end"#;
    let harness = Harness::new(vec![script("striker", text)]).await;
    harness.sim.person("mia", "general").may(Permission::Moderator);
    harness.answer_to("mia", "hello").await;
    harness.advance(std::time::Duration::from_secs(120)).await;
    harness.answer_to("mia", "later").await;
    harness.advance(std::time::Duration::from_secs(5)).await;
    let refused = harness.engine.take_refusals();
    assert!(refused.len() >= 2 && refused.iter().all(|one| one.reason.contains("moderator")), "{refused:?}");
}
