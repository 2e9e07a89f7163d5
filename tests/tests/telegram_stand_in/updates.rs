//! Delivery of updates to the bot.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use palabre_tests::App;
use palabre_tests::telegram::{Fault, Options};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::bot::{Bot, quick};

#[tokio::test]
async fn unconfirmed_updates_come_again_and_an_offset_confirms() {
    let Some(mut bot) = Bot::start().await else { return };
    for text in ["one", "two", "three"] {
        bot.stand_in.says("alice", "Village", text);
    }
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|one| one["message"]["text"].as_str().unwrap().to_owned()).collect()
    };
    let first = bot.ok("getUpdates", json!({ "limit": 2 })).await;
    assert_eq!(texts(&first), ["one", "two"]);
    let id = first[0]["update_id"].as_i64().unwrap();
    assert_eq!(texts(&bot.ok("getUpdates", json!({ "offset": id + 1 })).await), ["two", "three"]);
    let counters = bot.stand_in.counters();
    assert_eq!((counters.given, counters.confirmed, counters.duplicates, bot.stand_in.pending()), (3, 1, 1, 2));
    assert_eq!(texts(&bot.ok("getUpdates", json!({ "offset": -1 })).await), ["three"]);
    assert_eq!(texts(&bot.ok("getUpdates", json!({ "offset": id + 3 })).await), Vec::<String>::new());
    bot.stand_in.confirmed().await;
    bot.stand_in.raw(json!({ "message": { "strange": true } }));
    assert_eq!(bot.updates().await[0]["message"], json!({ "strange": true }));
    bot.end();
}

#[tokio::test]
async fn a_long_poll_wakes_at_once_and_the_newer_ends_the_older() {
    let Some(bot) = Bot::start().await else { return };
    let bot = Arc::new(bot);
    let mut polls = JoinSet::new();
    let poll = |bot: &Arc<Bot>| {
        let bot = Arc::clone(bot);
        async move { bot.call("getUpdates", json!({ "timeout": 30 })).await }
    };
    polls.spawn(poll(&bot));
    bot.stand_in.counts("the first poll", |counters| counters.calls.get("getUpdates") == Some(&1)).await;
    polls.spawn(poll(&bot));
    let (status, answer) = polls.join_next().await.unwrap().unwrap();
    assert_eq!(status, 409);
    let why = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
    assert_eq!(answer["description"], why);
    bot.stand_in.says("alice", "Village", "good morning");
    let (_, answer) = polls.join_next().await.unwrap().unwrap();
    assert_eq!(answer["result"][0]["message"]["text"], "good morning");
    bot.ok("getUpdates", json!({ "offset": -1 })).await;
    let last = bot.ok("getUpdates", json!({})).await[0]["update_id"].as_i64().unwrap();
    let empty = bot.ok("getUpdates", json!({ "offset": last + 1, "timeout": 1 })).await;
    assert_eq!(empty, json!([]));
}

#[tokio::test]
async fn a_cut_breaks_a_long_poll_and_faults_lose_answers() {
    let Some(bot) = Bot::start().await else { return };
    let request = bot.http.post(bot.url("getUpdates")).json(&json!({ "timeout": 30 }));
    let mut polls = JoinSet::new();
    polls.spawn(request.send());
    bot.stand_in.counts("a poll", |counters| counters.calls.contains_key("getUpdates")).await;
    bot.stand_in.cut();
    polls.join_next().await.unwrap().unwrap().unwrap_err();
    let send = async |text: &str| {
        let body = json!({ "chat_id": bot.stand_in.chat("Village"), "text": text });
        bot.http.post(bot.url("sendMessage")).json(&body).send().await?.text().await
    };
    let next = |fault| bot.stand_in.fault_next("sendMessage", fault);
    next(Fault::CutBefore);
    send("not done").await.unwrap_err();
    next(Fault::CutAfter);
    send("done").await.unwrap_err();
    next(Fault::Truncated);
    let error = send("done too").await.unwrap_err();
    assert!(error.is_body() || error.is_decode(), "the answer had begun: {error:?}");
    next(Fault::BadGateway);
    assert!(send("not done").await.unwrap().starts_with("<html>"));
    next(Fault::Broken);
    assert!(send("not done").await.unwrap().contains("Internal Server Error"));
    next(Fault::TooMany);
    let (status, answer) = bot.call("sendMessage", json!({ "chat_id": 1, "text": "x" })).await;
    assert_eq!((status, &answer["parameters"]["retry_after"]), (429, &json!(1)));
    next(Fault::Slow);
    assert!(send("late").await.unwrap().contains("late"));
    assert_eq!(bot.stand_in.texts("Village"), ["done", "done too", "late"]);
    assert_eq!(bot.stand_in.counters().faults, 7);
    bot.stand_in.faults_of(1.0, &[Fault::Broken]);
    assert_eq!(bot.call("getMe", json!({})).await.0, 500);
}

