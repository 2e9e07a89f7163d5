//! Calls between scripts: what a script exports, who may call it, and what is kept of a call.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use palabre_engine::ScriptSetup;
use palabre_types::Limits;
use serde_json::json;
use support::{Harness, depends_on, script};

const BANK: &str = r#"function exports.give(n) return store.incr("given", n) end
                      function rob() return 0 end"#;
const CALLER: &str = r#"
  local bank = import("bank")
  function on_message(event)
    local done, result = pcall(bank[event.text], 1)
    event:reply(tostring(result))
  end"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_script_calls_no_other_that_is_not_under_depends_even_beside_it() {
    let sim = palabre_sim::Sim::new("sim");
    let harness = Harness::on_one_worker(sim, vec![script("bank", BANK), script("loose", CALLER)]).await;
    harness.alice("give").await;
    assert!(
        harness.replies()[0].contains("bank is not under depends: in the script.yaml of loose"),
        "{:?}",
        harness.replies()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_exports_can_be_called_also_when_it_comes_later() {
    let caller = depends_on("caller", &["bank"], CALLER);
    let harness = Harness::new(vec![script("first", ""), caller, script("third", "")]).await;
    harness.alice("give").await;
    assert!(harness.replies()[0].contains("the script is not running"), "{:?}", harness.replies());
    // The order and the number of other scripts do not matter.
    harness.engine.add_script(script("fourth", "")).await.unwrap();
    harness.engine.add_script(script("bank", BANK)).await.unwrap();
    for text in ["give", "rob"] {
        harness.alice(text).await;
    }
    assert_eq!(harness.replies()[1], "1");
    assert!(harness.replies()[2].contains("the script exports no rob"), "{:?}", harness.replies());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_depends_on_what_was_started_apart_does_not_load() {
    let harness = Harness::new(vec![script("bank", BANK), script("caller", CALLER)]).await;
    let source = depends_on("caller", &["bank"], CALLER).source.unwrap();
    let failure = harness.engine.reload(source.clone()).await.unwrap_err();
    assert!(failure.to_string().contains("it depends on bank, which was started on another worker"), "{failure}");
    let harness = harness.restart(vec![script("bank", BANK), depends_on("caller", &["bank"], CALLER)]).await;
    harness.alice("give").await;
    assert_eq!(harness.replies(), ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_of_another_script_are_called_within_the_caller_s_transaction() {
    let bank = r#"
      function exports.give(user, amount)
        if amount < 0 then error("nobody gives less than nothing") end
        local new = store.incr("money:" .. user, amount)
        rooms.get("sim/bank"):send(`{user} has {new}`)
        return new
      end
      function exports.wait() sleep("1s") end
      function exports.money(user) return store.get("money:" .. user, 0) end
      function on_message(event)
        if event.text == "bank" then event:reply("bank: " .. store.get("money:alice", 0)) end
      end
    "#;
    let game = r#"
      local bank = import("bank")
      function on_message(event)
        if event.text == "win" then
          store.incr("wins")
          bank.give("alice", 5)
          event:reply("you have " .. bank.give("alice", 1))
        elseif event.text == "cheat" then
          bank.give("alice", 1000)
          error("and then it fails")
        elseif event.text == "odd" then
          local _, one = pcall(bank.give, "alice", -1)
          local _, two = pcall(bank.wait)
          local _, three = pcall(bank.rob)
          local _, four = pcall(import("nobody").x)
          event:reply(table.concat({ one, two, three, four }, " | "))
        end
      end
    "#;
    let caller = depends_on("game", &["bank"], game);
    // A third script between them, so that they do not share a worker by chance.
    let harness = Harness::new(vec![script("bank", bank), script("aside", ""), caller]).await;
    for text in ["win", "cheat", "win", "bank", "odd"] {
        harness.alice(text).await;
    }
    let general: Vec<_> =
        harness.texts().into_iter().filter(|text| !["win", "cheat", "bank", "odd"].contains(&&**text)).collect();
    assert_eq!(general[..3], ["you have 6", "you have 12", "bank: 12"]);
    assert!(general[3].contains("nobody gives less than nothing"), "{general:?}");
    assert!(
        general[3].contains("the script exports no rob") && general[3].contains("nobody is not under depends:"),
        "{general:?}"
    );
    assert_eq!(
        harness.sim.transcript().texts("bank"),
        ["alice has 5", "alice has 6", "alice has 11", "alice has 12"],
        "the failed run has left nothing"
    );
    let harness = harness.restart(vec![script("bank", bank)]).await;
    harness.alice("bank").await;
    assert_eq!(harness.replies().last().unwrap(), "bank: 12");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_on_error_does_by_another_script_is_kept_if_it_succeeds() {
    let game = r#"
      local bank = import("bank")
      function on_message(event)
        if event.text == "fail" then error("it fails") end
        if event.text == "fail twice" then error("twice") end
        event:reply(`given: {bank.give(0)}`)
      end
      function on_error(event)
        bank.give(5)
        if event.error.message:find("twice") then error("and again") end
      end"#;
    let harness = Harness::new(vec![script("bank", BANK), depends_on("game", &["bank"], game)]).await;
    for text in ["fail", "fail twice", "count"] {
        harness.alice(text).await;
    }
    assert_eq!(harness.replies(), ["given: 5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_calls_another_script_and_waits_answers_when_it_is_done() {
    let bank = r#"function exports.give() return store.incr("given") end"#;
    let site = r#"
      local bank = import("bank")
      route("GET", "/", function() local n = bank.give() sleep("1s") return { status = 201, text = `given {n}` } end)
    "#;
    let mut setup = depends_on("site", &["bank"], site);
    setup.grants = vec!["routes".into()];
    let harness = Harness::new(vec![script("bank", bank), script("aside", ""), setup]).await;
    let (script, route) = harness.engine.routes().pop().unwrap();
    let answer = harness.with_time(harness.engine.request(&script, &route, json!({}))).await;
    assert_eq!(answer.unwrap(), json!([{ "status": 201, "text": "given 1" }]));
}

const COUNTED: &str = r#"
  function exports.give(amount)
    local new = store.incr("given", amount)
    rooms.get("sim/bank"):send(`{amount} given`)
    return new
  end
  function on_message(event)
    if event.text == "count" then event:reply("given: " .. store.get("given", 0)) end
  end"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_called_function_calls_belongs_to_the_same_transaction() {
    let teller = r#"
      local bank = import("bank")
      function exports.pay(amount) store.incr("paid") return bank.give(amount) end
      function on_message(event)
        if event.text == "win" then bank.give(40) end
        if event.text == "paid" then event:reply("paid: " .. store.get("paid", 0)) end
      end"#;
    let game = r#"
      local bank, teller = import("bank"), import("teller")
      function on_message(event)
        if event.text == "win" then
          event:reply(`{bank.give(1)} {teller.pay(2)} {bank.give(3)}`)
        elseif event.text == "cheat" then
          teller.pay(1000)
          error("and then it fails")
        end
      end"#;
    let scripts = || {
        let teller = depends_on("teller", &["bank"], teller);
        vec![script("bank", COUNTED), teller, depends_on("game", &["bank", "teller"], game)]
    };
    let harness = Harness::new(scripts()).await;
    for text in ["win", "cheat", "count", "paid"] {
        harness.alice(text).await;
    }
    let given = |harness: &Harness| {
        let mut given: Vec<_> = harness.sim.transcript().texts("bank").into_iter().map(ToOwned::to_owned).collect();
        given.sort();
        given
    };
    assert_eq!(given(&harness), ["1 given", "2 given", "3 given", "40 given"]);
    let harness = harness.restart(scripts()).await;
    for text in ["count", "paid"] {
        harness.alice(text).await;
    }
    let replies: Vec<_> = harness.replies().into_iter().filter(|text| !text.ends_with("given")).collect();
    assert!(["1 3 6", "41 43 46"].contains(&replies[0].as_str()), "either script may be first: {replies:?}");
    assert_eq!(replies[1..], ["given: 46", "paid: 1", "given: 46", "paid: 1"]);
    assert_eq!(given(&harness), ["1 given", "2 given", "3 given", "40 given"], "the restart repeats nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_called_before_one_wait_too_many_is_dropped_with_it() {
    let game = r#"
      local bank = import("bank")
      function on_message(event)
        if event.text == "go" then bank.give(1) sleep("1h") end
      end
      function on_error() bank.give(10) end"#;
    let limits = Limits { concurrent_runs: 1, ..Limits::default() };
    let game = ScriptSetup { limits, ..depends_on("game", &["bank"], game) };
    let harness = Harness::new(vec![script("bank", COUNTED), game]).await;
    for text in ["go", "go", "count"] {
        harness.alice(text).await;
    }
    assert_eq!(harness.replies(), ["1 given", "10 given", "given: 11"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_on_load_called_is_kept_whatever_becomes_of_the_on_unload_before_it() {
    let old = "local bank = import('bank') function on_unload() bank.give(100) error('no') end";
    let new = "local bank = import('bank') function on_load() bank.give(1) end";
    let harness = Harness::new(vec![script("bank", COUNTED), depends_on("game", &["bank"], old)]).await;
    harness.engine.reload(depends_on("game", &["bank"], new).source.unwrap()).await.unwrap();
    harness.engine.when_idle().await;
    harness.alice("count").await;
    assert_eq!(harness.replies(), ["1 given", "given: 1"]);
}
