//! Limits of the HTTP server for one client: connections, time, requests, journal.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::time::{Duration, Instant};

use palabre_tests::http::{ask, read};
use palabre_tests::{Client, Daemon, Project, eventually};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

const ROOMS: &str = "bots: { lobby: { platform: rooms } }\n";
const SITE: &str = r#"
route("POST", "/open", { auth = "public" }, function(request) return { json = { is_nil = request.body == nil } } end)
route("POST", "/note", { auth = "public", body = { text = { type = "string" } } }, function() return "noted" end)
route("POST", "/hook", function(request) return { json = { got = request.body } } end)
"#;

fn with_server(settings: &str) -> String {
    format!("server: {{ {settings} }}\n{ROOMS}")
}

/// Connects and sends a text.
async fn begin(address: &str, sent: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(sent.replace("HOST", address).as_bytes()).await.unwrap();
    connection
}

/// A request with an incomplete body.
const HALF_BODY: &str = "POST /join HTTP/1.1\r\nhost: HOST\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                         content-length: 100\r\n\r\nusername=";

/// Opens a number of connections that cannot be closed for others.
async fn make_busy(daemon: &Daemon, count: usize) -> Vec<TcpStream> {
    let mut busy = Vec::new();
    let began = Instant::now();
    // No request in between: it would occupy a connection for a moment.
    for _ in 0..count {
        busy.push(begin(&daemon.address, HALF_BODY).await);
    }
    loop {
        let connections = daemon.get("/health").await["connections"].clone();
        // The connection of this request is busy too.
        if connections["busy"] == count + 1 {
            return busy;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{connections}");
        if connections["open"].as_u64() < Some(count as u64 + 1) {
            // One was refused while a closed connection still counted.
            busy.push(begin(&daemon.address, HALF_BODY).await);
        }
    }
}

/// Returns the disk usage of a project's data.
fn size(project: &Project) -> u64 {
    let files = std::fs::read_dir(project.path().join("data")).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

/// Returns text that compresses badly.
fn noise(length: usize) -> String {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + u8::try_from((state >> 33) % 90).unwrap())
    };
    (0..length).map(|_| next()).collect()
}

/// Waits until a number of connections is open, among them the one of the request.
async fn until_open(daemon: &Daemon, count: u64) {
    let look = async || {
        let health = daemon.get("/health").await;
        if health["connections"]["open"] == count { Ok(()) } else { Err(health.to_string()) }
    };
    eventually(Duration::from_secs(30), &format!("{count} open connections"), look).await;
}

#[tokio::test]
async fn three_hundred_bare_connections_with_256_files_keep_nobody_out() {
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start_within("-n 256").await;
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    let mut bare = Vec::new();
    for number in 0..300 {
        let sent = if number % 2 == 0 { "" } else { "GET / HTTP/1.1\r\nhost:" };
        bare.push(begin(&daemon.address, sent).await);
    }
    let health = ask(&daemon.address, "GET /health", &[], b"").await;
    assert_eq!((health.status, &health.json()["status"]), (200, &json!("healthy")), "{}", health.text());
    assert_eq!(ask(&daemon.address, "GET /", &[], b"").await.status, 200);
    // Clients with traffic are still connected.
    alice.say("still here", "1").await.unwrap();
    drop(bare);
    assert!(daemon.stop().await, "{}", project.log());
}

#[tokio::test]
async fn the_soft_limit_of_files_is_raised_to_the_hard_one() {
    let project = Project::new("bots: {}", &[]);
    for (limit, connections_max) in [("-S -n 90", 12_000), ("-n 256", 256)] {
        let daemon = project.start_within(limit).await;
        let told = daemon.get("/health").await["connections"]["limit"].as_u64().unwrap();
        assert!((100..=connections_max).contains(&told), "{limit}: {told}");
        assert!(daemon.stop().await, "{}", project.log());
    }
}

#[tokio::test]
async fn half_heads_half_bodies_unread_answers_and_idle_connections_are_given_back() {
    let bots = with_server("header_timeout_s: 1, idle_timeout_s: 1, stall_timeout_s: 1");
    let project = Project::new(&bots, &[]);
    let daemon = project.start().await;
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    let large = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: HOST\r\n\r\n".repeat(40);
    let sent = ["", "GET / HT", HALF_BODY, &large, "GET /health/live HTTP/1.1\r\nhost: HOST\r\n\r\n"];
    let mut stuck = Vec::new();
    for sent in sent {
        stuck.push(begin(&daemon.address, sent).await);
    }
    // A websocket is idle by its own rules.
    until_open(&daemon, 2).await;
    alice.say("still here", "1").await.unwrap();
    let metrics = ask(&daemon.address, "GET /metrics", &[], b"").await.text();
    for reason in ["header", "body", "unread", "idle"] {
        let counted = format!("palabre_http_connections_closed_total{{reason=\"{reason}\"}}");
        assert!(metrics.contains(&counted), "{counted}: {metrics}");
    }
    drop(alice);
    until_open(&daemon, 1).await;
}

#[tokio::test]
async fn health_answers_and_reports_it_when_all_connections_are_busy() {
    let project = Project::new(&with_server("max_connections: 4"), &[]);
    let daemon = project.start().await;
    let busy = make_busy(&daemon, 4).await;
    let health = ask(&daemon.address, "GET /health", &[], b"").await;
    assert_eq!(health.status, 503);
    assert!(health.json()["problems"][0].as_str().unwrap().contains("5 busy connections"), "{}", health.text());
    let page = ask(&daemon.address, "GET /", &[], b"").await;
    assert_eq!((page.status, page.header("retry-after")), (503, Some("5")));
    drop(busy);
    until_open(&daemon, 1).await;
    assert_eq!(ask(&daemon.address, "GET /", &[], b"").await.status, 200);
}