#[tokio::test]
async fn a_bot_receives_only_the_updates_that_it_requested() {
    let Some(mut bot) = Bot::start().await else { return };
    let said = bot.stand_in.says("alice", "Village", "hello");
    bot.stand_in.reacts("bob", said, "👍");
    bot.stand_in.joins("carol", "Village");
    let kinds = |list: &[Value]| -> Vec<String> {
        let other = |one: &Value| {
            one.as_object().unwrap().keys().find(|key| *key != "update_id" && !key.starts_with("unheard")).cloned()
        };
        list.iter().filter_map(other).collect()
    };
    assert_eq!(kinds(&bot.updates().await), ["message", "message"], "messages and joins");
    bot.ok("getUpdates", json!({ "allowed_updates": ["message_reaction", "chat_member"] })).await;
    bot.stand_in.reacts("alice", said, "🔥");
    bot.stand_in.says("alice", "Village", "not asked for");
    bot.stand_in.leaves("carol", "Village");
    let list = bot.updates().await;
    assert_eq!(kinds(&list), ["message_reaction", "chat_member"], "as remembered");
    assert_eq!(list[0]["message_reaction"]["new_reaction"][0]["emoji"], "🔥");
    bot.refused("getUpdates", json!({ "allowed_updates": ["reactions"] })).await;
    bot.ok("getUpdates", json!({ "allowed_updates": [] })).await;
    bot.stand_in.reacts("alice", said, "👎");
    bot.stand_in.says("alice", "Village", "heard again");
    assert_eq!(bot.next("message").await["text"], "heard again");
    bot.end();
}

/// The posts that a webhook received: secret and update.
type Got = Arc<Mutex<Vec<(String, Value)>>>;

/// Runs a bot's server, which answers with these statuses, then with 200.
async fn serve(statuses: &[u16]) -> (App, Got) {
    let got = Got::default();
    let (kept, statuses) = (Arc::clone(&got), Arc::new(Mutex::new(statuses.iter().copied().collect::<VecDeque<_>>())));
    let take = move |headers: HeaderMap, Json(update): Json<Value>| {
        let secret = headers.get("x-telegram-bot-api-secret-token").map(|secret| secret.to_str().unwrap().to_owned());
        kept.lock().unwrap().push((secret.unwrap_or_default(), update));
        let status = statuses.lock().unwrap().pop_front().unwrap_or(200);
        async move { StatusCode::from_u16(status).unwrap() }
    };
    (App::serve(Router::new().route("/hook", post(take))).await, got)
}

