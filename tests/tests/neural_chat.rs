//! The routes of Neural Chat Engine: sessions of one person and the bots, over HTTP.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::time::{Duration, Instant};

use palabre_tests::{Client, Site, text};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Answers in sessions only, each message in the way that it names.
const BOT: &str = r#"
function on_message(event)
  if event.user.bot or event.room.kind ~= "direct" then return end
  local said = event.text
  if said == "silent" then return end
  if said == "slow" then
    sleep("3s")
    event:reply("late")
  elseif said == "twice" then
    event:reply("one")
    event:reply("two")
  elseif said == "ask" then
    local more = event.room:ask(event.user, "what?")
    sleep("1s")
    event:reply("you said " .. tostring(more))
  else
    event:reply("heard " .. said)
  end
end
command("version", { description = "The version" }, function(event) event:reply("version 1") end)
"#;

async fn site(settings: &str) -> Site {
    Site::new(&format!("limits: {{ logins: {{ burst: 1000, per_minute: 0 }} }}, {settings}"), &[("bot.luau", BOT)])
        .await
}

async fn say(site: &Site, token: &str, session: Option<&str>, message: &str) -> (StatusCode, Value) {
    let mut body = json!({ "message": message, "message_type": "text", "stream": false });
    if let Some(session) = session {
        body["session_id"] = json!(session);
    }
    site.post("/chat/message", token, body).await
}

