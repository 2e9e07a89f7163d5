//! Streams of events, from outside: their rooms, resuming over a restart, and their end.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::time::Duration;

use palabre_rooms::Config;
use palabre_store::Store;
use palabre_tests::{Client, EventStream, RoomService, Site, text};
use reqwest::Method;
use serde_json::{Value, json};

const SETTINGS: &str = "limits: { logins: { burst: 1000, per_minute: 0 } }";

async fn open(site: &Site, token: &str, query: &str) -> EventStream {
    EventStream::open(site.request(Method::GET, &format!("/api/events{query}")).bearer_auth(token)).await.unwrap()
}

/// Opens a new stream, and waits until it has begun.
async fn begin(site: &Site, token: &str, query: &str) -> EventStream {
    let mut stream = open(site, token, query).await;
    let cursor = stream.expect("ready").await["cursor"].clone();
    assert_eq!(cursor, json!(stream.last_id));
    stream
}

async fn refusal(site: &Site, token: &str, query: &str) -> u16 {
    let request = site.request(Method::GET, &format!("/api/events{query}")).bearer_auth(token);
    EventStream::open(request).await.unwrap_err().as_u16()
}

async fn say(site: &Site, token: &str, room: &str, message: &str) -> String {
    let (status, sent) = site.post(&format!("/api/rooms/{room}/messages"), token, json!({ "message": message })).await;
    assert_eq!(status, 201, "{sent}");
    text(&sent["id"])
}

