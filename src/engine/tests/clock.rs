//! A clock that is ahead and then corrected: what was set meanwhile does not last until that time.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::time::Duration;

use palabre_engine::{Operators, ScriptSetup};
use palabre_platform::{Clock, VirtualClock};
use palabre_sim::Sim;
use palabre_store::Store;
use support::{Harness, script};

const NOW: u64 = 1_800_000_000_000;
const YEAR: u64 = 365 * 86_400_000;

const TEXT: &str = r#"
  command("roll", { cooldown = "10s" }, function(event) event:reply("rolled") end)
  on_timer("ring", function(payload) rooms.get("sim/general"):send("ring " .. payload) end)
  every("10m", { name = "tick" }, function() store.incr("ticks") end)
  function on_message(event)
    if event.text == "wake" then timers.set("ring", "1m", "soon") end
    if event.text == "later" then timers.set("ring", { after = "40d", key = "later" }, "later") end
    if event.text == "sleep" then sleep("30s") event:reply("slept") end
    if event.text == "often" then event:reply(tostring(limit("x", "1/10s"))) end
    if event.text == "keep" then store.set("brief", 1, { ttl = "30s" }) store.set("long", 1, { ttl = "40d" }) end
    if event.text == "kept" then event:reply(`{store.get("brief")} {store.get("long")} {store.get("ticks")}`) end
  end"#;

fn scripts() -> Vec<ScriptSetup> {
    vec![script("s", TEXT)]
}

impl Harness {
    /// Returns the answer of the bot.
    async fn answer(&self, text: &str) -> Option<String> {
        let before = self.replies().len();
        self.alice(text).await;
        self.replies().get(before).cloned()
    }

    /// Uses everything that has a duration.
    async fn use_all(&self) {
        assert_eq!(self.answer("/roll").await.as_deref(), Some("rolled"));
        assert_eq!(self.answer("often").await.as_deref(), Some("true"));
        for text in ["wake", "keep", "sleep"] {
            self.alice(text).await;
        }
    }

    /// Checks that everything ends after its own duration, and not before.
    async fn expect_own_times(&self) {
        self.until("the sleep", |harness| harness.replies().iter().any(|text| text == "slept")).await;
        self.until("the timer", |harness| harness.replies().iter().any(|text| text == "ring soon")).await;
        assert_eq!(self.answer("/roll").await.as_deref(), Some("rolled"));
        assert_eq!(self.answer("often").await.as_deref(), Some("true"));
        let kept = self.answer("kept").await.unwrap();
        assert!(kept.starts_with("nil 1 "), "{kept}");
    }

