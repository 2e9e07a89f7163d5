//! Accounts over time, from outside: second factors, read markers, and deletion with all data.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]
#![allow(clippy::disallowed_methods, reason = "an authenticator app has a clock of its own")]

use std::time::{SystemTime, UNIX_EPOCH};

use palabre_tests::{Client, Site, registration, text};
use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

const SETTINGS: &str = "limits: { logins: { burst: 1000, per_minute: 0 }, codes: { burst: 1000, per_minute: 0 } }";

/// Returns the code that an authenticator app shows for a step from now.
fn code(secret: &str, steps: u64) -> String {
    let builder = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap());
    let generator = builder.with_account_name("alice").build().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    generator.generate(now + 30 * steps).to_string()
}

async fn log_in(site: &Site, code: Option<&str>) -> (u16, Value) {
    let mut login = json!({ "username": "alice", "password": "secret of alice" });
    if let Some(code) = code {
        login["code"] = json!(code);
    }
    let (status, answer) = site.post("/api/auth/login", "", login).await;
    (status.as_u16(), answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_asked_for_and_each_code_works_once() {
    let site = Site::new(SETTINGS, &[]).await;
    let (_, alice) = site.register("alice").await;
    let begin = async |password: &str| site.post("/api/auth/otp", &alice, json!({ "password": password })).await;
    assert_eq!(begin("wrong").await.0, 401);
    let (status, begun) = begin("secret of alice").await;
    assert_eq!(status, 200, "{begun}");
    let secret = text(&begun["secret"]);
    assert!(text(&begun["url"]).starts_with("otpauth://totp/"), "{begun}");
    assert_eq!(log_in(&site, None).await.0, 200, "not before it is confirmed");

    let confirm = async |code: &str| site.post("/api/auth/otp/confirm", &alice, json!({ "code": code })).await;
    assert_eq!(confirm("000000").await.0, 401);
    let (status, confirmed) = confirm(&code(&secret, 0)).await;
    assert_eq!(status, 200, "{confirmed}");
    let recovery: Vec<String> = confirmed["recovery_codes"].as_array().unwrap().iter().map(text).collect();
    assert_eq!(recovery.len(), 10);
    assert_eq!(site.get("/api/auth/me", &alice).await.1["otp"], true);
    assert_eq!(begin("secret of alice").await.0, 409, "it is on already");

    let (status, refused) = log_in(&site, None).await;
    assert_eq!((status, &refused["otp_required"]), (401, &json!(true)), "{refused}");
    for wrong in ["", "000000", "not a code", &"9".repeat(2_000), &code(&secret, 0)] {
        assert_eq!(log_in(&site, Some(wrong)).await.0, 401, "{wrong}");
    }
    let next = code(&secret, 1);
    assert_eq!(log_in(&site, Some(&next)).await.0, 200);
    assert_eq!(log_in(&site, Some(&next)).await.0, 401, "each code works once");
    assert_eq!(log_in(&site, Some(&recovery[3].to_uppercase())).await.0, 200);
    assert_eq!(log_in(&site, Some(&recovery[3])).await.0, 401, "a recovery code too");

    let end = async |body: Value| site.call(Method::DELETE, "/api/auth/otp", &alice, body).await.0.as_u16();
    assert_eq!(end(json!({ "password": "secret of alice" })).await, 401, "not without a code");
    assert_eq!(end(json!({ "password": "wrong", "code": recovery[4] })).await, 401);
    assert_eq!(end(json!({ "password": "secret of alice", "code": recovery[5] })).await, 204);
    assert_eq!(log_in(&site, None).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_messages_are_counted_from_the_read_marker() {
    let site = Site::new(SETTINGS, &[]).await;
    let ((alice_id, alice), (bob_id, bob)) = (site.register("alice").await, site.register("bob").await);
    let private = format!("/api/users/{bob_id}/messages");
    let mut ids = Vec::new();
    for message in ["one", "two", "@bob three"] {
        let (_, sent) = site.post(&private, &alice, json!({ "message": message })).await;
        ids.push((text(&sent["room"]), text(&sent["id"])));
    }
    let room = ids[0].0.clone();
    let unread = async |token: &str| site.get("/api/users/me/unread", token).await.1["rooms"].clone();
    let expected = |unread: u32, mentions: u32, last: Value| {
        let of_room = json!({ "room": room, "unread": unread, "mentions": mentions, "last_read": last });
        json!([of_room])
    };
    assert_eq!(unread(&bob).await, expected(3, 1, Value::Null));
    assert_eq!(unread(&alice).await, expected(0, 0, Value::Null), "one's own are read");
    let (_, with) = site.get("/api/users/me/conversations", &bob).await;
    assert_eq!(with["conversations"][0]["user"]["id"], json!(alice_id));

    let mut sender = Client::connect_with(&site.daemon.address, Some(&alice)).await.unwrap();
    sender.join(json!({ "username": "alice", "room": room })).await.unwrap();
    let marker = |index: usize| format!("/api/rooms/{room}/messages/{}/read", ids[index].1);
    assert_eq!(site.call(Method::PUT, &marker(1), &bob, Value::Null).await.0, 204);
    assert_eq!(sender.wait("message_read").await.unwrap()["id"], json!(ids[1].1));
    assert_eq!(unread(&bob).await, expected(1, 1, json!(ids[1].1)));
    assert_eq!(site.call(Method::PUT, &marker(0), &bob, Value::Null).await.0, 204, "it does not move back");
    assert_eq!(unread(&bob).await, expected(1, 1, json!(ids[1].1)));
    assert_eq!(site.call(Method::DELETE, &marker(0), &bob, Value::Null).await.0, 204, "unless it is told to");
    assert_eq!(unread(&bob).await, expected(2, 1, json!(ids[0].1)));
    let unknown = format!("/api/rooms/{room}/messages/nothing/read");
    assert_eq!(site.call(Method::PUT, &unknown, &bob, Value::Null).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_account_leaves_nothing_and_its_name_is_free() {
    let site = Site::new(SETTINGS, &[]).await;
    let ((alice_id, alice), (_, bob)) = (site.register("alice").await, site.register("bob").await);
    for (author, message) in [(&alice, "mine"), (&bob, "stays"), (&alice, "mine too")] {
        assert_eq!(site.post("/api/rooms/general/messages", author, json!({ "message": message })).await.0, 201);
    }
    site.post(&format!("/api/users/{alice_id}/messages"), &bob, json!({ "message": "private" })).await;
    site.post("/api/rooms", &alice, json!({ "name": "mine", "visibility": "private" })).await;
    let mut client = Client::connect_with(&site.daemon.address, Some(&alice)).await.unwrap();
    client.join(json!({ "username": "alice", "room": "general" })).await.unwrap();
    let (_, answer) = site.post("/chat/message", "", json!({ "message": "of a guest" })).await;
    let session = text(&answer["session_id"]);

    let delete = async |password: &str| {
        site.call(Method::DELETE, "/api/auth/me", &alice, json!({ "password": password })).await.0.as_u16()
    };
    assert_eq!(delete("wrong").await, 401);
    assert_eq!(delete("secret of alice").await, 204);
    client.closed().await;
    assert_eq!(site.get("/api/auth/me", &alice).await.0, 401);
    assert_eq!(site.get(&format!("/api/users/{alice_id}"), &bob).await.0, 404);
    let (_, page) = site.get("/api/rooms/general/messages", &bob).await;
    let texts: Vec<&Value> = page["messages"].as_array().unwrap().iter().map(|row| &row["message"]).collect();
    assert_eq!(texts, ["stays"]);
    let (status, history) = site.get(&format!("/chat/history/{session}"), "").await;
    assert_eq!(status, 200, "sessions of guests are nobody's account's: {history}");
    assert_eq!(site.get("/api/users/me/conversations", &bob).await.1["conversations"], json!([]));
    let (status, anew) = site.post("/api/auth/register", "", registration("alice")).await;
    assert_eq!(status, 201, "{anew}");
    assert_ne!(text(&anew["id"]), alice_id);
    let token = text(&anew["token"]);
    assert_eq!(site.get("/api/rooms/mine", &token).await.0, 404, "the rooms of the old account are not hers");
    assert_eq!(site.post("/api/rooms", &token, json!({ "name": "mine" })).await.0, 201, "and are gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_owner_of_a_shared_room_is_asked_to_name_another_one() {
    let site = Site::new(SETTINGS, &[]).await;
    let ((_, alice), (bob_id, bob)) = (site.register("alice").await, site.register("bob").await);
    site.post("/api/rooms", &alice, json!({ "name": "club" })).await;
    let (_, made) = site.post("/api/rooms/club/invites", &alice, json!({})).await;
    site.post(&format!("/api/invites/{}", text(&made["code"])), &bob, Value::Null).await;
    let deletion = json!({ "password": "secret of alice" });
    let (status, refused) = site.call(Method::DELETE, "/api/auth/me", &alice, deletion.clone()).await;
    assert_eq!(status, 409, "{refused}");
    assert!(text(&refused["error"]).contains("club"), "{refused}");
    let member = format!("/api/rooms/club/members/{bob_id}");
    assert_eq!(site.call(Method::PUT, &member, &alice, json!({ "role": "owner" })).await.0, 204);
    assert_eq!(site.call(Method::DELETE, "/api/auth/me", &alice, deletion).await.0, 204);
    assert_eq!(site.get("/api/rooms/club", &bob).await.1["role"], "owner");
}
