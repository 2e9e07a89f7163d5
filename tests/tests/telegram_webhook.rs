//! Updates by webhook: the real daemon behind a proxy, and the stand-in at the other end.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use palabre_tests::telegram::{Limits, Options, StandIn};
use palabre_tests::{App, Daemon, Project};
use serde_json::{Value, json};

const SECRET: &str = "x-telegram-bot-api-secret-token";
const SCRIPT: &str = "function on_message(event) event:reply(`{event.text} is number {store.incr(\"count\")}`) end";

/// The proxy between Telegram and the daemon: it forwards posts, and can lose the answers.
struct Proxy {
    /// `http://127.0.0.1:PORT`
    url: String,
    behind: Arc<Behind>,
    _app: App,
}

#[derive(Default)]
struct Behind {
    /// The daemon's address; empty if it is not running.
    daemon: Mutex<String>,
    /// The number of answers to lose.
    losing: AtomicUsize,
    /// The last post: path, secret and body.
    last: Mutex<Option<(String, String, Bytes)>>,
}

impl Proxy {
    async fn start() -> Self {
        let behind = Arc::new(Behind::default());
        let app = App::serve(Router::new().fallback(hand_on).with_state(Arc::clone(&behind))).await;
        Self { url: format!("http://{}", app.address), behind, _app: app }
    }
}

async fn hand_on(State(behind): State<Arc<Behind>>, request: Request) -> StatusCode {
    let path = request.uri().path().to_owned();
    let secret = request.headers().get(SECRET).map(|secret| secret.to_str().unwrap().to_owned()).unwrap_or_default();
    let body = to_bytes(request.into_body(), 1 << 20).await.unwrap();
    *behind.last.lock().unwrap() = Some((path.clone(), secret.clone(), body.clone()));
    let daemon = behind.daemon.lock().unwrap().clone();
    let status = post(&daemon, &path, &secret, body).await;
    let loses = behind.losing.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok();
    if loses { StatusCode::GATEWAY_TIMEOUT } else { status }
}

/// Posts to the daemon; 502 if it is not running.
async fn post(daemon: &str, path: &str, secret: &str, body: Bytes) -> StatusCode {
    let mut headers = HeaderMap::new();
    if !secret.is_empty() {
        headers.insert(SECRET, secret.parse().unwrap());
    }
    headers.insert("content-type", "application/json".parse().unwrap());
    let request = reqwest::Client::new().post(format!("http://{daemon}{path}")).headers(headers).body(body);
    request.send().await.map_or(StatusCode::BAD_GATEWAY, |answer| answer.status())
}

struct Fixture {
    telegram: StandIn,
    proxy: Proxy,
    project: Project,
}

impl Fixture {
    async fn new() -> Option<Self> {
        let _first = rustls::crypto::ring::default_provider().install_default();
        let telegram = StandIn::start_with(Options { limits: Limits::none(), ..Options::default() }).await?;
        let proxy = Proxy::start().await;
        let project = Project::new(&bots(&telegram, Some(&proxy.url)), &[("counter.luau", SCRIPT)]);
        Some(Self { telegram, proxy, project })
    }

    /// Starts the daemon behind the proxy.
    async fn start(&self) -> Daemon {
        let daemon = self.project.start().await;
        self.proxy.behind.daemon.lock().unwrap().clone_from(&daemon.address);
        daemon
    }

    async fn is_set(&self) {
        let url = format!("{}/telegram/tg", self.proxy.url);
        let is_set = |telegram: &StandIn| (telegram.webhook()["url"] == url.as_str()).then_some(());
        self.telegram.until("the webhook is set", is_set).await;
    }
}

