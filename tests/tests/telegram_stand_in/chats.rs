//! Chats: where the bot may write, topics, channels.

use palabre_tests::telegram::MessageRef;
use serde_json::{Value, json};

use crate::bot::Bot;

#[tokio::test]
async fn a_user_who_has_not_started_or_has_blocked_the_bot_receives_nothing() {
    let Some(mut bot) = Bot::start().await else { return };
    let alice = bot.stand_in.user("alice");
    let hello = json!({ "chat_id": alice, "text": "hello" });
    let before = bot.refused("sendMessage", hello.clone()).await;
    assert_eq!(before, "Forbidden: bot can't initiate conversation with a user");
    bot.stand_in.starts("alice", "from-the-village");
    assert_eq!(bot.next("message").await["text"], "/start from-the-village");
    bot.ok("sendMessage", hello.clone()).await;
    bot.stand_in.blocks("alice");
    assert_eq!(bot.next("my_chat_member").await["new_chat_member"]["status"], "kicked");
    assert_eq!(bot.refused("sendMessage", hello.clone()).await, "Forbidden: bot was blocked by the user");
    bot.stand_in.unblocks("alice");
    bot.ok("sendMessage", hello).await;
    let nobody = bot.refused("sendMessage", json!({ "chat_id": 1, "text": "x" })).await;
    assert_eq!(nobody, "Bad Request: chat not found");
    bot.end();
}

#[tokio::test]
async fn a_bot_that_is_thrown_out_or_leaves_can_do_nothing() {
    let Some(mut bot) = Bot::start().await else { return };
    let (supergroup, hamlet) = (bot.stand_in.chat("Village"), bot.stand_in.chat("Hamlet"));
    bot.stand_in.throws_bot_out("Village");
    assert_eq!(bot.next("my_chat_member").await["new_chat_member"]["status"], "kicked");
    let refused = bot.refused("sendMessage", json!({ "chat_id": supergroup, "text": "x" })).await;
    assert_eq!(refused, "Forbidden: bot was kicked from the supergroup chat");
    bot.ok("leaveChat", json!({ "chat_id": hamlet })).await;
    let refused = bot.refused("getChat", json!({ "chat_id": hamlet })).await;
    assert_eq!(refused, "Forbidden: bot is not a member of the group chat");
    bot.stand_in.adds_bot("olivia", "Village");
    bot.says("Village", "back").await;
    bot.end();
}

#[tokio::test]
async fn a_group_that_becomes_a_supergroup_says_where_it_is() {
    let Some(mut bot) = Bot::start().await else { return };
    let old = bot.stand_in.chat("Hamlet");
    let new = bot.stand_in.migrates("Hamlet");
    assert_eq!(bot.next("message").await["migrate_to_chat_id"], new);
    assert_eq!(bot.next("message").await["migrate_from_chat_id"], old);
    let (status, answer) = bot.call("sendMessage", json!({ "chat_id": old, "text": "x" })).await;
    assert_eq!((status, &answer["parameters"]["migrate_to_chat_id"]), (400, &json!(new)));
    assert_eq!(answer["description"], "Bad Request: group chat was upgraded to a supergroup chat");
    bot.says("Hamlet", "found it").await;
    assert_eq!(bot.stand_in.posted(&new.to_string())[0].text(), "found it");
    bot.end();
}

