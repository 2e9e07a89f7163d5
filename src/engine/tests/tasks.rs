//! Scheduled tasks of scripts.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::time::Duration;

use jiff::{civil::date, tz::TimeZone};
use palabre_engine::task_runs;
use palabre_platform::{Clock, VirtualClock};
use palabre_script::{Missed, Schedule, TaskSpec};
use palabre_sim::Sim;
use palabre_store::Store;
use support::{Harness, script};

const SPEAK: &str = r#"local function say(text) rooms.get("sim/general"):send(text) end "#;

fn at(year: i16, month: i8, day: i8, hour: i8, minute: i8, zone: &str) -> u64 {
    let time = date(year, month, day).at(hour, minute, 0, 0).to_zoned(TimeZone::get(zone).unwrap()).unwrap();
    u64::try_from(time.timestamp().as_millisecond()).unwrap()
}

async fn harness_at(time: u64, text: &str) -> Harness {
    let text = format!("{SPEAK}{text}");
    Harness::at(Store::in_memory().unwrap(), Sim::new("sim"), VirtualClock::new(time), vec![script("clock", &text)])
        .await
}

fn spec(schedule: &str, zone: Option<&str>) -> TaskSpec {
    TaskSpec {
        name: "t".into(),
        schedule: schedule.into(),
        zone: zone.map(Into::into),
        after: Vec::new(),
        priority: 0,
        retries: 0,
        missed: Missed::Skip,
    }
}

/// Returns the first due times after `after`, in the local time of the zone.
fn times(schedule: &str, zone: &str, after: u64, count: usize) -> Vec<String> {
    let schedule = Schedule::of(&spec(schedule, Some(zone))).unwrap();
    let mut time = after;
    let mut shown = Vec::new();
    for _ in 0..count {
        time = schedule.next(time).unwrap();
        let zoned = jiff::Timestamp::from_millisecond(time as i64).unwrap().to_zoned(TimeZone::get(zone).unwrap());
        shown.push(zoned.strftime("%d %H:%M:%S %:z").to_string());
    }
    shown
}

#[test]
fn cron_is_right_where_the_clock_is_put_forward_and_back() {
    let paris = "Europe/Paris";
    // 29 March 2026: two o'clock becomes three. A task in the gap runs at its end, once.
    let spring = at(2026, 3, 28, 12, 0, paris);
    assert_eq!(
        times("30 2 * * *", paris, spring, 3),
        ["29 03:00:00 +02:00", "30 02:30:00 +02:00", "31 02:30:00 +02:00"]
    );
    // 25 October 2026: three o'clock becomes two. Half past two comes twice; the task runs the
    // first time.
    let autumn = at(2026, 10, 24, 12, 0, paris);
    assert_eq!(
        times("30 2 * * *", paris, autumn, 3),
        ["25 02:30:00 +02:00", "26 02:30:00 +01:00", "27 02:30:00 +01:00"]
    );
    // Noon is noon on all these days, in any hemisphere.
    assert_eq!(times("0 12 * * *", paris, spring, 2), ["29 12:00:00 +02:00", "30 12:00:00 +02:00"]);
    let sydney = at(2026, 10, 3, 23, 0, "Australia/Sydney");
    assert_eq!(times("15 9 * * *", "Australia/Sydney", sydney, 2), ["04 09:15:00 +11:00", "05 09:15:00 +11:00"]);
}

