//! Sessions and access tokens that expire while their connections are open.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::time::Duration;

use palabre_rooms::Config;
use palabre_store::Store;
use palabre_tests::{Client, RoomService, eventually, registration, text};
use reqwest::Method;
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(86_400);

/// Waits for the end of a connection and returns the reason that the client was given.
async fn reason_of_end(client: &mut Client) -> String {
    let reason = client.wait("error").await.unwrap();
    client.closed().await;
    text(&reason["message"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_when_its_token_expires() {
    let service = RoomService::start(&Store::in_memory().unwrap(), Config::default()).await;
    let (_, session) = service.register("alice").await;
    let mut clients = Vec::new();
    for days in [3, 1, 2] {
        let request = json!({ "name": "bot", "scopes": ["read", "write"], "days": days });
        let (_, token) = service.call(Method::POST, "/api/auth/tokens", &session, request).await;
        let mut client = Client::connect_with(&service.address, Some(&text(&token["token"]))).await.unwrap();
        client.join(json!({ "username": "alice", "room": "general" })).await.unwrap();
        clients.push((days, client));
    }
    clients.sort_by_key(|(days, _)| *days);
    service.clock.advance(DAY - Duration::from_secs(1));
    for (number, (_, client)) in clients.iter_mut().enumerate() {
        client.say("still here", &format!("nonce {number}")).await.unwrap();
    }
    service.clock.advance(Duration::from_secs(1));
    for (days, mut client) in clients {
        let reason = reason_of_end(&mut client).await;
        assert!(reason.contains("expired"), "{days}: {reason}");
        service.clock.advance(DAY);
    }
    // The session itself goes on.
    assert_eq!(service.call(Method::GET, "/api/auth/me", &session, Value::Null).await.0, 200);
    service.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lives_on_by_use_over_its_connection_and_ends_without() {
    let service = RoomService::start(&Store::in_memory().unwrap(), Config::default()).await;
    let (_, session) = service.register("alice").await;
    let login = json!({ "username": "alice", "password": registration("alice")["password"] });
    let (_, other) = service.call(Method::POST, "/api/auth/login", "", login).await;
    let other = text(&other["token"]);
    // Seen by another session, since each request of a session is a use of it.
    let last_use = async || {
        let (_, sessions) = service.call(Method::GET, "/api/auth/sessions", &other, Value::Null).await;
        let watched = sessions.as_array().unwrap().iter().find(|session| session["current"] == false);
        watched.map(|session| text(&session["last_use"]))
    };
    let mut alice = Client::connect_with(&service.address, Some(&session)).await.unwrap();
    alice.join(json!({ "username": "alice", "room": "general" })).await.unwrap();
    for number in 0..3 {
        service.clock.advance(29 * DAY);
        let before = last_use().await;
        assert!(before.is_some(), "the session is valid after {number} months");
        alice.say("still here", &format!("nonce {number}")).await.unwrap();
        eventually(Duration::from_secs(60), "the use is recorded", async || {
            if last_use().await == before { Err("not yet".to_owned()) } else { Ok(()) }
        })
        .await;
    }
    service.clock.advance(31 * DAY);
    assert!(reason_of_end(&mut alice).await.contains("expired"));
    assert_eq!(service.call(Method::GET, "/api/auth/me", &session, Value::Null).await.0, 401);
    service.engine.shutdown().await;
}
