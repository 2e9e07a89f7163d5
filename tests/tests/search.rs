//! Full-text search, from outside: what is found, who finds it, and an index that is never behind for long.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use palabre_tests::{Client, Site, eventually, text};
use reqwest::Method;
use serde_json::{Value, json};

const SETTINGS: &str = "retention: { keep: ['*'] }, limits: { logins: { burst: 1000, per_minute: 0 }, \
                        rooms: { burst: 1000, per_minute: 0 }, searches: { burst: 1000, per_minute: 0 } }";
/// Time in which a change reaches the index, also while other tests run.
const FOUND_TIMEOUT: Duration = Duration::from_secs(30);

async fn say(site: &Site, room: &str, token: &str, message: &str) -> String {
    let (status, sent) = site.post(&format!("/api/rooms/{room}/messages"), token, json!({ "message": message })).await;
    assert_eq!(status, 201, "{sent}");
    next_millisecond().await;
    text(&sent["id"])
}

/// Messages of different rooms and one millisecond are in no particular order.
async fn next_millisecond() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

/// Searches, and returns the status and the answer.
async fn search(site: &Site, token: &str, query: &[(&str, &str)]) -> (u16, Value) {
    let request = site.request(Method::GET, "/api/search").query(query).bearer_auth(token);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

fn texts(answer: &Value) -> Vec<String> {
    answer["messages"].as_array().into_iter().flatten().map(|message| text(&message["message"])).collect()
}

/// Waits until a search finds exactly these messages, newest first.
async fn finds(site: &Site, token: &str, query: &[(&str, &str)], expected: &[&str]) -> Value {
    let what = format!("{expected:?} for {query:?}");
    let look = async || {
        let (status, answer) = search(site, token, query).await;
        if status == 200 && texts(&answer) == expected { Ok(answer) } else { Err(format!("{status}: {answer}")) }
    };
    eventually(FOUND_TIMEOUT, &what, look).await
}

fn index(site: &Site) -> PathBuf {
    site.project.path().join("data/search")
}

/// Starts the daemon of a site that was stopped.
async fn restarted(site: Site, is_killed: bool, between: impl FnOnce(&Path)) -> Site {
    let Site { daemon, http, project } = site;
    if is_killed {
        daemon.kill().await;
    } else {
        assert!(daemon.stop().await, "it stops cleanly");
    }
    between(project.path());
    let daemon = project.start().await;
    Site { daemon, http, project }
}

#[tokio::test(flavor = "multi_thread")]
async fn words_phrases_and_filters_find_messages() {
    let site = Site::new(SETTINGS, &[]).await;
    let ((_, alice), (_, bob)) = (site.register("alice").await, site.register("Bob").await);
    assert!(!index(&site).exists(), "nobody has searched");
    say(&site, "general", &alice, "Good morning, café!").await;
    say(&site, "general", &bob, "In the morning all is good").await;
    let id = say(&site, "kitchen", &bob, "CRÈME brûlée, good").await;

    let all = ["CRÈME brûlée, good", "In the morning all is good", "Good morning, café!"];
    let answer = finds(&site, &alice, &[("q", "good")], &all).await;
    let (_, message) = site.get(&format!("/api/rooms/kitchen/messages/{id}"), &alice).await;
    assert_eq!(answer["messages"][0], message, "as other routes give it");
    assert_eq!((&answer["messages"][0]["room"], &answer["next"]), (&json!("kitchen"), &Value::Null));
    for (query, expected) in [
        (&[("q", "morning good")][..], &all[1..]),
        (&[("q", "\"good morning\"")], &all[2..]),
        (&[("q", "\"morning good\"")], &[]),
        (&[("q", "CAFE")], &all[2..]),
        (&[("q", "creme brulee")], &all[..1]),
        (&[("q", "moon")], &[]),
        (&[("q", "good"), ("room", "general")], &all[1..]),
        (&[("q", "good"), ("room", "kitchen"), ("from", "alice")], &[]),
        (&[("q", "good"), ("from", "BOB")], &all[..2]),
        (&[("q", "good"), ("from", "@bob"), ("room", "general")], &all[1..2]),
        (&[("q", "good"), ("after", "2020-01-01"), ("before", "2999-01-01T00:00:00Z")], &all),
        (&[("q", "good"), ("before", "1577836800000")], &[]),
        (&[("q", "good"), ("after", "2999-01-01")], &[]),
        (&[("q", "good"), ("after", &*text(&message["timestamp"]))], &all[..1]),
    ] {
        let (status, answer) = search(&site, &alice, query).await;
        assert!(status == 200 && texts(&answer) == expected, "{query:?}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_valid_is_refused_with_the_reason() {
    let limits = "limits: { logins: { burst: 1000, per_minute: 0 }, searches: { burst: 20, per_minute: 1 } }";
    let site = Site::new(limits, &[]).await;
    let (_, alice) = site.register("alice").await;
    assert_eq!(site.get("/api/search?q=x", "").await.0, 401);
    let long = "x".repeat(201);
    for (query, reason) in [
        (&[][..], "no word"),
        (&[("q", "  ")], "no word"),
        (&[("q", "?!")], "no word"),
        (&[("q", &*long)], "200"),
        (&[("q", &*"a ".repeat(21))], "20"),
        (&[("q", "x"), ("before", "yesterday")], "before"),
        (&[("q", "x"), ("after", "2026-13-01")], "after"),
        (&[("q", "x"), ("cursor", "?")], "cursor"),
        (&[("q", "x"), ("limit", "many")], "limit"),
        (&[("q", "x"), ("room", "a/b")], "slash"),
    ] {
        let (status, refused) = search(&site, &alice, query).await;
        assert_eq!(status, 400, "{query:?}: {refused}");
        assert!(text(&refused["error"]).contains(reason), "{query:?}: {refused}");
    }
    let (status, made) = site.post("/api/auth/tokens", &alice, json!({ "name": "bot", "scopes": ["write"] })).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(search(&site, &text(&made["token"]), &[("q", "x")]).await.0, 403, "it may not read");
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(search(&site, &alice, &[("q", "?")]).await.0);
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_have_each_message_once() {
    let site = Site::new(SETTINGS, &[]).await;
    let (_, alice) = site.register("alice").await;
    let mut said = Vec::new();
    for number in 0..25 {
        said.push(format!("page {number}"));
        say(&site, &format!("room{}", number % 3), &alice, &said[number]).await;
    }
    said.reverse();
    let expected: Vec<&str> = said.iter().map(String::as_str).collect();
    finds(&site, &alice, &[("q", "page")], &expected).await;
    let (mut found, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let mut query = vec![("q", "page"), ("limit", "10")];
        if !cursor.is_empty() {
            query.push(("cursor", &cursor));
        }
        let (status, page) = search(&site, &alice, &query).await;
        assert_eq!(status, 200, "{page}");
        found.extend(texts(&page));
        pages += 1;
        match page["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((found, pages), (said, 3));
}

const BANS: &str = r#"
function on_message(event)
  if event.text == "!ban" then event.member:ban("spam") end
end
"#;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_finds_what_they_may_not_read() {
    let sections = "server: { requests_per_minute: 100000 }\nscripts: { bans: { grants: [moderation] } }";
    let site = Site::with_sections(sections, SETTINGS, &[("bans.luau", BANS)]).await;
    let ((_, alice), (bob_id, bob), (_, carol)) =
        (site.register("alice").await, site.register("bob").await, site.register("carol").await);
    site.post("/api/rooms", &alice, json!({ "name": "den", "visibility": "private" })).await;
    say(&site, "general", &alice, "word in general").await;
    say(&site, "den", &alice, "word in the den").await;
    let private = format!("/api/users/{bob_id}/messages");
    let (_, sent) = site.post(&private, &alice, json!({ "message": "word in private" })).await;
    let conversation = text(&sent["room"]);
    next_millisecond().await;
    let (_, answer) = site.post("/chat/message", &alice, json!({ "message": "word in a session" })).await;
    let session = format!("session:{}", text(&answer["session_id"]));
    let (_, answer) = site.post("/chat/message", "", json!({ "message": "word of a guest" })).await;
    let guest = format!("session:{}", text(&answer["session_id"]));

    let word = [("q", "word")];
    let all = ["word in a session", "word in private", "word in the den", "word in general"];
    finds(&site, &alice, &word, &all).await;
    finds(&site, &bob, &word, &["word in private", "word in general"]).await;
    finds(&site, &carol, &word, &["word in general"]).await;
    for room in [&*conversation, &session, "den"] {
        assert_eq!(search(&site, &carol, &[("q", "word"), ("room", room)]).await.0, 404, "{room}");
    }
    finds(&site, &carol, &[("q", "word"), ("room", &guest)], &["word of a guest"]).await;

    // A member sees the room, and does not when the membership is over.
    let member = format!("/api/rooms/den/members/{bob_id}");
    let (_, made) = site.post("/api/rooms/den/invites", &alice, json!({})).await;
    assert_eq!(site.post(&format!("/api/invites/{}", text(&made["code"])), &bob, Value::Null).await.0, 200);
    finds(&site, &bob, &word, &["word in private", "word in the den", "word in general"]).await;
    assert_eq!(site.call(Method::DELETE, &member, &alice, Value::Null).await.0, 204);
    let (_, answer) = search(&site, &bob, &word).await;
    assert_eq!(texts(&answer), ["word in private", "word in general"], "from this moment on");

    // Who is banned from the service keeps the private conversations.
    let mut client = Client::connect_with(&site.daemon.address, Some(&bob)).await.unwrap();
    client.join(json!({ "username": "bob", "room": "general" })).await.unwrap();
    client.say("!ban", "1").await.unwrap();
    finds(&site, &bob, &word, &["word in private"]).await;
    assert_eq!(search(&site, &bob, &[("q", "word"), ("room", "general")]).await.0, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_and_deleted_messages_leave_the_index() {
    let site = Site::new(SETTINGS, &[]).await;
    let ((_, alice), (_, bob)) = (site.register("alice").await, site.register("bob").await);
    site.post("/api/rooms", &alice, json!({ "name": "club" })).await;
    let edited = say(&site, "general", &alice, "needle one").await;
    let deleted = say(&site, "general", &alice, "needle two").await;
    say(&site, "general", &bob, "needle three").await;
    say(&site, "club", &alice, "needle four").await;
    let needle = [("q", "needle")];
    finds(&site, &alice, &needle, &["needle four", "needle three", "needle two", "needle one"]).await;

    let path = |id: &str| format!("/api/rooms/general/messages/{id}");
    let edit = json!({ "message": "thread one" });
    assert_eq!(site.call(Method::PATCH, &path(&edited), &alice, edit).await.0, 204);
    assert_eq!(site.call(Method::DELETE, &path(&deleted), &alice, Value::Null).await.0, 204);
    let (_, answer) = search(&site, &alice, &needle).await;
    assert_eq!(texts(&answer), ["needle four", "needle three"], "they are not shown from this moment on");
    finds(&site, &alice, &[("q", "thread")], &["thread one"]).await;
    assert_eq!(site.call(Method::DELETE, "/api/rooms/club", &alice, Value::Null).await.0, 204);
    let account = json!({ "password": "secret of bob" });
    assert_eq!(site.call(Method::DELETE, "/api/auth/me", &bob, account).await.0, 204);
    let (_, answer) = search(&site, &alice, &needle).await;
    assert_eq!(texts(&answer), Vec::<String>::new());
    site.post("/api/rooms", &alice, json!({ "name": "club" })).await;
    say(&site, "club", &alice, "needle anew").await;
    finds(&site, &alice, &needle, &["needle anew"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_daemon_finds_everything_afterwards() {
    let mut site = Site::new(SETTINGS, &[]).await;
    let (_, alice) = site.register("alice").await;
    let edited = say(&site, "general", &alice, "needle first").await;
    let deleted = say(&site, "general", &alice, "needle second").await;
    let mut expected = vec!["needle first".to_owned()];
    finds(&site, &alice, &[("q", "needle")], &["needle second", "needle first"]).await;
    for round in 0..3 {
        for number in 0..20 {
            let message = format!("needle {round} {number}");
            say(&site, &format!("room{}", number % 2), &alice, &message).await;
            expected.insert(0, message);
        }
        let path = |id: &str| format!("/api/rooms/general/messages/{id}");
        let edit = json!({ "message": format!("needle changed {round}") });
        assert_eq!(site.call(Method::PATCH, &path(&edited), &alice, edit).await.0, 204);
        *expected.last_mut().unwrap() = format!("needle changed {round}");
        if round == 1 {
            assert_eq!(site.call(Method::DELETE, &path(&deleted), &alice, Value::Null).await.0, 204);
        }
        // The last changes have been durable for less time than the index takes.
        site = restarted(site, true, |_| {}).await;
        let mut wanted: Vec<&str> = expected.iter().map(String::as_str).collect();
        if round == 0 {
            wanted.insert(wanted.len() - 1, "needle second");
        }
        finds(&site, &alice, &[("q", "needle"), ("limit", "100")], &wanted).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_gone_or_damaged_is_built_anew() {
    let site = Site::new(SETTINGS, &[]).await;
    let (_, alice) = site.register("alice").await;
    say(&site, "general", &alice, "needle").await;
    finds(&site, &alice, &[("q", "needle")], &["needle"]).await;
    let site = restarted(site, false, |project| std::fs::remove_dir_all(project.join("data/search")).unwrap()).await;
    finds(&site, &alice, &[("q", "needle")], &["needle"]).await;
    let site = restarted(site, false, |project| {
        let files = std::fs::read_dir(project.join("data/search")).unwrap().map(|entry| entry.unwrap().path());
        let damaged = files.filter(|path| path.extension().is_some_and(|name| name == "term"));
        for path in damaged {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[0] ^= 0xff;
            std::fs::write(&path, bytes).unwrap();
        }
    });
    let site = site.await;
    finds(&site, &alice, &[("q", "needle")], &["needle"]).await;
    assert!(site.project.log().contains("built anew"), "{}", site.project.log());
    let site = restarted(site, false, |project| {
        std::fs::write(project.join("data/search/meta.json"), "{}").unwrap();
    });
    finds(&site.await, &alice, &[("q", "needle")], &["needle"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn posting_does_not_notice_that_the_index_cannot_be_written() {
    let site = Site::new(SETTINGS, &[]).await;
    let (_, alice) = site.register("alice").await;
    std::fs::write(index(&site), "a file in place of the folder").unwrap();
    say(&site, "general", &alice, "needle").await;
    let look = async || match search(&site, &alice, &[("q", "needle")]).await {
        (503, refused) => Ok(refused),
        other => Err(format!("{other:?}")),
    };
    let refused = eventually(FOUND_TIMEOUT, "a refusal", look).await;
    assert!(text(&refused["error"]).contains("at present"), "{refused}");
    say(&site, "general", &alice, "needle too").await;
    std::fs::remove_file(index(&site)).unwrap();
    finds(&site, &alice, &[("q", "needle")], &["needle too", "needle"]).await;
    let warnings = site.project.log().matches("messages cannot be searched").count();
    assert_eq!(warnings, 1, "{}", site.project.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn search_can_be_turned_off_which_deletes_the_index() {
    let site = Site::new(SETTINGS, &[]).await;
    let (_, alice) = site.register("alice").await;
    say(&site, "general", &alice, "needle").await;
    finds(&site, &alice, &[("q", "needle")], &["needle"]).await;
    let site = restarted(site, false, |project| {
        let bots = std::fs::read_to_string(project.join("bots.yaml")).unwrap();
        std::fs::write(
            project.join("bots.yaml"),
            bots.replace("rooms: { retention", "rooms: { search: false, retention"),
        )
        .unwrap();
    });
    let site = site.await;
    let (status, refused) = search(&site, &alice, &[("q", "needle")]).await;
    assert_eq!((status, text(&refused["error"]).contains("turned off")), (404, true), "{refused}");
    let gone = async || if index(&site).exists() { Err("it is there".to_owned()) } else { Ok(()) };
    eventually(FOUND_TIMEOUT, "the end of the index", gone).await;
    say(&site, "general", &alice, "needle too").await;
}