    fn ticks(&self) -> usize {
        let snapshot = self.store.snapshot(0).unwrap();
        palabre_engine::task_runs(&snapshot, &"s".into(), "tick").unwrap().count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_a_year_ahead_once_holds_nothing_up_for_a_year() {
    let clock = VirtualClock::new(NOW);
    let harness = Harness::at(Store::in_memory().unwrap(), Sim::new("sim"), clock, scripts()).await;
    harness.alice("later").await;
    harness.advance(Duration::from_secs(5)).await;

    harness.clock.set(NOW + YEAR);
    harness.advance(Duration::from_secs(5)).await;
    harness.use_all().await;
    let ahead = harness.ticks();
    assert!(ahead < 200, "a year of runs comes at once: {ahead}");

    harness.clock.set(NOW + 60_000);
    harness.advance(Duration::from_secs(3)).await;
    harness.expect_own_times().await;
    harness.advance(Duration::from_secs(700)).await;
    assert!(harness.ticks() > ahead, "its task goes on");
    assert_eq!(harness.replies().iter().filter(|text| *text == "ring soon").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_ten_years_ahead_at_a_start_and_right_at_a_later_one_holds_nothing_up() {
    let (store, sim) = (Store::in_memory().unwrap(), Sim::new("sim"));
    let harness = Harness::at(store, sim, VirtualClock::new(NOW), scripts()).await;
    harness.advance(Duration::from_secs(3)).await;
    let Harness { store, sim, engine, .. } = harness;
    engine.shutdown().await;

    let harness = Harness::at(store, sim, VirtualClock::new(NOW + 10 * YEAR), scripts()).await;
    harness.use_all().await;
    harness.advance(Duration::from_secs(3)).await;
    let Harness { store, sim, engine, .. } = harness;
    engine.shutdown().await;

    let harness = Harness::at(store, sim, VirtualClock::new(NOW + 3_600_000), scripts()).await;
    // The run that waited over the restart has been ended as interrupted.
    harness.alice("sleep").await;
    harness.expect_own_times().await;
    let before = harness.ticks();
    harness.advance(Duration::from_secs(700)).await;
    assert!(harness.ticks() > before, "its task goes on");

    // And again: what is correct already is not moved a second time.
    let harness = harness.restart(scripts()).await;
    assert_eq!(harness.answer("often").await.as_deref(), Some("true"));
    assert_eq!(harness.answer("often").await.as_deref(), Some("false"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_set_before_the_clock_went_ahead_keeps_its_time() {
    let clock = VirtualClock::new(NOW);
    let harness = Harness::at(Store::in_memory().unwrap(), Sim::new("sim"), clock, scripts()).await;
    harness.alice("later").await;
    harness.alice("keep").await;
    // One day, which is shorter than the durations of what was set.
    harness.clock.set(NOW + 86_400_000);
    harness.advance(Duration::from_secs(3)).await;
    harness.clock.set(NOW + 60_000);
    harness.advance(Duration::from_secs(3)).await;

    let due: Vec<u64> = {
        let snapshot = harness.store.snapshot(0).unwrap();
        let timers =
            palabre_store::Table::<(u64, String, String), serde_json::Value>::new(palabre_types::TableId::Timers);
        let rows = timers.scan(&snapshot, &Vec::new(), palabre_store::Direction::Forward).unwrap();
        rows.map(|row| row.unwrap().0.0).collect()
    };
    assert_eq!(due, [NOW + 40 * 86_400_000]);
    assert!(harness.answer("kept").await.unwrap().contains(" 1 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_is_told_that_the_clock_went_back() {
    let operators = Operators { room: Some("sim/log".into()), webhook: None };
    let harness = Harness::with_operators(operators, vec![]).await;
    harness.clock.advance(Duration::from_secs(7_200));
    harness.advance(Duration::from_secs(3)).await;
    harness.clock.set(harness.clock.now() - 3_600_000);
    harness.until("a message", |harness| !harness.sim.transcript().texts("log").is_empty()).await;
    let log = harness.sim.transcript().texts("log").join("\n");
    assert!(log.contains("The clock went back"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_stepped_by_seconds_is_nobodys_business() {
    let operators = Operators { room: Some("sim/log".into()), webhook: None };
    let harness = Harness::with_operators(operators, scripts()).await;
    harness.advance(Duration::from_secs(120)).await;
    harness.alice("wake").await;
    harness.clock.set(harness.clock.now() - 30_000);
    harness.until("the timer", |harness| harness.replies().iter().any(|text| text == "ring soon")).await;
    assert!(harness.sim.transcript().texts("log").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_failed_in_a_time_that_never_was_is_tried_again_soon() {
    let text = r#"every("10m", { name = "collect", retries = 3 }, function()
        if store.incr("tries") > 1 then error("enough") end
        sleep(0)
        error("not yet")
    end)"#;
    let clock = VirtualClock::new(NOW + YEAR);
    let harness = Harness::at(Store::in_memory().unwrap(), Sim::new("sim"), clock, vec![script("s", text)]).await;
    let attempts = |harness: &Harness| {
        let snapshot = harness.store.snapshot(0).unwrap();
        palabre_engine::task_runs(&snapshot, &"s".into(), "collect")
            .unwrap()
            .map(Result::unwrap)
            .map(|run| run.attempt)
            .max()
    };
    harness.until("it fails", |harness| attempts(harness) == Some(1)).await;
    harness.clock.set(NOW);
    harness.advance(Duration::from_secs(240)).await;
    assert!(attempts(&harness) >= Some(2), "{:?}", attempts(&harness));
    // Nor is it planned from the wrong time after a restart.
    let runs = |harness: &Harness| {
        palabre_engine::task_runs(&harness.store.snapshot(0).unwrap(), &"s".into(), "collect").unwrap().count()
    };
    harness.advance(Duration::from_secs(1_200)).await;
    let harness = harness.restart(vec![script("s", text)]).await;
    let before = runs(&harness);
    harness.advance(Duration::from_secs(1_500)).await;
    assert!(runs(&harness) > before, "{before} runs, and none since");
}
