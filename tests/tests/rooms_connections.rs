//! Hostile, broken and slow connections to the room service.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::SinkExt;
use palabre_engine::{Engine, Options};
use palabre_platform::{Adapter, SeededEntropy, VirtualClock};
use palabre_rooms::{Config, Rooms};
use palabre_store::Store;
use palabre_tests::{App, Client, Daemon, Project, eventually};
use palabre_types::Bot;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

const WAIT_MAX: Duration = Duration::from_secs(60);

fn project(settings: &str) -> Project {
    let server = "server: { requests_per_minute: 100000 }";
    Project::new(&format!("{server}\nbots: {{ lobby: {{ platform: rooms, rooms: {{ {settings} }} }} }}"), &[])
}

/// Opens a polling session: its id, or the status of the refusal.
async fn handshake(http: &reqwest::Client, daemon: &Daemon) -> Result<String, reqwest::StatusCode> {
    let url = format!("http://{}/socket.io/?EIO=4&transport=polling", daemon.address);
    let answer = http.get(url).send().await.unwrap();
    if !answer.status().is_success() {
        return Err(answer.status());
    }
    let text = answer.text().await.unwrap();
    let opened: serde_json::Value = serde_json::from_str(text.strip_prefix('0').unwrap()).unwrap();
    Ok(opened["sid"].as_str().unwrap().to_owned())
}

async fn post(http: &reqwest::Client, daemon: &Daemon, sid: &str, packets: &str) {
    let url = format!("http://{}/socket.io/?EIO=4&transport=polling&sid={sid}", daemon.address);
    http.post(url).body(packets.to_owned()).send().await.unwrap();
}

/// Polls until a packet contains `expected`.
///
/// A client may send events only after the server has answered its CONNECT packet with `40{`: an earlier event ends
/// the session (Socket.IO protocol 5).
async fn until_polled(http: &reqwest::Client, daemon: &Daemon, sid: &str, expected: &str) {
    let url = format!("http://{}/socket.io/?EIO=4&transport=polling&sid={sid}", daemon.address);
    let poll = async {
        let mut heard = String::new();
        while !heard.contains(expected) {
            let answer = http.get(&url).send().await.unwrap();
            assert!(answer.status().is_success(), "polling for {expected}: {}", answer.status());
            heard.push_str(&answer.text().await.unwrap());
        }
    };
    tokio::time::timeout(WAIT_MAX, poll).await.expect("the packet arrives");
}

