//! Bot accounts, from outside: their tokens, what they may do, how scripts see them, and their end.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::{Client, Site, registration, text};
use reqwest::Method;
use serde_json::{Value, json};

const SETTINGS: &str = "limits: { logins: { burst: 1000, per_minute: 0 } }";

const SCRIPT: &str = r#"
command("ping", {}, function(event) event:reply(`pong {event.user.name}`) end)
function on_message(event)
  if event.text == "who" then event:reply(`{event.user.name}: {event.user.bot}`) end
end
"#;

/// Creates a bot account. Returns its id and an access token.
async fn create(site: &Site, owner: &str, name: &str, scopes: Value) -> (String, String) {
    let (status, bot) = site.post("/api/bots", owner, json!({ "username": name })).await;
    assert_eq!((status.as_u16(), &bot["bot"]), (201, &json!(true)), "{bot}");
    let id = text(&bot["id"]);
    let asked = json!({ "name": "its program", "scopes": scopes, "days": 30 });
    let (status, token) = site.post(&format!("/api/bots/{id}/tokens"), owner, asked).await;
    assert_eq!(status, 201, "{token}");
    (id, text(&token["token"]))
}

async fn say(site: &Site, token: &str, message: &str) -> Value {
    let (status, sent) = site.post("/api/rooms/general/messages", token, json!({ "message": message })).await;
    assert_eq!(status, 201, "{sent}");
    let path = format!("/api/rooms/general/messages/{}", text(&sent["id"]));
    site.get(&path, token).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_account_writes_as_a_bot_and_cannot_sign_in() {
    let site = Site::new(SETTINGS, &[]).await;
    let ((alice_id, alice), (_, bob)) = (site.register("alice").await, site.register("bob").await);
    let (id, token) = create(&site, &alice, "helper", json!(["read", "write"])).await;
    let (_, seen) = site.get(&format!("/api/users/{id}"), &bob).await;
    assert_eq!((&seen["bot"], &seen["owner"]), (&json!(true), &json!(alice_id)), "{seen}");
    assert_eq!(site.get("/api/users/me", &bob).await.1["bot"], false);
    let message = say(&site, &token, "hello").await;
    assert_eq!(
        (&message["bot"], &message["author"], &message["username"]),
        (&json!(true), &json!(id), &json!("helper"))
    );
    let of_person = say(&site, &bob, "hello").await;
    assert_eq!(of_person["bot"], Value::Null);

    // Its own messages are its own.
    let path = format!("/api/rooms/general/messages/{}", text(&message["id"]));
    assert_eq!(site.call(Method::PATCH, &path, &token, json!({ "message": "hello all" })).await.0, 204);
    assert_eq!(site.get(&path, &bob).await.1["bot"], true);

    for password in ["", "secret of helper"] {
        let login = json!({ "username": "helper", "password": password });
        assert_eq!(site.post("/api/auth/login", "", login).await.0, 401);
    }
    let guest = Client::enter(&site.daemon.address, "Helper", "general").await;
    assert!(guest.is_err(), "a guest cannot take the name");
    assert_eq!(site.post("/api/auth/register", "", registration("helper")).await.0, 400);
    for name in ["alice", "Helper", "palabre", "", "two words"] {
        assert_eq!(site.post("/api/bots", &alice, json!({ "username": name })).await.0, 400, "{name}");
    }
    let mut client = Client::connect_with(&site.daemon.address, Some(&token)).await.unwrap();
    assert_eq!(client.join(json!({ "username": "x", "room": "general" })).await.unwrap()["username"], "helper");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tokens_of_a_bot_are_made_by_its_owner_and_cannot_change_accounts() {
    let site = Site::new(SETTINGS, &[]).await;
    let ((_, alice), (_, bob)) = (site.register("alice").await, site.register("bob").await);
    let (id, token) = create(&site, &alice, "helper", json!(["read", "write"])).await;
    let tokens = format!("/api/bots/{id}/tokens");
    let asked = |scopes: Value| json!({ "name": "x", "scopes": scopes });
    assert_eq!(site.post(&tokens, &alice, asked(json!(["account"]))).await.0, 400);
    assert_eq!(site.post(&tokens, &bob, asked(json!(["read"]))).await.0, 404, "not the owner");
    assert_eq!(site.post(&tokens, &token, asked(json!(["read"]))).await.0, 403, "not the bot itself");
    let (_, whole) = site.post("/api/auth/tokens", &alice, asked(json!(["read", "write", "account"]))).await;
    let whole = text(&whole["token"]);
    assert_eq!(site.post("/api/bots", &whole, json!({ "username": "other" })).await.0, 403, "only signed in");
    assert_eq!(site.get(&tokens, &bob).await.0, 404);
    let (_, listed) = site.get(&tokens, &alice).await;
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["tokens"][0]["scopes"], json!(["read", "write"]));
    assert_eq!(site.get("/api/bots", &alice).await.1["bots"][0]["username"], "helper");
    assert_eq!(site.get("/api/bots", &bob).await.1["bots"], json!([]));

    // Rooms belong to people.
    assert_eq!(site.post("/api/rooms", &token, json!({ "name": "mine" })).await.0, 403);
    assert_eq!(site.post("/api/rooms", &alice, json!({ "name": "club" })).await.0, 201);
    let member = format!("/api/rooms/club/members/{id}");
    site.admit("club", &alice, &token).await;
    assert_eq!(site.call(Method::PUT, &member, &alice, json!({ "role": "owner" })).await.0, 409);
    assert_eq!(site.call(Method::PUT, &member, &alice, json!({ "role": "moderator" })).await.0, 204);

    let mut client = Client::connect_with(&site.daemon.address, Some(&token)).await.unwrap();
    let revoke = format!("{tokens}/{}", text(&listed["tokens"][0]["id"]));
    assert_eq!(site.call(Method::DELETE, &revoke, &bob, Value::Null).await.0, 404);
    assert_eq!(site.call(Method::DELETE, &revoke, &alice, Value::Null).await.0, 204);
    client.closed().await;
    assert_eq!(site.get("/api/auth/me", &token).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_see_a_bot_account_as_a_bot_and_run_no_commands_for_it() {
    let site = Site::new(SETTINGS, &[("bots.luau", SCRIPT)]).await;
    let (_, alice) = site.register("alice").await;
    let (_, token) = create(&site, &alice, "helper", json!(["read", "write"])).await;
    let (mut listener, _) = Client::enter(&site.daemon.address, "listener", "general").await.unwrap();
    say(&site, &token, "/ping").await;
    say(&site, &token, "who").await;
    listener.hears("helper: true").await.unwrap();
    say(&site, &alice, "/ping").await;
    // The messages before have been handled by now.
    let pong = listener.hears("pong").await.unwrap();
    assert_eq!(pong["message"], "pong alice");
    say(&site, &alice, "who").await;
    listener.hears("alice: false").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bots_are_limited_and_deleted_with_their_messages_by_their_owner_or_with_it() {
    let site = Site::new(SETTINGS, &[]).await;
    let ((_, alice), (_, bob)) = (site.register("alice").await, site.register("bob").await);
    let (first, token) = create(&site, &alice, "bot0", json!(["read", "write"])).await;
    for number in 1..20 {
        let (status, made) = site.post("/api/bots", &alice, json!({ "username": format!("bot{number}") })).await;
        assert_eq!(status, 201, "{made}");
    }
    assert_eq!(site.post("/api/bots", &alice, json!({ "username": "bot20" })).await.0, 409);
    say(&site, &token, "by the first").await;
    let path = format!("/api/bots/{first}");
    assert_eq!(site.call(Method::DELETE, &path, &bob, Value::Null).await.0, 404);
    assert_eq!(site.call(Method::DELETE, &path, &alice, Value::Null).await.0, 204);
    assert_eq!(site.get("/api/auth/me", &token).await.0, 401);
    let (second, token) = create(&site, &alice, "bot0", json!(["write", "read"])).await;
    say(&site, &token, "by the second").await;
    say(&site, &bob, "stays").await;

    let deletion = json!({ "password": "secret of alice" });
    assert_eq!(site.call(Method::DELETE, "/api/auth/me", &alice, deletion).await.0, 204);
    assert_eq!(site.get("/api/auth/me", &token).await.0, 401);
    assert_eq!(site.get(&format!("/api/users/{second}"), &bob).await.0, 404);
    let (_, page) = site.get("/api/rooms/general/messages", &bob).await;
    let texts: Vec<&Value> = page["messages"].as_array().unwrap().iter().map(|row| &row["message"]).collect();
    assert_eq!(texts, ["stays"]);
    site.register("bot7").await;
}