#[tokio::test]
async fn a_forum_has_topics_that_open_close_and_go() {
    let Some(mut bot) = Bot::start().await else { return };
    let forum = bot.stand_in.chat("Forum");
    let ideas = bot.stand_in.topic("Forum/ideas");
    bot.stand_in.says("alice", "Forum/ideas", "an idea");
    let message = bot.next("message").await;
    assert_eq!((&message["message_thread_id"], &message["is_topic_message"]), (&json!(ideas), &json!(true)));
    assert_eq!(message["reply_to_message"]["forum_topic_created"]["name"], "ideas");
    bot.stand_in.says("alice", "Forum", "in general");
    assert_eq!(bot.next("message").await["message_thread_id"], Value::Null);
    let say = |thread: i64| json!({ "chat_id": forum, "message_thread_id": thread, "text": "yes" });
    bot.ok("sendMessage", say(ideas)).await;
    assert_eq!(bot.refused("sendMessage", say(77)).await, "Bad Request: message thread not found");
    let post = &bot.stand_in.posted("Forum/ideas")[0];
    assert_eq!((post.thread, post.reply_to()), (Some(ideas), None));
    let topic =
        bot.ok("createForumTopic", json!({ "chat_id": forum, "name": "plans" })).await["message_thread_id"].clone();
    let of_topic = json!({ "chat_id": forum, "message_thread_id": topic });
    assert_eq!(bot.next("message").await["forum_topic_created"]["name"], "plans");
    let rename = json!({ "chat_id": forum, "message_thread_id": topic, "name": "old plans" });
    bot.ok("editForumTopic", rename.clone()).await;
    assert_eq!(bot.refused("editForumTopic", rename).await, "Bad Request: TOPIC_NOT_MODIFIED");
    bot.ok("closeForumTopic", of_topic.clone()).await;
    bot.stand_in.deny("Forum", "can_manage_topics");
    assert_eq!(bot.refused("sendMessage", say(topic.as_i64().unwrap())).await, "Bad Request: TOPIC_CLOSED");
    bot.stand_in.allow("Forum", "can_manage_topics");
    bot.ok("reopenForumTopic", of_topic.clone()).await;
    bot.ok("deleteForumTopic", of_topic).await;
    assert_eq!(bot.stand_in.topics("Forum").len(), 2);
    bot.stand_in.closes_topic("olivia", "Forum/ideas");
    assert_eq!(bot.next("message").await["forum_topic_edited"]["name"], "old plans");
    bot.refused("createForumTopic", json!({ "chat_id": bot.stand_in.chat("Village"), "name": "x" })).await;
    let asked = bot.stand_in.says("alice", "Village", "why?");
    let answer = bot.stand_in.message(bot.stand_in.replies("bob", asked, "because"));
    assert_eq!(
        (&answer["message_thread_id"], &answer["is_topic_message"]),
        (&json!(asked.id), &Value::Null),
        "no topic"
    );
    bot.end();
}

#[tokio::test]
async fn a_channel_posts_and_people_come_and_go_with_a_word() {
    let Some(mut bot) = Bot::start().await else { return };
    let post = bot.stand_in.says("olivia", "News", "it rains");
    let told = bot.next("channel_post").await;
    assert_eq!((&told["sender_chat"]["title"], &told["from"]), (&json!("News"), &Value::Null));
    bot.stand_in.edits(post, "it pours");
    assert_eq!(bot.next("edited_channel_post").await["text"], "it pours");
    let own = bot.ok("sendMessage", json!({ "chat_id": "@palabre_news", "text": "own" })).await;
    let own = MessageRef { chat: bot.stand_in.chat("News"), id: own["message_id"].as_i64().unwrap() };
    bot.ok("deleteMessage", json!({ "chat_id": own.chat, "message_id": own.id })).await;
    assert!(bot.stand_in.posted("News")[0].is_deleted() && bot.stand_in.message(own).is_null());
    bot.stand_in.joins("carol", "Village");
    assert_eq!(bot.next("message").await["new_chat_members"][0]["username"], "carol");
    bot.stand_in.leaves("carol", "Village");
    assert_eq!(bot.next("message").await["left_chat_member"]["username"], "carol");
    bot.stand_in.retitles("olivia", "Village", "Town");
    assert_eq!(bot.next("message").await["new_chat_title"], "Town");
    let described = json!({ "chat_id": bot.stand_in.chat("Town"), "description": "A town." });
    bot.ok("setChatDescription", described.clone()).await;
    assert_eq!(bot.refused("setChatDescription", described).await, "Bad Request: chat description is not modified");
    assert_eq!(bot.stand_in.chat_now("Town")["description"], "A town.");
    bot.end();
}
