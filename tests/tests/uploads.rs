//! Files of users in the rooms: announced over the socket, uploaded over HTTP, attached to a message.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::{Client, Daemon, Project};
use reqwest::StatusCode;
use serde_json::{Value, json};

const BOTS: &str =
    "listen: 127.0.0.1:0\nbots:\n  lobby: { platform: rooms, rooms: { max_file_mb: 1 } }\nscripts:\n  test: {}\n";
const SCRIPT: &str = r#"
function on_message(event)
  local file = event.message.attachments and event.message.attachments[1]
  event:reply(if file then `{file.name} {file.content_type} {file.size} by {file.bot}` else "no file")
end
"#;

struct Fixture {
    project: Project,
    daemon: Daemon,
    http: reqwest::Client,
}

impl Fixture {
    async fn start() -> Self {
        let project = Project::new(BOTS, &[("test.luau", SCRIPT)]);
        let daemon = project.start().await;
        Self { project, daemon, http: reqwest::Client::new() }
    }

    async fn enter(&self, who: &str, room: &str) -> Client {
        Client::enter(&self.daemon.address, who, room).await.unwrap().0
    }

    async fn put(&self, place: &Value, data: &[u8]) -> (StatusCode, Value) {
        let url = format!("http://{}{}", self.daemon.address, place["url"].as_str().unwrap());
        let answer = self.http.put(url).body(data.to_vec()).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap_or_default())
    }
}

async fn asks(client: &mut Client, event: &str, data: Value) -> Value {
    let asked = client.ask(event, data).await.unwrap();
    client.ack(asked).await.unwrap()
}