#[tokio::test]
async fn one_address_takes_no_more_connections_than_it_may() {
    let project = Project::new(&with_server("max_connections_per_address: 2"), &[]);
    let daemon = project.start().await;
    let _busy = [begin(&daemon.address, HALF_BODY).await, begin(&daemon.address, HALF_BODY).await];
    // As soon as the server knows that both are busy.
    let began = Instant::now();
    while ask(&daemon.address, "GET /", &[], b"").await.status != 503 {
        assert!(began.elapsed() < Duration::from_secs(30), "the third from one address is let in");
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = socket.connect(daemon.address.parse().unwrap()).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", daemon.address);
    other.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(read(&mut other).await.status, 200);
}

#[tokio::test]
async fn a_body_that_a_public_route_does_not_declare_is_not_kept() {
    let bots = "server: { requests_per_minute: 20 }\nscripts: { site: { grants: [routes] } }";
    let project = Project::new(bots, &[("site.luau", SITE)]);
    assert!(project.start().await.stop().await);
    let empty = size(&project);
    let daemon = project.start().await;
    let body = noise(780_000);
    let mut statuses = Vec::new();
    for _ in 0..40 {
        let plain = [("content-type", "text/plain")];
        let answer = ask(&daemon.address, "POST /scripts/site/open", &plain, body.as_bytes()).await;
        let is_refused = answer.status == 429;
        assert!(is_refused || answer.json()["is_nil"] == true, "{}", answer.text());
        assert_eq!(is_refused, answer.header("retry-after").is_some());
        statuses.push(answer.status);
    }
    assert!(statuses[..20].iter().all(|status| *status == 200) && statuses.contains(&429), "{statuses:?}");
    assert!(daemon.stop().await);
    let grown = size(&project).saturating_sub(empty);
    assert!(grown < 8_000_000, "{grown} bytes");
}

#[tokio::test]
async fn declared_bodies_have_a_budget_and_a_token_has_its_own() {
    let bots = "
server: { requests_per_minute: 5, token_requests_per_minute: 10, body_kb_per_minute: 256 }
scripts: { site: { grants: [routes], token: the-site-s-own-token } }
";
    let project = Project::new(bots, &[("site.luau", SITE)]);
    let daemon = project.start().await;
    let kind = ("content-type", "application/json");
    let body = format!(r#"{{"text":"{}"}}"#, "x".repeat(200_000));
    let note = "POST /scripts/site/note";
    assert_eq!(ask(&daemon.address, note, &[kind], body.as_bytes()).await.status, 200);
    let refused = ask(&daemon.address, note, &[kind], body.as_bytes()).await;
    assert!(refused.status == 429 && refused.text().contains("256 KiB of bodies"), "{}", refused.text());
    let mut answers = Vec::new();
    for _ in 0..10 {
        answers.push(ask(&daemon.address, "GET /scripts/site/nothing", &[], b"").await);
    }
    assert!(answers.iter().any(|answer| answer.status == 429 && answer.text().contains("5 requests")), "{answers:?}");
    // Calls with a token pass, declared or not, up to a separate limit.
    let token = ("authorization", "Bearer the-site-s-own-token");
    let mut statuses = Vec::new();
    for _ in 0..30 {
        let hook = ask(&daemon.address, "POST /scripts/site/hook", &[token, kind], br#"{"a":1}"#).await;
        assert!(hook.status == 429 || hook.json() == json!({ "got": "{\"a\":1}" }), "{}", hook.text());
        statuses.push(hook.status);
    }
    assert!(statuses[..10].iter().all(|status| *status == 200) && statuses.contains(&429), "{statuses:?}");
    // Pages and health checks are not API calls.
    for path in ["/health", "/docs/", "/metrics"] {
        assert_eq!(ask(&daemon.address, &format!("GET {path}"), &[], b"").await.status, 200, "{path}");
    }
}

#[test]
fn settings_that_make_no_sense_are_refused_by_check() {
    for (settings, told) in [
        ("max_connections: 0", "max_connections must be at least 1"),
        ("stall_timeout_s: 0", "stall_timeout_s must be at least 1"),
        ("hosts: ['https://chat.example.org']", "hosts: https://chat.example.org is not a host name"),
        ("origins: ['https://app.example/page']", "origins: https://app.example/page is not an origin"),
        ("origins: ['app.example']", "origins: app.example is not an origin"),
        ("proxies: ['proxy.example']", "proxies: proxy.example is not an IP address"),
        ("max_conections: 5", "did you mean max_connections?"),
    ] {
        let (code, out, err) = Project::new(&with_server(settings), &[]).run(&["check"]);
        assert!(code == Some(2) && format!("{out}{err}").contains(told), "{settings}: {out}{err}");
    }
    let good = "hosts: ['chat.example.org', '*.example.net:8443'], \
                origins: ['https://app.example:8443', '*'], \
                proxies: ['::1']";
    let (code, out, err) = Project::new(&with_server(good), &[]).run(&["check"]);
    assert_eq!(code, Some(0), "{out}{err}");
}
