//! Accounts of the room service, from outside: registration, sessions, tokens, and who may do what.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::{Client, Site, registration, text};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const SETTINGS: &str = "limits: { logins: { burst: 1, per_minute: 0 }, registrations: { burst: 1, per_minute: 0 } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_registered_once_also_when_it_only_looks_the_same() {
    let site = Site::new(&format!("{SETTINGS}, nickname: helper"), &[]).await;
    site.register("alice").await;
    let other = |name: &str, email: &str| json!({ "username": name, "email": email, "password": "long enough" });
    for (name, email, expected) in [
        ("alice", "other@example.org", "taken"),
        ("ALICE", "other@example.org", "taken"),
        // The first letter is Cyrillic.
        ("\u{430}lice", "other@example.org", "taken"),
        ("bob", "Alice@Example.org", "e-mail"),
        ("helper", "other@example.org", "reserved"),
        ("two words", "other@example.org", "letters"),
        ("wave\u{1f44b}", "other@example.org", "letters"),
        ("", "other@example.org", "required"),
        ("bob", "no address", "e-mail"),
        ("bob", "bob@", "e-mail"),
    ] {
        let (status, refused) = site.post("/api/auth/register", "", other(name, email)).await;
        assert_eq!(status, 400, "{name} {email}: {refused}");
        assert!(text(&refused["error"]).contains(expected), "{name} {email}: {refused}");
    }
    for password in ["short", "longname-", ""] {
        let body = json!({ "username": "longname-", "email": "x@example.org", "password": password });
        assert_eq!(site.post("/api/auth/register", "", body).await.0, 400, "{password}");
    }
    // Many at once: one is accepted.
    let concurrent =
        (0..8).map(|number| site.post("/api/auth/register", "", other("carol", &format!("c{number}@x.org"))));
    let results = futures_util::future::join_all(concurrent).await;
    let accepted = results.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(accepted, 1, "{results:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_opened_with_the_password_and_ends_when_it_is_revoked() {
    let site = Site::new(SETTINGS, &[]).await;
    let (id, first) = site.register("alice").await;
    for (login, password) in [("alice", "wrong"), ("nobody", "secret of alice"), ("\u{430}lice", "secret of alice")] {
        let answer = site.post("/api/auth/login", "", json!({ "username": login, "password": password })).await;
        assert_eq!(answer.0, 401);
        assert_eq!(answer.1["error"], "the username or the password is wrong");
    }
    let login = json!({ "username": "Alice@example.org", "password": "secret of alice" });
    let (status, account) = site.post("/api/auth/login", "", login).await;
    assert_eq!((status, text(&account["id"])), (StatusCode::OK, id));
    let second = text(&account["token"]);
    let (_, sessions) = site.get("/api/auth/sessions", &second).await;
    let own: Vec<&Value> = sessions.as_array().unwrap().iter().filter(|session| session["current"] == true).collect();
    assert_eq!((sessions.as_array().unwrap().len(), own.len()), (2, 1), "{sessions}");
    assert!(!sessions.to_string().contains(&second), "no token is shown again");

    // The first session ends the second one.
    let revoked = format!("/api/auth/sessions/{}", text(&own[0]["id"]));
    assert_eq!(site.call(Method::DELETE, &revoked, &first, Value::Null).await.0, 204);
    assert_eq!(site.call(Method::DELETE, &revoked, &first, Value::Null).await.0, 404);
    assert_eq!(site.get("/api/auth/me", &second).await.0, 401);
    assert_eq!(site.get("/api/auth/me", &first).await.1["username"], "alice");

    // Another password ends everything else.
    let (_, token) = site.post("/api/auth/tokens", &first, json!({ "name": "bot", "scopes": ["read"] })).await;
    let (token, change) = (text(&token["token"]), json!({ "current": "secret of alice", "new": "another secret" }));
    assert_eq!(
        site.post("/api/auth/password", &first, json!({ "current": "x", "new": "another secret" })).await.0,
        401
    );
    assert_eq!(site.post("/api/auth/password", &first, change).await.0, 204);
    assert_eq!(site.get("/api/auth/me", &token).await.0, 401);
    assert_eq!(site.get("/api/auth/me", &first).await.0, 200);
    assert_eq!(site.post("/api/auth/logout", &first, Value::Null).await.0, 204);
    assert_eq!(site.get("/api/auth/me", &first).await.0, 401);
    let login = |password: &str| json!({ "username": "alice", "password": password });
    assert_eq!(site.post("/api/auth/login", "", login("secret of alice")).await.0, 401);
    assert_eq!(site.post("/api/auth/login", "", login("another secret")).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_allows_its_scopes_only_and_forged_ones_nothing() {
    let site = Site::new(SETTINGS, &[]).await;
    let (id, session) = site.register("alice").await;
    let (_, reader) = site.post("/api/auth/tokens", &session, json!({ "name": "reader", "scopes": ["read"] })).await;
    let reader = text(&reader["token"]);
    let message = json!({ "message": "hello" });
    assert_eq!(site.get("/api/users", &reader).await.0, 200);
    assert_eq!(site.post("/api/rooms/general/messages", &reader, message.clone()).await.0, 403);
    assert_eq!(site.post("/api/auth/tokens", &reader, json!({ "name": "more", "scopes": ["write"] })).await.0, 403);
    assert_eq!(site.get("/api/auth/sessions", &reader).await.0, 403);
    assert_eq!(site.call(Method::PATCH, "/api/users/me", &reader, json!({ "status": "x" })).await.0, 403);
    assert!(Client::connect_with(&site.daemon.address, Some(&reader)).await.is_err(), "a socket also writes");
    let (_, all) = site.post("/api/auth/tokens", &session, json!({ "name": "x", "scopes": ["account", "read"] })).await;
    let refused =
        site.post("/api/auth/tokens", &text(&all["token"]), json!({ "name": "y", "scopes": ["write"] })).await;
    assert_eq!(refused.0, 403, "a token creates no other token: {}", refused.1);
    let forged = [
        format!("plb_{id}_{}", "0".repeat(64)),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.".to_owned(),
        session.to_uppercase(),
        "x".to_owned(),
    ];
    for token in &forged {
        assert_eq!(site.get("/api/auth/me", token).await.0, 401, "{token}");
        assert_eq!(site.post("/api/rooms/general/messages", token, message.clone()).await.0, 401, "{token}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_cannot_use_the_cookie_of_a_person() {
    let site = Site::new(SETTINGS, &[]).await;
    let (_, session) = site.register("alice").await;
    let cookie = format!("other=1; palabre_session={session}");
    let send = |headers: Vec<(&'static str, String)>| {
        let mut request = site.request(Method::POST, "/api/rooms/general/messages").header("cookie", &cookie);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.json(&json!({ "message": "hello" })).send()
    };
    let own = format!("http://{}", site.daemon.address);
    assert_eq!(send(vec![("sec-fetch-site", "same-origin".to_owned())]).await.unwrap().status(), 201);
    assert_eq!(send(vec![("origin", own)]).await.unwrap().status(), 201);
    assert_eq!(send(vec![("sec-fetch-site", "cross-site".to_owned())]).await.unwrap().status(), 403);
    assert_eq!(send(vec![("sec-fetch-site", "same-site".to_owned())]).await.unwrap().status(), 403);
    let foreign = send(vec![("origin", "https://evil.example".to_owned())]).await.unwrap();
    assert_eq!(foreign.status(), 403, "{}", foreign.text().await.unwrap());
    // Nor sign a person in as somebody else.
    let login = json!({ "username": "alice", "password": "secret of alice" });
    let request = site.request(Method::POST, "/login").header("sec-fetch-site", "cross-site").json(&login);
    assert_eq!(request.send().await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_attempts_at_a_password_are_refused() {
    let site = Site::new("limits: { logins: { burst: 3, per_minute: 1 }, people_per_address: 100 }", &[]).await;
    site.register("alice").await;
    let attempt = json!({ "username": "alice", "password": "guess" });
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(site.post("/api/auth/login", "", attempt.clone()).await.0.as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 429]);
    let answer = site.request(Method::POST, "/api/auth/login").json(&attempt).send().await.unwrap();
    assert!(answer.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    assert_eq!(site.post("/api/auth/login", "", json!({ "username": "bob", "password": "x" })).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_writes_over_http_and_sockets_under_its_own_name() {
    let echo = "function on_message(event) if not event.user.bot then event:reply(\"heard \" .. event.text) end end\n";
    let site = Site::new(SETTINGS, &[("echo.luau", echo)]).await;
    let (id, session) = site.register("alice").await;
    let (mut guest, _) = Client::enter(&site.daemon.address, "guest", "general").await.unwrap();

    let sent = json!({ "message": "over http", "nonce": "n1" });
    let (status, message) = site.post("/api/rooms/general/messages", &session, sent.clone()).await;
    assert_eq!(status, 201, "{message}");
    let heard = guest.hears("over http").await.unwrap();
    assert_eq!((text(&heard["username"]), text(&heard["author"])), ("alice".to_owned(), id));
    guest.hears("heard over http").await.unwrap();
    assert_eq!(site.post("/api/rooms/general/messages", &session, sent).await.1["id"], message["id"], "sent once");

    // Nobody else has the name, and the account has no other one.
    let mut thief = Client::connect(&site.daemon.address).await.unwrap();
    let refused = thief.join(json!({ "username": "alice", "room": "general" })).await.unwrap_err();
    assert!(refused.0.contains("belongs to an account"), "{}", refused.0);
    let mut alice = Client::connect_with(&site.daemon.address, Some(&session)).await.unwrap();
    let joined = alice.join(json!({ "username": "somebody else", "room": "general" })).await.unwrap();
    assert_eq!(joined["username"], "alice");
    assert!(joined.get("token").is_none(), "an account has no guest token: {joined}");

    let page = async |query: &str| site.get(&format!("/api/rooms/general/messages{query}"), &session).await.1;
    let all = page("").await;
    let texts: Vec<String> = all["messages"].as_array().unwrap().iter().map(|row| text(&row["message"])).collect();
    assert_eq!(texts, ["over http", "heard over http"]);
    let (first, last) = (text(&all["first"]), text(&all["last"]));
    assert_eq!(page(&format!("?after={first}")).await["messages"][0]["id"], last);
    assert_eq!(page(&format!("?before={last}")).await["messages"][0]["id"], first);
    assert_eq!(page("?limit=1").await["has_more"], true);
    assert_eq!(site.get("/api/rooms/general/messages?before=nonsense", &session).await.0, 404);
    assert_eq!(site.get("/api/rooms/general/messages?limit=many", &session).await.0, 400);
    assert_eq!(site.get("/api/rooms/general/messages", "").await.0, 401);

    // A session that ends takes its connections with it.
    assert_eq!(site.post("/api/auth/logout", &session, Value::Null).await.0, 204);
    alice.closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn private_messages_are_between_two_people_as_vaultroom_has_them() {
    let log = "function on_message(event) log.info(\"a script read \" .. event.text) end\n";
    let site = Site::new(SETTINGS, &[("log.luau", log)]).await;
    let form = |name: &str| {
        let fields = registration(name);
        let field = |name: &str| text(&fields[name]).replace(' ', "+").replace('@', "%40");
        format!("username={}&email={}&password={}", field("username"), field("email"), field("password"))
    };
    let kind = "application/x-www-form-urlencoded";
    let post =
        |path: &str, body: String| site.request(Method::POST, path).header("content-type", kind).body(body).send();
    let registered = post("/register", form("alice")).await.unwrap();
    assert_eq!(registered.status(), 303);
    let cookie = registered.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let alice = cookie.split(['=', ';']).nth(1).unwrap().to_owned();
    let (bob_id, bob) = site.register("bob").await;
    let (_, carol) = site.register("carol").await;
    assert_eq!(post("/register", form("alice")).await.unwrap().status(), 400);
    assert_eq!(post("/login", "username=alice&password=wrong".to_owned()).await.unwrap().status(), 401);

    let (_, users) = site.get("/get-users", &alice).await;
    let names: Vec<String> = users.as_array().unwrap().iter().map(|user| text(&user["username"])).collect();
    assert_eq!((names.len(), names.contains(&"alice".to_owned())), (2, false), "{users}");
    let sent = json!({ "recipient_id": bob_id, "message": "between us" });
    let (status, answer) = site.post("/send-message", &alice, sent.clone()).await;
    assert_eq!((status, text(&answer["status"])), (StatusCode::OK, "success".to_owned()));
    assert_eq!(site.post("/send-message", "", sent).await.0, 401);

    let (_, alice_account) = site.get("/api/auth/me", &alice).await;
    let alice_id = text(&alice_account["id"]);
    let (_, read) = site.get(&format!("/get-messages?receiver_id={alice_id}"), &bob).await;
    assert_eq!((text(&read[0]["sender"]), text(&read[0]["content"])), ("alice".to_owned(), "between us".to_owned()));

    // Somebody else sees nothing of it, whichever way.
    let (_, others) = site.get(&format!("/get-messages?receiver_id={alice_id}"), &carol).await;
    assert_eq!(others, json!([]));
    let (_, own) = site.post(&format!("/api/users/{bob_id}/messages"), &alice, json!({ "message": "again" })).await;
    let room = text(&own["room"]);
    assert_eq!(site.get(&format!("/api/rooms/{room}/messages"), &bob).await.0, 200);
    assert_eq!(site.get(&format!("/api/rooms/{room}/messages"), &carol).await.0, 404);
    assert_eq!(site.post(&format!("/api/rooms/{room}/messages"), &carol, json!({ "message": "me too" })).await.0, 404);
    let mut listener = Client::connect_with(&site.daemon.address, Some(&carol)).await.unwrap();
    assert!(listener.join(json!({ "username": "carol", "room": room })).await.is_err());
    let mut guest = Client::connect(&site.daemon.address).await.unwrap();
    assert!(guest.join(json!({ "username": "guest", "room": room })).await.is_err());
    let (_, rooms) = site.get("/api/rooms", "").await;
    assert!(!rooms.to_string().contains("private:"), "{rooms}");
    let mut friend = Client::connect_with(&site.daemon.address, Some(&bob)).await.unwrap();
    friend.join(json!({ "username": "bob", "room": room })).await.unwrap();
    site.post(&format!("/api/users/{bob_id}/messages"), &alice, json!({ "message": "live" })).await;
    friend.hears("live").await.unwrap();
    site.post("/api/rooms/general/messages", &alice, json!({ "message": "in public" })).await;
    let log = site.project.log();
    palabre_tests::eventually(std::time::Duration::from_secs(60), "the script", async || {
        let log = site.project.log();
        if log.contains("a script read in public") { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await;
    assert!(!log.contains("between us") && !site.project.log().contains("a script read live"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_and_sessions_outlive_a_killed_daemon() {
    let site = Site::new(SETTINGS, &[]).await;
    let (id, session) = site.register("alice").await;
    site.post("/api/rooms/general/messages", &session, json!({ "message": "kept" })).await;
    let Site { daemon, http, project } = site;
    daemon.kill().await;
    let daemon = project.start().await;
    let site = Site { daemon, http, project };
    assert_eq!(text(&site.get("/api/auth/me", &session).await.1["id"]), id);
    assert_eq!(site.get("/api/rooms/general/messages", &session).await.1["messages"][0]["message"], "kept");
    let mut thief = Client::connect(&site.daemon.address).await.unwrap();
    assert!(thief.join(json!({ "username": "alice", "room": "general" })).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_changed_by_its_person_alone() {
    let site = Site::new(SETTINGS, &[]).await;
    let (id, alice) = site.register("alice").await;
    let (_, bob) = site.register("bob").await;
    let profile = json!({ "display_name": "Alice \u{1f469}\u{200d}\u{1f680}", "language": "fr", "status": "away" });
    let (status, changed) = site.call(Method::PATCH, "/api/users/me", &alice, profile.clone()).await;
    assert_eq!((status, &changed["display_name"]), (StatusCode::OK, &profile["display_name"]));
    let path = format!("/api/users/{id}");
    assert_eq!(site.call(Method::PATCH, &path, &bob, profile).await.0, 403);
    let (_, seen) = site.get(&path, &bob).await;
    assert_eq!((text(&seen["status"]), seen.get("email")), ("away".to_owned(), None), "{seen}");
    assert_eq!(seen["online"], false);
    assert_eq!(site.get("/api/users/0000000000000000", &bob).await.0, 404);
    let (long, misleading) = ("x".repeat(101), "evil\u{202e}ecila");
    for wrong in
        [json!({ "status": long }), json!({ "display_name": misleading }), json!({ "display_name": "palabre" })]
    {
        assert_eq!(site.call(Method::PATCH, "/api/users/me", &alice, wrong.clone()).await.0, 400, "{wrong}");
    }
    assert_eq!(site.call(Method::PATCH, "/api/users/me", &alice, json!({ "role": "owner" })).await.0, 400);
}
