//! Messages: sending, editing and deleting.

use palabre_tests::telegram::MessageRef;
use serde_json::{Value, json};

use crate::bot::Bot;

#[tokio::test]
async fn a_text_has_a_length_and_its_entities_lie_inside_it() {
    let Some(bot) = Bot::start().await else { return };
    let chat = bot.stand_in.chat("Village");
    let text = |text: &str| json!({ "chat_id": chat, "text": text });
    bot.ok("sendMessage", text(&"🎲".repeat(2_048))).await;
    assert_eq!(bot.refused("sendMessage", text(&"🎲".repeat(2_049))).await, "Bad Request: message is too long");
    assert_eq!(bot.refused("sendMessage", text(" \n ")).await, "Bad Request: message text is empty");
    let bold = |offset: i64, length: i64| {
        let entity = json!({ "type": "bold", "offset": offset, "length": length });
        json!({ "chat_id": chat, "text": "🎲 six", "entities": [entity] })
    };
    assert_eq!(bot.ok("sendMessage", bold(0, 6)).await["entities"][0]["length"], 6);
    for (offset, length) in [(0, 7), (1, 3), (0, 1), (-1, 2), (3, 0)] {
        let refused = bot.refused("sendMessage", bold(offset, length)).await;
        assert!(refused.starts_with("Bad Request: can't parse entities"), "{refused}");
    }
    let html = |text: &str| json!({ "chat_id": chat, "parse_mode": "HTML", "text": text });
    let said = bot.ok("sendMessage", html("<b>2 &lt; <i>3</i></b> <a href=\"https://palabre.invalid\">x</a>")).await;
    assert_eq!(said["text"], "2 < 3 x");
    let kinds: Vec<_> = said["entities"].as_array().unwrap().iter().map(|one| one["type"].clone()).collect();
    assert_eq!(kinds, ["bold", "italic", "text_link"]);
    assert_eq!(bot.ok("sendMessage", html("&#39;&#x27; &amp;&lt; &")).await["text"], "'' &< &");
    let refused = bot.refused("sendMessage", html("<b>open")).await;
    assert_eq!(refused, "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\"");
    assert!(
        bot.refused("sendMessage", html("<h1>x</h1>")).await.contains("Unsupported start tag \"h1\" at byte offset 0")
    );
    bot.refused("sendMessage", json!({ "chat_id": chat, "parse_mode": "MarkdownV2", "text": "x" })).await;
    assert!(bot.stand_in.violations().last().unwrap().reason.contains("use entities"));
    bot.end();
}

#[tokio::test]
async fn only_what_is_there_and_its_own_is_edited_and_only_to_something_else() {
    let Some(bot) = Bot::start().await else { return };
    let chat = bot.stand_in.chat("Village");
    let said = bot.says("Village", "one").await;
    let edit = |id: &Value, text: &str| json!({ "chat_id": chat, "message_id": id, "text": text });
    let edited = bot.ok("editMessageText", edit(&said["message_id"], "two")).await;
    assert!(edited["text"] == "two" && edited["edit_date"].is_u64(), "{edited}");
    let refused = bot.refused("editMessageText", edit(&said["message_id"], "two")).await;
    assert!(refused.starts_with("Bad Request: message is not modified: specified new message content"), "{refused}");
    assert_eq!(bot.refused("editMessageText", edit(&json!(999), "x")).await, "Bad Request: message to edit not found");
    let theirs = bot.stand_in.says("alice", "Village", "mine");
    assert_eq!(
        bot.refused("editMessageText", edit(&json!(theirs.id), "x")).await,
        "Bad Request: message can't be edited"
    );
    let caption = json!({ "chat_id": chat, "message_id": said["message_id"], "caption": "x" });
    assert_eq!(
        bot.refused("editMessageCaption", caption).await,
        "Bad Request: there is no caption in the message to edit"
    );
    let keyboard = json!({ "inline_keyboard": [[{ "text": "Go", "callback_data": "go" }]] });
    let markup = json!({ "chat_id": chat, "message_id": said["message_id"], "reply_markup": keyboard });
    assert_eq!(bot.ok("editMessageReplyMarkup", markup).await["reply_markup"], keyboard);
    let text = bot.ok("editMessageText", edit(&said["message_id"], "three")).await;
    assert_eq!(text["reply_markup"], Value::Null, "without a keyboard it loses its own");
    assert_eq!(bot.stand_in.texts("Village"), ["three"]);
    bot.end();
}

#[tokio::test]
async fn a_button_asks_the_bot_once_and_not_for_ever() {
    let Some(mut bot) = Bot::start().await else { return };
    let chat = bot.stand_in.chat("Village");
    let keyboard = |data: &str| json!({ "inline_keyboard": [[{ "text": "Go", "callback_data": data }]] });
    let ask = |markup: Value| json!({ "chat_id": chat, "text": "ready?", "reply_markup": markup });
    let said = bot.ok("sendMessage", ask(keyboard("go"))).await;
    let said = MessageRef { chat, id: said["message_id"].as_i64().unwrap() };
    let query = bot.stand_in.presses("bob", said, "Go");
    let told = bot.next("callback_query").await;
    assert_eq!((&told["id"], &told["data"], &told["message"]["text"]), (&json!(query), &json!("go"), &json!("ready?")));
    let answer = json!({ "callback_query_id": query, "text": "gone", "show_alert": true });
    bot.ok("answerCallbackQuery", answer.clone()).await;
    let seen = bot.stand_in.answered(&query).await;
    assert_eq!((seen.text.as_str(), seen.is_alert), ("gone", true));
    let stale = "Bad Request: query is too old and response timeout expired or query ID is invalid";
    assert_eq!(bot.refused("answerCallbackQuery", answer).await, stale);
    for data in ["", &"x".repeat(65)] {
        assert_eq!(bot.refused("sendMessage", ask(keyboard(data))).await, "Bad Request: BUTTON_DATA_INVALID");
    }
    let row = |count: usize| vec![json!({ "text": "x", "callback_data": "x" }); count];
    for rows in [vec![row(9)], vec![row(8); 13]] {
        bot.refused("sendMessage", ask(json!({ "inline_keyboard": rows }))).await;
    }
    bot.refused("sendMessage", ask(json!({ "inline_keyboard": [[{ "text": "x" }]] }))).await;
    assert_eq!(bot.stand_in.violations().len(), 5);
    bot.end();
}
