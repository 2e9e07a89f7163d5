//! Isolation: scripts that lag, platforms that are away and actions that fail stop nobody else.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use palabre_engine::{OutboxLimits, ScriptSetup, ScriptState};
use palabre_platform::Clock;
use palabre_script::Source;
use palabre_types::{ActionError, ActionKind};
use support::daemon::Daemon;
use support::script;

const ECHO: &str = "function on_message(event) event:reply(event.text) end";
const COUNT: &str = "function on_message(event) store.incr('n') end
    command('count', {}, function(event) event:reply(tostring(store.get('n', 0))) end)";

/// The attempts before an action goes to the dead letters.
const ATTEMPTS_MAX: usize = 12;

fn away() -> Option<ActionError> {
    Some(ActionError::Transient("the platform is away".to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_script_is_a_cursor_and_others_are_answered_meanwhile() {
    let failing = "function on_message(event) error('always') end";
    let mut echo = script("echo", ECHO);
    echo.bots = None;
    let daemon = Daemon::new(vec![script("count", failing), echo]).await;
    daemon.say_many("general", 5_000).await;
    daemon.soon("all answers of the other", Daemon::is_done_but_for_the_first).await;
    assert_eq!(daemon.replies("general").len(), 5_000);
    assert_eq!(daemon.engine.status().scripts[0].state, ScriptState::Suspended);
    // Events that were deferred before it was suspended count twice until that is durable.
    daemon.soon("all but the failed ones wait", |daemon| daemon.waiting_events() == [5_000 - 10, 0]).await;
    daemon.engine.reload(Source::from_text("count", COUNT)).await.unwrap();
    daemon.soon("what was left is handled", |daemon| daemon.engine.status().scripts[0].waiting_events == 0).await;
    daemon.says("general", "/count").await;
    daemon.soon("it says how many", |daemon| daemon.replies("general").contains(&"4991".to_owned())).await;
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_script_has_left_is_handled_in_order_after_a_restart() {
    let failing = "function on_message(event) error('always') end";
    let daemon = Daemon::new(vec![script("echo", failing)]).await;
    daemon.say_many("general", 5_000).await;
    let daemon = daemon.restart(vec![script("echo", ECHO)]).await;
    daemon.engine.when_idle().await;
    assert_eq!(daemon.replies("general").len(), 5_000 - 10);
    let answers: Vec<usize> = daemon.replies("general").iter().map(|text| text.parse().unwrap()).collect();
    assert!(answers.is_sorted(), "the order of the journal");
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_away_holds_up_no_receipt_and_gets_everything_once_it_is_back() {
    let daemon = Daemon::new(vec![script("echo", ECHO)]).await;
    daemon.platform.refuses(|_| away());
    for room in ["a", "b", "c", "d", "e", "f"] {
        daemon.say_many(room, 1_500).await;
    }
    daemon.soon("the breaker is open", |daemon| daemon.engine.status().bots[0].held_back.is_some()).await;
    daemon.soon("all are decided", |daemon| daemon.engine.status().scripts[0].waiting_events == 0).await;
    assert_eq!(daemon.engine.status().bots[0].waiting_actions, 9_000);
    let tried = daemon.platform.attempts(ActionKind::Send);
    assert!(tried < 100, "{tried} tries for a platform that is away");
    daemon.platform.refuses(|_| None);
    let rooms = ["a", "b", "c", "d", "e", "f"];
    daemon.until("everything is delivered", Duration::from_millis(500), Daemon::is_done).await;
    for room in rooms {
        assert_eq!(daemon.replies(room).len(), 1_500);
        let answers: Vec<usize> = daemon.replies(room).iter().map(|text| text.parse().unwrap()).collect();
        assert!(answers.is_sorted(), "in order");
    }
    daemon.soon("the quota is free", |daemon| daemon.engine.status().bots[0].waiting_actions == 0).await;
    assert_eq!(daemon.engine.status().bots[0].waiting_bytes, 0);
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_outbox_survives_a_restart_and_is_done_once() {
    let daemon = Daemon::new(vec![script("echo", ECHO)]).await;
    daemon.platform.refuses(|_| away());
    daemon.say_many("general", 9_000).await;
    daemon.soon("all are decided", |daemon| daemon.engine.status().bots[0].waiting_actions == 9_000).await;
    let daemon = daemon.restart(vec![script("echo", ECHO)]).await;
    assert_eq!(daemon.engine.status().bots[0].waiting_actions, 9_000);
    daemon.platform.refuses(|_| None);
    daemon.until("everything is delivered", Duration::from_millis(500), Daemon::is_done).await;
    let answers: Vec<usize> = daemon.replies("general").iter().map(|text| text.parse().unwrap()).collect();
    assert!(answers.is_sorted());
    assert_eq!(daemon.platform.sim.transcript().repeats(), 0);
    daemon.engine.when_idle().await;
    let daemon = daemon.restart(vec![script("echo", ECHO)]).await;
    assert_eq!(daemon.engine.status().bots[0].waiting_actions, 0);
    assert_eq!(daemon.replies("general").len(), 9_000);
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_that_the_server_answers_with_500_holds_up_only_its_own_script_in_its_room() {
    let other = "function on_message(event) event:reply('other ' .. event.text) end";
    let daemon = Daemon::new(vec![script("echo", ECHO), script("other", other)]).await;
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    daemon.platform.refuses(move |action| {
        let text = action.content().map(|content| content.text.as_str());
        let is_bad = text == Some("bad");
        counted.fetch_add(usize::from(is_bad && action.room().native() == "general"), SeqCst);
        is_bad.then(|| ActionError::Transient("500 Internal Server Error".to_owned()))
    });
    for text in ["bad", "good"] {
        daemon.says("general", text).await;
        daemon.says("elsewhere", text).await;
    }
    daemon
        .until("the other script is answered", Duration::from_millis(100), |daemon| {
            daemon.replies("general") == ["other bad", "other good"]
        })
        .await;
    // Not by the time on the clock, which does not wait for the engine's threads.
    let tried = tries.load(SeqCst);
    assert!(tried < ATTEMPTS_MAX, "it was held up for minutes, until the other was given up after {tried} tries");
    daemon.engine.status().bots[0].held_back.as_ref().ok_or(()).unwrap_err();
    let daemon = daemon.restart(vec![script("echo", ECHO), script("other", other)]).await;
    daemon
        .until("the failing action is given up, and those after it are sent", Duration::from_secs(1), |daemon| {
            daemon.replies("general").contains(&"good".to_owned())
                && daemon.replies("elsewhere").contains(&"good".to_owned())
        })
        .await;
    daemon.soon("dead letters", |daemon| daemon.dead_letters().len() == 2).await;
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_does_not_wait_behind_the_thousands_of_answers_of_another() {
    let daemon = Daemon::new(vec![script("echo", ECHO)]).await;
    daemon.say_many("flood", 9_000).await;
    daemon.soon("the flood is handled", |daemon| daemon.engine.status().scripts[0].waiting_events == 0).await;
    daemon.say_many("general", 5).await;
    daemon.soon("the other room is answered", |daemon| daemon.replies("general") == ["0", "1", "2", "3", "4"]).await;
    assert!(daemon.replies("flood").is_empty());
    daemon.platform.flood.send_replace(true);
    daemon.soon("the flood is answered", Daemon::is_done).await;
    let expected: Vec<String> = (0..9_000).map(|n| n.to_string()).collect();
    assert_eq!(daemon.replies("flood"), expected);
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moderation_waits_for_no_message() {
    let text = r#"function on_message(event)
          if event.text == "spam" then event.message:delete() event.member:mute("10m") else event:reply("x") end
        end"#;
    let daemon = Daemon::new(vec![script("guard", text)]).await;
    daemon.platform.refuses(|action| {
        let slow = ActionError::RateLimited { retry_after: Duration::from_secs(3_000) };
        (action.kind() == ActionKind::Send).then_some(slow)
    });
    daemon.say_many("general", 40).await;
    daemon.says("general", "spam").await;
    daemon
        .soon("muted and deleted", |daemon| {
            let attempts = [ActionKind::Mute, ActionKind::Delete].map(|kind| daemon.platform.attempts(kind));
            attempts == [1, 1]
        })
        .await;
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_forty_edits_of_one_message_those_that_wait_become_one() {
    let text = r#"local board
        function on_message(event)
          if event.text == "board" then store.set("board", event.room:send("0 votes").key)
          else event.room:message(store.get("board")):edit(event.text) end
        end"#;
    let daemon = Daemon::new(vec![script("poll", text)]).await;
    daemon.says("general", "board").await;
    daemon.engine.when_idle().await;
    daemon.platform.refuses(|action| {
        (action.kind() == ActionKind::Edit).then_some(ActionError::RateLimited { retry_after: Duration::from_secs(1) })
    });
    daemon.say_many("general", 40).await;
    daemon.soon("all are decided", |daemon| daemon.engine.status().scripts[0].waiting_events == 0).await;
    daemon.platform.refuses(|_| None);
    daemon.until("all are done", Duration::from_millis(200), Daemon::is_done).await;
    assert_eq!(daemon.replies("general"), ["39"], "the last one counts");
    let attempts = daemon.platform.attempts(ActionKind::Edit);
    assert!(attempts <= 6, "{attempts} requests for 40 edits of one message");
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_that_became_one_have_its_outcome() {
    let text = r#"local board
        function on_message(event)
          if event.text == "board" then
            store.set("board", event.room:send("0 votes").key)
          elseif event.text == "what" then
            event:reply(`{store.get("1")} {store.get("2")}`)
          else
            local done = event.room:message(store.get("board")):edit(event.text):outcome()
            store.set(event.text, tostring(done))
          end
        end"#;
    let daemon = Daemon::new(vec![script("poll", text)]).await;
    daemon.says("general", "board").await;
    daemon.engine.when_idle().await;
    daemon.platform.refuses(|action| {
        (action.kind() == ActionKind::Edit).then_some(ActionError::RateLimited { retry_after: Duration::from_secs(1) })
    });
    daemon.says("general", "first").await;
    // Otherwise the outbox may find all three before it tries one, and make one of them.
    daemon.soon("the first is tried", |daemon| daemon.platform.attempts(ActionKind::Edit) == 1).await;
    for text in ["1", "2"] {
        daemon.says("general", text).await;
    }
    daemon.soon("all are decided", |daemon| daemon.engine.status().bots[0].waiting_actions == 3).await;
    daemon.platform.refuses(|action| {
        (action.kind() == ActionKind::Edit).then(|| ActionError::Rejected("message can't be edited".to_owned()))
    });
    daemon.until("all are tried", Duration::from_millis(200), Daemon::is_done).await;
    daemon.platform.refuses(|_| None);
    daemon.says("general", "what").await;
    daemon.soon("it is told", |daemon| daemon.replies("general").iter().any(|text| text == "false false")).await;
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_expire_and_moderation_and_what_was_scheduled_do_not() {
    let text = r#"
        function on_message(event)
          event:reply("late") event.member:mute("1d") timers.set("remind", { after = "1s" }, {})
        end
        on_timer("remind", function(_, event) rooms.get("sim/general"):send("reminded") end)
        function on_error(event) store.set("error", event.error.message) end
        command("why", {}, function(event) event:reply(store.get("error", "nothing")) end)"#;
    let daemon = Daemon::new(vec![script("s", text)]).await;
    daemon.platform.refuses(|_| Some(ActionError::Unavailable("it is away".to_owned())));
    daemon.says("general", "x").await;
    // The clock does not wait for the script, and two hours later nothing would have expired.
    daemon.soon("both actions wait", |daemon| daemon.engine.status().bots[0].waiting_actions == 2).await;
    daemon.until("two hours pass", Duration::from_secs(60), |daemon| daemon.clock.now() > 1_000_000 + 7_200_000).await;
    daemon.platform.refuses(|_| None);
    daemon
        .until("what was scheduled is said", Duration::from_secs(1), |daemon| {
            daemon.replies("general").contains(&"reminded".to_owned()) && daemon.engine.status().backlog == 0
        })
        .await;
    assert_eq!(daemon.replies("general"), ["reminded"]);
    assert!(daemon.platform.sim.person("alice", "general").state().is_muted(daemon.clock.now()));
    daemon.platform.sim.person("bob", "general").says("/why").await.unwrap();
    daemon
        .soon("the script was told", |daemon| {
            daemon.replies("general").last().is_some_and(|text| text.contains("expired"))
        })
        .await;
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_outbox_is_an_error_that_names_the_limit_and_suspends_nobody() {
    let limits = OutboxLimits { actions: 50, ..OutboxLimits::default() };
    let daemon = Daemon::with(limits, vec![script("echo", ECHO)]).await;
    daemon.platform.refuses(|_| away());
    // One by one: several events that are handled together all find room.
    for n in 0..100 {
        daemon.says_until_handled("general", &n.to_string()).await;
    }
    let status = daemon.engine.status();
    assert!(status.bots[0].is_full);
    assert_eq!(status.scripts[0].state, ScriptState::Up);
    let error = status.scripts[0].last_error.clone().unwrap();
    assert!(error.contains("outbox limit: 50 actions or 64 MiB are waiting for sim"), "{error}");
    daemon.platform.refuses(|_| None);
    daemon.until("they are said, and the quota is free", Duration::from_millis(500), Daemon::is_done).await;
    assert_eq!(daemon.replies("general").len(), 50);
    daemon.says("general", "again").await;
    daemon.soon("it goes on", |daemon| daemon.replies("general").len() == 51).await;
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_outbox_leaves_room_for_moderation() {
    let limits = OutboxLimits { actions: 50, ..OutboxLimits::default() };
    let warden = r#"function on_message(event)
        if event.text == "mute" then event.member:mute("10m") else event:reply(event.text) end
    end"#;
    let setup = ScriptSetup { grants: vec!["moderation".to_owned()], ..script("warden", warden) };
    let daemon = Daemon::with(limits, vec![setup]).await;
    daemon.platform.refuses(|action| if action.kind() == ActionKind::Mute { None } else { away() });
    // One by one: several events that are handled together all find room, and leave none for more.
    for n in 0..60 {
        daemon.says_until_handled("general", &n.to_string()).await;
    }
    assert!(daemon.engine.status().bots[0].is_full);
    daemon.says("general", "mute").await;
    daemon.soon("it is done", |daemon| daemon.platform.attempts(ActionKind::Mute) == 1).await;
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_is_not_available_keeps_its_actions_and_counts_no_try() {
    let daemon = Daemon::new(vec![script("echo", ECHO)]).await;
    daemon.platform.refuses(|_| Some(ActionError::Unavailable("its token is refused".to_owned())));
    daemon.says("general", "x").await;
    daemon.until("half an hour", Duration::from_secs(10), |daemon| daemon.clock.now() > 1_000_000 + 1_800_000).await;
    assert!(daemon.dead_letters().is_empty());
    daemon.platform.refuses(|_| None);
    daemon.until("it is said", Duration::from_secs(1), |daemon| daemon.replies("general") == ["x"]).await;
    daemon.engine.shutdown().await;
}

const WARDEN: &str = r#"function on_message(event)
  if event.text == "bad" then error("cannot handle it") end
  rooms.get("sim/log"):send(event.text)
end"#;

#[tokio::test(flavor = "multi_thread")]
async fn twelve_messages_that_a_script_fails_at_in_one_room_switch_it_off_nowhere_else() {
    let daemon = Daemon::new(vec![script("warden", WARDEN)]).await;
    for _ in 0..25 {
        daemon.platform.sim.person("mallory", "x").in_private().says("bad").await.unwrap();
    }
    daemon.soon("it is suspended", |daemon| daemon.engine.status().scripts[0].state == ScriptState::Suspended).await;
    daemon.says("general", "hello").await;
    daemon.soon("it answers elsewhere", |daemon| daemon.replies("log") == ["hello"]).await;
    assert_eq!(daemon.engine.status().scripts[0].state, ScriptState::Up);
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_where_a_script_is_suspended_is_handled_in_order_afterwards_and_over_a_restart() {
    let daemon = Daemon::new(vec![script("warden", WARDEN)]).await;
    let mallory = daemon.platform.sim.person("mallory", "x").in_private();
    for _ in 0..10 {
        mallory.says("bad").await.unwrap();
    }
    for n in 0..20 {
        mallory.says(&format!("wait {n}")).await.unwrap();
    }
    daemon.says("general", "hello").await;
    daemon.soon("it answers elsewhere", |daemon| daemon.replies("log") == ["hello"]).await;
    daemon.soon("the others are deferred", |daemon| daemon.engine.status().scripts[0].deferred_events == 20).await;
    let daemon = daemon.restart(vec![script("warden", WARDEN)]).await;
    let expected: Vec<String> = (0..20).map(|n| format!("wait {n}")).collect();
    daemon.until("they are handled", Duration::from_millis(100), |daemon| daemon.replies("log").len() == 21).await;
    assert_eq!(daemon.replies("log")[1..], expected);
    daemon.soon("none is left", |daemon| daemon.engine.status().scripts[0].waiting_events == 0).await;
    let daemon = daemon.restart(vec![script("warden", WARDEN)]).await;
    daemon.says("general", "again").await;
    daemon.soon("it goes on", |daemon| daemon.replies("log").last().is_some_and(|text| text == "again")).await;
    assert_eq!(daemon.replies("log").len(), 22, "none is handled twice");
    daemon.engine.shutdown().await;
}
