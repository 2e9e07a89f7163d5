//! Identities of steps: no two actions have the same key, whatever makes a script run.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::collections::{BTreeSet, HashSet};

use palabre_engine::journal;
use palabre_types::{RunId, ScriptName};
use support::{Harness, depends_on, script};

/// One step in the journal: its script, its identity, and the keys of its actions.
type Recorded = (ScriptName, RunId, Vec<String>);

/// Returns all steps in the journal.
fn steps(harness: &Harness) -> Vec<Recorded> {
    let snapshot = harness.store.snapshot(0).unwrap();
    let mut steps = Vec::new();
    for batch in journal(&snapshot).unwrap() {
        let (_, batch) = batch.unwrap();
        for step in batch.steps() {
            let script = batch.scripts[usize::from(step.script)].name.clone();
            let keys = step.effects.actions.iter().map(|(key, _)| key.to_string()).collect();
            steps.push((script, step.run.clone(), keys));
        }
    }
    steps
}

/// Checks that no two steps, and no two actions, have the same identity. Returns the keys of the actions.
fn distinct(steps: Vec<Recorded>) -> BTreeSet<String> {
    let (mut ids, mut distinct) = (HashSet::new(), BTreeSet::new());
    for (script, run, keys) in steps {
        for key in keys {
            assert!(distinct.insert(key.clone()), "two actions have the key {key}");
        }
        assert!(ids.insert((script.clone(), run.clone())), "two steps of {script} are {run:?}");
    }
    distinct
}

/// Returns keys without the number of their event, which all of them have in common.
fn without_event(keys: &BTreeSet<String>) -> Vec<String> {
    let seq = |key: &str| key.split('.').nth(1).unwrap().to_owned();
    let first = seq(keys.first().unwrap());
    assert!(keys.iter().all(|key| seq(key) == first), "of more than one event: {keys:?}");
    keys.iter().map(|key| key.replacen(&format!(".{first}."), ".", 1)).collect()
}

async fn says(harness: &Harness, text: &str) {
    harness.sim.person("alice", "general").says(text).await.unwrap();
    harness.engine.quiesce().await;
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

const BANK: &str = r#"
  function exports.note(text) rooms.get("sim/general"):send("bank " .. text) end"#;

#[tokio::test(flavor = "multi_thread")]
async fn each_action_and_call_of_a_run_that_waits_1_100_times_has_a_key_of_its_own() {
    let patient = r#"
      local bank = import("bank")
      function on_message(event)
        for n = 1, 1100 do
          if n % 10 == 0 then
            event.room:send("own " .. n)
            bank.note(tostring(n))
          end
          sleep(0)
        end
        event.room:send("done")
      end"#;
    let harness = Harness::new(vec![script("bank", BANK), depends_on("patient", &["bank"], patient)]).await;
    says(&harness, "go").await;
    let tens = (1..=110).map(|n| n * 10);
    let expected = tens.flat_map(|n| [format!("own {n}"), format!("bank {n}")]).chain(["done".to_owned()]);
    assert_eq!(sorted(harness.replies()), sorted(expected.collect()));
    assert_eq!(harness.sim.transcript().repeats(), 0);
    let steps = steps(&harness);
    let of = |name: &str| steps.iter().filter(|(script, ..)| script.as_str() == name).count();
    assert_eq!((of("patient"), of("bank")), (1_101, 110));
    assert_eq!(distinct(steps).len(), 221);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_a_restart_interrupts_and_its_on_error_share_no_key() {
    let patient = r#"
      local bank = import("bank")
      function on_message(event)
        if event.text ~= "go" then return end
        for n = 1, 20 do
          event.room:send("own " .. n)
          bank.note(tostring(n))
          sleep(if n < 20 then 0 else "1h")
        end
      end
      function on_error(event)
        event.room:send("own error")
        bank.note("error")
      end"#;
    let scripts = || vec![script("bank", BANK), depends_on("patient", &["bank"], patient)];
    let harness = Harness::new(scripts()).await;
    says(&harness, "go").await;
    let harness = harness.restart(scripts()).await;
    harness.engine.quiesce().await;
    let numbers = (1..=20).map(|n| n.to_string()).chain(["error".to_owned()]);
    let expected = numbers.flat_map(|what| [format!("own {what}"), format!("bank {what}")]);
    assert_eq!(sorted(harness.replies()), sorted(expected.collect()));
    let keys = without_event(&distinct(steps(&harness)));
    assert_eq!(keys.len(), 42);
    for key in ["patient.e20.0", "patient.19.0", "bank.c20~patient.0", "bank.c19~patient.0"] {
        assert!(keys.iter().any(|other| other == key), "{key} is not among {keys:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_error_after_a_wait_and_what_it_calls_have_keys_of_their_own() {
    let game = r#"
      local bank = import("bank")
      function on_message(event)
        event.room:send("first") bank.note("first")
        sleep(0)
        event.room:send("second") bank.note("second")
        sleep(0)
        event.room:send("dropped") bank.note("dropped")
        error("late")
      end
      function on_error(event)
        event.room:send("error")
        bank.note("error") bank.note("error again")
      end"#;
    let harness = Harness::new(vec![script("bank", BANK), depends_on("game", &["bank"], game)]).await;
    says(&harness, "go").await;
    assert_eq!(
        sorted(harness.replies()),
        ["bank error", "bank error again", "bank first", "bank second", "error", "first", "second"]
    );
    assert_eq!(
        without_event(&distinct(steps(&harness))),
        ["bank.c0~game.0", "bank.c1~game.0", "bank.c2~game.0", "bank.c2~game.1", "game.0.0", "game.1.0", "game.e2.0"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_callers_of_one_script_during_the_same_event_get_keys_of_their_own() {
    // Calls were once told apart by the FNV-1a hash of the caller's name modulo 2^19, which is the same for these.
    let callers = ["bet_trivia", "bet_bounty"];
    let caller = |name: &str| {
        let text = r#"
          local bank, teller = import("bank"), import("teller")
          function on_message(event)
            bank.note("1 NAME") teller.note("2 NAME") bank.note("3 NAME")
            sleep(0)
            bank.note("4 NAME")
          end"#;
        depends_on(name, &["bank", "teller"], &text.replace("NAME", name))
    };
    let bank = format!("{BANK} function on_message(event) event.room:send('bank itself') end");
    let teller = r#"
      local bank = import("bank")
      function exports.note(text) bank.note(text) end
      function on_message() bank.note("teller") end"#;
    let teller = depends_on("teller", &["bank"], teller);
    let harness = Harness::new(vec![script("bank", &bank), teller, caller(callers[0]), caller(callers[1])]).await;
    says(&harness, "go").await;
    let notes = callers.into_iter().flat_map(|name| (1..=4).map(move |n| format!("bank {n} {name}")));
    let expected = notes.chain(["bank itself".to_owned(), "bank teller".to_owned()]);
    assert_eq!(sorted(harness.replies()), sorted(expected.collect()));
    assert_eq!(harness.sim.transcript().repeats(), 0);
    assert_eq!(distinct(steps(&harness)).len(), 10);
}
