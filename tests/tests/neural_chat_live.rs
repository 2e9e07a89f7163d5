//! Sessions of Neural Chat Engine as they happen: server-sent events and WebSockets.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use palabre_tests::{Site, text};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const BOT: &str = r#"
function on_typing(event) event.room:send("typing seen") end
function on_message(event)
  if event.user.bot or event.text == "silent" then return end
  if event.text == "edit" then
    event.room:typing()
    local answer = event:reply("Good")
    sleep("1s")
    answer:edit("Good day")
    sleep("1s")
    answer:edit("Bye")
    sleep("1s")
    event:reply("done")
  else
    event:reply("heard " .. event.text)
  end
end
"#;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn site() -> Site {
    Site::new("limits: { logins: { burst: 1000, per_minute: 0 } }", &[("bot.luau", BOT)]).await
}

/// Opens a WebSocket, or returns the status of the refusal.
async fn open(site: &Site, session: &str, headers: &[(&'static str, String)]) -> Result<Socket, u16> {
    let mut request = format!("ws://{}/ws/chat/{session}", site.daemon.address).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

async fn send(socket: &mut Socket, frame: Value) {
    socket.send(Message::text(frame.to_string())).await.unwrap();
}

/// Returns the next frame of a type, and skips others.
async fn next(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let frame = tokio::time::timeout(Duration::from_secs(60), socket.next()).await.expect("a frame in time");
        let Message::Text(frame) = frame.expect("it is open").unwrap() else { continue };
        let frame: Value = serde_json::from_str(frame.as_str()).unwrap();
        if frame["type"] == kind {
            return frame;
        }
    }
}

/// Reads until the connection is closed. Returns the code, if there is one.
async fn closed(socket: &mut Socket) -> Option<u16> {
    loop {
        match tokio::time::timeout(Duration::from_secs(60), socket.next()).await.expect("an end in time") {
            Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return None,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_their_edits_are_streamed_and_a_client_that_goes_away_breaks_nothing() {
    let site = site().await;
    let stream = async |message: &str, session: Option<&str>| {
        let mut body = json!({ "message": message, "stream": true });
        if let Some(session) = session {
            body["session_id"] = json!(session);
        }
        site.request(Method::POST, "/chat/message").json(&body).send().await.unwrap()
    };
    let answer = stream("edit", None).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let body = answer.text().await.unwrap();
    let events: Vec<Value> = body
        .lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .map(|data| serde_json::from_str(data.trim()).unwrap())
        .collect();
    let chunks: Vec<&str> = events.iter().map(|event| event["chunk"].as_str().unwrap()).collect();
    assert_eq!(chunks, ["Good", " day", "Bye", "\n\ndone", ""], "{body}");
    let finals: Vec<bool> = events.iter().map(|event| event["is_final"] == true).collect();
    assert_eq!(finals, [false, false, false, false, true], "{body}");
    assert_eq!(events[2]["metadata"]["replaces"], true, "{body}");
    assert_eq!(events[4]["metadata"]["complete"], true, "{body}");

    // One that leaves in the middle.
    let session = text(&events[0]["session_id"]);
    let mut left = stream("edit", Some(&session)).await;
    left.chunk().await.unwrap();
    drop(left);
    let next = json!({ "message": "next", "session_id": session });
    palabre_tests::eventually(Duration::from_secs(60), "the next answer", async || {
        let (status, answer) = site.post("/chat/message", "", next.clone()).await;
        if status == 200 { Ok(()) } else { Err(answer.to_string()) }
    })
    .await;
    let silent = stream("silent", Some(&session)).await.text().await.unwrap();
    assert!(silent.contains("No bot has answered") && silent.contains("\"answered\":false"), "{silent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_talked_in_over_a_websocket() {
    let site = site().await;
    let mut socket = open(&site, "new", &[]).await.unwrap();
    let session = text(&next(&mut socket, "session").await["session_id"]);
    send(&mut socket, json!({ "type": "message", "content": "hello", "message_type": "text", "attachments": [] }))
        .await;
    let id = text(&next(&mut socket, "accepted").await["message_id"]);
    let response = next(&mut socket, "response").await;
    assert_eq!((&response["content"], &response["message_type"]), (&json!("heard hello"), &json!("text")));
    send(&mut socket, json!({ "type": "message", "content": "edit" })).await;
    assert_eq!(next(&mut socket, "typing").await["is_typing"], true);
    for said in ["Good", "Good day", "Bye", "done"] {
        assert_eq!(next(&mut socket, "response").await["content"], said);
    }
    send(&mut socket, json!({ "type": "message", "content": "silent" })).await;
    assert_eq!(next(&mut socket, "error").await["code"], 404);
    send(&mut socket, json!({ "type": "typing", "is_typing": true })).await;
    assert_eq!(next(&mut socket, "response").await["content"], "typing seen");
    for (frame, code) in [
        (json!({ "type": "message", "content": "x".repeat(5_001) }), 422),
        (json!({ "type": "message", "content": "" }), 422),
        (json!({ "type": "telepathy" }), 400),
        (json!(["message"]), 400),
    ] {
        send(&mut socket, frame.clone()).await;
        let error = next(&mut socket, "error").await;
        assert!(error["code"] == code && error["error"].is_string(), "{frame}: {error}");
    }
    socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(next(&mut socket, "error").await["code"], 400);
    let (_, history) = site.get(&format!("/chat/history/{session}"), "").await;
    assert_eq!(history["messages"][0]["id"], json!(id), "{history}");
    let path = format!("/chat/session/{session}");
    let (_, deleted) = site.call(Method::DELETE, &path, "", Value::Null).await;
    assert_eq!(deleted["success"], true);
    assert_eq!(closed(&mut socket).await, Some(1013));
    assert_eq!(open(&site, &session, &[]).await.err(), Some(404));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_of_an_account_is_for_that_account_and_ends_with_its_session() {
    let site = site().await;
    let (_, alice) = site.register("alice").await;
    let (_, bob) = site.register("bob").await;
    let bearer = |token: &str| vec![("authorization", format!("Bearer {token}"))];
    let mut socket = open(&site, "new", &bearer(&alice)).await.unwrap();
    let session = text(&next(&mut socket, "session").await["session_id"]);
    assert_eq!(open(&site, &session, &bearer(&bob)).await.err(), Some(404));
    assert_eq!(open(&site, &session, &[]).await.err(), Some(401));
    // A page of another site has the cookie, and may not use it.
    let cookie = ("cookie", format!("palabre_session={alice}"));
    let own = ("origin", format!("http://{}", site.daemon.address));
    assert!(open(&site, &session, &[cookie.clone(), own]).await.is_ok());
    let strange = ("origin", "http://elsewhere.example".to_owned());
    assert_eq!(open(&site, &session, &[cookie, strange]).await.err(), Some(403));
    assert_eq!(site.get(&format!("/ws/chat/{session}"), &alice).await.0, 400, "this is no WebSocket");
    assert_eq!(site.post("/api/auth/logout", &alice, Value::Null).await.0, 204);
    assert_eq!(closed(&mut socket).await, Some(1008));
}

#[tokio::test(flavor = "multi_thread")]
async fn websockets_count_as_connections_and_end_at_shutdown() {
    let site = Site::new("max_connections: 1", &[("bot.luau", BOT)]).await;
    let mut socket = open(&site, "new", &[]).await.unwrap();
    next(&mut socket, "session").await;
    assert_eq!(open(&site, "new", &[]).await.err(), Some(503));
    let Site { daemon, project, .. } = site;
    let stopped = async { assert!(daemon.stop().await, "{}", project.log()) };
    let (code, ()) = futures_util::future::join(closed(&mut socket), stopped).await;
    assert_eq!(code, Some(1001));
}