fn bots(telegram: &StandIn, webhook: Option<&str>) -> String {
    let (api, token) = (telegram.api(), telegram.token());
    let pace = "pace: { per_second: 1000, per_second_in_chat: 1000, per_minute_in_group: 10000 }";
    let webhook = webhook.map(|url| format!(", webhook: \"{url}\"")).unwrap_or_default();
    let settings = format!("{{ {pace}{webhook} }}");
    format!("bots: {{ tg: {{ platform: telegram, token: \"{token}\", api: \"{api}\", telegram: {settings} }} }}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_are_brought_with_the_secret_and_the_webhook_is_undone_at_the_stop() {
    let Some(fixture) = Fixture::new().await else { return };
    let telegram = &fixture.telegram;
    let daemon = fixture.start().await;
    fixture.is_set().await;
    let set = &telegram.asked("setWebhook")[0];
    let secret = set["secret_token"].as_str().unwrap().to_owned();
    assert!(secret.len() >= 32 && !secret.contains("stand-in"), "{set}");
    assert_eq!(set["max_connections"], 1, "they come one at a time, in their order");
    for kind in ["chat_member", "message_reaction", "callback_query"] {
        assert!(set["allowed_updates"].as_array().unwrap().contains(&json!(kind)), "{set}");
    }
    for number in 1..=20 {
        telegram.says("alice", "Village", &format!("message {number}"));
    }
    let posts = telegram.hears_many("Village", 20).await;
    let expected: Vec<String> = (1..=20).map(|number| format!("message {number} is number {number}")).collect();
    assert_eq!(posts.iter().map(|post| post.text().to_owned()).collect::<Vec<_>>(), expected);
    assert_eq!(telegram.counters().calls.get("getUpdates"), None, "nothing is asked for");

    // A post without the secret, or with another one, is rejected, even if its body is invalid.
    let (path, shown, body) = fixture.proxy.behind.last.lock().unwrap().clone().unwrap();
    assert_eq!((path.as_str(), shown.as_str()), ("/telegram/tg", secret.as_str()));
    let mut forged: Value = serde_json::from_slice(&body).unwrap();
    forged["update_id"] = json!(forged["update_id"].as_i64().unwrap() + 1);
    let forged = Bytes::from(forged.to_string());
    for wrong in ["", "no", &secret[1..], &secret.to_uppercase()] {
        for body in [&forged, &Bytes::from_static(b"no JSON")] {
            assert_eq!(post(&daemon.address, &path, wrong, body.clone()).await, StatusCode::UNAUTHORIZED, "{wrong:?}");
        }
    }
    assert_eq!(post(&daemon.address, "/telegram/other", &secret, forged).await, StatusCode::NOT_FOUND);
    assert_eq!(post(&daemon.address, &path, &secret, body).await, StatusCode::OK, "it was taken before");
    telegram.says("alice", "Village", "the last");
    telegram.hears("Village", "the last is number 21").await;

    assert!(daemon.stop().await, "{}", fixture.project.log());
    assert_eq!(telegram.webhook()["url"], "");
    assert_eq!(format!("{:#?}", telegram.violations()), "[]");
    assert!(!fixture.project.log().contains(&secret), "{}", fixture.project.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_is_brought_again_is_handled_once() {
    let Some(fixture) = Fixture::new().await else { return };
    let telegram = &fixture.telegram;
    let daemon = fixture.start().await;
    fixture.is_set().await;
    for number in 1..=5 {
        fixture.proxy.behind.losing.store(2, Relaxed);
        let text = format!("message {number}");
        telegram.says("alice", "Village", &text);
        telegram.hears("Village", &format!("{text} is number {number}")).await;
        telegram.confirmed().await;
    }
    // The daemon is killed before Telegram receives the confirmation, but still knows the update.
    fixture.proxy.behind.losing.store(usize::MAX, Relaxed);
    telegram.says("alice", "Village", "message 6");
    telegram.hears("Village", "message 6 is number 6").await;
    let failures = telegram.counters().webhook_failures;
    telegram.counts("it is brought again", |counters| counters.webhook_failures > failures).await;
    daemon.kill().await;
    fixture.proxy.behind.losing.store(0, Relaxed);
    let daemon = fixture.start().await;
    telegram.confirmed().await;
    telegram.says("alice", "Village", "message 7");
    telegram.hears("Village", "message 7 is number 7").await;
    assert!(telegram.counters().webhook_failures >= 11);
    assert!(daemon.stop().await, "{}", fixture.project.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_goes_from_the_webhook_to_asking_and_back() {
    let Some(fixture) = Fixture::new().await else { return };
    let telegram = &fixture.telegram;
    let daemon = fixture.start().await;
    fixture.is_set().await;
    telegram.says("alice", "Village", "brought");
    telegram.hears("Village", "brought is number 1").await;
    // The webhook is not removed.
    daemon.kill().await;
    telegram.says("alice", "Village", "meanwhile");
    std::fs::write(fixture.project.path().join("bots.yaml"), bots(telegram, None)).unwrap();
    let daemon = fixture.start().await;
    telegram.hears("Village", "meanwhile is number 2").await;
    assert_eq!(telegram.webhook()["url"], "");
    telegram.says("alice", "Village", "asked");
    telegram.hears("Village", "asked is number 3").await;
    assert!(daemon.stop().await, "{}", fixture.project.log());
    telegram.says("alice", "Village", "in between");
    std::fs::write(fixture.project.path().join("bots.yaml"), bots(telegram, Some(&fixture.proxy.url))).unwrap();
    let daemon = fixture.start().await;
    telegram.hears("Village", "in between is number 4").await;
    fixture.is_set().await;
    telegram.says("alice", "Village", "brought again");
    telegram.hears("Village", "brought again is number 5").await;
    // The last answers before the kill may be repeated.
    let mut answers = telegram.texts("Village");
    answers.dedup();
    assert_eq!(answers.len(), 5, "{answers:?}");
    assert!(daemon.stop().await, "{}", fixture.project.log());
}
