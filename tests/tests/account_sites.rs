//! Accounts in browsers: other sites, listed sites, and requests at the same time.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::{Client, Site, text};
use reqwest::Method;
use serde_json::{Value, json};

const LIMITS: &str = "limits: { logins: { burst: 1, per_minute: 0 }, registrations: { burst: 1, per_minute: 0 } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_site_signs_people_in_and_uses_tokens_but_no_cookies() {
    let site = Site::new(&format!("{LIMITS}, origins: ['https://friend.example']"), &[]).await;
    let (_, session) = site.register("alice").await;
    let login = json!({ "username": "alice", "password": "secret of alice" });
    let send = async |path: &str, origin: &str, credential: (&str, String), body: &Value| {
        let request = site.request(Method::POST, path).header("origin", origin).header("sec-fetch-site", "cross-site");
        let answer = request.header(credential.0, credential.1).json(body).send().await.unwrap();
        let allowed = answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        (answer.status().as_u16(), allowed.map(ToOwned::to_owned))
    };
    let friend = Some("https://friend.example".to_owned());
    let nothing = || ("x-nothing", "nothing".to_owned());
    for path in ["/api/auth/login", "/login", "/auth/login"] {
        assert_eq!(send(path, "https://friend.example", nothing(), &login).await, (200, friend.clone()), "{path}");
        for origin in ["https://evil.example", "http://friend.example", "https://friend.example.evil.example", "null"] {
            assert_eq!(send(path, origin, nothing(), &login).await, (403, None), "{path} {origin}");
        }
    }
    let (path, message) = ("/api/rooms/general/messages", json!({ "message": "hello" }));
    let bearer = || ("authorization", format!("Bearer {session}"));
    let cookie = || ("cookie", format!("palabre_session={session}"));
    assert_eq!(send(path, "https://friend.example", bearer(), &message).await, (201, friend.clone()));
    assert_eq!(send(path, "https://friend.example", cookie(), &message).await, (403, friend));
    assert_eq!(send(path, "https://evil.example", bearer(), &message).await, (403, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_opens_no_connection_for_a_page_of_another_site() {
    for origins in ["[]", "['*']"] {
        let site = Site::new(&format!("{LIMITS}, origins: {origins}"), &[]).await;
        let (_, session) = site.register("alice").await;
        let address = &site.daemon.address;
        let (own, cookie) = (format!("http://{address}"), format!("palabre_session={session}"));
        let mut alice = Client::connect_by(address, None, &[("origin", &*own), ("cookie", &*cookie)]).await.unwrap();
        let joined = alice.join(json!({ "username": "somebody", "room": "general" })).await.unwrap();
        assert_eq!(joined["username"], "alice");
        let foreign = [("origin", "https://evil.example"), ("cookie", &*cookie)];
        match Client::connect_by(address, None, &foreign).await {
            // Any site may connect, as a guest.
            Ok(mut guest) if origins == "['*']" => {
                let joined = guest.join(json!({ "username": "somebody", "room": "general" })).await.unwrap();
                assert_eq!(joined["username"], "somebody");
            }
            opened => assert!(origins == "[]" && opened.is_err(), "{origins}: {opened:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_requests_that_end_a_session_at_the_same_time_both_succeed() {
    let site = Site::new(LIMITS, &[]).await;
    site.register("alice").await;
    for round in 0..5 {
        let login = json!({ "username": "alice", "password": "secret of alice" });
        let session = text(&site.post("/api/auth/login", "", login).await.1["token"]);
        let end = async || {
            let request = site.request(Method::GET, "/logout").header("cookie", format!("palabre_session={session}"));
            let answer = request.send().await.unwrap();
            let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
            assert!(answer.status() == 303 && cookie.contains("Max-Age=0"), "{round}: {answer:?}");
        };
        tokio::join!(end(), end());
        assert_eq!(site.get("/api/auth/me", &session).await.0, 401, "{round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_knows_a_private_conversation_cannot_act_in_it() {
    let intruder = r#"
function on_message(event)
  local id, message = event.text:match("^(%S+) (%S+)$")
  if event.user.bot or not id then return end
  local room = rooms.get("lobby/" .. id)
  room:send("a script was here")
  room:typing()
  room:set_topic("a script was here")
  room:lock()
  room:purge(10)
  local first = room:message(message)
  first:react("👋")
  first:pin()
  first:delete()
end
"#;
    let sections = "scripts: { intruder: { grants: [rooms, moderation] } }";
    let site = Site::with_sections(sections, LIMITS, &[("intruder.luau", intruder)]).await;
    let (_, alice) = site.register("alice").await;
    let (bob, _) = site.register("bob").await;
    let conversation = format!("/api/users/{bob}/messages");
    let (_, sent) = site.post(&conversation, &alice, json!({ "message": "between us" })).await;
    let told = format!("{} {}", text(&sent["room"]), text(&sent["id"]));
    assert_eq!(site.post("/api/rooms/general/messages", &alice, json!({ "message": told })).await.0, 201);
    palabre_tests::eventually(std::time::Duration::from_secs(60), "all actions are refused", async || {
        let log = site.project.log();
        // A typing indicator that is not shown need not be reported.
        let refused = log.matches("an action was not performed").count();
        if refused >= 7 { Ok(()) } else { Err(format!("{refused} refused: {log}")) }
    })
    .await;
    let (_, page) = site.get(&conversation, &alice).await;
    let messages = page["messages"].as_array().unwrap();
    assert_eq!((messages.len(), text(&messages[0]["message"])), (1, "between us".to_owned()), "{page}");
    assert!(messages[0].get("reactions").is_none() && messages[0].get("pinned").is_none(), "{page}");
    // It is not locked, and has no topic.
    assert_eq!(site.post(&conversation, &alice, json!({ "message": "still" })).await.0, 201);
    let mut client = Client::connect_with(&site.daemon.address, Some(&alice)).await.unwrap();
    let joined = client.join(json!({ "username": "alice", "room": text(&sent["room"]) })).await.unwrap();
    assert_eq!((&joined["topic"], &joined["locked"]), (&Value::Null, &json!(false)), "{joined}");
}
