//! Rules of the stand-in for Discord, tested with a third-party gateway client and HTTP.

#![allow(clippy::unwrap_used, dead_code, unreachable_pub, missing_docs, reason = "a test that cannot continue panics")]

mod discord_client;

use std::time::Duration;

use discord_client::{Bot, quick};
use futures_util::StreamExt;
use palabre_tests::discord::{Cut, Fault, Id, Options};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use twilight_gateway::{CloseFrame, Intents, ShardId};

#[tokio::test]
async fn a_session_is_resumed_with_exactly_what_was_missed() {
    let Some(mut bot) = Bot::start(quick(), Intents::all()).await else { return };
    let ready = bot.wait("READY").await;
    let guild = bot.wait("GUILD_CREATE").await;
    assert_eq!((&ready["guilds"][0]["id"], &guild["name"]), (&guild["id"], &json!("Village")));
    for (round, cut) in
        [Cut::Dirty, Cut::Clean, Cut::Reconnect, Cut::InvalidSession { resumable: true }].into_iter().enumerate()
    {
        bot.stand_in.says("alice", "general", &format!("before {round}"));
        assert_eq!(bot.wait("MESSAGE_CREATE").await["content"], format!("before {round}"));
        bot.stand_in.cut(cut);
        bot.stand_in.says("bob", "general", &format!("meanwhile {round}"));
        bot.stand_in.sends_direct("bob", &format!("in secret {round}"));
        for missed in ["meanwhile", "in secret"] {
            let event = bot.wait_for(|event| event["t"] == "MESSAGE_CREATE" || event["t"] == "READY").await;
            assert_eq!(event["content"], format!("{missed} {round}"));
        }
    }
    bot.wait("RESUMED").await;
    let counters = bot.stand_in.counters();
    assert_eq!((counters.identifies, counters.resumes), (1, 4));
}

#[tokio::test]
async fn a_silent_gateway_is_left_and_a_new_process_takes_the_session_up() {
    let options = Options { heartbeat: Duration::from_millis(200), ..quick() };
    let Some(mut bot) = Bot::start(options, Intents::all()).await else { return };
    bot.wait("GUILD_CREATE").await;
    bot.stand_in.asks_for_heartbeat();
    bot.wait_for(|event| event["op"] == 11).await;
    bot.stand_in.cut(Cut::Silence);
    bot.stand_in.says("alice", "general", "into the void");
    assert_eq!(bot.wait("MESSAGE_CREATE").await["content"], "into the void");
    let session = bot.shard.session().cloned();
    bot.shard = Bot::connect(&bot.stand_in, Intents::all(), ShardId::new(1, 2), None).await;
    bot.stand_in.says("alice", "general", "while it was dead");
    bot.shard = Bot::connect(&bot.stand_in, Intents::all(), ShardId::ONE, session).await;
    assert_eq!(bot.wait("MESSAGE_CREATE").await["content"], "while it was dead");
    bot.wait("RESUMED").await;
    assert_eq!((bot.stand_in.counters().identifies, bot.stand_in.counters().resumes), (1, 2));
}

#[tokio::test]
async fn shards_hear_of_their_own_guilds_and_members_come_on_request() {
    let Some(mut bot) = Bot::start(quick(), Intents::all()).await else { return };
    bot.wait("READY").await;
    let others: Vec<Id> = (0..6).map(|number| bot.stand_in.add_guild(&format!("Town {number}"))).collect();
    bot.stand_in.at(others[0]).crowd(2_500);
    bot.shard.close(CloseFrame::NORMAL);
    bot.shard = Bot::connect(&bot.stand_in, Intents::all(), ShardId::new(1, 2), None).await;
    let ready = bot.wait("READY").await;
    let mine: Vec<Id> = ready["guilds"].as_array().unwrap().iter().filter_map(|one| Id::of(one, "id")).collect();
    assert!(!mine.is_empty() && mine.iter().all(|guild| (guild.0 >> 22) % 2 == 1), "{mine:?}");
    bot.shard = Bot::connect(&bot.stand_in, Intents::all(), ShardId::ONE, None).await;
    bot.wait("READY").await;
    bot.shard.send(json!({ "op": 8, "d": { "guild_id": others[0], "query": "", "limit": 0 } }).to_string());
    let chunks = [bot.wait("GUILD_MEMBERS_CHUNK").await, bot.wait("GUILD_MEMBERS_CHUNK").await];
    assert_eq!(chunks[0]["members"].as_array().unwrap().len(), 1_000);
    assert_eq!((&chunks[1]["chunk_index"], &chunks[1]["chunk_count"]), (&json!(1), &json!(3)));
}

