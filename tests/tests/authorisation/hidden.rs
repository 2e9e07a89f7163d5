//! Ids that others know or guess: nothing that is hidden is found by them.

use palabre_tests::{Site, text};
use reqwest::Method;
use serde_json::{Value, json};

use crate::callers::{SECTIONS, SETTINGS};

/// A service with a private room of Alice and Bob, a public one, and Mallory.
struct Rooms {
    site: Site,
    alice: String,
    bob_id: String,
    mallory_id: String,
    mallory: String,
}

impl Rooms {
    async fn start() -> Self {
        let site = Site::with_sections(SECTIONS, SETTINGS, &[]).await;
        let ((_, alice), (bob_id, bob)) = (site.register("alice").await, site.register("bob").await);
        let (mallory_id, mallory) = site.register("mallory").await;
        let rooms = Self { site, alice, bob_id, mallory_id, mallory };
        for (name, visibility) in [("den", "private"), ("hall", "public")] {
            rooms.of_alice(Method::POST, "/api/rooms", json!({ "name": name, "visibility": visibility })).await;
        }
        rooms.site.admit("den", &rooms.alice, &bob).await;
        rooms
    }

    async fn of_alice(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.site.call(method, path, &self.alice, body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    async fn of_mallory(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let (status, answer) = self.site.call(method, path, &self.mallory, body).await;
        (status.as_u16(), answer)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_private_room_is_not_found_through_a_public_one() {
    let rooms = Rooms::start().await;
    let secret = json!({ "message": "between us" });
    let id = text(&rooms.of_alice(Method::POST, "/api/rooms/den/messages", secret).await["id"]);
    let message = format!("/api/rooms/hall/messages/{id}");
    for (method, path, body) in [
        (Method::GET, message.clone(), Value::Null),
        (Method::GET, format!("{message}/edits"), Value::Null),
        (Method::PATCH, message.clone(), json!({ "message": "changed" })),
        (Method::DELETE, message.clone(), Value::Null),
        (Method::PUT, format!("{message}/reactions/%F0%9F%91%8D"), Value::Null),
        (Method::PUT, format!("{message}/read"), Value::Null),
        (Method::POST, format!("{message}/feedback"), json!({ "rating": 1 })),
        (Method::GET, format!("/api/rooms/hall/messages?before={id}"), Value::Null),
        (Method::GET, format!("/api/rooms/hall/messages?after={id}"), Value::Null),
    ] {
        let (status, answer) = rooms.of_mallory(method.clone(), &path, body).await;
        assert_eq!(status, 404, "{method} {path}: {answer}");
    }
    let reply = json!({ "message": "what was that?", "reply_to": id });
    let (status, answer) = rooms.of_mallory(Method::POST, "/api/rooms/hall/messages", reply).await;
    assert!(status == 403 && !answer.to_string().contains("between us"), "{answer}");
    let all = rooms.of_alice(Method::GET, "/api/rooms/den/messages", Value::Null).await;
    assert_eq!((&all["messages"][0]["message"], &all["messages"][1]), (&json!("between us"), &Value::Null), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_sessions_accounts_and_conversations_of_others_open_nothing() {
    let rooms = Rooms::start().await;
    let sessions = rooms.of_alice(Method::GET, "/api/auth/sessions", Value::Null).await;
    let session = text(&sessions[0]["id"]);
    let path = format!("/api/users/{}/messages", rooms.bob_id);
    let conversation = text(&rooms.of_alice(Method::POST, &path, json!({ "message": "between us" })).await["room"]);
    // The name with its parts in the other order, and other spellings.
    let parts: Vec<&str> = conversation.split(':').collect();
    let swapped = format!("private:{}:{}", parts[2], parts[1]);
    for (method, path, body, expected) in [
        (Method::DELETE, format!("/api/auth/sessions/{session}"), Value::Null, 404),
        (Method::DELETE, format!("/api/auth/tokens/{session}"), Value::Null, 404),
        (Method::PATCH, format!("/api/users/{}", rooms.bob_id), json!({ "status": "x" }), 403),
        (Method::GET, format!("/api/rooms/{conversation}"), Value::Null, 404),
        (Method::GET, format!("/api/rooms/{conversation}/messages"), Value::Null, 404),
        (Method::GET, format!("/api/rooms/{conversation}/export"), Value::Null, 404),
        (Method::POST, format!("/api/rooms/{conversation}/messages"), json!({ "message": "me too" }), 404),
        (Method::DELETE, format!("/api/rooms/{conversation}"), Value::Null, 404),
        (Method::POST, "/api/rooms".to_owned(), json!({ "name": conversation }), 400),
        (Method::GET, format!("/api/rooms/{swapped}/messages"), Value::Null, 400),
        (Method::GET, format!("/api/rooms/{}/messages", conversation.to_uppercase()), Value::Null, 400),
        (Method::GET, format!("/chat/history/{}-{}", rooms.bob_id, "0".repeat(32)), Value::Null, 404),
        (Method::GET, format!("/chat/history/guest-{}", "0".repeat(32)), Value::Null, 404),
        (Method::POST, format!("/api/invites/{}", "0".repeat(32)), Value::Null, 404),
    ] {
        let (status, answer) = rooms.of_mallory(method.clone(), &path, body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
    assert_eq!(rooms.site.get("/api/auth/me", &rooms.alice).await.0, 200, "the session lives on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_banned_member_learns_nothing_by_an_invite_and_does_not_return_by_it() {
    let rooms = Rooms::start().await;
    let invite = text(&rooms.of_alice(Method::POST, "/api/rooms/den/invites", json!({})).await["code"]);
    let path = format!("/api/invites/{invite}");
    assert_eq!(rooms.of_mallory(Method::POST, &path, Value::Null).await.0, 200);
    let member = format!("/api/rooms/den/members/{}", rooms.mallory_id);
    rooms.of_alice(Method::PUT, &member, json!({ "role": "banned" })).await;
    let (status, answer) = rooms.of_mallory(Method::POST, &path, Value::Null).await;
    assert_eq!(status, 404, "{answer}");
    assert_eq!(rooms.of_mallory(Method::GET, "/api/rooms/den", Value::Null).await.0, 404);
}
