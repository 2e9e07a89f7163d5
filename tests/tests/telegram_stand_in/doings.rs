//! Other actions of a bot: answers, reactions, pins, copies, commands, inline queries.

use std::sync::Arc;
use std::time::Duration;

use palabre_platform::VirtualClock;
use palabre_tests::telegram::{MessageRef, Options};
use serde_json::{Value, json};

use crate::bot::{Bot, quick};

#[tokio::test]
async fn old_messages_cannot_be_deleted_nor_old_presses_answered() {
    let clock = VirtualClock::new(1_790_000_000_000);
    let Some(bot) = Bot::start_with(Options { clock: Arc::new(clock.clone()), ..quick() }).await else { return };
    let supergroup = bot.stand_in.chat("Village");
    let theirs = bot.stand_in.says("alice", "Village", "hello");
    let keyboard = json!({ "inline_keyboard": [[{ "text": "Go", "callback_data": "go" }]] });
    let said = bot.ok("sendMessage", json!({ "chat_id": supergroup, "text": "x", "reply_markup": keyboard })).await;
    let query =
        bot.stand_in.presses("bob", MessageRef { chat: supergroup, id: said["message_id"].as_i64().unwrap() }, "go");
    clock.advance(Duration::from_secs(16));
    let stale = bot.refused("answerCallbackQuery", json!({ "callback_query_id": query })).await;
    assert!(stale.starts_with("Bad Request: query is too old"));
    clock.advance(Duration::from_secs(48 * 3_600));
    let old = bot.refused("deleteMessage", json!({ "chat_id": supergroup, "message_id": theirs.id })).await;
    assert_eq!(old, "Bad Request: message can't be deleted for everyone");
    assert_eq!(bot.stand_in.pending(), 2, "updates are kept for a day");
    assert_eq!(bot.ok("getUpdates", json!({ "offset": 0 })).await, json!([]));
    let fresh: Vec<i64> = (0..3).map(|_| bot.stand_in.says("bob", "Village", "x").id).collect();
    let many = |ids: Vec<i64>| json!({ "chat_id": supergroup, "message_ids": ids });
    bot.ok("deleteMessages", many([fresh.clone(), vec![999]].concat())).await;
    assert!(fresh.iter().all(|id| bot.stand_in.message(MessageRef { chat: supergroup, id: *id }).is_null()));
    let gone = bot.refused("deleteMessage", json!({ "chat_id": supergroup, "message_id": fresh[0] })).await;
    assert_eq!(gone, "Bad Request: message to delete not found");
    for ids in [vec![], (0..101).collect()] {
        bot.refused("deleteMessages", many(ids)).await;
    }
    assert_eq!(bot.stand_in.violations().len(), 2);
    bot.end();
}

#[tokio::test]
async fn a_bot_reacts_with_one_emoji_of_the_list() {
    let Some(mut bot) = Bot::start().await else { return };
    bot.asks_for_all().await;
    let said = bot.stand_in.says("alice", "Village", "hello");
    let react = |emoji: &[&str]| {
        let all: Vec<_> = emoji.iter().map(|one| json!({ "type": "emoji", "emoji": one })).collect();
        json!({ "chat_id": said.chat, "message_id": said.id, "reaction": all })
    };
    bot.ok("setMessageReaction", react(&["👍"])).await;
    assert_eq!(bot.stand_in.reactions(said), [("palabre_bot".to_owned(), "👍".to_owned())]);
    bot.ok("setMessageReaction", react(&[])).await;
    assert!(bot.stand_in.reactions(said).is_empty());
    assert_eq!(bot.refused("setMessageReaction", react(&["🍕"])).await, "Bad Request: REACTION_INVALID");
    assert_eq!(bot.refused("setMessageReaction", react(&["👍", "👎"])).await, "Bad Request: REACTIONS_TOO_MANY");
    assert_eq!(bot.stand_in.violations().len(), 2);
    bot.stand_in.reacts("bob", said, "🔥");
    let told = bot.next("message_reaction").await;
    assert_eq!((&told["old_reaction"], &told["new_reaction"][0]["emoji"]), (&json!([]), &json!("🔥")));
    let post = bot.stand_in.says("olivia", "News", "it rains");
    bot.stand_in.reacts("bob", post, "🔥");
    assert_eq!(bot.next("message_reaction_count").await["reactions"][0]["total_count"], 1);
    bot.end();
}