#[tokio::test]
async fn an_invalid_session_and_a_closed_one_are_begun_anew() {
    let Some(mut bot) = Bot::start(quick(), Intents::all()).await else { return };
    bot.wait("READY").await;
    bot.stand_in.cut(Cut::InvalidSession { resumable: false });
    bot.wait("READY").await;
    bot.shard.close(CloseFrame::NORMAL);
    bot.wait("READY").await;
    assert_eq!(bot.stand_in.counters().resumes, 0);
}

#[tokio::test]
async fn without_the_intent_there_is_no_text_and_a_forbidden_intent_ends_it() {
    let intents = Intents::GUILDS | Intents::GUILD_MESSAGES | Intents::DIRECT_MESSAGES;
    let Some(mut bot) = Bot::start(Options { privileged: 0, ..quick() }, intents).await else { return };
    bot.wait("GUILD_CREATE").await;
    bot.stand_in.says("alice", "general", "not for the bot");
    bot.stand_in.says("alice", "general", &format!("<@{}> hello", bot.stand_in.bot()));
    bot.stand_in.sends_direct("alice", "hello");
    for text in ["", &format!("<@{}> hello", bot.stand_in.bot()), "hello"] {
        assert_eq!(bot.wait("MESSAGE_CREATE").await["content"], text);
    }
    let Some(mut greedy) = Bot::start(Options { privileged: 0, ..quick() }, Intents::all()).await else { return };
    while greedy.shard.next().await.is_some() {}
    assert_eq!(greedy.stand_in.counters().closes, [4014]);
}

#[tokio::test]
async fn an_invalid_call_is_refused_with_the_reason() {
    let Some(bot) = Bot::start(quick(), Intents::GUILDS).await else { return };
    let bad = [
        (json!({ "content": 5 }), "content", "5 is not of types"),
        (json!({ "content": "a".repeat(2_001) }), "content", "2000 or fewer"),
        (json!({ "embeds": [{ "fields": [{ "name": "a".repeat(257), "value": "b" }] }] }), "embeds", "longer than 256"),
        (
            json!({ "components": [{ "type": 1, "components": [{ "type": 2, "style": 1, "label": "x" }] }] }),
            "components",
            "custom id",
        ),
    ];
    for (body, field, reason) in &bad {
        let (status, answer) = bot.says(body).await;
        assert_eq!((status, &answer["code"]), (400, &json!(50035)), "{answer}");
        assert!(answer["errors"][field].to_string().contains(reason), "{reason}: {answer}");
    }
    assert_eq!(bot.says(&json!({ "content": " " })).await.1["code"], 50006);
    assert_eq!(bot.call("GET", "/channels/1", &Value::Null).await.1["code"], 10003);
    assert_eq!(bot.call("GET", "/nothing/of/this", &Value::Null).await.0, 404);
    assert_eq!(bot.stand_in.violations().len(), bad.len() + 2);
}

#[tokio::test]
async fn a_nonce_is_taken_once_even_if_the_answer_was_lost() {
    let Some(bot) = Bot::start(quick(), Intents::GUILDS).await else { return };
    bot.stand_in.fault_next("create_message", Fault::CutAfter);
    let body = json!({ "content": "once", "nonce": "n1", "enforce_nonce": true });
    let url = format!("{}/api/v10/channels/{}/messages", bot.stand_in.api(), bot.stand_in.channel("general"));
    let token = format!("Bot {}", bot.stand_in.token());
    bot.http.post(url).header("authorization", token).json(&body).send().await.unwrap_err();
    let first = &bot.stand_in.posted("general")[0];
    assert_eq!(bot.says(&body).await.1["id"], first.id.to_string());
    assert_eq!(bot.stand_in.texts("general"), ["once"]);
}

