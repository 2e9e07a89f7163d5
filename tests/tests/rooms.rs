//! The room service from the clients' point of view.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::time::{Duration, Instant};

use palabre_tests::{Client, Project};
use serde_json::json;

const BOTS: &str = "
server: { requests_per_minute: 100000, stall_timeout_s: 120 }
bots:
  lobby:
    platform: rooms
    rooms:
      client_queue: 64
      limits: { messages: { burst: 1, per_minute: 0 } }
      retention: { keep: ['*'] }
";

const ECHO: &str = r#"
function on_message(event)
  if event.text == "!button" then
    event.room:send{ text = "press", buttons = {{ label = "Go", action = "go" }} }
  elseif event.text == "!edit" then
    local m = event:reply("first")
    sleep(0.05)
    m:edit("second"):react("👍")
  end
end
function on_button(event) event.room:send(event.user.name .. " pressed " .. event.action) end
function on_join(event) if event.room.name == "greeted" then event.room:send("welcome " .. event.user.name) end end
function on_leave(event) if event.room.name == "greeted" then event.room:send("goodbye " .. event.user.name) end end
function on_message_edit(event) event.room:send(`{event.before.text} became {event.text}`) end
function on_message_delete(event) event.room:send("gone: " .. event.before.text) end
function on_reaction_add(event) event.room:send(event.user.name .. " reacted " .. event.emoji) end
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_sent_twice_with_one_nonce_is_there_once_also_over_a_restart() {
    let project = Project::new(BOTS, &[]);
    let daemon = project.start().await;
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    let (mut bob, _) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    let first = alice.say("hello", "n1").await.unwrap();
    assert_eq!(alice.say("hello", "n1").await.unwrap(), first);
    assert_eq!(bob.hears("hello").await.unwrap()["id"], json!(first));
    assert_ne!(bob.say("hello", "n1").await.unwrap(), first, "a nonce is its author's own");
    daemon.kill().await;
    let daemon = project.start().await;
    let (mut alice, joined) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    assert_eq!(joined["messages"].as_array().unwrap().len(), 2, "the history is there on return");
    assert_eq!(alice.say("hello", "n1").await.unwrap(), first);
    let (_, joined) = Client::enter(&daemon.address, "carol", "general").await.unwrap();
    assert_eq!(joined["messages"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_returning_client_receives_exactly_what_it_missed() {
    let project = Project::new(BOTS, &[]);
    let daemon = project.start().await;
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    let token = alice.token().to_owned();
    let mut ids = Vec::new();
    for number in 0..150 {
        ids.push(alice.say(&format!("m{number}"), &format!("n{number}")).await.unwrap());
    }
    let rejoin = async |last: &str| {
        let join = json!({ "username": "bob", "room": "general", "last_id": last });
        let (_, joined) = Client::enter_with(&daemon.address, join).await.unwrap();
        let texts =
            joined["messages"].as_array().unwrap().iter().map(|message| message["message"].clone()).collect::<Vec<_>>();
        (joined["catch_up"] == true, texts)
    };
    assert_eq!(rejoin(&ids[146]).await, (true, vec![json!("m147"), json!("m148"), json!("m149")]));
    assert_eq!(rejoin(&ids[9]).await.1.len(), 140, "also more than a page");
    assert_eq!(rejoin(&ids[149]).await, (true, vec![]));
    let (catch_up, texts) = rejoin("unknown").await;
    assert_eq!((catch_up, texts.len()), (false, 100));
    daemon.kill().await;
    let daemon = project.start().await;
    let rejoin = async |last: &str| {
        let join = json!({ "username": "bob", "room": "general", "last_id": last });
        let (_, joined) = Client::enter_with(&daemon.address, join).await.unwrap();
        (joined["catch_up"] == true, joined["messages"].as_array().unwrap().len())
    };
    assert_eq!(rejoin(&ids[9]).await, (true, 140), "also over a restart");
    let mut alice = Client::connect_with(&daemon.address, Some(&token)).await.unwrap();
    alice.join(json!({ "username": "alice", "room": "general" })).await.unwrap();
    let number = alice.ask("delete_message", json!({ "id": ids[100] })).await.unwrap();
    assert_eq!(alice.ack(number).await.unwrap()["id"], json!(ids[100]));
    assert!(!rejoin(&ids[146]).await.0, "something older has changed, so the whole history is sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_removals_reactions_and_buttons_reach_everybody_and_the_scripts() {
    let project = Project::new(BOTS, &[("echo.luau", ECHO)]);
    let daemon = project.start().await;
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    let (mut bob, _) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    let id = alice.say("helo", "1").await.unwrap();

    let asked = bob.ask("edit_message", json!({ "id": id, "message": "mine" })).await.unwrap();
    assert!(bob.ack(asked).await.unwrap()["error"].as_str().unwrap().contains("own messages"));
    alice.emit("edit_message", json!({ "id": id, "message": "hello" })).await.unwrap();
    let edited = bob.wait("message_edited").await.unwrap();
    assert_eq!((&edited["message"], &edited["edited"]), (&json!("hello"), &json!(true)));
    bob.hears("helo became hello").await.unwrap();

    bob.emit("react", json!({ "id": id, "emoji": "🎉" })).await.unwrap();
    let reaction = alice.wait("reaction").await.unwrap();
    assert_eq!(reaction, json!({ "id": id, "emoji": "🎉", "username": "bob", "added": true }));
    alice.hears("bob reacted 🎉").await.unwrap();

    alice.emit("delete_message", json!({ "id": id })).await.unwrap();
    assert_eq!(bob.wait("message_deleted").await.unwrap(), json!({ "id": id, "room": "general" }));
    bob.hears("gone: hello").await.unwrap();

    alice.say("!button", "2").await.unwrap();
    let offered = bob.hears("press").await.unwrap();
    assert_eq!(offered["buttons"], json!([{ "label": "Go", "action": "go" }]));
    let asked = bob.ask("button", json!({ "id": offered["id"], "action": "forged" })).await.unwrap();
    assert!(bob.ack(asked).await.unwrap()["error"].as_str().unwrap().contains("no longer available"));
    bob.emit("button", json!({ "id": offered["id"], "action": "go" })).await.unwrap();
    alice.hears("bob pressed go").await.unwrap();

    alice.say("!edit", "3").await.unwrap();
    let said = bob.hears("first").await.unwrap();
    let edited = bob.wait("message_edited").await.unwrap();
    assert_eq!((&edited["id"], &edited["message"]), (&said["id"], &json!("second")));
    assert_eq!(bob.wait("reaction").await.unwrap()["username"], json!("bob"), "one's own, from before");
    assert_eq!(bob.wait("reaction").await.unwrap()["username"], json!("palabre"));
}

#[tokio::test(flavor = "multi_thread")]
async fn arrivals_departures_and_typing_are_seen() {
    let project = Project::new(BOTS, &[("echo.luau", ECHO)]);
    let daemon = project.start().await;
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "greeted").await.unwrap();
    alice.hears("welcome alice").await.unwrap();
    let (mut bob, _) = Client::enter(&daemon.address, "bob", "greeted").await.unwrap();
    assert_eq!(alice.wait("user_joined").await.unwrap()["username"], json!("bob"));
    alice.hears("welcome bob").await.unwrap();
    bob.emit("typing", json!({ "is_typing": true })).await.unwrap();
    assert_eq!(alice.wait("user_typing").await.unwrap(), json!({ "username": "bob", "is_typing": true }));
    drop(bob);
    assert_eq!(alice.wait("user_left").await.unwrap()["username"], json!("bob"));
    alice.hears("goodbye bob").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_sent_to_the_caller_only() {
    let project = Project::new(BOTS, &[]);
    let daemon = project.start().await;
    let mut alice = Client::connect(&daemon.address).await.unwrap();
    let long = "x".repeat(5_001);
    let long_name = "n".repeat(65);
    for (event, data, told) in [
        ("send_message", json!({ "message": "x" }), "join a room first"),
        ("join_room", json!({ "room": "general" }), "missing field `username`"),
        ("join_room", json!({ "username": " ", "room": "general" }), "username is required"),
        ("join_room", json!({ "username": "a\u{202e}b", "room": "general" }), "invisible characters"),
        ("join_room", json!({ "username": "bob\u{fff9}", "room": "general" }), "invisible characters"),
        ("join_room", json!({ "username": "\u{301}", "room": "general" }), "no visible character"),
        ("join_room", json!({ "username": long_name, "room": "general" }), "at most 64"),
        ("join_room", json!({ "username": "a", "room": "a/b" }), "a slash"),
        ("join_room", json!({ "username": "Palabre", "room": "general" }), "reserved for bots"),
        ("join_room", json!("x"), "an object with username and room"),
        ("nonsense", json!({}), "unknown event \"nonsense\""),
    ] {
        alice.emit(event, data).await.unwrap();
        let error = alice.wait("error").await.unwrap();
        assert!(error["message"].as_str().unwrap().contains(told), "{event}: {error}");
    }
    alice.emit("join_room", json!({ "username": "alice", "room": "general" })).await.unwrap();
    alice.wait("room_joined").await.unwrap();
    for (data, told) in [
        (json!({ "message": "" }), "empty"),
        (json!({ "message": 5 }), "invalid type"),
        (json!({ "message": long }), "the limit is 5000"),
        (json!({ "message": "x", "nonce": "" }), "nonce"),
        (json!("x"), "an object with message"),
    ] {
        alice.emit("send_message", data).await.unwrap();
        let error = alice.wait("error").await.unwrap();
        assert!(error["message"].as_str().unwrap().contains(told), "{error}");
    }
    let fits = "é".repeat(5_000);
    alice.say(&fits, "1").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_client_is_disconnected_and_slows_nobody() {
    let project = Project::new(BOTS, &[]);
    let daemon = project.start().await;
    let (slow, _) = Client::enter(&daemon.address, "slow", "general").await.unwrap();
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    let text = "x".repeat(4_000);
    let began = Instant::now();
    let mut number = 0;
    while daemon.get("/api/stats").await["slow_clients_disconnected"] == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "it is never found to be slow");
        for _ in 0..200 {
            alice.say(&text, &number.to_string()).await.unwrap();
            number += 1;
        }
    }
    // It starts to read again: it receives the reason, and is closed.
    let mut slow = slow;
    let reason = slow.wait("error").await.unwrap();
    assert!(reason["message"].as_str().unwrap().contains("too slow"), "{reason}");
    let closed = loop {
        if let Err(error) = slow.wait("new_message").await {
            break error;
        }
    };
    assert!(closed.0.contains("closed"), "{closed:?}");
    alice.say("still here", "last").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_three_routes_tell_how_things_are() {
    let project = Project::new(BOTS, &[]);
    let daemon = project.start().await;
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    alice.say("hello", "1").await.unwrap();
    assert_eq!(daemon.get("/api/health").await["status"], json!("healthy"));
    let rooms = daemon.get("/api/rooms").await;
    assert_eq!((&rooms["total"], &rooms["rooms"][0]["users"]), (&json!(1), &json!(["alice"])));
    let stats = daemon.get("/api/stats").await;
    assert_eq!((&stats["messages"], &stats["connections"], &stats["users"]), (&json!(1), &json!(1), &json!(1)));
}

#[tokio::test]
async fn a_reaction_too_many_is_refused_and_not_acknowledged() {
    let project = Project::new("bots: { lobby: { platform: rooms } }", &[]);
    let daemon = project.start().await;
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    let id = alice.say("hello", "n1").await.unwrap();
    for number in 0..33 {
        let emoji = char::from_u32(0x1F400 + number).unwrap();
        let ack = alice.ask("react", json!({ "id": id, "emoji": emoji })).await.unwrap();
        let answer = alice.ack(ack).await.unwrap();
        assert_eq!(answer["id"].is_string(), number < 32, "{number}: {answer}");
    }
    assert!(daemon.stop().await);
}
