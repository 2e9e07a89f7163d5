//! Requests that no honest client sends.

use palabre_tests::http::{Answer, ask};
use palabre_tests::{Client, Site, text};
use reqwest::Method;
use serde_json::{Value, json};

use crate::callers::{SECTIONS, SETTINGS};

async fn start() -> Site {
    Site::with_sections(SECTIONS, SETTINGS, &[]).await
}

/// Sends a message to a room with a cookie and other headers.
async fn say(site: &Site, session: &str, headers: &[(&str, &str)]) -> Answer {
    let cookie = format!("palabre_session={session}");
    let own = [("cookie", &*cookie), ("content-type", "application/json")];
    let headers = [&own[..], headers].concat();
    ask(&site.daemon.address, "POST /api/rooms/general/messages", &headers, br#"{"message":"hello"}"#).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_forged_or_changed_token_is_taken_as_a_bearer_or_as_a_cookie() {
    let site = start().await;
    let ((id, session), (other, _)) = (site.register("alice").await, site.register("bob").await);
    let secret = session.rsplit('_').next().unwrap();
    let forged = [
        // {"alg":"none","typ":"JWT"}, {"sub":"alice","role":"owner"}
        "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhbGljZSIsInJvbGUiOiJvd25lciJ9.".to_owned(),
        session[..session.len() - 1].to_owned(),
        format!("{session}0"),
        session.replacen("plb_", "xxx_", 1),
        session.replacen("plb_", "", 1),
        session.replace('_', "-"),
        session.to_uppercase(),
        format!("plb_{other}_{secret}"),
        format!("plb_{id}_{}", "0".repeat(64)),
        format!("plb_{id}"),
        format!("Bearer {session}"),
        "' or 1=1 --".to_owned(),
        "%00".to_owned(),
    ];
    for token in &forged {
        assert_eq!(site.get("/api/auth/me", token).await.0, 401, "{token}");
        let answer = site.request(Method::GET, "/api/auth/me").header("cookie", format!("palabre_session={token}"));
        assert_eq!(answer.send().await.unwrap().status(), 401, "{token}");
    }
    for scheme in ["Basic", "Token", "Digest"] {
        let answer = site.request(Method::GET, "/api/auth/me").header("authorization", format!("{scheme} {session}"));
        assert_eq!(answer.send().await.unwrap().status(), 401, "{scheme}");
    }
    // Addresses are in logs and histories.
    for parameter in ["token", "access_token", "session"] {
        assert_eq!(site.get(&format!("/api/auth/me?{parameter}={session}"), "").await.0, 401, "{parameter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_somebody_chose_before_a_login_is_not_valid_after_it() {
    let site = start().await;
    let ((id, _), (_, mallory)) = (site.register("alice").await, site.register("mallory").await);
    let login = br#"{"username":"alice","password":"secret of alice"}"#;
    for chosen in [format!("plb_{id}_{}", "a".repeat(64)), "chosen".to_owned(), mallory.clone()] {
        let cookie = format!("palabre_session={chosen}");
        for path in ["/login", "/api/auth/login", "/auth/login"] {
            let headers = [("cookie", &*cookie), ("content-type", "application/json")];
            let answer = ask(&site.daemon.address, &format!("POST {path}"), &headers, login).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            assert!(!answer.header("set-cookie").unwrap().contains(&chosen), "{path}");
            let me = ask(&site.daemon.address, "GET /api/auth/me", &[("cookie", &*cookie)], b"").await;
            let is_alice = me.status == 200 && me.json()["username"] == "alice";
            assert!(!is_alice && (me.status == 401 || chosen == mallory), "{path}: {}", me.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_of_a_person_does_nothing_for_another_site() {
    let site = start().await;
    let (_, session) = site.register("alice").await;
    let own = format!("http://{}", site.daemon.address);
    let (below, other_port) = (format!("{own}.evil.example"), "http://127.0.0.1:1");
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("origin", &*below)],
        &[("origin", other_port)],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
        &[("sec-fetch-site", "cross-site"), ("origin", &*own)],
    ] {
        assert_eq!(say(&site, &session, headers).await.status, 403, "{headers:?}");
    }
    assert_eq!(say(&site, &session, &[("sec-fetch-site", "same-origin"), ("origin", &*own)]).await.status, 201);
    // A form of another site sends none of these types, and no other type is read.
    let cookie = format!("palabre_session={session}");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let headers = [("cookie", &*cookie), ("content-type", kind)];
        let path = "POST /api/rooms/general/messages";
        let answer = ask(&site.daemon.address, path, &headers, br#"{"message":"hello"}"#).await;
        assert_eq!(answer.status, 415, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_name_resolves_to_this_machine_reaches_nothing() {
    let site = start().await;
    let (_, session) = site.register("alice").await;
    let cookie = format!("palabre_session={session}");
    for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127.1", "2130706433", ""] {
        for line in ["GET /api/auth/me", "POST /api/auth/logout", "GET /socket.io/?EIO=4&transport=polling", "GET /"] {
            let answer = ask(&site.daemon.address, line, &[("host", host), ("cookie", &*cookie)], b"").await;
            assert_eq!(answer.status, 421, "{host} {line}");
        }
    }
    let absolute = ask(&site.daemon.address, "GET http://evil.example/api/auth/me", &[("cookie", &*cookie)], b"").await;
    assert_eq!(absolute.status, 421);
    assert_eq!(site.get("/api/auth/me", &session).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_of_a_room_leads_elsewhere() {
    let site = start().await;
    let (_, session) = site.register("alice").await;
    let (_, other) = site.register("bob").await;
    let den = json!({ "name": "den", "visibility": "private" });
    assert_eq!(site.post("/api/rooms", &session, den).await.0, 201);
    let long = "x".repeat(65);
    let refused = [
        ".",
        "%2e",
        "..",
        "%2e%2e",
        ".%2e",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "a%2fb",
        "%00",
        "a%00b",
        "den%00",
        "%ff",
        "%c0%ae%c0%ae",
        "%0a",
        "%20",
        "%E2%80%AEabc",
        "den%E2%80%8B",
        "private%3Aguessed",
        "%EF%BD%90rivate:a:b",
        &*long,
    ];
    let bearer = format!("Bearer {other}");
    let headers = [("authorization", &*bearer), ("content-type", "application/json")];
    for name in refused {
        for line in [format!("GET /api/rooms/{name}/messages"), format!("POST /api/rooms/{name}/messages")] {
            let answer = ask(&site.daemon.address, &line, &headers, br#"{"message":"hello"}"#).await;
            assert_eq!(answer.status, 400, "{line}: {}", answer.text());
        }
    }
    // Other spellings of the same name are the same room.
    for name in ["den", "d%65n", "den%20", "%20den"] {
        let answer = ask(&site.daemon.address, &format!("GET /api/rooms/{name}/messages"), &headers, b"").await;
        assert_eq!(answer.status, 404, "{name}");
    }
    for path in [
        "/assets/../../../../etc/passwd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2fbots.yaml",
        "/assets/%00",
        "/assets/app.js%00.css",
        "/docs/..%2fbots.yaml",
        "/api/files/%2e%2e%2fbots.yaml",
        "/api/files/%00",
        "//etc/passwd",
    ] {
        assert_eq!(ask(&site.daemon.address, &format!("GET {path}"), &[], b"").await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_files_are_plain_and_their_types_run_nothing() {
    let site = start().await;
    let (mut client, _) = Client::enter(&site.daemon.address, "guest", "general").await.unwrap();
    for (given, expected) in [
        ("../../etc/passwd", "etcpasswd"),
        ("a/b\\c", "abc"),
        ("a\0b\r\nc", "abc"),
        ("\u{202e}gpj.exe", "gpj.exe"),
        ("..", "file"),
        (" ", "file"),
        ("\"; filename=evil", "\"; filename=evil"),
    ] {
        let announced = json!({ "name": given, "content_type": "text/html" });
        let asked = client.ask("upload", announced).await.unwrap();
        let place = client.ack(asked).await.unwrap();
        let put = site.request(Method::PUT, &text(&place["url"])).body("<script>").send().await.unwrap();
        let file: Value = put.json().await.unwrap();
        assert_eq!((&file["name"], &file["content_type"]), (&json!(expected), &json!("application/octet-stream")));
        client.emit("send_message", json!({ "message": "", "files": [place["id"]] })).await.unwrap();
        let sent = client.wait("new_message").await.unwrap();
        let path = text(&sent["attachments"][0]["url"]);
        let got = ask(&site.daemon.address, &format!("GET {path}"), &[], b"").await;
        let disposition = got.header("content-disposition").unwrap().to_owned();
        assert!(disposition.starts_with("attachment; filename*=UTF-8''"), "{disposition}");
        assert!(!disposition.contains("filename=evil"), "{disposition}");
        assert_eq!(got.header("x-content-type-options"), Some("nosniff"), "{given:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_and_deep_requests_are_refused_and_the_service_lives_on() {
    let site = start().await;
    let (_, session) = site.register("alice").await;
    let bearer = format!("Bearer {session}");
    let large = vec![b'x'; 3 << 20];
    let json_kind = ("content-type", "application/json");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let deep = [&br#"{"message":"#[..], "[".repeat(100_000).as_bytes()].concat();
    let long_line = format!("GET /api/rooms?{}", "x".repeat(100_000));
    let long_header = "x".repeat(100_000);
    for (line, header, body, expected) in [
        ("POST /api/rooms/general/messages", json_kind, &large[..], 413),
        ("POST /api/auth/register", json_kind, &large[..], 413),
        ("POST /register", form, &large[..], 413),
        ("POST /join", form, &large[..], 413),
        ("POST /api/rooms/general/messages", json_kind, &deep[..], 400),
        (&*long_line, json_kind, &b""[..], 431),
        ("GET /api/rooms", ("x-long", &*long_header), &b""[..], 431),
    ] {
        let answer = ask(&site.daemon.address, line, &[("authorization", &*bearer), header], body).await;
        // The connection may end before all of the body was sent.
        assert!([expected, 0].contains(&answer.status), "{} {expected}", answer.head);
    }
    let long_text = json!({ "message": "x".repeat(5_001) });
    assert_eq!(site.post("/api/rooms/general/messages", &session, long_text).await.0, 400);
    assert_eq!(site.get("/health", "").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_no_object_whatever_it_holds() {
    let site = start().await;
    let (_, session) = site.register("alice").await;
    assert_eq!(site.post("/api/rooms", &session, json!({ "name": "hall" })).await.0, 201);
    for (method, path, body) in [
        (Method::POST, "/api/auth/login", json!(["alice", "secret of alice"])),
        (Method::POST, "/login", json!(["alice", "secret of alice"])),
        (Method::POST, "/api/auth/register", json!(["bob", "bob@example.org", "secret of bob"])),
        (Method::PATCH, "/api/rooms/hall", json!(["a topic"])),
        (Method::POST, "/api/rooms/hall/invites", json!([])),
        (Method::POST, "/api/rooms/hall/messages", json!(["hello"])),
    ] {
        let (status, answer) = site.call(method.clone(), path, &session, body).await;
        assert_eq!(status, 400, "{method} {path}: {answer}");
    }
}