async fn until_connections(daemon: &Daemon, count: u64) {
    let look = async || {
        let now = daemon.get("/api/stats").await["connections"].as_u64().unwrap();
        if now == count { Ok(()) } else { Err(format!("there are {now}")) }
    };
    eventually(WAIT_MAX, &format!("{count} connections"), look).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_polling_session_gives_its_place_back_however_it_ends() {
    let project = project("max_connections: 10");
    let daemon = project.start().await;
    let http = reqwest::Client::new();
    let before_connect = r#"42["join_room",{"username":"early","room":"general"}]"#;
    for packets in ["40\u{1e}1", "1", "40\u{1e}41", "40\u{1e}40\u{1e}1", "nonsense", before_connect] {
        for _ in 0..30 {
            let began = Instant::now();
            let sid = loop {
                match handshake(&http, &daemon).await {
                    Ok(sid) => break sid,
                    Err(status) => {
                        assert!(began.elapsed() < WAIT_MAX, "{packets:?}: nobody gets in any more: {status}")
                    }
                }
            };
            post(&http, &daemon, &sid, packets).await;
        }
    }
    until_connections(&daemon, 0).await;
    Client::enter(&daemon.address, "alice", "general").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_that_nobody_takes_up_are_counted_and_bounded_and_short_lived() {
    let project = project("limits: { connections_per_address: 5 }");
    let daemon = project.start().await;
    let http = reqwest::Client::new();
    for _ in 0..5 {
        handshake(&http, &daemon).await.unwrap();
    }
    assert_eq!(handshake(&http, &daemon).await, Err(reqwest::StatusCode::SERVICE_UNAVAILABLE));
    assert!(Client::connect(&daemon.address).await.is_err(), "a WebSocket counts too");
    until_connections(&daemon, 5).await;
    until_connections(&daemon, 0).await;
    Client::enter(&daemon.address, "alice", "general").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_of_a_client_that_reads_nothing_take_no_memory_and_end_its_connection() {
    let project = project("limits: { write_timeout_seconds: 1, received_kb_per_second: 0 }");
    let daemon = project.start().await;
    let memory = async || daemon.get("/api/stats").await["memory_bytes"].as_u64();
    let before = memory().await;
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", daemon.address);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let ping = Message::Ping(vec![7; 125].into());
    let flood = async {
        // Sends many pings per write until the server stops reading and closes.
        while socket.feed(ping.clone()).await.is_ok() {}
    };
    tokio::time::timeout(WAIT_MAX, flood).await.expect("the connection is ended");
    until_connections(&daemon, 0).await;
    if let (Some(before), Some(after)) = (before, memory().await) {
        assert!(after < before + (64 << 20), "{before} bytes became {after}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_to_read_leaves_the_room_at_once_and_its_socket_goes_by_a_time_out() {
    let project = project("limits: { queued_kb: 64, write_timeout_seconds: 2, messages: { burst: 1, per_minute: 0 } }");
    let daemon = project.start().await;
    let (_asleep, _) = Client::enter(&daemon.address, "asleep", "general").await.unwrap();
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    let text = "x".repeat(4_000);
    let began = Instant::now();
    let mut number = 0;
    while !alice.drain().iter().any(|(event, data)| event == "user_left" && data["username"] == "asleep") {
        assert!(began.elapsed() < WAIT_MAX, "it is never found to be asleep");
        alice.say(&text, &number.to_string()).await.unwrap();
        number += 1;
    }
    until_connections(&daemon, 1).await;
    assert_eq!(daemon.get("/api/stats").await["slow_clients_disconnected"], 1);
    assert_eq!(daemon.get("/api/rooms").await["rooms"][0]["users"], json!(["alice"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_polling_client_gets_its_packets_and_may_go_over_to_a_websocket() {
    let project = project("");
    let daemon = project.start().await;
    let http = reqwest::Client::new();
    let sid = handshake(&http, &daemon).await.unwrap();
    post(&http, &daemon, &sid, "40").await;
    until_polled(&http, &daemon, &sid, "40{").await;
    post(&http, &daemon, &sid, r#"42["join_room",{"username":"poller","room":"general"}]"#).await;
    until_polled(&http, &daemon, &sid, "room_joined").await;
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket&sid={sid}", daemon.address);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    socket.send(Message::Text("2probe".into())).await.unwrap();
    socket.send(Message::Text("5".into())).await.unwrap();
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    socket.send(Message::Text(r#"42["send_message",{"message":"hello"}]"#.into())).await.unwrap();
    alice.hears("hello").await.unwrap();
    drop(socket);
    assert_eq!(alice.wait("user_left").await.unwrap()["username"], "poller");
    until_connections(&daemon, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_only_reads_stays_in_the_room() {
    let store = Store::in_memory().unwrap();
    let clock = VirtualClock::new(1_800_000_000_000);
    let entropy = || Arc::new(SeededEntropy::new(1));
    let rooms = Rooms::new(store.clone(), Config::default(), Arc::new(clock.clone()), entropy());
    let app = App::serve(rooms.router()).await;
    let engine = Engine::start(Options {
        store,
        clock: Arc::new(clock.clone()),
        entropy: entropy(),
        bots: vec![(Bot { name: "lobby".into(), platform: "rooms".into() }, Arc::clone(&rooms) as Arc<dyn Adapter>)],
        scripts: Vec::new(),
        workers: 1,
        journal_retention: Duration::from_secs(86_400),
        settings: Default::default(),
        operators: Default::default(),
        http: Arc::new(palabre_engine::Web::default()),
    })
    .await
    .unwrap();
    rooms.ready().await;
    let (mut reader, _) = Client::enter(&app.address, "reader", "general").await.unwrap();
    for hour in 1..=5 {
        clock.advance(Duration::from_secs(3_600));
        let (mut other, _) = Client::enter(&app.address, "other", "general").await.unwrap();
        other.say(&format!("hour {hour}"), &hour.to_string()).await.unwrap();
        reader.hears(&format!("hour {hour}")).await.unwrap();
    }
    reader.say("yes", "n1").await.unwrap();
    engine.shutdown().await;
}
