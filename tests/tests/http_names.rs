//! Requests that the HTTP server accepts.
//!
//! They must name one of its own hosts, and come from its own pages or from sites allowed in
//! bots.yaml.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::Project;
use palabre_tests::http::ask;

const BOTS: &str = "
server:
  hosts: [chat.example.org]
bots:
  lobby:
    platform: rooms
    rooms: { origins: ['https://app.example'] }
scripts: { site: { grants: [routes] } }
";
const SITE: &str = r#"
route("GET", "/read", { auth = "public" }, function() return "read" end)
route("POST", "/write", { auth = "public" }, function() return "written" end)
"#;
const EVERYWHERE: &[&str] = &[
    "/",
    "/rooms/general",
    "/assets/app.js",
    "/api/rooms",
    "/api/stats",
    "/api/health",
    "/health",
    "/health/live",
    "/metrics",
    "/docs/",
    "/openapi.json",
    "/scripts/site/read",
    "/socket.io/?EIO=4&transport=polling",
    "/nothing",
];
/// The headers that make a GET a websocket.
const WEBSOCKET: &[(&str, &str)] =
    &[("upgrade", "websocket"), ("sec-websocket-version", "13"), ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")];

#[tokio::test]
async fn a_host_that_is_not_ours_is_refused_everywhere() {
    let project = Project::new(BOTS, &[("site.luau", SITE)]);
    let daemon = project.start().await;
    for path in EVERYWHERE {
        let line = format!("GET {path}");
        for host in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "203.0.113.9"] {
            let origin = format!("http://{host}");
            let rebound = [("host", host), ("origin", &*origin), ("x-forwarded-host", "localhost")];
            assert_eq!(ask(&daemon.address, &line, &rebound, b"").await.status, 421, "{host}{path}");
        }
        for host in ["localhost", "chat.example.org", "[::1]:8080"] {
            let status =
                ask(&daemon.address, &line, &[("host", host), ("x-forwarded-host", "evil.example")], b"").await.status;
            assert_eq!(status, if *path == "/nothing" { 404 } else { 200 }, "{host}{path}");
        }
    }
    for (line, headers, wanted) in [
        ("GET http://evil.example/", &[("host", "localhost")][..], 421),
        ("GET http://localhost/", &[("host", "evil.example")], 421),
        ("GET http://localhost/", &[("host", "localhost")], 200),
        ("GET /", &[("host", "localhost"), ("host", "evil.example")], 400),
        ("GET /", &[("host", "")], 421),
    ] {
        assert_eq!(ask(&daemon.address, line, headers, b"").await.status, wanted, "{line} {headers:?}");
    }
}