#[tokio::test]
async fn messages_are_pinned_copied_forwarded_and_quoted() {
    let Some(mut bot) = Bot::start().await else { return };
    let said = bot.stand_in.says("alice", "Village", "one two three");
    let at = json!({ "chat_id": said.chat, "message_id": said.id });
    bot.ok("pinChatMessage", at.clone()).await;
    bot.next("message").await;
    assert_eq!(bot.next("message").await["pinned_message"]["message_id"], said.id);
    assert_eq!(bot.stand_in.pinned("Village"), [said.id]);
    bot.ok("unpinChatMessage", at.clone()).await;
    assert_eq!(bot.refused("unpinChatMessage", at).await, "Bad Request: message to unpin not found");
    bot.ok("unpinAllChatMessages", json!({ "chat_id": said.chat })).await;
    let hamlet = bot.stand_in.chat("Hamlet");
    let pass = json!({ "chat_id": hamlet, "from_chat_id": said.chat, "message_id": said.id });
    let forwarded = bot.ok("forwardMessage", pass.clone()).await;
    assert_eq!(forwarded["forward_origin"]["sender_user"]["username"], "alice");
    bot.ok("copyMessage", pass).await;
    assert_eq!(bot.stand_in.texts("Hamlet"), ["one two three"; 2]);
    let missing = json!({ "chat_id": hamlet, "from_chat_id": said.chat, "message_id": 999 });
    assert_eq!(bot.refused("copyMessage", missing).await, "Bad Request: message to copy not found");
    let reply = |more: Value| json!({ "chat_id": said.chat, "text": "x", "reply_parameters": more });
    let quoted = bot.ok("sendMessage", reply(json!({ "message_id": said.id, "quote": "two" }))).await;
    assert_eq!(quoted["quote"], json!({ "text": "two", "position": 4, "is_manual": true }));
    let gone = bot.refused("sendMessage", reply(json!({ "message_id": 999 }))).await;
    assert_eq!(gone, "Bad Request: message to be replied not found");
    bot.ok("sendMessage", reply(json!({ "message_id": 999, "allow_sending_without_reply": true }))).await;
    bot.stand_in.replies_to_quote("bob", said, "three", "indeed");
    assert_eq!(bot.next("message").await["quote"]["position"], 8);
    bot.stand_in.forwards("bob", said, "Hamlet");
    assert_eq!(bot.next("message").await["forward_origin"]["type"], "user");
    bot.end();
}

#[tokio::test]
async fn commands_are_registered_by_scope_and_language() {
    let Some(bot) = Bot::start().await else { return };
    let list = |name: &str, description: &str| json!([{ "command": name, "description": description }]);
    let supergroup = bot.stand_in.chat("Village");
    bot.ok("setMyCommands", json!({ "commands": list("roll", "Roll a die") })).await;
    let scope = json!({ "type": "chat", "chat_id": supergroup });
    let of_chat = json!({ "commands": list("lanza", "Lanza un dado"), "scope": scope, "language_code": "es" });
    bot.ok("setMyCommands", of_chat).await;
    assert_eq!(bot.stand_in.commands("default", "")[0]["command"], "roll");
    assert_eq!(bot.stand_in.commands(&format!("chat:{supergroup}"), "es")[0]["command"], "lanza");
    let admins = json!({ "type": "all_chat_administrators" });
    bot.ok("setMyCommands", json!({ "commands": list("ban", "Ban somebody"), "scope": admins })).await;
    bot.stand_in.speaks("bob", "es");
    assert_eq!(bot.stand_in.sees_commands("alice", "Village"), ["roll"]);
    assert_eq!(bot.stand_in.sees_commands("olivia", "Village"), ["ban"]);
    assert_eq!(bot.stand_in.sees_commands("bob", "Village"), ["lanza"]);
    assert_eq!(bot.stand_in.sees_commands("bob", "@bob"), ["roll"]);
    bot.ok("deleteMyCommands", json!({ "scope": admins })).await;
    let asked = json!({ "scope": { "type": "chat", "chat_id": supergroup }, "language_code": "es" });
    assert_eq!(bot.ok("getMyCommands", asked.clone()).await[0]["command"], "lanza");
    bot.ok("deleteMyCommands", asked).await;
    assert_eq!(bot.stand_in.command_scopes(), [("default".to_owned(), String::new())]);
    let long = "x".repeat(257);
    for (name, description) in [("Roll", "x"), ("", "x"), ("a-b", "x"), ("roll", ""), ("roll", &long)] {
        bot.refused("setMyCommands", json!({ "commands": list(name, description) })).await;
    }
    let many: Vec<_> = (0..101).map(|number| json!({ "command": format!("c{number}"), "description": "x" })).collect();
    bot.refused("setMyCommands", json!({ "commands": many })).await;
    assert_eq!(bot.stand_in.violations().len(), 6);
    bot.ok("setMyDescription", json!({ "description": "Talks." })).await;
    assert_eq!(bot.ok("getMyDescription", json!({})).await["description"], "Talks.");
    bot.end();
}

