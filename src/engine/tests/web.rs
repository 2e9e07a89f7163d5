//! Requests out and in, functions of other scripts, and waiting for one's own messages.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use palabre_model::ActionError;
use palabre_script::{RouteAuth, Source};
use serde_json::json;
use support::{House, script};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers every request with its first line and its body.
async fn echo() -> u16 {
    drop(rustls::crypto::ring::default_provider().install_default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            connections.spawn(async move {
                let mut bytes = vec![0; 4_096];
                let read = socket.read(&mut bytes).await.unwrap();
                let request = String::from_utf8_lossy(&bytes[..read]).into_owned();
                let first = request.lines().next().unwrap_or_default();
                let body = request.split("\r\n\r\n").nth(1).unwrap_or_default();
                let answer = json!({ "line": first, "body": body }).to_string();
                let head = format!("HTTP/1.1 201 Created\r\ncontent-length: {}\r\nx-kind: echo\r\n\r\n", answer.len());
                socket.write_all(format!("{head}{answer}").as_bytes()).await.unwrap();
            });
        }
    });
    tasks.detach_all();
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_for_its_reply_and_what_is_not_granted_does_not_leave() {
    let port = echo().await;
    let text = format!(
        r#"
      function on_message(event)
        if event.text == "get" then
          store.set("asked", true)
          local reply = http.get("http://127.0.0.1:{port}/x?y=1", {{ headers = {{ ["X-A"] = "b" }}, timeout = "5s" }})
          event:reply(`{{reply.status}} {{reply.ok}} {{reply.headers["x-kind"]}} {{reply:json().line}}`)
        elseif event.text == "post" then
          local reply = http.post("http://127.0.0.1:{port}/", {{ a = 1 }})
          event:reply(reply:json().body)
        elseif event.text == "elsewhere" then
          local done, problem = pcall(http.get, "http://169.254.169.254/latest/meta-data")
          event:reply(problem)
        end
      end"#
    );
    let mut setup = script("web", &text);
    setup.grants = vec![format!("http:127.0.0.1:{port}"), "http:*".into()];
    let house = House::new(vec![setup]).await;
    for (text, count) in [("get", 1), ("post", 2), ("elsewhere", 3)] {
        house.alice(text).await;
        house.until(text, |house| house.replies().len() == count).await;
    }
    let replies = house.replies();
    assert_eq!(replies[0], "201 true echo GET /x?y=1 HTTP/1.1");
    assert_eq!(replies[1], r#"{"a":1}"#);
    assert!(replies[2].contains("169.254.169.254"), "{replies:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_answers_once_all_that_it_did_is_durable() {
    let text = r#"
      route("GET", "/top", { auth = "public" }, function(request)
        return { status = 200, json = { visits = store.incr("visits"), who = request.query.who } }
      end)
      route("POST", "/fail", function() error("no luck") end)
      route("GET", "/slow", function() sleep("1s") return { text = "done" } end)
    "#;
    let mut setup = script("site", text);
    setup.grants = vec!["routes".into()];
    let house = House::new(vec![setup]).await;
    let routes = house.engine.routes();
    let shown: Vec<_> = routes.iter().map(|(script, route)| (script.as_str(), route.key(), route.auth)).collect();
    assert_eq!(
        shown,
        [
            ("site", "GET /top".to_owned(), RouteAuth::Public),
            ("site", "POST /fail".to_owned(), RouteAuth::Token),
            ("site", "GET /slow".to_owned(), RouteAuth::Token)
        ]
    );
    let ask = |index: usize, request| {
        let (script, route) = routes[index].clone();
        let engine = &house.engine;
        async move { engine.request(&script, &route, request).await }
    };
    let answer = ask(0, json!({ "query": { "who": "bob" } })).await.unwrap();
    assert_eq!(answer, json!([{ "status": 200, "json": { "visits": 1, "who": "bob" } }]));
    assert!(ask(1, json!({})).await.unwrap_err().contains("no luck"));
    let answer = house.with_time(ask(2, json!({}))).await;
    assert_eq!(answer.unwrap(), json!([{ "text": "done" }]));
    // After a reload the routes are those of the new version.
    house.engine.reload(Source::from_text("site", "")).await.unwrap();
    house.alice("x").await;
    assert!(house.engine.routes().is_empty());
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
      function on_message(event) if event.text == "bank" then event:reply("bank: " .. store.get("money:alice", 0)) end end
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
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("game")).unwrap();
    std::fs::write(folder.path().join("game/init.luau"), game).unwrap();
    std::fs::write(folder.path().join("game/script.yaml"), "name: game\ndepends: { bank: \"*\" }\n").unwrap();
    let mut caller = script("game", "");
    caller.source = Source::read(folder.path(), "game");
    // A third one between them, so that they would not share a worker by chance.
    let house = House::new(vec![script("bank", bank), script("aside", ""), caller]).await;
    for text in ["win", "cheat", "win", "bank", "odd"] {
        house.alice(text).await;
    }
    let general: Vec<_> =
        house.texts().into_iter().filter(|text| !["win", "cheat", "bank", "odd"].contains(&&**text)).collect();
    assert_eq!(general[..3], ["you have 6", "you have 12", "bank: 12"]);
    assert!(general[3].contains("nobody gives less than nothing"), "{general:?}");
    assert!(
        general[3].contains("the script exports no rob") && general[3].contains("there is no such script at work"),
        "{general:?}"
    );
    assert_eq!(
        house.sim.transcript().texts("bank"),
        ["alice has 5", "alice has 6", "alice has 11", "alice has 12"],
        "what the failed run had done is not there"
    );
    let house = house.restart(vec![script("bank", bank)]).await;
    house.alice("bank").await;
    assert_eq!(house.replies().last().unwrap(), "bank: 12");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_can_wait_until_its_message_is_out() {
    let text = r#"
      function on_message(event)
        local sent = event:reply("out")
        local done, id = pcall(function() return sent:delivered() end)
        event:reply(if done then "delivered as " .. id else "not delivered: " .. id)
        event:reply("again " .. tostring(pcall(function() return sent:delivered() end)))
      end"#;
    let house = House::new(vec![script("sender", text)]).await;
    house.alice("one").await;
    house.until("it is out", |house| house.replies().len() == 3).await;
    assert!(house.replies()[1].starts_with("delivered as sender."), "{:?}", house.replies());
    house.sim.fail_next([ActionError::Rejected("no room for it".into())]);
    house.alice("two").await;
    house.until("it is told", |house| house.replies().len() == 5).await;
    assert!(house.replies()[3].contains("no room for it"), "{:?}", house.replies());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_scripts_count_is_in_the_metrics() {
    let text = r#"
      function on_message(event)
        metrics.count("jokes", 2, { kind = "bad" })
        metrics.observe("seconds", 0.5)
        if event.text == "fail" then error("not counted") end
      end"#;
    let house = House::new(vec![script("joker", text)]).await;
    for text in ["one", "fail", "two"] {
        house.alice(text).await;
    }
    let metrics = house.engine.metrics();
    assert!(metrics.contains(r#"palabre_of_script_jokes_total{kind="bad",script="joker"} 4.0"#), "{metrics}");
    assert!(metrics.contains(r#"palabre_of_script_seconds_count{script="joker"} 2"#), "{metrics}");
    assert!(metrics.contains(r#"palabre_script_happened_total{script="joker",what="failure"} 1"#), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_calls_another_script_and_waits_answers_when_it_is_done() {
    let bank = r#"function exports.give() return store.incr("given") end"#;
    let site = r#"
      local bank = import("bank")
      route("GET", "/", function() local n = bank.give() sleep("1s") return { status = 201, text = `given {n}` } end)
    "#;
    let mut setup = script("site", site);
    setup.grants = vec!["routes".into()];
    let mut bank = script("bank", bank);
    bank.name = "bank".into();
    let sim = palabre_sim::Sim::new("sim");
    // One worker, as two scripts have that depend on each other.
    let house = House::on_one_worker(sim, vec![bank, setup]).await;
    let (script, route) = house.engine.routes().pop().unwrap();
    let answer = house.with_time(house.engine.request(&script, &route, json!({}))).await;
    assert_eq!(answer.unwrap(), json!([{ "status": 201, "text": "given 1" }]));
}