fn content(answer: &Value) -> &str {
    answer["response_message"]["content"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_answered_when_the_scripts_have_finished_with_it() {
    let site = site("answer_seconds: 60").await;
    let began = Instant::now();
    let (status, answer) = say(&site, "", None, "hello").await;
    assert_eq!((status, content(&answer)), (StatusCode::OK, "heard hello"), "{answer}");
    assert_eq!((&answer["recommendations"], &answer["response_message"]["role"]), (&json!([]), &json!("assistant")));
    let session = text(&answer["session_id"]);
    assert!(session.starts_with("guest-") && session.len() == 38, "{session}");
    let (_, both) = say(&site, "", Some(&session), "twice").await;
    assert_eq!((content(&both), both["responses"].as_array().unwrap().len()), ("one\n\ntwo", 2), "{both}");
    let (_, nobody) = say(&site, "", Some(&session), "silent").await;
    assert_eq!(content(&nobody), "No bot has answered this message.");
    assert_eq!(
        (&nobody["response_message"]["role"], &nobody["response_message"]["id"]),
        (&json!("system"), &Value::Null)
    );
    // What is derived from a message counts too, and a question to the person ends the wait.
    assert_eq!(content(&say(&site, "", Some(&session), "/version").await.1), "heard /version\n\nversion 1");
    assert_eq!(content(&say(&site, "", Some(&session), "ask").await.1), "what?");
    assert_eq!(content(&say(&site, "", Some(&session), "this").await.1), "you said this");
    assert!(began.elapsed() < Duration::from_secs(50), "none of them waited for the time limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_bot_is_waited_for_until_the_limit_and_its_answer_is_in_the_history() {
    let site = site("answer_seconds: 1").await;
    let (_, answer) = say(&site, "", None, "slow").await;
    assert!(content(&answer).contains("within 1 s"), "{answer}");
    let session = text(&answer["session_id"]);
    let path = format!("/chat/history/{session}");
    palabre_tests::eventually(Duration::from_secs(60), "the late answer", async || {
        let (_, history) = site.get(&path, "").await;
        if history["total_messages"] == 2 { Ok(()) } else { Err(history.to_string()) }
    })
    .await;
    // Two messages of a session are not answered at the same time.
    let both = (say(&site, "", Some(&session), "slow"), say(&site, "", Some(&session), "slow"));
    let (one, other) = futures_util::future::join(both.0, both.1).await;
    let mut statuses = [one.0.as_u16(), other.0.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{one:?} {other:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_valid_is_refused() {
    let site = site("").await;
    for (body, status) in [
        (json!({ "message": "" }), 422),
        (json!({ "message": " \n" }), 422),
        (json!({ "message": "x".repeat(5_001) }), 422),
        (json!({ "message": "x", "message_type": "telepathy" }), 422),
        (json!({ "message": "x", "session_id": "nonsense" }), 404),
        (json!({ "message": "x", "session_id": format!("guest-{}", "0".repeat(32)) }), 404),
        (json!({ "message": "x", "attachments": ["unknown"] }), 403),
        (json!({ "text": "x" }), 400),
    ] {
        let (answered, problem) = site.post("/chat/message", "", body.clone()).await;
        assert_eq!((answered.as_u16(), problem["error"].is_string()), (status, true), "{body}: {problem}");
    }
    assert_eq!(say(&site, "", None, &"x".repeat(5_000)).await.0, 200);
    assert_eq!(say(&site, "plb_forged", None, "x").await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_for_its_owner_and_in_no_list() {
    let site = site("").await;
    let (alice_id, alice) = site.register("alice").await;
    let (_, bob) = site.register("bob").await;
    let (_, answer) = say(&site, &alice, None, "hello").await;
    let session = text(&answer["session_id"]);
    assert!(session.starts_with(&format!("{alice_id}-")), "{session}");
    let room = format!("session:{session}");
    for (token, status) in [(&bob[..], 404), ("", 401)] {
        assert_eq!(say(&site, token, Some(&session), "me too").await.0, status);
        assert_eq!(site.get(&format!("/chat/history/{session}"), token).await.0, status);
        assert_eq!(site.get(&format!("/chat/export/{session}"), token).await.0, status);
        assert_eq!(site.call(Method::DELETE, &format!("/chat/session/{session}"), token, Value::Null).await.0, status);
    }
    assert_eq!(site.get(&format!("/api/rooms/{room}/messages"), &bob).await.0, 404);
    assert_eq!(site.get(&format!("/api/rooms/{room}/messages"), &alice).await.0, 200);
    let mut listener = Client::connect_with(&site.daemon.address, Some(&bob)).await.unwrap();
    assert!(listener.join(json!({ "username": "bob", "room": room })).await.is_err());
    let (_, guest) = say(&site, "", None, "hello").await;
    let (_, rooms) = site.get("/api/rooms", "").await;
    assert!(!rooms.to_string().contains("session:"), "{rooms}");
    let (_, stats) = site.get("/api/stats", "").await;
    assert_eq!((&stats["rooms"], &stats["active_rooms"]), (&json!(0), &json!(0)), "{stats}");
    let (_, own) = site.get("/chat/sessions", &alice).await;
    assert_eq!((&own["total"], &own["sessions"][0]["session_id"]), (&json!(1), &json!(session)), "{own}");
    assert_eq!(site.get("/chat/sessions", &bob).await.1["total"], 0);
    assert_eq!(site.get("/chat/sessions", "").await.0, 401);

    // Deleted, it is gone for everybody, its bots included.
    for (id, token) in [(session, &alice[..]), (text(&guest["session_id"]), "")] {
        let path = format!("/chat/session/{id}");
        assert_eq!(site.call(Method::DELETE, &path, token, Value::Null).await.0, 200);
        assert_eq!(site.call(Method::DELETE, &path, token, Value::Null).await.0, 404);
        assert_eq!(site.get(&format!("/chat/history/{id}"), token).await.0, 404);
        assert_eq!(say(&site, token, Some(&id), "still there?").await.0, 404);
    }
    assert_eq!(site.get("/chat/sessions", &alice).await.1["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_read_in_pages_exported_and_rated() {
    let site = site("").await;
    let (_, answer) = say(&site, "", None, "first\nline").await;
    let session = text(&answer["session_id"]);
    say(&site, "", Some(&session), "second").await;
    let path = format!("/chat/history/{session}");
    let (_, newest) = site.get(&format!("{path}?limit=3"), "").await;
    assert_eq!((&newest["total_messages"], &newest["has_more"]), (&json!(4), &json!(true)), "{newest}");
    assert_eq!(newest["messages"].as_array().unwrap().len(), 3);
    let (_, rest) = site.get(&format!("{path}?cursor={}", text(&newest["next_cursor"])), "").await;
    assert_eq!((&rest["has_more"], &rest["messages"][0]["content"]), (&json!(false), &json!("first\nline")));
    assert_eq!(rest["messages"][0]["role"], "user");
    assert_eq!(site.get(&format!("{path}?limit=many"), "").await.0, 400);

    let message = text(&answer["response_message"]["id"]);
    let rate = async |message: &str, rating: Value| {
        let body =
            json!({ "session_id": session, "message_id": message, "rating": rating, "feedback_type": "quality" });
        site.post("/chat/feedback", "", body).await
    };
    for rating in [json!(0), json!(6), json!(2.5), json!("5"), json!(-1), Value::Null] {
        assert_eq!(rate(&message, rating.clone()).await.0, 422, "{rating}");
    }
    assert_eq!(rate("unknown", json!(5)).await.0, 404);
    assert_eq!(rate(&message, json!(5)).await.1["success"], true);
    assert_eq!(rate(&message, json!(4)).await.0, 200, "another rating replaces the first");
    let export = format!("/chat/export/{session}");
    let (_, exported) = site.get(&format!("{export}?format=json"), "").await;
    let messages = exported["messages"].as_array().unwrap();
    assert_eq!((&exported["session_id"], messages.len()), (&json!(session), 4), "{exported}");
    assert_eq!((&messages[1]["feedback"]["rating"], &messages[0]["feedback"]), (&json!(4), &Value::Null));
    let plain = site.request(Method::GET, &format!("{export}?format=txt")).send().await.unwrap();
    assert!(plain.headers()["content-disposition"].to_str().unwrap().contains("conversation.txt"));
    assert!(plain.text().await.unwrap().contains(": first\n    line\n"));
    assert_eq!(site.get(&format!("{export}?format=xml"), "").await.0, 400);

    // Our own routes do the same for every room.
    let (_, alice) = site.register("alice").await;
    let (_, sent) = site.post("/api/rooms/general/messages", &alice, json!({ "message": "in public" })).await;
    let own = format!("/api/rooms/general/messages/{}/feedback", text(&sent["id"]));
    assert_eq!(site.post(&own, &alice, json!({ "rating": 9 })).await.0, 422);
    assert_eq!(site.post(&own, &alice, json!({ "rating": 3 })).await.0, 200);
    assert_eq!(site.post(&own, "", json!({ "rating": 3 })).await.0, 401);
    let (_, exported) = site.get("/api/rooms/general/export", &alice).await;
    assert_eq!((&exported["room"], &exported["messages"][0]["feedback"]["rating"]), (&json!("general"), &json!(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_uploaded_sent_and_read_by_those_who_may() {
    let site = site("max_file_mb: 1").await;
    let (_, alice) = site.register("alice").await;
    let (_, bob) = site.register("bob").await;
    let upload = async |token: &str, form: Form| {
        let request = site.request(Method::POST, "/chat/upload").multipart(form);
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let note = |bytes: Vec<u8>| Part::bytes(bytes).file_name("note.txt").mime_str("text/plain").unwrap();
    // The file may come before the session, which is created if there is none.
    let (status, file) = upload(&alice, Form::new().part("file", note(b"a secret".to_vec()))).await;
    assert_eq!((status, &file["filename"], &file["size"]), (200, &json!("note.txt"), &json!(8)), "{file}");
    assert_eq!((&file["analysis"], &file["thumbnail_url"]), (&json!({}), &Value::Null));
    let session = text(&file["session_id"]);
    let body = json!({ "message": "see", "session_id": session, "message_type": "file",
        "attachments": [{ "file_id": file["file_id"] }] });
    assert_eq!(site.post("/chat/message", &bob, body.clone()).await.0, 404);
    let (status, answer) = site.post("/chat/message", &alice, body.clone()).await;
    assert_eq!((status, content(&answer)), (StatusCode::OK, "heard see"));
    assert_eq!(site.post("/chat/message", &alice, body).await.0, 403, "a file belongs to one message");
    let (_, history) = site.get(&format!("/chat/history/{session}"), &alice).await;
    assert_eq!(history["messages"][0]["attachments"][0]["url"], file["url"], "{history}");
    let get = async |token: &str| {
        let request = site.request(Method::GET, &text(&file["url"]));
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        request.send().await.unwrap()
    };
    assert_eq!(get(&alice).await.text().await.unwrap(), "a secret");
    assert_eq!((get(&bob).await.status().as_u16(), get("").await.status().as_u16()), (404, 404));

    let named = |bytes| Form::new().text("session_id", session.clone()).part("file", note(bytes));
    assert_eq!(upload(&bob, named(b"x".to_vec())).await.0, 404);
    assert_eq!(upload(&alice, named(vec![7; (1 << 20) + 1])).await.0, 413);
    assert_eq!(upload(&alice, named(Vec::new())).await.0, 422);
    assert_eq!(upload(&alice, Form::new().text("session_id", session.clone())).await.0, 422);
    assert_eq!(upload(&alice, named(vec![7; 1 << 20])).await.0, 200);
    let path = format!("/chat/session/{session}");
    assert_eq!(site.call(Method::DELETE, &path, &alice, Value::Null).await.0, 200);
    assert_eq!(get(&alice).await.status(), 404, "the files of a deleted session are gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_have_a_summary_as_json() {
    let site = site("").await;
    say(&site, "", None, "hello").await;
    let answer = site.request(Method::GET, "/metrics").header("accept", "application/json").send().await.unwrap();
    let summary: Value = answer.json().await.unwrap();
    assert_eq!((&summary["total_tokens"], &summary["active_sessions"]), (&json!(0), &json!(0)), "{summary}");
    assert!(summary["total_requests"].as_u64().unwrap() >= 1 && summary["error_rate"] == 0.0, "{summary}");
    assert!(summary["average_response_time"].as_f64().unwrap() > 0.0, "{summary}");
}
