//! Calls between scripts: what a script exports, who may call it, and what is kept of a call.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use palabre_engine::ScriptSetup;
use palabre_script::Source;
use serde_json::json;
use support::{Harness, script};

/// Returns a script in a folder, whose script.yaml names bank under depends.
fn depends_on_bank(name: &str, text: &str) -> ScriptSetup {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(name)).unwrap();
    std::fs::write(folder.path().join(name).join("init.luau"), text).unwrap();
    let manifest = format!("name: {name}\ndepends: {{ bank: \"*\" }}\n");
    std::fs::write(folder.path().join(name).join("script.yaml"), manifest).unwrap();
    ScriptSetup { source: Source::read(folder.path(), name), ..script(name, "") }
}

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
    let caller = depends_on_bank("caller", CALLER);
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
    let source = depends_on_bank("caller", CALLER).source.unwrap();
    let failure = harness.engine.reload(source.clone()).await.unwrap_err();
    assert!(failure.to_string().contains("it depends on bank, which was started on another worker"), "{failure}");
    let harness = harness.restart(vec![script("bank", BANK), depends_on_bank("caller", CALLER)]).await;
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
    let caller = depends_on_bank("game", game);
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
    let harness = Harness::new(vec![script("bank", BANK), depends_on_bank("game", game)]).await;
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
    let mut setup = depends_on_bank("site", site);
    setup.grants = vec!["routes".into()];
    let harness = Harness::new(vec![script("bank", bank), script("aside", ""), setup]).await;
    let (script, route) = harness.engine.routes().pop().unwrap();
    let answer = harness.with_time(harness.engine.request(&script, &route, json!({}))).await;
    assert_eq!(answer.unwrap(), json!([{ "status": 201, "text": "given 1" }]));
}
