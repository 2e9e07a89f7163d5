//! Accounts under attack: cancelled requests, used-up limits, imitated names and conversations.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::time::Duration;

use palabre_rooms::Config;
use palabre_store::Store;
use palabre_tests::{Client, RoomService, Site, registration, text};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const SETTINGS: &str = "limits: { logins: { burst: 1, per_minute: 0 }, registrations: { burst: 1, per_minute: 0 } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_its_client_gives_up_is_done_wholly_or_not_at_all() {
    let site = Site::new(SETTINGS, &[]).await;
    let (_, session) = site.register("alice").await;
    let mut decided = 0;
    for pause in [0, 1, 2, 3, 5, 8, 12, 20] {
        let scopes = json!({ "name": "x", "scopes": ["read", "write"] });
        let (_, token) = site.post("/api/auth/tokens", &session, scopes).await;
        let (id, token) = (text(&token["id"]), text(&token["token"]));
        let mut socket = Client::connect_with(&site.daemon.address, Some(&token)).await.unwrap();
        let path = format!("/api/auth/tokens/{id}");
        let revoke = site.call(Method::DELETE, &path, &session, Value::Null);
        drop(tokio::time::timeout(std::time::Duration::from_millis(pause), revoke).await);
        // What was begun is over before a later request of the same account is.
        site.call(Method::PATCH, "/api/users/me", &session, json!({ "status": "x" })).await;
        if site.get("/api/auth/me", &token).await.0 == 401 {
            decided += 1;
            socket.closed().await;
        }
    }
    assert!(decided > 0, "some revocations were carried out");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_do_not_use_up_the_room_for_sessions() {
    let site = Site::new(SETTINGS, &[]).await;
    let (_, session) = site.register("alice").await;
    for _ in 0..100 {
        let created = site.post("/api/auth/tokens", &session, json!({ "name": "x", "scopes": ["read"] })).await;
        assert_eq!(created.0, 201, "{}", created.1);
    }
    let refused = site.post("/api/auth/tokens", &session, json!({ "name": "x", "scopes": ["read"] })).await;
    assert_eq!(refused.0, 400, "{}", refused.1);
    assert_eq!(site.get("/api/auth/me", &session).await.0, 200);
    let login = json!({ "username": "alice", "password": "secret of alice" });
    assert_eq!(site.post("/api/auth/login", "", login).await.0, 200);
    let never = json!({ "name": "x", "scopes": ["read"], "days": 0 });
    assert_eq!(site.post("/api/auth/tokens", &session, never).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_a_guest_is_using_is_not_registered_meanwhile() {
    let site = Site::new(SETTINGS, &[]).await;
    let (guest, _) = Client::enter(&site.daemon.address, "dave", "general").await.unwrap();
    let (status, refused) = site.post("/api/auth/register", "", registration("Dave")).await;
    assert_eq!((status, text(&refused["error"]).contains("guest")), (StatusCode::BAD_REQUEST, true), "{refused}");
    drop(guest);
    palabre_tests::eventually(std::time::Duration::from_secs(60), "the guest is gone", async || {
        let (status, answer) = site.post("/api/auth/register", "", registration("dave")).await;
        if status == 201 { Ok(()) } else { Err(answer.to_string()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_imitates_a_private_conversation_and_its_files_are_private_too() {
    let site = Site::new(SETTINGS, &[]).await;
    let (alice_id, alice) = site.register("alice").await;
    let (bob_id, bob) = site.register("bob").await;
    let (_, sent) = site.post(&format!("/api/users/{bob_id}/messages"), &alice, json!({ "message": "hi" })).await;
    let room = text(&sent["room"]);
    let own = format!("private:{alice_id}:x");
    for other in [room.to_uppercase(), own, format!("{room}:1"), format!("{room} "), "Private:".to_owned()] {
        let path = format!("/api/rooms/{}/messages", other.replace(' ', "%20"));
        let (status, _) = site.post(&path, &alice, json!({ "message": "mine" })).await;
        // A space at the end is trimmed, so that it is the room itself.
        assert_eq!(status, if other.trim() == room { 201 } else { 400 }, "{other}");
    }
    let mut client = Client::connect_with(&site.daemon.address, Some(&alice)).await.unwrap();
    client.join(json!({ "username": "alice", "room": room })).await.unwrap();
    let number = client.ask("upload", json!({ "name": "note.txt", "content_type": "text/plain" })).await.unwrap();
    let upload = client.ack(number).await.unwrap();
    let url = text(&upload["url"]);
    assert_eq!(site.request(Method::PUT, &url).body("a secret").send().await.unwrap().status(), 200);
    let with_file = json!({ "message": "see", "files": [upload["id"]] });
    let number = client.ask("send_message", with_file).await.unwrap();
    client.ack(number).await.unwrap();
    let (_, page) = site.get(&format!("/api/users/{alice_id}/messages"), &bob).await;
    let file = text(&page["messages"].as_array().unwrap().last().unwrap()["attachments"][0]["url"]);
    let get = async |token: &str| site.request(Method::GET, &file).bearer_auth(token).send().await.unwrap();
    let (_, carol) = site.register("carol").await;
    assert_eq!(get(&bob).await.text().await.unwrap(), "a secret");
    assert_eq!((get(&carol).await.status(), get("").await.status()), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_conversation_is_read_in_parts_by_clients_of_vaultroom() {
    let site = Site::new(SETTINGS, &[]).await;
    let (_, alice) = site.register("alice").await;
    let (bob, _) = site.register("bob").await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let message = json!({ "recipient_id": bob, "message": format!("message {number}") });
        ids.push(text(&site.post("/send-message", &alice, message).await.1["data"]["id"]));
    }
    let read = async |query: String| {
        let (status, page) = site.get(&format!("/get-messages?receiver_id={bob}{query}"), &alice).await;
        assert_eq!(status, 200, "{query}: {page}");
        page.as_array().unwrap().iter().map(|message| text(&message["id"])).collect::<Vec<_>>()
    };
    assert_eq!(read(String::new()).await, ids);
    assert_eq!(read("&limit=2".to_owned()).await, ids[3..]);
    assert_eq!(read(format!("&limit=2&before={}", ids[3])).await, ids[1..3]);
    assert_eq!(read(format!("&limit=2&after={}", ids[0])).await, ids[1..3]);
    for (query, expected) in [("limit=many", 400), ("before=x&after=y", 400), ("before=nonsense", 404)] {
        let (status, refused) = site.get(&format!("/get-messages?receiver_id={bob}&{query}"), &alice).await;
        assert_eq!(status, expected, "{query}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_no_handler_takes_are_refused_as_json_too() {
    let site = Site::new(SETTINGS, &[]).await;
    let (_, alice) = site.register("alice").await;
    for (method, path, expected) in [
        (Method::GET, "/api/rooms/%ff/messages", 400),
        (Method::GET, "/api/users/%c3%28", 400),
        (Method::DELETE, "/api/auth/tokens/%ff", 400),
        (Method::GET, "/api/files/%ff", 400),
        (Method::GET, "/api/files/none", 404),
        (Method::GET, "/assets/none.js", 404),
        (Method::GET, "/nothing", 404),
        (Method::PUT, "/api/auth/login", 405),
        (Method::DELETE, "/", 405),
        (Method::POST, "/join", 415),
    ] {
        let request = site.request(method.clone(), path).bearer_auth(&alice).json(&json!({ "username": "x" }));
        let answer = request.send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(answer.status(), expected, "{method} {path}");
        assert_eq!(header("content-type").as_deref(), Some("application/json"), "{method} {path}");
        assert_eq!(header("allow").is_some(), expected == 405, "{method} {path}");
        let refused: Value = answer.json().await.unwrap();
        assert!(!text(&refused["error"]).is_empty(), "{method} {path}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_username_has_one_spelling_and_nothing_on_top_of_its_letters() {
    let site = Site::new(SETTINGS, &[]).await;
    let request = |name: &str| json!({ "username": name, "email": "jose@example.org", "password": "long enough" });
    // Alphabetic marks, an accent that makes no character with its letter, and invisible characters.
    for added in ["\u{345}", "\u{93f}", "\u{30d}", "\u{3164}", "\u{ad}", "\u{200b}", "\u{115f}"] {
        let (status, refused) = site.post("/api/auth/register", "", request(&format!("jox{added}"))).await;
        assert_eq!(status, 400, "{}: {refused}", added.escape_unicode());
    }
    let (status, account) = site.post("/api/auth/register", "", request("Jose\u{301}")).await;
    assert_eq!((status, text(&account["username"])), (StatusCode::CREATED, "Jos\u{e9}".to_owned()), "{account}");
    for name in ["jos\u{e9}", "JOSE\u{301}"] {
        let login = json!({ "username": name, "password": "long enough" });
        assert_eq!(site.post("/api/auth/login", "", login).await.0, 200, "{}", name.escape_unicode());
        let (status, taken) = site.post("/api/auth/register", "", request(name)).await;
        assert_eq!(status, 400, "{taken}");
        let mut guest = Client::connect(&site.daemon.address).await.unwrap();
        let refused = guest.join(json!({ "username": name, "room": "general" })).await.unwrap_err();
        assert!(refused.0.contains("belongs to an account"), "{}", refused.0);
    }
    let mut guest = Client::connect(&site.daemon.address).await.unwrap();
    let joined = guest.join(json!({ "username": "Rene\u{301}", "room": "general" })).await.unwrap();
    assert_eq!(joined["username"], "Ren\u{e9}");
}

#[tokio::test(flavor = "multi_thread")]
async fn private_conversations_are_not_counted_among_the_rooms() {
    let site = Site::new(SETTINGS, &[]).await;
    let (_, alice) = site.register("alice").await;
    let (bob_id, _) = site.register("bob").await;
    let (_guest, _) = Client::enter(&site.daemon.address, "guest", "general").await.unwrap();
    site.post("/api/rooms/general/messages", &alice, json!({ "message": "hello" })).await;
    let counts = async || {
        let (_, stats) = site.get("/api/stats", "").await;
        (stats["rooms"].clone(), stats["active_rooms"].clone())
    };
    assert_eq!(counts().await, (json!(1), json!(1)));
    let sent = site.post(&format!("/api/users/{bob_id}/messages"), &alice, json!({ "message": "hi" })).await;
    assert_eq!(sent.0, 201, "{}", sent.1);
    assert_eq!(counts().await, (json!(1), json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forms_sign_a_person_in_and_say_what_is_wrong() {
    let site = Site::new(SETTINGS, &[]).await;
    for (path, action) in [("/login-page", "/login"), ("/register-page", "/register")] {
        let page = site.request(Method::GET, path).send().await.unwrap().text().await.unwrap();
        assert!(page.contains(&format!("action=\"{action}\"")) && !page.contains("{{"), "{page}");
    }
    let kind = "application/x-www-form-urlencoded";
    let post = async |path: &str, body: &str| {
        let sent = site.request(Method::POST, path).header("content-type", kind).body(body.to_owned()).send();
        let answer = sent.await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    let bad = "username=%3Cb%3Ex&email=%3Ci%3E{{title}}&password=long+enough";
    let (status, page) = post("/register", bad).await;
    assert!(status == 400 && page.contains("the username must") && !page.contains("<b>x"), "{page}");
    let (status, page) = post("/register", "username=alice&email=%3Ci%3E&password=long+enough").await;
    assert!(status == 400 && page.contains("&quot;&lt;i&gt;&quot; is not an e-mail address"), "{page}");
    assert_eq!(post("/register", "username=alice&email=a%40b.org&password=long+enough").await.0, 303);
    let (status, page) = post("/login", "username=alice&password=wrong").await;
    assert!(status == 401 && page.contains("the username or the password is wrong"), "{page}");
    assert_eq!(post("/login", "username=alice&password=long+enough").await.0, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_idle_changes_the_password_at_the_first_attempt() {
    let service = RoomService::start(&Store::in_memory().unwrap(), Config::default()).await;
    let (_, token) = service.register("alice").await;
    // The request records the use of the session too, in the same row.
    service.clock.advance(Duration::from_secs(7_200));
    let change = json!({ "current": "secret of alice", "new": "another secret" });
    let changed = service.call(Method::POST, "/api/auth/password", &token, change).await;
    assert_eq!(changed.0, 204, "{}", changed.1);
    let me = async || service.call(Method::GET, "/api/auth/me", &token, Value::Null).await.0;
    assert_eq!(me().await, 200);
    // An unused session ends.
    service.clock.advance(Duration::from_secs(29 * 86_400));
    assert_eq!(me().await, 200);
    service.clock.advance(Duration::from_secs(31 * 86_400));
    assert_eq!(me().await, 401);
    service.engine.shutdown().await;
}