#[tokio::test]
async fn a_page_of_another_site_gets_nothing_and_changes_nothing() {
    let project = Project::new(BOTS, &[("site.luau", SITE)]);
    let daemon = project.start().await;
    let own = format!("http://{}", daemon.address);
    let requests = [
        ("GET /api/rooms", &[][..]),
        ("GET /scripts/site/read", &[]),
        ("GET /metrics", &[]),
        ("POST /scripts/site/write", &[]),
        ("POST /join", &[]),
        ("PUT /api/files/1", &[]),
        ("POST /socket.io/?EIO=4&transport=polling", &[]),
        ("GET /socket.io/?EIO=4&transport=websocket", WEBSOCKET),
        ("OPTIONS /api/files/1", &[("access-control-request-method", "PUT")]),
    ];
    for (line, more) in requests {
        for origin in
            ["http://evil.example", "null", "http://localhost.evil.example", "https://app.example.evil.example"]
        {
            let answer = ask(&daemon.address, line, &[more, &[("origin", origin)]].concat(), b"").await;
            assert_eq!(answer.status, 403, "{line} from {origin}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
        if !more.contains(&WEBSOCKET[0]) {
            let answer = ask(&daemon.address, line, &[more, &[("origin", &*own)]].concat(), b"").await;
            assert_ne!(answer.status, 403, "{line} of our own page");
        }
    }
    // Some browsers report only that it is another site.
    for (line, site, wanted) in [
        ("POST /scripts/site/write", "cross-site", 403),
        ("POST /scripts/site/write", "same-site", 403),
        ("POST /scripts/site/write", "same-origin", 200),
        ("POST /scripts/site/write", "none", 200),
        ("GET /", "cross-site", 200),
    ] {
        assert_eq!(ask(&daemon.address, line, &[("sec-fetch-site", site)], b"").await.status, wanted, "{line} {site}");
    }
}

#[tokio::test]
async fn a_site_that_is_let_in_may_read_what_it_gets() {
    let project = Project::new(BOTS, &[("site.luau", SITE)]);
    let daemon = project.start().await;
    let origin = ("origin", "https://app.example");
    let allowed = |answer: &palabre_tests::http::Answer, line: &str| {
        let told = ["access-control-allow-origin", "access-control-allow-credentials"].map(|name| answer.header(name));
        assert_eq!(told, [Some("https://app.example"), Some("true")], "{line}: {}", answer.head);
        assert!(answer.head.to_lowercase().contains("vary: origin"), "{line}: {}", answer.head);
    };
    for (line, wanted) in [
        ("GET /socket.io/?EIO=4&transport=polling", 200),
        ("GET /api/rooms", 200),
        ("GET /api/files/1", 404),
        ("PUT /api/files/1", 404),
        ("POST /scripts/site/write", 200),
        ("GET /scripts/site/nothing", 404),
        ("GET /nothing", 404),
    ] {
        let answer = ask(&daemon.address, line, &[origin], b"").await;
        assert_eq!(answer.status, wanted, "{line}: {}", answer.text());
        allowed(&answer, line);
    }
    for path in ["/api/files/1", "/socket.io/?EIO=4&transport=polling", "/scripts/site/write"] {
        let line = format!("OPTIONS {path}");
        let asked = [
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "content-type, authorization"),
        ];
        let answer = ask(&daemon.address, &line, &[&[origin][..], &asked].concat(), b"").await;
        assert_eq!(answer.status, 204, "{line}");
        assert_eq!(answer.header("access-control-allow-headers"), Some("content-type, authorization"));
        assert!(answer.header("access-control-allow-methods").unwrap().contains("PUT"));
        allowed(&answer, &line);
    }
    // A cache must not give one client's response to others.
    let plain = ask(&daemon.address, "GET /api/rooms", &[], b"").await;
    assert!(
        plain.header("access-control-allow-origin").is_none() && plain.head.to_lowercase().contains("vary: origin")
    );
}

#[tokio::test]
async fn any_site_is_let_in_without_the_cookies_of_its_visitors() {
    let bots = "server: { origins: ['*'] }\nbots: { lobby: { platform: rooms } }\n";
    let project = Project::new(bots, &[]);
    let daemon = project.start().await;
    let answer = ask(&daemon.address, "GET /api/rooms", &[("origin", "http://evil.example")], b"").await;
    let told = ["access-control-allow-origin", "access-control-allow-credentials"].map(|name| answer.header(name));
    assert_eq!((answer.status, told), (200, [Some("*"), None]));
    let rebound = [("origin", "http://evil.example"), ("host", "evil.example")];
    assert_eq!(ask(&daemon.address, "GET /api/rooms", &rebound, b"").await.status, 421);
}

#[tokio::test]
async fn behind_a_proxy_each_client_is_counted_by_itself_and_elsewhere_nobody_chooses_who_they_are() {
    for (proxies, wanted) in [("['127.0.0.1']", 200), ("[]", 429)] {
        let bots = format!(
            "server: {{ proxies: {proxies}, requests_per_minute: 2 }}\nbots: {{ lobby: {{ platform: rooms }} }}\n"
        );
        let project = Project::new(&bots, &[]);
        let daemon = project.start().await;
        for number in 1..=4 {
            let client = format!("203.0.113.{number}");
            let status = ask(&daemon.address, "GET /api/rooms", &[("x-forwarded-for", &client)], b"").await.status;
            assert!(status == 200 || (status == wanted && number > 2), "{proxies} {client}: {status}");
            assert!(number < 4 || status == wanted, "{proxies} {client}: {status}");
        }
        // Addresses added by the client come before those added by the proxy.
        let statuses = [
            ask(&daemon.address, "GET /api/rooms", &[("x-forwarded-for", "1.1.1.1, 203.0.113.9")], b"").await.status,
            ask(&daemon.address, "GET /api/rooms", &[("x-forwarded-for", "1.1.1.2, 203.0.113.9")], b"").await.status,
            ask(&daemon.address, "GET /api/rooms", &[("x-forwarded-for", "1.1.1.3, 203.0.113.9")], b"").await.status,
        ];
        assert_eq!(statuses[2], 429, "{proxies}: {statuses:?}");
    }
}
