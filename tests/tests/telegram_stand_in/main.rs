//! The stand-in for Telegram enforces Telegram's rules, tested with third-party HTTP.

#![allow(clippy::unwrap_used, unreachable_pub, missing_docs, reason = "a test that cannot continue panics")]

mod bot;
mod chats;
mod doings;
mod media;
mod members;
mod messages;
mod pace;
#[path = "../passing/mod.rs"]
mod passing;
mod updates;

use bot::{Bot, quick};
use palabre_tests::telegram::Options;
use serde_json::json;

#[tokio::test]
async fn a_message_goes_in_and_an_answer_comes_out() {
    let Some(mut bot) = Bot::start().await else { return };
    assert_eq!(bot.ok("getMe", json!({})).await["username"], "palabre_bot");
    let asked = bot.stand_in.says("alice", "Village", "/roll@palabre_bot 20, @bob!");
    let message = bot.next("message").await;
    assert_eq!(
        (&message["text"], &message["from"]["first_name"]),
        (&json!("/roll@palabre_bot 20, @bob!"), &json!("Alice"))
    );
    let kinds: Vec<_> = message["entities"].as_array().unwrap().iter().map(|one| one["type"].clone()).collect();
    assert_eq!(kinds, ["bot_command", "mention"]);
    let reply =
        json!({ "chat_id": message["chat"]["id"], "text": " 17 \n", "reply_parameters": { "message_id": asked.id } });
    let said = bot.ok("sendMessage", reply).await;
    assert_eq!((&said["text"], &said["reply_to_message"]["text"]), (&json!("17"), &message["text"]));
    let post = bot.stand_in.hears("Village", "17").await;
    assert_eq!((post.reply_to(), post.method.as_str()), (Some(asked.id), "sendMessage"));
    bot.stand_in.edits(asked, "/roll 6");
    assert_eq!(bot.next("edited_message").await["text"], "/roll 6");
    assert!(bot.stand_in.violations().is_empty());
    bot.end();
}

#[tokio::test]
async fn calls_come_in_any_form_and_any_case() {
    let Some(bot) = Bot::start().await else { return };
    let chat = bot.stand_in.chat("Village").to_string();
    let keyboard = json!({ "inline_keyboard": [[{ "text": "Go", "callback_data": "go" }]] }).to_string();
    let pairs =
        [("chat_id", chat.as_str()), ("text", "form"), ("disable_notification", "True"), ("reply_markup", &keyboard)];
    let send = async |request: reqwest::RequestBuilder| {
        request.send().await.unwrap().json::<serde_json::Value>().await.unwrap()
    };
    assert_eq!(send(bot.http.post(bot.url("sendmessage")).form(&pairs)).await["ok"], true);
    assert_eq!(send(bot.http.get(bot.url("SENDMESSAGE")).query(&pairs)).await["ok"], true);
    let form =
        pairs.iter().fold(reqwest::multipart::Form::new(), |form, (name, value)| form.text(*name, (*value).to_owned()));
    assert_eq!(send(bot.http.post(bot.url("sendMessage")).multipart(form)).await["ok"], true);
    assert_eq!(bot.stand_in.texts("Village"), ["form"; 3]);
    assert_eq!(bot.stand_in.posted("Village")[2].buttons(), [["Go"]]);
    assert_eq!(bot.stand_in.counters().calls["sendMessage"], 3);
    bot.end();
}

