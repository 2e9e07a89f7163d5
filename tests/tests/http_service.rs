//! The HTTP server's reports about itself, and its delivery of pages and files, whatever the platforms.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use palabre_tests::http::{Answer, ask};
use palabre_tests::{Client, Daemon, Project};
use serde_json::json;

const ROOMS: &str = "bots: { lobby: { platform: rooms } }\n";
const COUNTING: &str = r#"
route("GET", "/count", { auth = "public" }, function() metrics.count("sales", 1, { kind = "lamp" }) end)
"#;

async fn get(daemon: &Daemon, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask(&daemon.address, &format!("GET {path}"), headers, b"").await
}

#[tokio::test]
async fn health_is_there_without_a_rooms_bot_and_with_one() {
    for (bots, people) in [("bots: {}", 0), (ROOMS, 1)] {
        let project = Project::new(bots, &[]);
        let daemon = project.start().await;
        let _alice =
            if people > 0 { Some(Client::enter(&daemon.address, "alice", "general").await.unwrap()) } else { None };
        for path in ["/health", "/health/ready", "/api/health"] {
            let answer = get(&daemon, path, &[]).await;
            assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")), "{path}");
            let health = answer.json();
            assert_eq!((&health["status"], &health["database"]), (&json!("healthy"), &json!("connected")), "{health}");
            assert_eq!(health["websocket_connections"], people, "{health}");
            for key in ["timestamp", "version", "uptime", "bots", "threads", "problems", "degraded", "connections"] {
                assert!(!health[key].is_null(), "{key}: {health}");
            }
        }
        let live = get(&daemon, "/health/live", &[]).await;
        assert_eq!((live.status, live.json()), (200, json!({ "status": "alive", "dead_threads": [] })));
    }
}

/// Returns the paths of all routers in a folder of sources and the folders in it.
fn routed(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(routed(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(path).unwrap();
            let paths = text.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next());
            found.extend(paths.map(|path| path.replace("{*", "{")));
        }
    }
    found
}

