//! Outgoing webhooks, from outside: order, signatures, retries over a restart, addresses, and giving up.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use palabre_rooms::Config;
use palabre_store::Store;
use palabre_tests::{App, RoomService, Site, eventually, text};
use reqwest::Method;
use serde_json::{Value, json};

/// The requests that a receiver got, and the statuses with which it answers the next ones.
#[derive(Default)]
struct Received {
    requests: Vec<(HeaderMap, Value)>,
    statuses: Vec<StatusCode>,
}

type Shared = Arc<Mutex<Received>>;

async fn receive(
    State(received): State<Shared>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, [(&'static str, &'static str); 1]) {
    let mut received = received.lock().unwrap();
    received.requests.push((headers, serde_json::from_str(&body).unwrap()));
    let status = received.statuses.pop().unwrap_or(StatusCode::OK);
    (status, [("location", "/elsewhere")])
}

async fn receiver() -> (App, Shared) {
    let received = Shared::default();
    let router = Router::new().route("/hook", post(receive)).route("/elsewhere", post(receive));
    (App::serve(router.with_state(Arc::clone(&received))).await, received)
}

fn settings(app: &App) -> String {
    format!("webhook_hosts: [\"{}\"], limits: {{ logins: {{ burst: 1000, per_minute: 0 }} }}", app.address)
}

/// Waits for a number of requests, and returns the texts of the messages in them.
async fn texts(received: &Shared, count: usize) -> Vec<String> {
    eventually(Duration::from_secs(60), "the requests", async || {
        let known = received.lock().unwrap().requests.len();
        if known >= count { Ok(()) } else { Err(format!("{known} requests")) }
    })
    .await;
    let received = received.lock().unwrap();
    received.requests.iter().map(|(_, body)| text(&body["data"]["message"])).collect()
}

