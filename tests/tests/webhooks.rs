//! Incoming webhooks of rooms, from outside: in our format, Slack's and Discord's; limits, names and secrets.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::{Client, Site, text};
use reqwest::Method;
use serde_json::{Value, json};

const SETTINGS: &str = "limits: { logins: { burst: 1000, per_minute: 0 }, webhooks: { burst: 1000, per_minute: 0 } }";

const SCRIPT: &str = r#"
command("ping", {}, function(event) event:reply(`pong {event.user.name}`) end)
function before_message(event)
  if event.text == "forbidden" then return false, "not here" end
end
function on_message(event)
  if event.text == "who" then event:reply(`{event.user.name}: {event.user.bot}`) end
end
"#;

/// Creates a webhook. Returns its id and its path.
async fn create(site: &Site, token: &str, room: &str, name: &str) -> (String, String) {
    let (status, made) = site.post(&format!("/api/rooms/{room}/webhooks"), token, json!({ "name": name })).await;
    assert_eq!(status, 201, "{made}");
    (text(&made["id"]), text(&made["url"]))
}

/// Posts JSON. Returns the status, the type and the text of the answer.
async fn post(site: &Site, path: &str, body: &Value) -> (u16, String, String) {
    answered(site.request(Method::POST, path).json(body)).await
}

async fn answered(request: reqwest::RequestBuilder) -> (u16, String, String) {
    let answer = request.send().await.unwrap();
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    (answer.status().as_u16(), kind, answer.text().await.unwrap())
}

async fn texts(site: &Site, room: &str, token: &str) -> Vec<String> {
    let (_, page) = site.get(&format!("/api/rooms/{room}/messages"), token).await;
    page["messages"].as_array().unwrap().iter().map(|row| text(&row["message"])).collect()
}