#[tokio::test]
async fn the_description_has_every_route_and_none_that_there_is_not() {
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let described = get(&daemon, "/openapi.json", &[]).await.json();
    let paths = described["paths"].as_object().unwrap();
    let shown: BTreeSet<_> = paths.keys().filter(|path| !path.starts_with("/scripts/")).cloned().collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut there = routed(&root.join("src/server/src"));
    there.extend(routed(&root.join("adapters/rooms/src")));
    there.retain(|path| !path.starts_with("/scripts/"));
    // The same path with and without a final slash.
    there.remove("/socket.io");
    there.insert("/socket.io/".to_owned());
    assert_eq!(shown, there, "ENDPOINTS of src/server and of adapters/rooms list what their routers have");
    for (path, methods) in paths.iter().filter(|(path, _)| !path.contains('{')) {
        for (method, operation) in methods.as_object().unwrap() {
            let answer = ask(&daemon.address, &format!("{} {path}", method.to_uppercase()), &[], b"").await;
            assert!(answer.status != 404 && answer.status != 405, "{method} {path}: {}", answer.status);
            assert!(operation["summary"].is_string() && operation["responses"].is_object(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_page_again_is_one_request_and_its_assets_are_small() {
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let page = get(&daemon, "/", &[]).await;
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-cache")));
    let tag = page.header("etag").unwrap();
    let unchanged = get(&daemon, "/", &[("if-none-match", tag)]).await;
    assert_eq!((unchanged.status, unchanged.body.len(), unchanged.header("etag")), (304, 0, Some(tag)));
    let text = page.text();
    let assets: BTreeSet<_> = text.split("\"/assets/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(assets.len() >= 4, "{assets:?}");
    for asset in assets {
        let path = format!("/assets/{asset}");
        let (plain, packed) =
            (get(&daemon, &path, &[]).await, get(&daemon, &path, &[("accept-encoding", "br, gzip")]).await);
        assert_eq!(plain.header("cache-control"), Some("public, max-age=31536000, immutable"), "{path}");
        assert_eq!((plain.header("content-encoding"), plain.header("etag")), (None, packed.header("etag")), "{path}");
        assert_eq!(packed.header("content-length").unwrap(), packed.body.len().to_string(), "{path}");
        if packed.header("content-encoding").is_some() {
            assert!(packed.body.len() < plain.body.len() && packed.header("vary").is_some(), "{path}");
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, plain.body, "{path}");
        } else {
            let is_packed = plain.header("content-type") == Some("image/png");
            assert!(is_packed || plain.body.len() < 1_024, "{path} is not compressed");
        }
    }
    // A file of another build, or by its bare name, is revalidated each time; unknown files are not
    // found.
    let bare = get(&daemon, "/assets/app.js", &[]).await;
    assert_eq!((bare.status, bare.header("cache-control")), (200, Some("no-cache")));
    assert_eq!(get(&daemon, "/assets/0000000000000000/app.js", &[]).await.status, 404);
    let docs = get(&daemon, "/docs/", &[]).await;
    assert_eq!(get(&daemon, "/docs/", &[("if-none-match", docs.header("etag").unwrap())]).await.status, 304);
}

#[tokio::test]
async fn a_file_is_given_in_parts_and_not_twice() {
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    let asked = alice.ask("upload", json!({ "name": "a.txt" })).await.unwrap();
    let place = alice.ack(asked).await.unwrap();
    let path = place["url"].as_str().unwrap();
    assert_eq!(ask(&daemon.address, &format!("PUT {path}"), &[], b"0123456789").await.status, 200);
    let asked =
        alice.ask("send_message", json!({ "message": "", "files": [place["id"]], "nonce": "n" })).await.unwrap();
    alice.ack(asked).await.unwrap();
    let sent = alice.wait("new_message").await.unwrap();
    let path = sent["attachments"][0]["url"].as_str().unwrap();
    let whole = get(&daemon, path, &[]).await;
    assert_eq!(
        (whole.status, whole.header("accept-ranges"), whole.text()),
        (200, Some("bytes"), "0123456789".to_owned())
    );
    let tag = whole.header("etag").unwrap();
    for (headers, status, range, body) in [
        (&[("range", "bytes=2-4")][..], 206, Some("bytes 2-4/10"), "234"),
        (&[("range", "bytes=8-")], 206, Some("bytes 8-9/10"), "89"),
        (&[("range", "bytes=-1")], 206, Some("bytes 9-9/10"), "9"),
        (&[("range", "bytes=0-0"), ("if-range", tag)], 206, Some("bytes 0-0/10"), "0"),
        (&[("range", "bytes=0-0"), ("if-range", "\"other\"")], 200, None, "0123456789"),
        (&[("range", "bytes=0-1,4-5")], 200, None, "0123456789"),
        (&[("if-none-match", tag)], 304, None, ""),
    ] {
        let answer = get(&daemon, path, headers).await;
        let got = (answer.status, answer.header("content-range"), answer.text());
        assert_eq!(got, (status, range, body.to_owned()), "{headers:?}");
    }
    let beyond = get(&daemon, path, &[("range", "bytes=10-")]).await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */10")));
}

#[tokio::test]
async fn metrics_are_typed_in_the_format_that_is_asked_for() {
    let project = Project::new("scripts: { count: { grants: [routes] } }", &[("count.luau", COUNTING)]);
    let daemon = project.start().await;
    assert_eq!(get(&daemon, "/scripts/count/count", &[]).await.status, 204);
    let began = Instant::now();
    while !get(&daemon, "/metrics", &[]).await.text().contains("palabre_of_script_sales") {
        assert!(began.elapsed() < Duration::from_secs(10), "{}", project.log());
    }
    assert_eq!(get(&daemon, "/metrics", &[("host", "evil.example")]).await.status, 421);
    let text = get(&daemon, "/metrics", &[]).await;
    assert_eq!(text.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let open =
        get(&daemon, "/metrics", &[("accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")]).await;
    assert_eq!(open.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(open.text().ends_with("# EOF\n") && open.text().matches("# EOF").count() == 1, "{}", open.text());
    assert!(!text.text().contains("# EOF"), "{}", text.text());
    for (text, ending) in [(text.text(), "_total"), (open.text(), "")] {
        for counter in ["palabre_of_script_sales", "palabre_http_requests_refused"] {
            assert!(text.contains(&format!("# TYPE {counter}{ending} counter\n")), "{text}");
            assert!(text.contains(&format!("\n{counter}_total{{")), "{text}");
        }
        assert!(text.contains("# TYPE palabre_http_connections_limit gauge\n"), "{text}");
        // Every sample belongs to a family that has a type.
        let types: BTreeSet<_> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        for sample in text.lines().filter(|line| !line.starts_with('#')) {
            let name = sample.split(['{', ' ']).next().unwrap();
            let family = ["_total", "_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            assert!(types.contains(name) || family.is_some_and(|family| types.contains(family)), "{sample}");
        }
    }
}