#[test]
fn cron_has_five_to_seven_fields() {
    let from = at(2026, 11, 20, 8, 59, "UTC");
    assert_eq!(times("0 9 * * MON-FRI", "UTC", from, 2), ["20 09:00:00 +00:00", "23 09:00:00 +00:00"]);
    assert_eq!(
        times("*/20 0 9 * * *", "UTC", from, 3),
        ["20 09:00:00 +00:00", "20 09:00:20 +00:00", "20 09:00:40 +00:00"]
    );
    assert_eq!(times("0 0 9 1 1 * 2028", "UTC", from, 1), ["01 09:00:00 +00:00"]);
    assert!(
        Schedule::of(&spec("0 0 9 1 1 * 2020", None)).unwrap().next(from).is_none(),
        "a year that is past never comes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_run_when_they_are_due_and_their_runs_are_kept() {
    let text = r#"
      every("0 9 * * MON-FRI", { zone = "Europe/Paris", name = "standup" }, function() say("standup") end)
      every("10m", function() say("tick") end)
      on_timer("x", function() end)
    "#;
    let harness = harness_at(at(2026, 11, 20, 8, 45, "Europe/Paris"), text).await;
    harness.until("two ticks and a standup", |harness| harness.texts().len() >= 3).await;
    assert_eq!(harness.texts(), ["tick", "standup", "tick"]);
    harness.engine.when_idle().await;
    let snapshot = harness.store.snapshot(harness.clock.now()).unwrap();
    let runs: Vec<_> = task_runs(&snapshot, &"clock".into(), "standup").unwrap().map(Result::unwrap).collect();
    assert_eq!(runs.len(), 1);
    assert_eq!((runs[0].due, runs[0].attempt, &runs[0].error), (at(2026, 11, 20, 9, 0, "Europe/Paris"), 1, &None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_waits_for_another_of_the_day_and_the_more_important_goes_first() {
    let text = r#"
      local tries = 0
      every("0 5 * * *", { name = "collect", retries = 3 }, function()
        tries += 1
        if tries < 3 then error("not yet") end
        say("collected")
      end)
      every("0 5 * * *", { name = "report", after = { "collect" }, priority = 5 }, function() say("reported") end)
      every("0 5 * * *", { name = "low", priority = -1 }, function() say("low") end)
      every("0 5 * * *", { name = "high", priority = 9 }, function() say("high") end)
      function on_error(event) say("failed: " .. event.error.hook) end
    "#;
    let harness = harness_at(at(2026, 11, 20, 4, 59, "UTC"), text).await;
    harness.until("the report", |harness| harness.texts().contains(&"reported".to_owned())).await;
    assert_eq!(harness.texts(), ["high", "failed: every", "low", "failed: every", "collected", "reported"]);
    let snapshot = harness.store.snapshot(harness.clock.now()).unwrap();
    let runs: Vec<_> = task_runs(&snapshot, &"clock".into(), "collect").unwrap().map(Result::unwrap).collect();
    assert_eq!(runs.iter().map(|run| run.attempt).collect::<Vec<_>>(), [3, 2, 1]);
    assert!(runs[1].error.as_ref().unwrap().contains("not yet"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_while_the_daemon_was_down_runs_once_or_not_as_the_task_says() {
    let text = r#"
      every("0 9 * * *", { name = "wanted", missed = "run" }, function(event) say("wanted " .. event.due) end)
      every("0 9 * * *", { name = "skipped" }, function() say("skipped") end)
    "#;
    let harness = harness_at(at(2026, 11, 20, 8, 0, "UTC"), text).await;
    let Harness { store, sim, engine, .. } = harness;
    engine.shutdown().await;
    // Three mornings later.
    let clock = VirtualClock::new(at(2026, 11, 22, 12, 0, "UTC"));
    let full = format!("{SPEAK}{text}");
    let harness = Harness::at(store, sim, clock, vec![script("clock", &full)]).await;
    harness.advance(Duration::from_secs(60)).await;
    assert_eq!(harness.texts().len(), 1, "{:?}", harness.texts());
    assert!(harness.texts()[0].starts_with("wanted "));
    harness.clock.advance(Duration::from_secs(20 * 3_600));
    harness.until("the next morning", |harness| harness.texts().len() >= 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_can_ask_how_its_tasks_went() {
    let text = r#"
      every("1m", { name = "flaky" }, function(event) if event.due % 2 == 0 then error("even") end end)
      function on_message(event)
        for _, run in tasks.history("flaky", { limit = 2 }) do event:reply(`{run.attempt} {run.error ~= nil}`) end
      end
    "#;
    let harness = harness_at(at(2026, 11, 20, 8, 0, "UTC"), text).await;
    harness.advance(Duration::from_secs(70)).await;
    harness.alice("how did it go?").await;
    assert_eq!(harness.replies(), ["1 true"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_had_to_wait_and_then_fails_is_tried_again_like_any_other() {
    let text = r#"
      local tries = 0
      every("0 5 * * *", { name = "collect" }, function() sleep("1m") end)
      every("0 5 * * *", { name = "report", after = { "collect" }, retries = 1 }, function(event)
        tries += 1
        if tries == 1 then error("not yet") end
        say("reported in try " .. event.attempt)
      end)
    "#;
    let harness = harness_at(at(2026, 11, 20, 4, 59, "UTC"), text).await;
    harness.until("the report", |harness| !harness.texts().is_empty()).await;
    assert_eq!(harness.texts(), ["reported in try 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_waited_over_a_restart_ends_there_and_comes_again_in_its_time() {
    let text = r#"
      every("30m", { name = "slow" }, function() say("begun") sleep("10m") say("done") end)
      function on_error(event) say(event.error.message) end
    "#;
    let harness = harness_at(at(2026, 11, 20, 8, 0, "UTC"), text).await;
    harness.until("it begins", |harness| !harness.texts().is_empty()).await;
    let full = format!("{SPEAK}{text}");
    let harness = harness.restart(vec![script("clock", &full)]).await;
    harness.until("it comes again", |harness| harness.texts().last().is_some_and(|text| text == "done")).await;
    assert_eq!(harness.texts(), ["begun", "interrupted: the daemon was restarted while every waited", "begun", "done"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_failed_is_tried_again_also_over_a_restart() {
    let text = r#"
      every("0 5 * * *", { name = "collect", retries = 3 }, function()
        if not store.get("tried") then
          say("fails")
          store.set("tried", true)
          sleep(0)
          error("not yet")
        end
        say("collected")
      end)
    "#;
    let harness = harness_at(at(2026, 11, 20, 4, 59, "UTC"), text).await;
    harness.until("it fails", |harness| harness.texts() == ["fails"]).await;
    harness.engine.quiesce().await;
    let harness = harness.restart(vec![script("clock", &format!("{SPEAK}{text}"))]).await;
    harness.until("it is tried again", |harness| harness.texts() == ["fails", "collected"]).await;
    assert!(harness.clock.now() < at(2026, 11, 20, 5, 10, "UTC"), "long before its next time");
}