#[tokio::test]
async fn an_inline_query_is_answered_and_a_result_taken() {
    let Some(mut bot) = Bot::start().await else { return };
    let query = bot.stand_in.inline_query("alice", "tree");
    assert_eq!(bot.next("inline_query").await["query"], "tree");
    let content = json!({ "message_text": "🌳" });
    let article =
        |id: &str| json!({ "type": "article", "id": id, "title": "A tree", "input_message_content": content });
    let answer = |results: Value| json!({ "inline_query_id": query, "results": results });
    bot.refused("answerInlineQuery", answer(json!([article("1"), article("1")]))).await;
    bot.refused("answerInlineQuery", answer(json!([{ "type": "article", "id": "1", "title": "x" }]))).await;
    bot.ok("answerInlineQuery", answer(json!([article("1")]))).await;
    assert_eq!(bot.stand_in.inline_answer(&query).await["results"][0]["id"], "1");
    bot.stand_in.takes_result(&query, "1", "Village");
    let message = bot.next("message").await;
    assert_eq!((&message["text"], &message["via_bot"]["username"]), (&json!("🌳"), &json!("palabre_bot")));
    assert_eq!(bot.next("chosen_inline_result").await["result_id"], "1");
    assert!(bot.refused("answerInlineQuery", answer(json!([]))).await.contains("query is too old"));
    bot.end();
}

#[tokio::test]
async fn a_bot_is_seen_typing() {
    let Some(bot) = Bot::start().await else { return };
    let act = |action: &str| json!({ "chat_id": bot.stand_in.chat("Village"), "action": action });
    bot.ok("sendChatAction", act("typing")).await;
    bot.refused("sendChatAction", act("thinking")).await;
    let seen = bot.stand_in.actions();
    assert_eq!((seen.len(), seen[0].action.as_str(), seen[0].thread), (1, "typing", None));
    bot.end();
}

#[tokio::test]
async fn captions_change_and_reactions_go() {
    let Some(mut bot) = Bot::start().await else { return };
    bot.asks_for_all().await;
    let sent = bot.stand_in.posts_files("alice", "Village", json!({}), &[("photo", "cat.jpg", "image/jpeg", b"cat")]);
    let photo = bot.next("message").await["photo"][2]["file_id"].clone();
    let said = bot.ok("sendPhoto", json!({ "chat_id": sent[0].chat, "photo": photo, "caption": "a dog" })).await;
    let edit = json!({ "chat_id": sent[0].chat, "message_id": said["message_id"], "caption": "a cat" });
    assert_eq!(bot.ok("editMessageCaption", edit).await["caption"], "a cat");
    assert_eq!(bot.stand_in.texts("Village"), ["a cat"]);
    bot.stand_in.edits_to(sent[0], json!({ "caption": "my cat" }));
    assert_eq!(bot.next("edited_message").await["caption"], "my cat");
    bot.stand_in.reacts("bob", sent[0], "🔥");
    bot.stand_in.unreacts("bob", sent[0], "🔥");
    bot.next("message_reaction").await;
    assert_eq!(bot.next("message_reaction").await["new_reaction"], json!([]));
    let photos = json!({ "user_id": bot.stand_in.user("alice") });
    assert_eq!(bot.ok("getUserProfilePhotos", photos).await["total_count"], 0);
    bot.end();
}