#[tokio::test]
async fn files_come_with_a_form_and_can_be_fetched() {
    let Some(bot) = Bot::start(quick(), Intents::GUILDS).await else { return };
    let url = format!("{}/api/v10/channels/{}/messages", bot.stand_in.api(), bot.stand_in.channel("general"));
    let send = async |body: Value| {
        let file = Part::bytes(b"\x89PNG".to_vec()).file_name("a tree.png").mime_str("image/png").unwrap();
        let form = Form::new().text("payload_json", body.to_string()).part("files[0]", file);
        let request =
            bot.http.post(&url).header("authorization", format!("Bot {}", bot.stand_in.token())).multipart(form);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let said = send(json!({ "attachments": [{ "id": 0, "description": "A tree" }] })).await;
    let attachment = &said["attachments"][0];
    assert_eq!((&attachment["filename"], &attachment["description"]), (&json!("a tree.png"), &json!("A tree")));
    let fetched = bot.http.get(attachment["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(fetched.headers()["content-type"], "image/png");
    assert_eq!(fetched.bytes().await.unwrap(), &b"\x89PNG"[..]);
    assert_eq!(send(json!({ "attachments": [{ "id": 1 }] })).await["code"], 50035);
    assert_eq!(bot.stand_in.posted("general")[0].files[0].name, "a tree.png");
}

#[tokio::test]
async fn more_than_the_bucket_holds_is_an_overrun() {
    let Some(bot) = Bot::start(Options::default(), Intents::GUILDS).await else { return };
    for _ in 0..5 {
        assert_eq!(bot.says(&json!({ "content": "quick" })).await.0, 200);
    }
    let (status, answer) = bot.says(&json!({ "content": "too quick" })).await;
    assert!(status == 429 && answer["retry_after"].as_f64().unwrap() <= 2.0 && answer["global"] == false, "{answer}");
    assert_eq!(bot.stand_in.counters().overruns, 1);
}

#[tokio::test]
async fn an_interaction_is_answered_once_and_in_time() {
    let Some(mut bot) = Bot::start(Options { check_answers: true, ..quick() }, Intents::all()).await else { return };
    bot.wait("GUILD_CREATE").await;
    let sides = json!({ "type": 4, "name": "sides", "description": "How many", "required": true });
    let roll = json!({ "name": "roll", "description": "Roll a die", "options": [sides] });
    let (status, _) = bot.call("POST", &format!("/applications/{}/commands", bot.stand_in.bot()), &roll).await;
    assert_eq!(status, 201);
    let used = bot.stand_in.uses("alice", "general", "roll", &json!({ "sides": 6 }));
    let event = bot.wait("INTERACTION_CREATE").await;
    assert_eq!(event["data"]["options"][0]["value"], 6);
    let token = event["token"].as_str().unwrap();
    let callback = format!("/interactions/{used}/{token}/callback");
    let original = format!("/webhooks/{}/{token}/messages/@original", bot.stand_in.bot());
    assert_eq!(bot.call("PATCH", &original, &json!({ "content": "4" })).await.1["code"], 10015);
    assert_eq!(bot.call("POST", &callback, &json!({ "type": 5 })).await.0, 204);
    assert_eq!(bot.call("POST", &callback, &json!({ "type": 5 })).await.1["code"], 40060);
    let row = json!({ "type": 1, "components": [{ "type": 2, "style": 1, "label": "Again", "custom_id": "again" }] });
    let (status, said) = bot.call("PATCH", &original, &json!({ "content": "4", "components": [row] })).await;
    assert_eq!((status, bot.stand_in.answered(used).await.text()), (200, "4"));
    bot.stand_in.presses("alice", Id::of(&said, "id").unwrap(), "Again");
    assert_eq!(bot.wait("INTERACTION_CREATE").await["message"]["content"], "4");
    let unknown = "/interactions/1/nothing/callback";
    assert_eq!(bot.call("POST", unknown, &json!({ "type": 5 })).await.1["code"], 10062);
    assert_eq!(bot.stand_in.own_misfits(), Vec::<String>::new());
}