async fn say(site: &Site, token: &str, message: &str) -> String {
    let (status, sent) = site.post("/api/rooms/club/messages", token, json!({ "message": message })).await;
    assert_eq!(status, 201, "{sent}");
    text(&sent["id"])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_message_is_sent_in_order_with_a_signature_until_it_is_accepted() {
    let (app, received) = receiver().await;
    let site = Site::new(&settings(&app), &[]).await;
    let ((_, alice), (bob_id, bob)) = (site.register("alice").await, site.register("bob").await);
    assert_eq!(site.post("/api/rooms", &alice, json!({ "name": "club" })).await.0, 201);
    let member = format!("/api/rooms/club/members/{bob_id}");
    site.admit("club", &alice, &bob).await;
    assert_eq!(site.call(Method::PUT, &member, &alice, json!({ "role": "moderator" })).await.0, 204);
    let hook = json!({ "url": format!("http://{}/hook", app.address) });
    assert_eq!(site.post("/api/rooms/club/hooks", &bob, hook.clone()).await.0, 403, "only owners");
    say(&site, &alice, "before it").await;
    let (status, made) = site.post("/api/rooms/club/hooks", &alice, hook).await;
    assert_eq!((status.as_u16(), &made["events"]), (201, &json!(["message"])), "{made}");
    assert_eq!(text(&made["secret"]).len(), 64);

    // A redirect is no success, and is not followed.
    received.lock().unwrap().statuses = vec![StatusCode::INTERNAL_SERVER_ERROR, StatusCode::FOUND];
    let id = say(&site, &alice, "one").await;
    let edit = json!({ "message": "two" });
    let second = say(&site, &bob, "two").await;
    assert_eq!(site.call(Method::PATCH, &format!("/api/rooms/club/messages/{second}"), &bob, edit).await.0, 204);
    say(&site, &alice, "three").await;
    assert_eq!(texts(&received, 5).await, ["one", "one", "one", "two", "three"]);
    {
        let received = received.lock().unwrap();
        let (headers, body) = &received.requests[2];
        assert_eq!(
            (&body["event"], &body["room"], &body["data"]["id"]),
            (&json!("message"), &json!("club"), &json!(id))
        );
        assert_eq!((&body["id"], &received.requests[0].1["id"]), (&body["id"], &body["id"]), "the id is the same");
        let signature = headers["x-palabre-signature"].to_str().unwrap();
        assert!(signature.starts_with("sha256=") && signature.len() == 71, "{signature}");
        assert!(headers["x-palabre-timestamp"].to_str().unwrap().parse::<u64>().is_ok());
    }
    let (_, listed) = site.get("/api/rooms/club/hooks", &alice).await;
    assert!(!listed.to_string().contains(&text(&made["secret"])), "the secret is shown once");
    assert_eq!(site.get("/api/rooms/club/hooks", &bob).await.0, 403);

    let path = format!("/api/rooms/club/hooks/{}", text(&made["id"]));
    assert_eq!(site.call(Method::DELETE, &path, &alice, Value::Null).await.0, 204);
    assert_eq!(site.call(Method::DELETE, &path, &alice, Value::Null).await.0, 404);
    say(&site, &alice, "after it").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(received.lock().unwrap().requests.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_continue_after_a_restart() {
    let (app, received) = receiver().await;
    let site = Site::new(&settings(&app), &[]).await;
    let (_, alice) = site.register("alice").await;
    assert_eq!(site.post("/api/rooms", &alice, json!({ "name": "club" })).await.0, 201);
    let hook = json!({ "url": format!("http://{}/hook", app.address), "events": ["message", "message_deleted"] });
    let (status, made) = site.post("/api/rooms/club/hooks", &alice, hook).await;
    assert_eq!(status, 201, "{made}");
    received.lock().unwrap().statuses = vec![StatusCode::SERVICE_UNAVAILABLE; 3];
    for message in ["one", "two"] {
        say(&site, &alice, message).await;
    }
    assert_eq!(texts(&received, 1).await[0], "one");
    let Site { daemon, http, project } = site;
    daemon.kill().await;
    received.lock().unwrap().statuses.clear();
    let before = received.lock().unwrap().requests.len();
    let site = Site { daemon: project.start().await, http, project };
    assert_eq!(texts(&received, before + 2).await[before..], ["one", "two"]);
    let (_, listed) = site.get("/api/rooms/club/hooks", &alice).await;
    assert_eq!(listed["hooks"][0]["given_up"], false, "{listed}");
    assert_eq!(site.call(Method::DELETE, "/api/rooms/club", &alice, Value::Null).await.0, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_are_refused_unless_the_operator_lists_them() {
    let site = Site::new("", &[]).await;
    let (_, alice) = site.register("alice").await;
    assert_eq!(site.post("/api/rooms", &alice, json!({ "name": "club" })).await.0, 201);
    let create = async |url: &str, events: Value| {
        let hook = json!({ "url": url, "events": events });
        site.post("/api/rooms/club/hooks", &alice, hook).await.0.as_u16()
    };
    for url in [
        "http://127.0.0.1/hook",
        "http://localhost/hook",
        "http://[::1]/hook",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "https://example.org:8443/",
        "https://user:password@example.org/",
        "ftp://example.org/",
        "example.org",
        "",
    ] {
        assert_eq!(create(url, json!(["message"])).await, 400, "{url}");
    }
    assert_eq!(create("https://example.org/hook", json!(["unknown"])).await, 400);
    assert_eq!(create("https://example.org/hook", json!([])).await, 400);
    for _ in 0..10 {
        assert_eq!(create("https://example.org/hook", json!(["message"])).await, 201);
    }
    assert_eq!(create("https://example.org/hook", json!(["message"])).await, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_without_success_for_a_day_is_given_up() {
    // Nothing listens at this address.
    let settings = Config { webhook_hosts: vec!["127.0.0.1:9".to_owned()], ..Config::default() };
    let service = RoomService::start(&Store::in_memory().unwrap(), settings).await;
    let (_, alice) = service.register("alice").await;
    let call = async |method: Method, path: &str, body: Value| service.call(method, path, &alice, body).await.1;
    call(Method::POST, "/api/rooms", json!({ "name": "club" })).await;
    let hook = json!({ "url": "http://127.0.0.1:9/" });
    let made = call(Method::POST, "/api/rooms/club/hooks", hook).await;
    assert_eq!(made["given_up"], false, "{made}");
    call(Method::POST, "/api/rooms/club/messages", json!({ "message": "x" })).await;
    let state = async || call(Method::GET, "/api/rooms/club/hooks", Value::Null).await["hooks"][0].clone();
    eventually(Duration::from_secs(30), "a failure", async || {
        let state = state().await;
        if state["failing_since"].is_string() { Ok(()) } else { Err(state.to_string()) }
    })
    .await;
    eventually(Duration::from_secs(60), "the webhook is given up", async || {
        service.clock.advance(Duration::from_secs(3_600));
        let state = state().await;
        if state["given_up"] == true && state["problem"].is_string() { Ok(()) } else { Err(state.to_string()) }
    })
    .await;
    service.engine.shutdown().await;
}