#[tokio::test]
async fn a_webhook_gets_updates_in_order_and_again_after_a_failure() {
    let options = Options { webhook_pause: Duration::from_millis(10), ..quick() };
    let Some(bot) = Bot::start_with(options).await else { return };
    let (app, got) = serve(&[200, 500, 503]).await;
    let url = format!("http://{}/hook", app.address);
    bot.stand_in.says("alice", "Village", "dropped");
    let hook = json!({ "url": url, "secret_token": "s3cret", "drop_pending_updates": true });
    bot.ok("setWebhook", hook).await;
    for text in ["one", "two", "three"] {
        bot.stand_in.says("alice", "Village", text);
    }
    bot.stand_in.confirmed().await;
    let texts: Vec<_> = got.lock().unwrap().iter().map(|(_, update)| update["message"]["text"].clone()).collect();
    assert_eq!(texts, ["one", "two", "two", "two", "three"]);
    assert!(got.lock().unwrap().iter().all(|(secret, _)| secret == "s3cret"));
    let counters = bot.stand_in.counters();
    assert_eq!((counters.webhook_posts, counters.webhook_failures, counters.dropped), (5, 2, 1));
    let conflict =
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
    assert_eq!(bot.refused("getUpdates", json!({})).await, conflict);
    assert_eq!(bot.ok("getWebhookInfo", json!({})).await["url"], url);
    bot.ok("deleteWebhook", json!({})).await;
    assert_eq!(bot.ok("getWebhookInfo", json!({})).await["url"], "");
    bot.stand_in.says("alice", "Village", "by poll");
    assert_eq!(bot.ok("getUpdates", json!({})).await[0]["message"]["text"], "by poll");
    bot.refused("setWebhook", json!({ "url": "http://example.com/" })).await;
    bot.refused("setWebhook", json!({ "url": url, "secret_token": "a b" })).await;
    assert_eq!(bot.stand_in.violations().len(), 2);
    bot.end();
}

#[tokio::test]
async fn a_webhook_that_is_set_ends_a_poll() {
    let Some(bot) = Bot::start().await else { return };
    let request = bot.http.post(bot.url("getUpdates")).json(&json!({ "timeout": 30 }));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { request.send().await.unwrap().json::<Value>().await.unwrap() });
    bot.stand_in.counts("a poll", |counters| counters.calls.contains_key("getUpdates")).await;
    bot.ok("setWebhook", json!({ "url": "http://127.0.0.1:9/" })).await;
    let answer = tasks.join_next().await.unwrap().unwrap();
    assert_eq!(answer["description"], "Conflict: terminated by setWebhook request");
    bot.stand_in.says("alice", "Village", "to nobody");
    bot.stand_in.counts("a failure", |counters| counters.webhook_failures > 0).await;
    assert_eq!(bot.stand_in.webhook()["last_error_message"], "Connection refused");
}

#[tokio::test]
async fn a_patient_bot_answers_everything_through_a_storm() {
    const MESSAGES: usize = 60;
    let Some(bot) = Bot::start().await else { return };
    let stand_in = bot.stand_in.clone();
    stand_in.faults_of(0.3, &[Fault::Broken, Fault::BadGateway, Fault::CutBefore, Fault::CutAfter, Fault::Truncated]);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let call = async |method: &str, body: Value| loop {
            let sent = bot.http.post(bot.url(method)).json(&body).send().await;
            let Ok(response) = sent else { continue };
            match response.json::<Value>().await {
                Ok(answer) if answer["ok"] == true => return answer["result"].clone(),
                _ => {}
            }
        };
        let mut offset = 0;
        loop {
            let list = call("getUpdates", json!({ "offset": offset, "timeout": 5 })).await;
            for update in list.as_array().unwrap() {
                let message = &update["message"];
                let echo = json!({ "chat_id": message["chat"]["id"], "text": message["text"] });
                call("sendMessage", echo).await;
                offset = update["update_id"].as_i64().unwrap() + 1;
            }
        }
    });
    for number in 0..MESSAGES {
        stand_in.says("alice", "Village", &format!("message {number}."));
        if number % 20 == 7 {
            stand_in.cut();
        }
    }
    stand_in.confirmed().await;
    let texts = stand_in.texts("Village");
    for number in 0..MESSAGES {
        assert!(texts.contains(&format!("message {number}.")), "{number} is lost");
    }
    let counters = stand_in.counters();
    assert_eq!(
        (counters.updates, counters.given, counters.confirmed),
        (MESSAGES as u64, MESSAGES as u64, MESSAGES as u64)
    );
    assert!(counters.faults > 10 && texts.len() > MESSAGES, "answers were lost, so messages were repeated");
}
