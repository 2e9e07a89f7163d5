//! Rate limits for messages.

use std::time::Duration;

use palabre_tests::telegram::{Fault, Limit, Limits, Options};
use serde_json::json;

use crate::bot::{Bot, quick};
use crate::passing::pass;

#[tokio::test]
async fn too_many_in_one_chat_have_to_wait_and_others_do_not() {
    let limits = Limits { chat: Limit::new(3, 900), ..Limits::none() };
    let Some(bot) = Bot::start_with(Options { limits, ..quick() }).await else { return };
    for text in ["1", "2", "3"] {
        bot.says("Village", text).await;
    }
    let fourth = json!({ "chat_id": bot.stand_in.chat("Village"), "text": "4" });
    let (status, answer) = bot.call("sendMessage", fourth.clone()).await;
    assert_eq!((status, &answer["description"]), (429, &json!("Too Many Requests: retry after 1")));
    assert_eq!(answer["parameters"]["retry_after"], 1);
    bot.says("Hamlet", "elsewhere").await;
    pass(Duration::from_secs(1)).await;
    bot.ok("sendMessage", fourth).await;
    assert_eq!((bot.stand_in.counters().overruns, bot.stand_in.violations().len()), (1, 0));
}

#[tokio::test]
async fn a_group_has_a_limit_of_its_own_and_all_chats_together_have_one() {
    let limits = Limits { chat: Limit::new(1_000, 1), overall: Limit::new(23, 60_000), ..Limits::default() };
    let Some(bot) = Bot::start_with(Options { limits, ..quick() }).await else { return };
    bot.stand_in.starts("alice", "");
    for number in 0..20 {
        bot.says("Village", &number.to_string()).await;
    }
    let (status, answer) =
        bot.call("sendMessage", json!({ "chat_id": bot.stand_in.chat("Village"), "text": "21" })).await;
    assert_eq!(status, 429);
    assert!((55..=60).contains(&answer["parameters"]["retry_after"].as_u64().unwrap()), "{answer}");
    for number in 0..3 {
        bot.says("@alice", &number.to_string()).await;
    }
    assert_eq!(bot.call("sendMessage", json!({ "chat_id": bot.stand_in.user("alice"), "text": "4" })).await.0, 429);
    assert_eq!(bot.call("getMe", json!({})).await.0, 200);
    assert_eq!(bot.stand_in.counters().overruns, 2);
    let scaled = Limits::default().scaled(0.01);
    assert_eq!((scaled.group.count, scaled.group.per.as_millis()), (20, 600));
}

#[tokio::test]
async fn calls_before_a_429_allows_them_are_counted() {
    let Some(bot) = Bot::start().await else { return };
    bot.stand_in.fault_next("sendMessage", Fault::TooMany);
    let hello = json!({ "chat_id": bot.stand_in.chat("Village"), "text": "hello" });
    assert_eq!(bot.call("sendMessage", hello.clone()).await.0, 429);
    pass(Duration::from_millis(150)).await;
    assert_eq!(bot.call("sendMessage", hello.clone()).await.0, 429);
    bot.says("Hamlet", "elsewhere").await;
    pass(Duration::from_millis(1_000)).await;
    bot.ok("sendMessage", hello).await;
    let counters = bot.stand_in.counters();
    assert_eq!((counters.faults, counters.overruns, counters.hasty), (1, 1, 1));
}
