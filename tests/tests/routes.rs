//! Routes of scripts over real HTTP: authorisation, bodies, and the description after a reload.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::time::Duration;

use palabre_tests::{Daemon, Project, eventually};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const BOTS: &str = "
server: { requests_per_minute: 100000 }
bots:
  lobby: { platform: rooms }
tokens:
  watcher: { token: a-token-of-a-watcher, permission: trusted }
  keeper: { token: a-token-of-a-keeper, permission: moderator }
scripts:
  site: { grants: [routes], token: the-site-s-own-token }
";

const SITE: &str = r#"
route("GET", "/top/{game}", { auth = "public", description = "The best" }, function(request)
  return { json = { game = request.params.game, n = request.query.n, secret = request.headers.authorization } }
end)
route("POST", "/add", { body = { n = { type = "integer", min = 1 }, loud = { type = "boolean", optional = true } } },
  function(request)
    return { status = 201, json = { sum = store.incr("sum", request.body.n), by = request.user.name } }
  end)
route("DELETE", "/all", { auth = "moderator" }, function() store.delete("sum") end)
route("GET", "/odd", { auth = "public" }, function()
  return { html = "<p>x</p>", headers = { ["set-cookie"] = "a=b", ["x-own"] = "yes", ["service-worker-allowed"] = "/",
    ["content-security-policy"] = "default-src *" } }
end)
route("GET", "/fails", { auth = "public" }, function() error("a secret of the script") end)
"#;

