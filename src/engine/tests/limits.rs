//! Limits on what scripts keep and write, over restarts too.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use palabre_engine::ScriptSetup;
use support::*;

fn last_error(harness: &Harness, name: &str) -> String {
    let status = harness.engine.status();
    let script = status.scripts.iter().find(|script| script.name.as_str() == name).unwrap();
    script.last_error.clone().unwrap_or_default()
}

const TIMERS: &str = r#"
  on_timer("t", function() end)
  function on_message(event)
    if event.text == "cancel" then
      for n = 1, 40 do timers.cancel("a" .. n) end
    else
      for n = 1, 40 do timers.set("t", { after = "1d", key = event.text .. n }, string.rep("x", 12000)) end
    end
    event:reply(event.text)
  end"#;

fn timers() -> ScriptSetup {
    let mut setup = script("timers", TIMERS);
    setup.limits.timers_mb = 1;
    setup
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_of_timers_have_a_limit_over_restarts() {
    let harness = Harness::new(vec![timers()]).await;
    for text in ["a", "b", "c"] {
        harness.alice(text).await;
    }
    assert_eq!(harness.replies(), ["a", "b"]);
    assert!(last_error(&harness, "timers").contains("limits.timers_mb"), "{}", last_error(&harness, "timers"));
    let harness = harness.restart(vec![timers()]).await;
    harness.alice("d").await;
    assert_eq!(harness.replies(), ["a", "b"], "they are counted again from the store");
    harness.alice("cancel").await;
    harness.alice("e").await;
    assert_eq!(harness.replies(), ["a", "b", "cancel", "e"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_of_a_script_that_is_added_later_have_the_limit_too() {
    let harness = Harness::new(vec![]).await;
    harness.engine.add_script(timers()).await.unwrap();
    for text in ["a", "b", "c"] {
        harness.alice(text).await;
    }
    assert_eq!(harness.replies(), ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_rewritten_in_a_loop_end_at_the_bytes_of_a_minute_and_others_go_on() {
    let text = r#"function on_message(event)
        if event.text ~= "write" then return end
        while true do
          for n = 1, 4 do store.set("k" .. n, string.rep("x", 250000)) end
          sleep(0)
        end
      end"#;
    let mut writer = script("writer", text);
    writer.limits.write_mb_per_minute = 8;
    let other = script("other", "function on_message(event) event:reply('here') end");
    let harness = Harness::new(vec![writer, other]).await;
    harness.sim.person("alice", "general").says("write").await.unwrap();
    // The clock stands still, so everything happens in one minute.
    harness.engine.quiesce().await;
    let error = last_error(&harness, "writer");
    assert!(error.contains("limits.write_mb_per_minute"), "{error}");
    harness.alice("x").await;
    assert_eq!(harness.replies().last().unwrap(), "here");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_whose_vm_is_replaced_has_its_minute_no_sooner() {
    let text = r#"function on_message(event)
        if event.text == "write" then
          for n = 1, 4 do store.set("k" .. n, string.rep("x", 250000)) end
          event:reply("written")
        else
          kept = {}
          while true do table.insert(kept, string.rep("x", 100000) .. #kept) end
        end
      end"#;
    let mut setup = script("writer", text);
    (setup.limits.write_mb_per_minute, setup.limits.memory_mb, setup.limits.cpu_ms) = (2, 8, 10_000);
    let harness = Harness::new(vec![setup]).await;
    for text in ["write", "fill", "write", "fill", "write"] {
        harness.alice(text).await;
        if text == "fill" {
            assert!(last_error(&harness, "writer").contains("limits.memory_mb"), "{}", last_error(&harness, "writer"));
        }
    }
    assert_eq!(harness.replies(), ["written", "written"]);
    assert!(
        last_error(&harness, "writer").contains("limits.write_mb_per_minute"),
        "{}",
        last_error(&harness, "writer")
    );
}