/// Starts the daemon of a site anew after it was killed.
async fn restarted(site: Site) -> Site {
    let Site { daemon, http, project } = site;
    daemon.kill().await;
    let daemon = project.start().await;
    Site { daemon, http, project }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_has_the_events_of_ones_rooms_and_of_no_others() {
    let site = Site::new(SETTINGS, &[]).await;
    let ((alice_id, alice), (bob_id, bob)) = (site.register("alice").await, site.register("bob").await);
    for room in [json!({ "name": "den", "visibility": "private" }), json!({ "name": "club" })] {
        assert_eq!(site.post("/api/rooms", &alice, room).await.0, 201);
    }
    let mut stream = begin(&site, &alice, "?rooms=general").await;
    let mut of_bob = begin(&site, &bob, "").await;

    say(&site, &bob, "elsewhere", "not followed").await;
    let id = say(&site, &alice, "den", "one").await;
    let shown = stream.expect("message").await;
    assert_eq!((&shown["id"], &shown["room"], &shown["message"]), (&json!(id), &json!("den"), &json!("one")));
    say(&site, &bob, "general", "two").await;
    assert_eq!(stream.expect("message").await["message"], "two");

    let path = format!("/api/rooms/den/messages/{id}");
    assert_eq!(site.call(Method::PATCH, &path, &alice, json!({ "message": "uno" })).await.0, 204);
    assert_eq!(stream.expect("message_edited").await["message"], "uno");
    assert_eq!(site.call(Method::PUT, &format!("{path}/reactions/%E2%9D%A4"), &alice, Value::Null).await.0, 204);
    let reaction = stream.expect("reaction").await;
    assert_eq!((&reaction["id"], &reaction["room"], &reaction["added"]), (&json!(id), &json!("den"), &json!(true)));
    assert_eq!(site.call(Method::PUT, &format!("{path}/pin"), &alice, Value::Null).await.0, 204);
    assert_eq!(stream.expect("message_pinned").await, json!({ "id": id, "room": "den", "pinned": true }));
    assert_eq!(site.call(Method::PATCH, "/api/rooms/den", &alice, json!({ "topic": "plans" })).await.0, 200);
    let rules = json!({ "room": "den", "topic": "plans", "slowmode": null, "locked": false });
    assert_eq!(stream.expect("room_updated").await, rules);
    assert_eq!(site.call(Method::DELETE, &path, &alice, Value::Null).await.0, 204);
    assert_eq!(stream.expect("message_deleted").await, json!({ "id": id, "room": "den" }));

    let (_, sent) = site.post(&format!("/api/users/{alice_id}/messages"), &bob, json!({ "message": "private" })).await;
    for stream in [&mut stream, &mut of_bob] {
        assert_eq!(stream.expect("message").await["message"], "private");
    }
    let read = format!("/api/rooms/{}/messages/{}/read", text(&sent["room"]), text(&sent["id"]));
    assert_eq!(site.call(Method::PUT, &read, &alice, Value::Null).await.0, 204);
    for stream in [&mut stream, &mut of_bob] {
        let marker = stream.expect("message_read").await;
        assert_eq!((&marker["username"], &marker["id"]), (&json!("alice"), &sent["id"]));
    }

    // From now on bob follows the room too.
    let member = format!("/api/rooms/den/members/{bob_id}");
    site.admit("den", &alice, &bob).await;
    say(&site, &alice, "den", "welcome").await;
    assert_eq!(of_bob.expect("message").await["message"], "welcome");
    assert_eq!(site.call(Method::DELETE, &member, &alice, Value::Null).await.0, 204);
    say(&site, &alice, "den", "without him").await;
    site.post(&format!("/api/users/{bob_id}/messages"), &alice, json!({ "message": "after it" })).await;
    assert_eq!(of_bob.expect("message").await["message"], "after it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_resumed_with_one_cursor_over_all_rooms_and_a_restart() {
    let site = Site::new(SETTINGS, &[]).await;
    let (_, alice) = site.register("alice").await;
    for room in ["one", "two"] {
        assert_eq!(site.post("/api/rooms", &alice, json!({ "name": room })).await.0, 201);
    }
    let mut stream = begin(&site, &alice, "").await;
    say(&site, &alice, "one", "first").await;
    assert_eq!(stream.expect("message").await["message"], "first");
    let cursor = stream.last_id.clone();
    drop(stream);
    let mut expected = Vec::new();
    for number in 0..30 {
        let (room, message) = (["one", "two"][number % 2], format!("missed {number}"));
        say(&site, &alice, room, &message).await;
        expected.push(message);
    }
    let site = restarted(site).await;
    say(&site, &alice, "two", "after the restart").await;
    expected.push("after the restart".to_owned());

    let mut resumed = open(&site, &alice, &format!("?cursor={cursor}")).await;
    let mut ids = Vec::new();
    for message in &expected {
        assert_eq!(resumed.expect("message").await["message"], json!(message));
        ids.push(resumed.last_id.clone());
    }
    // The header of a browser that reconnects replaces the cursor of its address.
    let request = site.request(Method::GET, &format!("/api/events?cursor={cursor}")).bearer_auth(&alice);
    let mut later = EventStream::open(request.header("last-event-id", &ids[20])).await.unwrap();
    assert_eq!(later.expect("message").await["message"], json!(expected[21]));
    drop(later);
    say(&site, &alice, "one", "live").await;
    assert_eq!(resumed.expect("message").await["message"], "live");

    // What is not kept any more, or never was, is to be read elsewhere.
    for unknown in ["1", &u64::MAX.to_string()] {
        let mut reset = open(&site, &alice, &format!("?cursor={unknown}")).await;
        assert!(text(&reset.expect("reset").await["reason"]).contains("not kept"));
        say(&site, &alice, "one", "goes on").await;
        assert_eq!(reset.expect("message").await["message"], "goes on");
    }
    assert_eq!(refusal(&site, &alice, "?cursor=x").await, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_its_token_is_revoked_or_a_named_room_is_closed_to_it() {
    let site = Site::new(SETTINGS, &[]).await;
    let ((_, alice), (_, bob)) = (site.register("alice").await, site.register("bob").await);
    assert_eq!(site.post("/api/rooms", &alice, json!({ "name": "club" })).await.0, 201);
    assert_eq!(site.post("/api/rooms", &alice, json!({ "name": "den", "visibility": "private" })).await.0, 201);
    assert_eq!(refusal(&site, &bob, "?rooms=den").await, 404);
    assert_eq!(refusal(&site, &bob, "?rooms=a%2Fb").await, 400);
    assert_eq!(refusal(&site, "plb_wrong", "").await, 401);
    let asked = json!({ "name": "x", "scopes": ["write"] });
    let (_, token) = site.post("/api/auth/tokens", &bob, asked).await;
    assert_eq!(refusal(&site, &text(&token["token"]), "").await, 403);

    let mut named = begin(&site, &bob, "?rooms=club,general").await;
    let private = json!({ "visibility": "private" });
    assert_eq!(site.call(Method::PATCH, "/api/rooms/club", &alice, private).await.0, 200);
    say(&site, &alice, "general", "a change").await;
    let mut reasons = Vec::new();
    while let Some(event) = named.next().await {
        reasons.push(event);
    }
    let end = reasons.last().unwrap();
    assert!(end.name == "end" && text(&end.data["reason"]).contains("club"), "{reasons:?}");

    let asked = json!({ "name": "x", "scopes": ["read"] });
    let (_, token) = site.post("/api/auth/tokens", &bob, asked).await;
    let mut stream = begin(&site, &text(&token["token"]), "?rooms=general").await;
    let revoke = format!("/api/auth/tokens/{}", text(&token["id"]));
    assert_eq!(site.call(Method::DELETE, &revoke, &bob, Value::Null).await.0, 204);
    assert!(text(&stream.expect("end").await["reason"]).contains("ended"));
    assert!(stream.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_count_as_connections_and_scripts_speak_in_them() {
    let script = r#"command("ping", {}, function(event)
        local sent = event:reply("pong")
        if sent then sent:edit("pong!") end
    end)"#;
    let settings = "limits: { connections_per_person: 2 }";
    let site = Site::new(settings, &[("ping.luau", script)]).await;
    let (_, alice) = site.register("alice").await;
    let mut stream = begin(&site, &alice, "?rooms=general").await;
    let second = begin(&site, &alice, "").await;
    assert_eq!(refusal(&site, &alice, "").await, 503);
    drop(second);
    palabre_tests::eventually(Duration::from_secs(30), "the connection is free", async || {
        let request = site.request(Method::GET, "/api/events").bearer_auth(&alice);
        EventStream::open(request).await.map(drop).map_err(|status| status.to_string())
    })
    .await;
    let (mut guest, _) = Client::enter(&site.daemon.address, "guest", "general").await.unwrap();
    guest.say("/ping", "1").await.unwrap();
    assert_eq!(stream.expect("message").await["message"], "/ping");
    let answer = stream.expect("message").await;
    assert_eq!(answer["bot"], true);
    assert!(text(&answer["message"]).starts_with("pong"));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_kept_for_a_day_and_streams_end_when_their_token_expires() {
    let service = RoomService::start(&Store::in_memory().unwrap(), Config::default()).await;
    let (_, session) = service.register("alice").await;
    let asked = json!({ "name": "x", "scopes": ["read"], "days": 1 });
    let (_, token) = service.call(Method::POST, "/api/auth/tokens", &session, asked).await;
    let open = async |token: &str, query: &str| {
        let request = service.request(Method::GET, &format!("/api/events{query}")).bearer_auth(token);
        EventStream::open(request).await.unwrap()
    };
    let mut stream = open(&text(&token["token"]), "?rooms=general").await;
    stream.expect("ready").await;
    let say = async |message: &str| {
        let message = json!({ "message": message });
        let sent = service.call(Method::POST, "/api/rooms/general/messages", &session, message).await;
        assert_eq!(sent.0, 201, "{}", sent.1);
    };
    say("one").await;
    stream.expect("message").await;
    let cursor = stream.last_id.clone();
    service.clock.advance(Duration::from_secs(86_400));
    assert!(text(&stream.expect("end").await["reason"]).contains("ended"));
    let mut other = open(&session, &format!("?rooms=general&cursor={cursor}")).await;
    say("two").await;
    assert_eq!(other.expect("message").await["message"], "two", "the sweep has kept it so far");
    let mut swept = false;
    for _ in 0..200 {
        service.clock.advance(Duration::from_secs(3_600));
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut late = open(&session, &format!("?rooms=general&cursor={cursor}")).await;
        if late.next().await.unwrap().name == "reset" {
            swept = true;
            break;
        }
    }
    assert!(swept, "old changes are deleted");
    service.engine.shutdown().await;
}
