//! Limits of the room service.
//!
//! A client that exceeds them is slowed down, refused or disconnected, and others are not affected.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::time::Duration;

use palabre_tests::{Client, Project, eventually};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const WAIT_MAX: Duration = Duration::from_secs(60);

fn project(settings: &str) -> Project {
    let server = "server: { requests_per_minute: 100000 }";
    Project::new(&format!("{server}\nbots: {{ lobby: {{ platform: rooms, rooms: {{ {settings} }} }} }}"), &[])
}

async fn asks(client: &mut Client, event: &str, data: Value) -> Value {
    let asked = client.ask(event, data).await.unwrap();
    client.ack(asked).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_without_end_harms_nobody() {
    let project = project("client_queue: 64");
    let daemon = project.start().await;
    let (mut flooder, _) = Client::enter(&daemon.address, "flooder", "general").await.unwrap();
    let (mut bob, _) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    for _ in 0..800 {
        flooder.emit("typing", json!({ "is_typing": true })).await.unwrap();
    }
    alice.say("is it quiet here?", "1").await.unwrap();
    bob.hears("is it quiet here?").await.unwrap();
    let typing = bob.drain().iter().filter(|(event, _)| event == "user_typing").count();
    assert!(typing < 200, "{typing} reached the others");
    assert_eq!(daemon.get("/api/stats").await["slow_clients_disconnected"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_on_and_off_and_messages_without_end_are_slowed_and_none_is_lost() {
    let rates = "messages: { burst: 20, per_minute: 3000 }, changes: { burst: 20, per_minute: 3000 }";
    let project = project(&format!("limits: {{ {rates} }}"));
    let daemon = project.start().await;
    let (mut eager, _) = Client::enter(&daemon.address, "eager", "general").await.unwrap();
    let (mut bob, _) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    let id = eager.say("look", "n").await.unwrap();
    let mut asked = Vec::new();
    for number in 0..30 {
        let message = json!({ "message": number.to_string(), "nonce": number.to_string() });
        asked.push(eager.ask("send_message", message).await.unwrap());
        let reaction = json!({ "id": id, "emoji": "👍", "remove": number % 2 == 1 });
        asked.push(eager.ask("react", reaction).await.unwrap());
    }
    for asked in asked {
        let answer = eager.ack(asked).await.unwrap();
        assert!(answer["error"].is_null(), "what is a little too fast is taken, later: {answer}");
    }
    bob.hears("29").await.unwrap();
    let metrics = metrics(&daemon.address).await;
    assert!(metrics.contains("palabre_rooms_late_events"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_sends_at_once_are_all_acknowledged() {
    let project = project("");
    let daemon = project.start().await;
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    let mut asked = Vec::new();
    for number in 0..300 {
        let message = json!({ "message": format!("m{number}"), "nonce": number.to_string() });
        asked.push(alice.ask("send_message", message).await.unwrap());
    }
    for asked in asked {
        assert!(alice.ack(asked).await.unwrap()["id"].is_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_one_of_many_refusals_at_once_is_acknowledged() {
    let project = project("limits: { others: { burst: 10000, per_minute: 10000 } }");
    let daemon = project.start().await;
    let mut client = Client::connect(&daemon.address).await.unwrap();
    for event in ["nope", "send_message", "join_room"] {
        let mut asked = Vec::new();
        for _ in 0..400 {
            asked.push(client.ask(event, json!({})).await.unwrap());
        }
        for asked in asked {
            let answer = client.ack(asked).await.unwrap();
            assert!(answer["error"].is_string(), "{event}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_event_is_refused_in_the_acknowledgement() {
    let project = project("");
    let daemon = project.start().await;
    let mut client = Client::connect(&daemon.address).await.unwrap();
    for (number, packet) in [
        r#"["nope"]"#,
        r#"["join_room"]"#,
        r#"["join_room",null]"#,
        r#"["join_room","general"]"#,
        r#"["join_room",{"username":5}]"#,
        r#"["send_message",{"message":"x"}]"#,
        r#"["leave_it",{},{}]"#,
    ]
    .into_iter()
    .enumerate()
    {
        client.send(&format!("42{number}{packet}")).await.unwrap();
        let answer = client.ack(number as u64).await.unwrap();
        assert!(answer["error"].is_string(), "{packet}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_ignores_a_limit_is_disconnected_with_the_reason_and_may_reconnect() {
    let project = project("limits: { received_kb_per_second: 0 }");
    let daemon = project.start().await;
    let mut flooder = Client::connect(&daemon.address).await.unwrap();
    for _ in 0..5_000 {
        if flooder.emit("nope", json!({})).await.is_err() {
            break;
        }
    }
    let mut reason = String::new();
    while !reason.contains("you were disconnected") {
        let told = tokio::time::timeout(Duration::from_secs(60), flooder.wait("error")).await.unwrap().unwrap();
        reason = told["message"].as_str().unwrap().to_owned();
    }
    assert!(reason.contains("\"others\""), "{reason}");
    // Without a disconnect packet of Socket.IO or Engine.IO, after which the official client would
    // not reconnect.
    let closed = flooder.closed().await;
    assert!(closed.0.contains("the connection is closed"), "{closed:?}");
    Client::enter(&daemon.address, "flooder", "general").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_cannot_use_up_the_rooms() {
    let limits = "rooms: { burst: 5, per_minute: 1 }, joins: { burst: 1000, per_minute: 1000 }";
    let project = project(&format!("max_rooms: 20, limits: {{ {limits} }}"));
    let daemon = project.start().await;
    let mut greedy = Client::connect(&daemon.address).await.unwrap();
    let mut opened = 0;
    for number in 0..9 {
        // Under other names too.
        let username = format!("greedy{}", number % 4);
        let join = json!({ "username": username, "room": format!("room{number}") });
        let answer = asks(&mut greedy, "join_room", join).await;
        opened += usize::from(answer["error"].is_null());
        let told = answer["error"].as_str().unwrap_or("the limit \"rooms\"");
        assert!(told.contains("the limit \"rooms\""), "{answer}");
    }
    assert_eq!(opened, 5);
    Client::enter(&daemon.address, "bob", "a room of his own").await.unwrap();
    let join = json!({ "username": "greedy", "room": "a room of his own" });
    assert!(asks(&mut greedy, "join_room", join).await["error"].is_null(), "a room that is open may be entered");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_under_way_count_by_what_has_come() {
    let project = project("");
    let daemon = project.start().await;
    let (mut slow, _) = Client::enter(&daemon.address, "slow", "general").await.unwrap();
    let mut in_flight = Vec::new();
    for _ in 0..15 {
        let place = asks(&mut slow, "upload", json!({ "name": "a.bin" })).await;
        let mut connection = TcpStream::connect(&daemon.address).await.unwrap();
        let path = place["url"].as_str().unwrap();
        let head = format!("PUT {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 5000000\r\n\r\nx", daemon.address);
        connection.write_all(head.as_bytes()).await.unwrap();
        in_flight.push(connection);
    }
    let (mut bob, _) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    let place = asks(&mut bob, "upload", json!({ "name": "b.txt" })).await;
    let url = format!("http://{}{}", daemon.address, place["url"].as_str().unwrap());
    let answer = reqwest::Client::new().put(url).body(vec![7; 1 << 20]).send().await.unwrap();
    assert_eq!(answer.status(), reqwest::StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_announced_and_under_way_are_limited_for_each_address_and_the_limit_is_named() {
    let project = project("limits: { files_per_address: 3, transfers_per_address: 1 }");
    let daemon = project.start().await;
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    let (mut bob, _) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    let mut urls = Vec::new();
    for client in [&mut alice, &mut bob] {
        let place = asks(client, "upload", json!({ "name": "a.txt" })).await;
        urls.push(format!("http://{}{}", daemon.address, place["url"].as_str().unwrap()));
    }
    asks(&mut bob, "upload", json!({ "name": "c.txt" })).await;
    let refused = asks(&mut bob, "upload", json!({ "name": "d.txt" })).await;
    assert!(refused["error"].as_str().unwrap().contains("files_per_address"), "{refused}");

    let mut held = TcpStream::connect(&daemon.address).await.unwrap();
    let path = urls[0].split_once(&daemon.address).unwrap().1;
    let head = format!("PUT {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 10\r\n\r\nx", daemon.address);
    held.write_all(head.as_bytes()).await.unwrap();
    let in_flight = "palabre_rooms_uploads_under_way{bot=\"lobby\"} 1";
    let is_counted = async || {
        let metrics = metrics(&daemon.address).await;
        if metrics.contains(in_flight) { Ok(()) } else { Err(metrics) }
    };
    eventually(WAIT_MAX, "the upload in the metrics", is_counted).await;
    let http = reqwest::Client::new();
    let answer = http.put(&urls[1]).body("x").send().await.unwrap();
    assert_eq!(answer.status(), reqwest::StatusCode::TOO_MANY_REQUESTS);
    drop(held);
    let is_let_in = async || {
        let answer = http.put(&urls[1]).body("x").send().await.unwrap();
        if answer.status() == reqwest::StatusCode::OK { Ok(()) } else { Err(answer.status().to_string()) }
    };
    eventually(WAIT_MAX, "another upload", is_let_in).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_one_person_are_limited_and_those_of_others_are_not() {
    let project = project("limits: { connections_per_person: 2 }");
    let daemon = project.start().await;
    let first = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    let mut second = Client::connect_as(&daemon.address, "alice").await.unwrap();
    second.join(json!({ "username": "Alice", "room": "attic" })).await.unwrap();
    let mut third = Client::connect_as(&daemon.address, "alice").await.unwrap();
    let join = json!({ "username": "alice", "room": "general" });
    let refused = asks(&mut third, "join_room", join.clone()).await;
    assert!(refused["error"].as_str().unwrap().contains("2 connections"), "{refused}");
    Client::enter(&daemon.address, "bob", "general").await.unwrap();
    drop(first);
    let is_let_in = async || {
        let answer = asks(&mut third, "join_room", join.clone()).await;
        if answer["error"].is_null() { Ok(()) } else { Err(answer.to_string()) }
    };
    eventually(WAIT_MAX, "a place for the third connection", is_let_in).await;
}

#[test]
fn a_limit_that_lets_nothing_through_is_refused_by_check() {
    for settings in [
        "limits: { queued_kb: 0 }",
        "limits: { write_timeout_seconds: 0 }",
        "limits: { typing: { burst: 0, per_minute: 5 } }",
    ] {
        let (code, out, err) = project(settings).run(&["check"]);
        assert_ne!(code, Some(0), "{settings}");
        assert!(format!("{out}{err}").contains("limits:"), "{settings}: {out}{err}");
    }
}

async fn metrics(address: &str) -> String {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}