#[tokio::test]
async fn a_file_goes_with_a_message_and_is_gone_with_it() {
    let fixture = Fixture::start().await;
    let mut alice = fixture.enter("alice", "general").await;
    let place = asks(&mut alice, "upload", json!({ "name": "../notes.html", "content_type": "text/html" })).await;
    let (status, told) = fixture.put(&place, b"<script>alert(1)</script>").await;
    assert_eq!((status, told["name"].as_str()), (StatusCode::OK, Some("notes.html")), "{told}");
    let sent = asks(&mut alice, "send_message", json!({ "message": "", "files": [place["id"]], "nonce": "n" })).await;
    let seen = alice.wait("new_message").await.unwrap();
    assert_eq!((&seen["id"], &seen["message"]), (&sent["id"], &json!("")));
    assert_eq!(alice.wait("new_message").await.unwrap()["message"], "notes.html application/octet-stream 25 by lobby");
    // Repeated, because the acknowledgement may have been lost: it is the same message.
    let message = json!({ "message": "", "files": [place["id"]], "nonce": "n" });
    assert_eq!(asks(&mut alice, "send_message", message).await, sent);
    // Files that could be executed are served as downloads.
    let url = format!("http://{}{}", fixture.daemon.address, seen["attachments"][0]["url"].as_str().unwrap());
    let answer = fixture.http.get(&url).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/octet-stream");
    assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    // It is available after a restart, until its message is deleted.
    let token = alice.token().to_owned();
    let Fixture { project, daemon, http } = fixture;
    assert!(daemon.stop().await, "{}", project.log());
    let fixture = Fixture { daemon: project.start().await, project, http };
    let url = format!("http://{}{}", fixture.daemon.address, seen["attachments"][0]["url"].as_str().unwrap());
    assert_eq!(fixture.http.get(&url).send().await.unwrap().bytes().await.unwrap(), &b"<script>alert(1)</script>"[..]);
    Client::remember(&fixture.daemon.address, "alice", &token);
    let mut alice = fixture.enter("alice", "general").await;
    asks(&mut alice, "delete_message", json!({ "id": sent["id"] })).await;
    assert_eq!(fixture.http.get(&url).send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_file_belongs_to_its_uploader_and_has_a_bounded_size() {
    let fixture = Fixture::start().await;
    let mut alice = fixture.enter("alice", "general").await;
    let mut bob = fixture.enter("bob", "general").await;
    let mut stranger = Client::connect(&fixture.daemon.address).await.unwrap();
    let refused = asks(&mut stranger, "upload", json!({ "name": "a.txt" })).await;
    assert_eq!(refused["error"], "join a room first");
    let refused = asks(&mut alice, "upload", json!({ "name": "a.bin", "size": 3_000_000 })).await;
    assert_eq!(refused["error"], "a.bin has 2.9 MiB; the limit is 1 MiB");

    let place = asks(&mut alice, "upload", json!({ "name": "a.txt" })).await;
    let files = json!({ "message": "look", "files": [place["id"]] });
    let early = asks(&mut alice, "send_message", files.clone()).await;
    let missing = format!("the file {} is not available; upload it again", place["id"].as_str().unwrap());
    assert_eq!(early["error"], missing);
    assert_eq!(fixture.put(&place, &vec![0; (1 << 20) + 1]).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(fixture.put(&place, b"").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(fixture.put(&json!({ "url": "/api/files/unknown" }), b"x").await.0, StatusCode::NOT_FOUND);
    assert_eq!(fixture.put(&place, &vec![7; 1 << 20]).await.0, StatusCode::OK);
    assert_eq!(asks(&mut bob, "send_message", files.clone()).await["error"], missing, "it is alice's");
    let mut elsewhere = fixture.enter("alice", "attic").await;
    assert_eq!(asks(&mut elsewhere, "send_message", files.clone()).await["error"], missing, "it is for another room");
    assert!(asks(&mut alice, "send_message", files.clone()).await["id"].is_string());
    assert_eq!(asks(&mut alice, "send_message", files).await["error"], missing, "it goes with one message");

    for _ in 0..20 {
        assert!(asks(&mut bob, "upload", json!({ "name": "b" })).await["id"].is_string());
    }
    let refused = asks(&mut bob, "upload", json!({ "name": "b" })).await;
    assert_eq!(refused["error"], "you already have 20 files that are not sent yet; send those first");
    let refused = asks(&mut alice, "send_message", json!({ "message": " ", "files": [] })).await;
    assert_eq!(refused["error"], "message is empty");
    assert!(fixture.daemon.stop().await, "{}", fixture.project.log());
}

#[tokio::test]
async fn a_file_may_be_as_large_as_is_said() {
    let project = Project::new("listen: 127.0.0.1:0\nbots:\n  lobby: { platform: rooms }\n", &[]);
    let daemon = project.start().await;
    let fixture = Fixture { project, daemon, http: reqwest::Client::new() };
    let mut alice = fixture.enter("alice", "general").await;
    let place = asks(&mut alice, "upload", json!({ "name": "a.bin", "size": 10 << 20 })).await;
    assert_eq!(fixture.put(&place, &vec![7; 10 << 20]).await.0, StatusCode::OK);
    let sent = asks(&mut alice, "send_message", json!({ "message": "", "files": [place["id"]] })).await;
    assert!(sent["id"].is_string(), "{sent}");
    let seen = alice.wait("new_message").await.unwrap();
    let url = format!("http://{}{}", fixture.daemon.address, seen["attachments"][0]["url"].as_str().unwrap());
    assert_eq!(fixture.http.get(url).send().await.unwrap().bytes().await.unwrap().len(), 10 << 20);
    assert!(fixture.daemon.stop().await, "{}", fixture.project.log());
}

#[tokio::test]
async fn the_largest_file_that_may_be_allowed_is_taken() {
    let bots = "listen: 127.0.0.1:0\nbots:\n  lobby: { platform: rooms, rooms: { max_file_mb: 32 } }\n";
    let project = Project::new(bots, &[]);
    let daemon = project.start().await;
    let fixture = Fixture { project, daemon, http: reqwest::Client::new() };
    let mut alice = fixture.enter("alice", "general").await;
    let place = asks(&mut alice, "upload", json!({ "name": "a.bin", "size": 32 << 20 })).await;
    assert_eq!(fixture.put(&place, &vec![7; 32 << 20]).await.0, StatusCode::OK);
    let sent = asks(&mut alice, "send_message", json!({ "message": "", "files": [place["id"]] })).await;
    assert!(sent["id"].is_string(), "{sent}");
    assert!(fixture.daemon.stop().await, "{}", fixture.project.log());
}

#[test]
fn a_limit_that_no_upload_could_use_is_refused_with_the_range() {
    for (given, is_fine) in [("128", false), ("33", false), ("0", false), ("32", true), ("1", true)] {
        let bots = format!("bots:\n  lobby: {{ platform: rooms, rooms: {{ max_file_mb: {given} }} }}\n");
        let (code, out, err) = Project::new(&bots, &[]).run(&["check"]);
        assert_eq!(code == Some(0), is_fine, "{given}: {out}{err}");
        assert!(is_fine || (out.clone() + &err).contains("from 1 to 32"), "{given}: {out}{err}");
    }
}

#[tokio::test]
async fn a_file_that_is_named_twice_is_taken_once_or_not_at_all() {
    let fixture = Fixture::start().await;
    let mut alice = fixture.enter("alice", "general").await;
    let place = asks(&mut alice, "upload", json!({ "name": "a.bin" })).await;
    fixture.put(&place, &[7; 1_000_000]).await;
    let ten = vec![place["id"].clone(); 10];
    let refused = asks(&mut alice, "send_message", json!({ "message": "x", "files": ten })).await;
    assert!(refused["error"].as_str().unwrap().contains("is named twice"), "{refused}");
    let sent = asks(&mut alice, "send_message", json!({ "message": "x", "files": [place["id"]] })).await;
    assert!(sent["id"].is_string(), "it still waits for its message: {sent}");
    assert!(fixture.daemon.stop().await, "{}", fixture.project.log());
}