/// Starts a service in which alice owns the private room `den`. Returns her token and that of bob.
async fn start(settings: &str, scripts: &[(&str, &str)]) -> (Site, String, String) {
    let sections = "server: { requests_per_minute: 100000 }\nscripts: { gate: { grants: [moderation] } }";
    let sections = if scripts.is_empty() { "server: { requests_per_minute: 100000 }" } else { sections };
    let site = Site::with_sections(sections, settings, scripts).await;
    let ((_, alice), (_, bob)) = (site.register("alice").await, site.register("bob").await);
    let room = json!({ "name": "den", "visibility": "private" });
    assert_eq!(site.post("/api/rooms", &alice, room).await.0, 201);
    (site, alice, bob)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_posts_under_its_name_as_a_bot_and_only_moderators_manage_it() {
    let (site, alice, bob) = start(SETTINGS, &[]).await;
    assert_eq!(site.post("/api/rooms/den/webhooks", &bob, json!({ "name": "CI" })).await.0, 404);
    assert_eq!(site.post("/api/rooms/general/webhooks", &bob, json!({ "name": "CI" })).await.0, 403);
    let (id, path) = create(&site, &alice, "den", "CI builds").await;
    let (status, _, sent) = post(&site, &path, &json!({ "message": "it works", "nonce": "1" })).await;
    assert_eq!(status, 201, "{sent}");
    let sent: Value = serde_json::from_str(&sent).unwrap();
    let (_, shown) = site.get(&format!("/api/rooms/den/messages/{}", text(&sent["id"])), &alice).await;
    assert_eq!(
        (&shown["username"], &shown["bot"], &shown["message"]),
        (&json!("CI builds"), &json!(true), &json!("it works"))
    );
    let (_, listed) = site.get("/api/rooms/den/webhooks", &alice).await;
    assert_eq!((&listed["webhooks"][0]["id"], &listed["webhooks"][0]["author"]), (&json!(id), &shown["author"]));
    assert!(!listed.to_string().contains(path.rsplit('/').next().unwrap()), "the secret is shown once");
    let (_, _, repeated) = post(&site, &path, &json!({ "message": "it works", "nonce": "1" })).await;
    assert_eq!(serde_json::from_str::<Value>(&repeated).unwrap()["id"], sent["id"]);

    // A moderator deletes its messages like those of others.
    let message = format!("/api/rooms/den/messages/{}", text(&sent["id"]));
    assert_eq!(site.call(Method::DELETE, &message, &alice, Value::Null).await.0, 204);

    let wrong = format!("/api/webhooks/{id}/{}", "0".repeat(64));
    for path in [wrong.as_str(), &path.to_uppercase().replace("/API/WEBHOOKS", "/api/webhooks"), "/api/webhooks/x/y"] {
        assert_eq!(post(&site, path, &json!({ "message": "x" })).await.0, 404, "{path}");
    }
    let webhook = format!("/api/rooms/den/webhooks/{id}");
    assert_eq!(site.call(Method::DELETE, &webhook, &bob, Value::Null).await.0, 404);
    assert_eq!(site.call(Method::DELETE, &webhook, &alice, Value::Null).await.0, 204);
    assert_eq!(site.call(Method::DELETE, &webhook, &alice, Value::Null).await.0, 404);
    assert_eq!(post(&site, &path, &json!({ "message": "x" })).await.0, 404);

    for number in 0..20 {
        create(&site, &alice, "den", &format!("hook {number}")).await;
    }
    assert_eq!(site.post("/api/rooms/den/webhooks", &alice, json!({ "name": "x" })).await.0, 409);
    let (_, last) = site.get("/api/rooms/den/webhooks", &alice).await;
    assert_eq!(last["webhooks"].as_array().unwrap().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_slack_get_the_answers_that_they_expect() {
    let (site, alice, _) = start(SETTINGS, &[]).await;
    let (_, path) = create(&site, &alice, "den", "CI").await;
    let plain = |code: u16, text: &str| (code, "text/plain; charset=utf-8".to_owned(), text.to_owned());
    let body = json!({ "text": "see <https://a.example|this>", "channel": "#x", "icon_emoji": ":robot:" });
    assert_eq!(post(&site, &path, &body).await, plain(200, "ok"));
    let payload = json!({ "text": "from a form", "username": "deploy" }).to_string();
    let form = site.request(Method::POST, &path).form(&[("payload", &payload)]);
    assert_eq!(answered(form).await, plain(200, "ok"));
    // As curl sends it without a header.
    let kind = "application/x-www-form-urlencoded";
    let bare = site.request(Method::POST, &path).header("content-type", kind).body(r#"{"text":"from curl"}"#);
    assert_eq!(answered(bare).await, plain(200, "ok"));
    let blocks = json!({ "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": "a block" } }] });
    assert_eq!(post(&site, &path, &blocks).await, plain(200, "ok"));
    let said = texts(&site, "den", &alice).await;
    assert_eq!(said, ["see [this](https://a.example)", "from a form", "from curl", "a block"]);

    assert_eq!(post(&site, &path, &json!({ "text": " " })).await, plain(400, "no_text"));
    assert_eq!(post(&site, &path, &json!({ "title": "x" })).await, plain(400, "invalid_payload"));
    let broken = site.request(Method::POST, &path).body("{");
    assert_eq!(answered(broken).await, plain(400, "invalid_payload"));
    let huge = json!({ "text": "x".repeat(300 << 10) });
    assert_eq!(post(&site, &path, &huge).await.0, 413);
    assert_eq!(post(&site, &path, &json!({ "text": "x", "username": "alice" })).await, plain(400, "invalid_payload"));
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_discord_get_the_answers_that_they_expect() {
    let (site, alice, _) = start(SETTINGS, &[]).await;
    let (id, path) = create(&site, &alice, "den", "CI").await;
    let body = json!({ "content": "pushed", "username": "Git", "embeds": [{ "title": "main", "description": "2" }] });
    assert_eq!(post(&site, &path, &body).await, (204, String::new(), String::new()));
    let (status, _, message) = post(&site, &format!("{path}?wait=true"), &json!({ "content": "done" })).await;
    let message: Value = serde_json::from_str(&message).unwrap();
    assert_eq!((status, &message["content"], &message["webhook_id"]), (200, &json!("done"), &json!(id)), "{message}");
    assert_eq!(message["author"]["bot"], true);
    let (_, shown) = site.get(&format!("/api/rooms/den/messages/{}", text(&message["id"])), &alice).await;
    assert_eq!((&shown["message"], &shown["username"]), (&json!("done"), &json!("CI")));
    assert_eq!(texts(&site, "den", &alice).await[0], "pushed\n\n**main**\n2");

    let code = |answer: (u16, String, String)| {
        let body: Value = serde_json::from_str(&answer.2).unwrap();
        (answer.0, body["code"].as_u64().unwrap(), body["message"].is_string())
    };
    assert_eq!(code(post(&site, &path, &json!({ "content": "" })).await), (400, 50_006, true));
    assert_eq!(code(post(&site, &path, &json!({ "content": "x", "username": "palabre" })).await), (400, 50_035, true));
    assert_eq!(code(post(&site, "/api/webhooks/1/2", &json!({ "content": "x" })).await), (404, 10_015, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_text_is_split_and_one_that_is_longer_still_is_refused() {
    let (site, alice, _) = start(SETTINGS, &[]).await;
    let (_, path) = create(&site, &alice, "den", "CI").await;
    let long = "word ".repeat(2_500);
    let (status, _, sent) = post(&site, &path, &json!({ "message": long, "nonce": "n" })).await;
    assert_eq!(status, 201, "{sent}");
    let said = texts(&site, "den", &alice).await;
    assert_eq!((said.len(), said.join(" ")), (3, long.trim_end().to_owned()));
    let (_, _, second) = post(&site, &path, &json!({ "message": long, "nonce": "n" })).await;
    assert_eq!((second, texts(&site, "den", &alice).await.len()), (sent, 3), "nothing is posted twice");
    assert_eq!(post(&site, &path, &json!({ "message": "word ".repeat(11_000) })).await.0, 400);
    assert_eq!(texts(&site, "den", &alice).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_imitate_nobody_and_pass_the_scripts_as_bots() {
    let (site, alice, _) = start(SETTINGS, &[("gate.luau", SCRIPT)]).await;
    let (_guest, _) = Client::enter(&site.daemon.address, "visitor", "general").await.unwrap();
    for name in ["alice", "Alice", "\u{430}lice", "palabre", "visitor", "", &"x".repeat(100)] {
        let (status, refused) = site.post("/api/rooms/den/webhooks", &alice, json!({ "name": name })).await;
        assert_eq!(status, 400, "{name}: {refused}");
    }
    let (_, path) = create(&site, &alice, "den", "carol").await;
    let mut listener = Client::connect_with(&site.daemon.address, Some(&alice)).await.unwrap();
    listener.join(json!({ "username": "alice", "room": "den" })).await.unwrap();
    assert_eq!(post(&site, &path, &json!({ "message": "forbidden" })).await.0, 403);
    assert_eq!(post(&site, &path, &json!({ "text": "forbidden" })).await.2, "action_prohibited");
    assert_eq!(post(&site, &path, &json!({ "message": "/ping" })).await.0, 201);
    assert_eq!(post(&site, &path, &json!({ "message": "who" })).await.0, 201);
    listener.hears("carol: true").await.unwrap();
    assert!(texts(&site, "den", &alice).await.iter().all(|said| !said.contains("pong")), "no command runs");

    // Somebody else registers the name later.
    site.register("carol").await;
    assert_eq!(post(&site, &path, &json!({ "message": "who" })).await.0, 201);
    listener.hears("carol (webhook): true").await.unwrap();
    assert_eq!(post(&site, &path, &json!({ "content": "x", "username": "carol" })).await.0, 400);

    // Slow mode and lock are for people; an archived room is closed to all, and a deleted one is gone.
    let patch = async |change: Value| site.call(Method::PATCH, "/api/rooms/den", &alice, change).await.0.as_u16();
    assert_eq!(patch(json!({ "locked": true, "slowmode": 3_600 })).await, 200);
    assert_eq!(post(&site, &path, &json!({ "message": "one" })).await.0, 201);
    assert_eq!(post(&site, &path, &json!({ "message": "two" })).await.0, 201);
    assert_eq!(patch(json!({ "archived": true })).await, 200);
    assert_eq!(post(&site, &path, &json!({ "message": "three" })).await.0, 403);
    assert_eq!(site.call(Method::DELETE, "/api/rooms/den", &alice, Value::Null).await.0, 204);
    assert_eq!(post(&site, &path, &json!({ "message": "four" })).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_over_its_limit_is_told_when_to_come_back_and_others_are_not_affected() {
    let (site, alice, _) = start("limits: { webhooks: { burst: 2, per_minute: 1 } }", &[]).await;
    let ((_, first), (_, second)) =
        (create(&site, &alice, "den", "one").await, create(&site, &alice, "den", "two").await);
    for _ in 0..2 {
        assert_eq!(post(&site, &first, &json!({ "content": "x" })).await.0, 204);
    }
    let refused = site.request(Method::POST, &first).json(&json!({ "content": "x" })).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let seconds: f64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let body: Value = refused.json().await.unwrap();
    assert!((1.0..=60.0).contains(&seconds) && body["retry_after"] == json!(seconds), "{body}");
    assert_eq!(post(&site, &second, &json!({ "text": "x" })).await.0, 200);
}