/// Status, headers in lower case, body.
async fn ask(daemon: &Daemon, head: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, String) {
    let mut connection = tokio::net::TcpStream::connect(&daemon.address).await.unwrap();
    let (host, length) = (&daemon.address, body.len());
    let mut request = format!("{head} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    connection.write_all(format!("{request}\r\n{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), head.to_lowercase(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_check_the_token_and_the_body() {
    let project = Project::new(BOTS, &[("site.luau", SITE)]);
    let daemon = project.start().await;
    let json = [("content-type", "application/json")];
    let form = ("content-type", "application/x-www-form-urlencoded");
    let (watcher, keeper, own) = (
        ("authorization", "Bearer a-token-of-a-watcher"),
        ("authorization", "Bearer a-token-of-a-keeper"),
        ("authorization", "bearer the-site-s-own-token"),
    );
    let (status, _, body) = ask(&daemon, "GET /scripts/site/top/chess?n=5", &[watcher], "").await;
    assert_eq!((status, serde_json::from_str::<Value>(&body).unwrap()), (200, json!({ "game": "chess", "n": "5" })));
    let wrong = [("authorization", "Bearer nobody-s-token")];
    for (head, headers, body, wanted) in [
        ("GET /scripts/site/nothing", &[][..], "", 404),
        ("GET /scripts/nobody/top/x", &[], "", 404),
        ("PUT /scripts/site/top/x", &[], "", 405),
        ("POST /scripts/site/add", &json, r#"{"n":1}"#, 401),
        ("POST /scripts/site/add", &wrong, r#"{"n":1}"#, 401),
        ("DELETE /scripts/site/all", &[watcher], "", 403),
        ("DELETE /scripts/site/all", &[own], "", 403),
        ("POST /scripts/site/add", &[own, json[0]], r#"{"n":1}"#, 201),
        ("POST /scripts/site/add", &[watcher, form], "n=2&loud=on", 201),
        ("POST /scripts/site/add", &[own, json[0]], r#"{"n":0}"#, 422),
        ("POST /scripts/site/add", &[own, json[0]], r#"{"n":1,"m":2}"#, 422),
        ("POST /scripts/site/add", &[own], "", 422),
        ("POST /scripts/site/add", &[own, json[0]], "{", 400),
        ("POST /scripts/site/add", &[own, ("content-type", "text/plain")], "n", 415),
        ("DELETE /scripts/site/all", &[keeper], "", 204),
    ] {
        let (status, _, answer) = ask(&daemon, head, headers, body).await;
        assert_eq!(status, wanted, "{head} {headers:?} {body}: {answer}");
    }
    let (status, head, _) = ask(&daemon, "GET /scripts/site/odd", &[], "").await;
    assert!(status == 200 && head.contains("x-own: yes") && head.contains("text/html"), "{head}");
    for reaching in ["set-cookie", "service-worker-allowed", "default-src *"] {
        assert!(!head.contains(reaching), "{head}");
    }
    let (status, _, body) = ask(&daemon, "GET /scripts/site/fails", &[], "").await;
    assert!(status == 500 && !body.contains("secret"), "{body}");
    let (status, head, body) = ask(&daemon, "GET /docs/", &[], "").await;
    assert!(status == 200 && head.contains("content-security-policy") && body.contains("swagger"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_that_of_the_routes_that_there_are_also_after_a_reload() {
    let project = Project::new(BOTS, &[("site.luau", SITE)]);
    let daemon = project.start().await;
    let described = daemon.get("/openapi.json").await;
    let add = &described["paths"]["/scripts/site/add"]["post"];
    let body = &add["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!((&body["required"], &body["properties"]["n"]["type"]), (&json!(["n"]), &json!("integer")));
    assert!(add["responses"]["401"].is_object() && add["security"].is_array(), "{add}");
    assert_eq!(described["paths"]["/scripts/site/top/{game}"]["get"]["summary"], "The best");
    project.write_script("site.luau", r#"route("GET", "/new", { auth = "public" }, function() return "new" end)"#);
    let are_those_of_the_new_version = async || {
        let described = daemon.get("/openapi.json").await;
        let paths = described["paths"].as_object().unwrap().keys().filter(|path| path.starts_with("/scripts/"));
        let paths = paths.cloned().collect::<Vec<_>>();
        let (status, ..) = ask(&daemon, "GET /scripts/site/new", &[], "").await;
        let is_new = paths == ["/scripts/site/new"] && status == 200;
        if is_new { Ok(()) } else { Err(format!("{paths:?} are described, and the new one answers {status}")) }
    };
    eventually(Duration::from_secs(10), "the routes of the new version", are_those_of_the_new_version).await;
}

const OPEN: &str = r#"
route("GET", "/status", { auth = "public" }, function(request) return { text = type(request.body) } end)
route("POST", "/hook", { auth = "public" }, function(request)
  return { text = `{type(request.body)} {request.body}` }
end)
route("POST", "/add", { auth = "public", body = {
  id = { type = "string", optional = true }, n = { type = "integer", optional = true },
  list = { type = "list", optional = true },
} }, function(request) return { text = request.body.id } end)
route("GET", "/fails", { auth = "public" }, function() error("no") end)
"#;

#[tokio::test(flavor = "multi_thread")]
async fn requests_without_a_token_are_bounded_and_suspend_nobody() {
    let bots = "
bots:
  lobby: { platform: rooms }
scripts:
  open: { grants: [routes] }
  small: { grants: [routes], limits: { request_kb: 4, request_values: 10 } }
";
    let project = Project::new(bots, &[("open.luau", OPEN), ("small.luau", OPEN)]);
    let daemon = project.start().await;
    let json = [("content-type", "application/json")];
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let keys: String = (0..20_000).map(|n| format!("k{n}=1&")).collect();
    let wide = format!("{{\"list\":[{}[]]}}", "[],".repeat(50_000));
    let deep = format!("{{\"list\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let long = "x".repeat(6_000);
    let query = (0..11).map(|n| format!("k{n}=1")).collect::<Vec<_>>().join("&");
    for (head, headers, body, status, words) in [
        // A body is ignored if none is declared.
        ("GET /scripts/open/status", &form, keys.as_str(), 200, "nil"),
        ("GET /scripts/open/status", &json, &wide, 200, "nil"),
        ("POST /scripts/open/hook", &json, "{\"a\":[]}", 200, "nil"),
        ("POST /scripts/open/add", &form, &keys, 413, "limits.request_values"),
        ("POST /scripts/open/add", &json, &wide, 413, "limits.request_values"),
        ("POST /scripts/open/add", &form, &format!("list={}", "[".repeat(40)), 400, "32 deep"),
        ("POST /scripts/open/add", &json, &deep, 400, "32 deep"),
        ("POST /scripts/open/add", &json, "{\"id\":9007199254740993}", 200, "9007199254740993"),
        ("POST /scripts/open/add", &json, "{\"n\":9007199254740993}", 422, "n is a integer"),
        ("POST /scripts/small/add", &json, &long, 413, "limits.request_kb"),
        ("POST /scripts/small/add", &json, "{\"list\":[1,2,3,4,5,6,7,8]}", 413, "more than 10 names"),
        (&format!("GET /scripts/small/status?{query}"), &json, "", 414, "limits.request_values"),
    ] {
        let (answered, _, answer) = ask(&daemon, head, headers, body).await;
        assert!(answered == status && answer.contains(words), "{head}: {answered} {answer}");
    }
    for _ in 0..12 {
        assert_eq!(ask(&daemon, "GET /scripts/open/fails", &[], "").await.0, 500);
    }
    // If the failures counted, the script would be suspended and there would be no answer.
    assert_eq!(ask(&daemon, "GET /scripts/open/status", &[], "").await.0, 200);
}