#[tokio::test]
async fn a_call_that_violates_the_description_is_refused_with_the_reason() {
    let Some(bot) = Bot::start().await else { return };
    let chat = bot.stand_in.chat("Village");
    let bad = [
        ("sendMessage", json!({ "chat_id": chat }), "text: it is required"),
        ("sendMessage", json!({ "chat_id": chat, "text": 5 }), "text: 5 is not a string"),
        (
            "sendMessage",
            json!({ "chat_id": chat, "text": "x", "silent": true }),
            "silent: Telegram knows no such field",
        ),
        ("sendMessage", json!({ "chat_id": chat, "text": "x", "disable_notification": "true" }), "is not a boolean"),
        (
            "sendMessage",
            json!({ "chat_id": chat, "text": "x", "reply_markup": { "inline_keyboard": [[{ "text": 5 }]] } }),
            "reply_markup.inline_keyboard[0][0].text: 5 is not a string",
        ),
        (
            "setMessageReaction",
            json!({ "chat_id": chat, "message_id": 1, "reaction": [{ "type": "emoji", "emoji": 5 }] }),
            "reaction[0].emoji: 5 is not a string",
        ),
        ("setMyCommands", json!({ "commands": [], "scope": { "type": "village" } }), "scope.type: it has to be"),
        ("sendInvoice", json!({}), "it is required"),
        ("logOut", json!({}), "the stand-in does not know logOut"),
    ];
    for (method, body, reason) in &bad {
        let refused = bot.refused(method, body.clone()).await;
        assert!(refused.contains(reason), "{refused:?} does not say {reason:?}");
    }
    assert_eq!(
        bot.call("sendMassage", json!({})).await,
        (404, json!({ "ok": false, "error_code": 404, "description": "Not Found" }))
    );
    assert_eq!(bot.stand_in.violations().len(), bad.len() + 1);
    assert_eq!(bot.stand_in.violations()[1].method, "sendMessage");
    let url = format!("{}/bot1:wrong/getMe", bot.stand_in.api());
    let answer = bot.http.get(url).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 401);
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["description"], "Unauthorized");
}

#[tokio::test]
async fn in_privacy_mode_the_bot_hears_what_is_meant_for_it() {
    let Some(mut bot) = Bot::start_with(Options { reads_all: false, ..quick() }).await else { return };
    let own = bot.says("Hamlet", "hello").await;
    let own = palabre_tests::telegram::MessageRef {
        chat: bot.stand_in.chat("Hamlet"),
        id: own["message_id"].as_i64().unwrap(),
    };
    bot.stand_in.says("alice", "Hamlet", "not for the bot");
    bot.stand_in.says("alice", "Hamlet", "/roll@other_bot");
    let heard = ["/roll", "/roll@Palabre_bot 5", "ask @palabre_bot"];
    for text in heard {
        bot.stand_in.says("alice", "Hamlet", text);
    }
    bot.stand_in.replies("bob", own, "an answer");
    for text in heard.iter().chain(&["an answer"]) {
        assert_eq!(bot.next("message").await["text"], *text);
    }
    bot.stand_in.promotes_bot("Hamlet");
    bot.stand_in.says("alice", "Hamlet", "for everybody");
    assert_eq!(bot.next("message").await["text"], "for everybody");
    bot.end();
}

#[tokio::test]
async fn unknown_fields_may_be_anywhere() {
    let Some(mut bot) = Bot::start_with(Options { roughness: 1.0, ..quick() }).await else { return };
    let strange =
        |value: &serde_json::Value| value.as_object().unwrap().keys().any(|key| key.starts_with("unheard_of_"));
    bot.stand_in.says("alice", "Village", "hello");
    let message = bot.next("message").await;
    assert!(strange(&message) && strange(&message["from"]) && strange(&message["chat"]), "{message}");
    assert!(strange(&bot.says("Village", "hello").await));
    bot.end();
}

#[tokio::test]
async fn other_bots_are_not_heard_and_an_administrator_may_hide() {
    let Some(mut bot) = Bot::start().await else { return };
    bot.stand_in.bot_joins("other_bot", "Village");
    assert_eq!(bot.next("message").await["new_chat_members"][0]["is_bot"], true);
    bot.stand_in.says("other_bot", "Village", "beep");
    bot.stand_in.says_anonymously("olivia", "Village", "order!");
    let message = bot.next("message").await;
    assert_eq!((&message["text"], &message["sender_chat"]["title"]), (&json!("order!"), &json!("Village")));
    assert_eq!(message["from"]["username"], "GroupAnonymousBot");
    bot.end();
}
