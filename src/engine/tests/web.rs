//! HTTP requests and routes of scripts, waits for deliveries, and metrics.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use palabre_script::{RouteAuth, Source};
use palabre_types::{ActionError, Answer};
use serde_json::json;
use support::{Harness, script};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Starts a server that answers every request with its first line and its body.
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
                let key = request.lines().find_map(|line| line.strip_prefix("idempotency-key: "));
                let answer = json!({ "line": first, "body": body, "key": key }).to_string();
                let head = format!("HTTP/1.1 201 Created\r\ncontent-length: {}\r\nx-kind: echo\r\n\r\n", answer.len());
                socket.write_all(format!("{head}{answer}").as_bytes()).await.unwrap();
            });
        }
    });
    tasks.detach_all();
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_may_change_something_carry_an_idempotency_key() {
    let port = echo().await;
    let text = format!(
        r#"
      function on_message(event)
        local url, keys = "http://127.0.0.1:{port}/", {{}}
        for _, reply in {{
          http.get(url), http.post(url, "a"), http.put(url, "a"), http.delete(url),
          http.post(url, "a", {{ headers = {{ ["idempotency-key"] = "mine" }} }}),
        }} do
          table.insert(keys, reply:json().key or "none")
        end
        event:reply(table.concat(keys, " "))
      end"#
    );
    let mut setup = script("web", &text);
    setup.grants = vec![format!("http:127.0.0.1:{port}")];
    let harness = Harness::new(vec![setup]).await;
    harness.sim.person("alice", "general").says("go").await.unwrap();
    // With the clock at rest: a request times out after ten seconds.
    harness.engine.quiesce().await;
    let replies = harness.replies();
    let keys: Vec<&str> = replies[0].split(' ').collect();
    assert_eq!((keys[0], keys[4]), ("none", "mine"));
    let made = &keys[1..4];
    assert!(made.iter().all(|key| key.len() == 32), "{keys:?}");
    assert!(made[0] != made[1] && made[1] != made[2] && made[0] != made[2], "{keys:?}");
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
    let harness = Harness::new(vec![setup]).await;
    for (text, count) in [("get", 1), ("post", 2), ("elsewhere", 3)] {
        harness.alice(text).await;
        harness.until(text, |harness| harness.replies().len() == count).await;
    }
    let replies = harness.replies();
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
    let harness = Harness::new(vec![setup]).await;
    let routes = harness.engine.routes();
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
        let engine = &harness.engine;
        async move { engine.request(&script, &route, request).await }
    };
    let answer = ask(0, json!({ "query": { "who": "bob" } })).await.unwrap();
    assert_eq!(answer, json!([{ "status": 200, "json": { "visits": 1, "who": "bob" } }]));
    assert!(ask(1, json!({})).await.unwrap_err().contains("no luck"));
    let answer = harness.with_time(ask(2, json!({}))).await;
    assert_eq!(answer.unwrap(), json!([{ "text": "done" }]));
    // After a reload the routes are those of the new version.
    harness.engine.reload(Source::from_text("site", "")).await.unwrap();
    harness.alice("x").await;
    assert!(harness.engine.routes().is_empty());
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
    let harness = Harness::new(vec![script("sender", text)]).await;
    harness.alice("one").await;
    harness.until("it is out", |harness| harness.replies().len() == 3).await;
    assert!(harness.replies()[1].starts_with("delivered as sender."), "{:?}", harness.replies());
    harness.sim.fail_next([ActionError::Rejected("no room for it".into())]);
    harness.alice("two").await;
    harness.until("it is told", |harness| harness.replies().len() == 5).await;
    assert!(harness.replies()[3].contains("no room for it"), "{:?}", harness.replies());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_scripts_count_is_in_the_metrics() {
    let text = r#"
      function on_message(event)
        metrics.count("jokes", 2, { kind = "bad" })
        metrics.observe("seconds", 0.5)
        if event.text == "fail" then error("not counted") end
      end"#;
    let harness = Harness::new(vec![script("joker", text)]).await;
    for text in ["one", "fail", "two"] {
        harness.alice(text).await;
    }
    let metrics = harness.engine.metrics();
    assert!(metrics.contains(r#"palabre_of_script_jokes_total{kind="bad",script="joker"} 4.0"#), "{metrics}");
    assert!(metrics.contains(r#"palabre_of_script_seconds_count{script="joker"} 2"#), "{metrics}");
    assert!(metrics.contains(r#"palabre_script_happened_total{script="joker",what="failure"} 1"#), "{metrics}");
}

/// Whether a request has arrived with all of its body.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| {
        line.to_lowercase().strip_prefix("content-length:").map(|length| length.trim().parse::<usize>().unwrap())
    });
    body.len() >= length.unwrap_or(0)
}

/// Starts a server that answers requests with 1 MiB each after a pause.
///
/// It records the maximum number of requests in flight.
async fn slow(in_flight_max: Arc<AtomicUsize>) -> u16 {
    drop(rustls::crypto::ring::default_provider().install_default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        let in_flight = Arc::new(AtomicUsize::new(0));
        let mut connections = tokio::task::JoinSet::new();
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let (in_flight, in_flight_max) = (Arc::clone(&in_flight), Arc::clone(&in_flight_max));
            connections.spawn(async move {
                let (mut request, mut bytes) = (Vec::new(), vec![0; 65_536]);
                while !is_whole(&request) {
                    let read = socket.read(&mut bytes).await.unwrap();
                    assert!(read > 0, "the request ends early");
                    request.extend_from_slice(&bytes[..read]);
                }
                in_flight_max.fetch_max(in_flight.fetch_add(1, SeqCst) + 1, SeqCst);
                // By then all concurrent requests have arrived.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                in_flight.fetch_sub(1, SeqCst);
                let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", 1 << 20);
                socket.write_all(head.as_bytes()).await.unwrap();
                socket.write_all(&vec![b'x'; 1 << 20]).await.unwrap();
            });
        }
    });
    tasks.detach_all();
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_past_those_that_may_be_under_way_wait_for_their_turn() {
    // At most as many as the script's memory has MiB, whatever the limit of requests.
    for (http_requests, memory_mb, max) in [(2, 32, 2), (100, 12, 12)] {
        let in_flight_max = Arc::new(AtomicUsize::new(0));
        let port = slow(Arc::clone(&in_flight_max)).await;
        let text = format!(
            r#"function on_message(event)
                 local reply = http.get("http://127.0.0.1:{port}/", {{ timeout = "60s" }})
                 event:reply(tostring(#reply.body))
               end"#
        );
        let mut setup = script("many", &text);
        setup.grants = vec![format!("http:127.0.0.1:{port}")];
        (setup.limits.http_requests, setup.limits.memory_mb) = (http_requests, memory_mb);
        let harness = Harness::new(vec![setup]).await;
        for n in 0..20 {
            harness.sim.person("alice", "general").says(&n.to_string()).await.unwrap();
        }
        // The clock stands still, so that none of them times out.
        harness.engine.quiesce().await;
        assert_eq!(harness.replies().len(), 20);
        assert!(harness.replies().iter().all(|reply| reply == "1048576"), "{:?}", harness.replies());
        assert!(in_flight_max.load(SeqCst) <= max, "{} at once", in_flight_max.load(SeqCst));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_waiting_requests_have_a_limit_and_large_replies_are_not_written_down() {
    let port = slow(Arc::default()).await;
    let text = format!(
        r#"function on_message(event)
             local body = string.rep("x", 300000)
             local reply = http.post("http://127.0.0.1:{port}/", body, {{ timeout = "60s" }})
             event:reply(tostring(#reply.body))
           end"#
    );
    let mut setup = script("posts", &text);
    setup.grants = vec![format!("http:127.0.0.1:{port}")];
    (setup.limits.waiting_mb, setup.limits.http_requests) = (1, 1);
    let harness = Harness::new(vec![setup]).await;
    for n in 0..4 {
        harness.sim.person("alice", "general").says(&n.to_string()).await.unwrap();
    }
    harness.engine.quiesce().await;
    let failed = harness.engine.status().scripts[0].last_error.clone().unwrap_or_default();
    assert!(failed.contains("limits.waiting_mb"), "{failed}");
    assert!(!harness.replies().is_empty());
    harness.engine.shutdown().await;
    let snapshot = harness.store.snapshot(0).unwrap();
    let records = palabre_engine::journal(&snapshot).unwrap().flat_map(|block| block.unwrap().1.into_steps());
    let replies: Vec<_> = records
        .filter_map(|run| match run.answer {
            Some(Answer::Reply(reply)) => Some((reply.status, reply.body.len())),
            _ => None,
        })
        .collect();
    assert!(!replies.is_empty() && replies.iter().all(|reply| *reply == (200, 0)), "{replies:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_either_counted_or_observed_whatever_the_script() {
    let text = |name: &str, first: &str| {
        format!(
            r#"function on_message(event)
                 if event.text ~= "{name}" then return end
                 metrics.{first}("{first}_own", 1)
                 local _, problem = pcall(metrics.count, "observe_own", 1)
                 event:reply(tostring(problem))
               end"#
        )
    };
    let harness =
        Harness::new(vec![script("one", &text("one", "observe")), script("two", &text("two", "count"))]).await;
    for text in ["one", "two"] {
        harness.alice(text).await;
    }
    for reply in harness.replies() {
        assert!(reply.contains("\"observe_own\" is observed already, by the script one"), "{reply}");
    }
    let metrics = harness.engine.metrics();
    assert_eq!(metrics.matches("# TYPE palabre_of_script_observe_own histogram").count(), 1, "{metrics}");
    assert!(metrics.contains(r#"palabre_of_script_count_own_total{script="two"} 1.0"#), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn series_of_a_script_have_a_limit_in_number_and_in_bytes() {
    let text = r#"function on_message(event)
        local value, refused = if event.text == "wide" then string.rep("x", 120) else "", {}
        for n = 1, 10 do
          local labels = { n = n, a = value, b = value, c = value, d = value, e = value, f = value }
          local done, problem = pcall(metrics.count, "x", 1, labels)
          if not done then table.insert(refused, problem) end
        end
        event:reply(`{#refused} {refused[1]}`)
      end"#;
    for (words, count, limit) in [("many", 5, "5 different names"), ("wide", 9, "more than 1280 bytes")] {
        let mut setup = script("series", text);
        setup.limits.metric_series = 5;
        let harness = Harness::new(vec![setup]).await;
        // The same labels again create no new series.
        for _ in 0..2 {
            harness.alice(words).await;
            let reply = harness.replies().pop().unwrap();
            assert!(reply.starts_with(&count.to_string()) && reply.contains(limit), "{reply}");
            assert!(reply.contains("limits.metric_series"), "{reply}");
        }
        let series = harness.engine.metrics().matches("palabre_of_script_x_total{").count();
        assert_eq!(series, 10 - count);
    }
}
