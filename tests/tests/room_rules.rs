//! The rules of a room apply to every kind of change, not only to new messages.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::{Client, Daemon, Project};
use serde_json::{Value, json};

const BOTS: &str = "
bots:
  lobby: { platform: rooms }
scripts:
  test: { grants: [moderation] }
";
const SCRIPT: &str = r#"
function before_message(event)
  if select(2, string.gsub(event.text, "http", "")) > 3 then return false, "too many links" end
  if event.text == "shout" then return "SHOUT" end
end
function on_message(event)
  if event.text == "!lock" then event.room:lock()
  elseif event.text == "!slow" then event.room:slowmode("1h")
  elseif event.text == "!mute" then event.member:mute("1h")
  elseif event.text == "!button" then event.room:send{ text = "press", buttons = {{ label = "Go", action = "go" }} }
  end
end
"#;

struct Room {
    project: Project,
    daemon: Daemon,
    alice: Client,
    /// The id of her message.
    id: String,
}

impl Room {
    async fn open() -> Self {
        let project = Project::new(BOTS, &[("test.luau", SCRIPT)]);
        let daemon = project.start().await;
        let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
        let id = alice.say("hello", "1").await.unwrap();
        Self { project, daemon, alice, id }
    }

    async fn asks(&mut self, event: &str, data: Value) -> Value {
        asks(&mut self.alice, event, data).await
    }

    /// Tests the three ways to change what is read in the room.
    async fn all_are_refused(&mut self, told: &str) {
        let id = self.id.clone();
        for (event, data) in [
            ("send_message", json!({ "message": "again" })),
            ("edit_message", json!({ "id": id, "message": "other" })),
            ("react", json!({ "id": id, "emoji": "👍" })),
        ] {
            let answer = self.asks(event, data).await;
            assert!(answer["error"].as_str().is_some_and(|error| error.contains(told)), "{event}: {answer}");
        }
    }

    async fn ends(self) {
        assert!(self.daemon.stop().await, "{}", self.project.log());
    }
}

async fn asks(client: &mut Client, event: &str, data: Value) -> Value {
    let asked = client.ask(event, data).await.unwrap();
    client.ack(asked).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_and_a_reaction_in_a_locked_room_are_refused() {
    let mut room = Room::open().await;
    room.alice.emit("send_message", json!({ "message": "!lock" })).await.unwrap();
    room.alice.wait("room_updated").await.unwrap();
    room.all_are_refused("locked").await;
    let id = room.id.clone();
    let removed = room.asks("delete_message", json!({ "id": id })).await;
    assert!(removed["error"].is_null(), "what one has said can be taken back: {removed}");
    room.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_in_slow_mode_waits_as_a_message_does() {
    let mut room = Room::open().await;
    room.alice.emit("send_message", json!({ "message": "!slow" })).await.unwrap();
    room.alice.wait("room_updated").await.unwrap();
    room.all_are_refused("slow mode").await;
    // A user without a message so far may write; an edit counts as well.
    let (mut bob, _) = Client::enter(&room.daemon.address, "bob", "general").await.unwrap();
    let id = room.id.clone();
    assert!(asks(&mut bob, "react", json!({ "id": id, "emoji": "👍" })).await["error"].is_null());
    let id = bob.say("once", "1").await.unwrap();
    let answer = asks(&mut bob, "edit_message", json!({ "id": id, "message": "twice" })).await;
    assert!(answer["error"].as_str().unwrap().contains("slow mode"), "{answer}");
    room.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_into_ten_links_is_shown_to_the_scripts_first() {
    let mut room = Room::open().await;
    let id = room.id.clone();
    let links = "http://a.example ".repeat(10);
    let refused = room.asks("edit_message", json!({ "id": id, "message": links })).await;
    assert_eq!(refused["error"], "too many links");
    assert!(room.asks("edit_message", json!({ "id": id, "message": "shout" })).await["error"].is_null());
    assert_eq!(room.alice.wait("message_edited").await.unwrap()["message"], "SHOUT", "a script changes it too");
    for message in ["", &"x".repeat(5_001)] {
        assert!(room.asks("edit_message", json!({ "id": id, "message": message })).await["error"].is_string());
    }
    room.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_muted_user_can_neither_edit_nor_react_nor_press() {
    let mut room = Room::open().await;
    room.alice.emit("send_message", json!({ "message": "!button" })).await.unwrap();
    let offered = room.alice.hears("press").await.unwrap();
    room.alice.emit("send_message", json!({ "message": "!mute" })).await.unwrap();
    room.alice.wait("moderated").await.unwrap();
    room.all_are_refused("muted").await;
    for (event, data) in [
        ("button", json!({ "id": offered["id"], "action": "go" })),
        ("select", json!({ "id": offered["id"], "action": "go", "values": [] })),
        ("form", json!({ "form": "x", "values": {} })),
        ("upload", json!({ "name": "a.txt" })),
    ] {
        let answer = room.asks(event, data).await;
        assert!(answer["error"].as_str().is_some_and(|error| error.contains("muted")), "{event}: {answer}");
    }
    room.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_nothing_and_a_reaction_that_is_no_emoji_are_refused() {
    let mut room = Room::open().await;
    let id = room.id.clone();
    let gone = room.alice.say("never mind", "2").await.unwrap();
    assert!(room.asks("delete_message", json!({ "id": gone })).await["error"].is_null());
    for missing in ["unknown", "", &gone] {
        let answer = room.asks("send_message", json!({ "message": "yes", "reply_to": missing })).await;
        assert!(
            answer["error"].as_str().is_some_and(|error| error.contains("not in this room")),
            "{missing}: {answer}"
        );
    }
    assert!(room.asks("send_message", json!({ "message": "yes", "reply_to": id })).await["id"].is_string());
    for emoji in ["", "a", &"a".repeat(32), "👍👍", "👍 ", "<b>", "1", &"👍\u{200D}".repeat(33)] {
        let answer = room.asks("react", json!({ "id": id, "emoji": emoji })).await;
        assert_eq!(answer["error"], "a reaction is one emoji", "{emoji:?}");
    }
    for emoji in ["👍🏽", "❤️", "🇫🇷", "👩‍👩‍👧‍👦"] {
        assert!(room.asks("react", json!({ "id": id, "emoji": emoji })).await["error"].is_null(), "{emoji}");
    }
    room.ends().await;
}
