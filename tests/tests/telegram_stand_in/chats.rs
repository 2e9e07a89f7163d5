//! Chats: who may do what, where, and to whom.

use palabre_tests::telegram::MessageRef;
use serde_json::{Value, json};

use crate::bot::Bot;

#[tokio::test]
async fn who_has_not_begun_or_has_blocked_the_bot_is_not_written_to() {
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
    let (village, hamlet) = (bot.stand_in.chat("Village"), bot.stand_in.chat("Hamlet"));
    bot.stand_in.throws_bot_out("Village");
    assert_eq!(bot.next("my_chat_member").await["new_chat_member"]["status"], "kicked");
    let refused = bot.refused("sendMessage", json!({ "chat_id": village, "text": "x" })).await;
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
async fn every_right_is_needed() {
    let Some(bot) = Bot::start().await else { return };
    let stand_in = &bot.stand_in;
    let (village, forum, news) = (stand_in.chat("Village"), stand_in.chat("Forum"), stand_in.chat("News"));
    let (alice, bob) = (stand_in.user("alice"), stand_in.user("bob"));
    let said = stand_in.says("alice", "Village", "hello").id;
    let topic = stand_in.topic("Forum/ideas");
    let in_village = |more: Value| {
        let mut body = json!({ "chat_id": village });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let village_name = village.to_string();
    let village_name = village_name.as_str();
    let cases = [
        (
            village_name,
            "can_pin_messages",
            "pinChatMessage",
            in_village(json!({ "message_id": said })),
            "manage pinned messages",
        ),
        (village_name, "can_delete_messages", "deleteMessage", in_village(json!({ "message_id": said })), ""),
        (village_name, "can_change_info", "setChatTitle", in_village(json!({ "title": "Town" })), "change chat title"),
        (village_name, "can_invite_users", "createChatInviteLink", in_village(json!({})), "manage chat invite link"),
        (
            village_name,
            "can_promote_members",
            "promoteChatMember",
            in_village(json!({ "user_id": alice, "can_pin_messages": true })),
            "",
        ),
        (
            village_name,
            "can_restrict_members",
            "banChatMember",
            in_village(json!({ "user_id": bob })),
            "restrict/unrestrict",
        ),
        (
            "Forum",
            "can_manage_topics",
            "closeForumTopic",
            json!({ "chat_id": forum, "message_thread_id": topic }),
            "close the topic",
        ),
    ];
    for (chat, right, method, body, words) in cases {
        stand_in.deny(chat, right);
        let refused = bot.refused(method, body.clone()).await;
        let wanted = if method == "deleteMessage" { "message can't be deleted" } else { "not enough rights to" };
        assert!(refused.contains(wanted) && refused.contains(words), "{method}: {refused}");
        stand_in.allow(chat, right);
        bot.ok(method, body).await;
    }
    stand_in.deny("News", "can_post_messages");
    let refused = bot.refused("sendMessage", json!({ "chat_id": news, "text": "x" })).await;
    assert_eq!(refused, "Bad Request: need administrator rights in the channel chat");
    bot.end();
}

#[tokio::test]
async fn members_are_banned_restricted_and_promoted() {
    let Some(bot) = Bot::start().await else { return };
    let stand_in = &bot.stand_in;
    let (village, bob, olivia) = (stand_in.chat("Village"), stand_in.user("bob"), stand_in.user("olivia"));
    let of = |user: i64| json!({ "chat_id": village, "user_id": user });
    assert_eq!(bot.refused("banChatMember", of(olivia)).await, "Bad Request: can't remove chat owner");
    bot.ok("banChatMember", of(bob)).await;
    assert!(stand_in.is_banned("bob", "Village"));
    bot.ok("unbanChatMember", json!({ "chat_id": village, "user_id": bob, "only_if_banned": true })).await;
    assert_eq!(bot.ok("getChatMember", of(bob)).await["status"], "left");
    stand_in.joins("bob", "Village");
    let until = jiff::Timestamp::now().as_second() + 3_600;
    let mute = json!({ "chat_id": village, "user_id": bob, "permissions": { "can_send_messages": false }, "until_date": until });
    bot.ok("restrictChatMember", mute).await;
    let member = stand_in.member_now("bob", "Village");
    assert_eq!((&member["status"], &member["until_date"]), (&json!("restricted"), &json!(until)));
    assert!(!stand_in.can_speak("bob", "Village") && stand_in.can_speak("alice", "Village"));
    bot.ok("promoteChatMember", json!({ "chat_id": village, "user_id": bob, "can_pin_messages": true })).await;
    bot.ok("setChatAdministratorCustomTitle", json!({ "chat_id": village, "user_id": bob, "custom_title": "Pinner" }))
        .await;
    let member = stand_in.member_now("bob", "Village");
    assert_eq!((&member["status"], &member["custom_title"]), (&json!("administrator"), &json!("Pinner")));
    let all = bot.ok("getChatAdministrators", json!({ "chat_id": village })).await;
    assert_eq!(all.as_array().unwrap().len(), 3, "the owner, the bot and bob");
    assert_eq!(bot.ok("getChatMemberCount", json!({ "chat_id": village })).await, 4);
    stand_in.is_promoted("olivia", "alice", "Village", &[]);
    let refused = bot.refused("banChatMember", of(stand_in.user("alice"))).await;
    assert_eq!(refused, "Bad Request: user is an administrator of the chat");
    let hamlet = stand_in.chat("Hamlet");
    let refused =
        bot.refused("restrictChatMember", json!({ "chat_id": hamlet, "user_id": bob, "permissions": {} })).await;
    assert_eq!(refused, "Bad Request: method is available only for supergroups");
    bot.end();
}

#[tokio::test]
async fn who_asks_to_join_is_let_in_or_not() {
    let Some(mut bot) = Bot::start().await else { return };
    bot.asks_for_all().await;
    let village = bot.stand_in.chat("Village");
    for (name, method, status) in
        [("carol", "approveChatJoinRequest", "member"), ("dave", "declineChatJoinRequest", "left")]
    {
        let user = bot.stand_in.asks_to_join(name, "Village");
        assert_eq!(bot.next("chat_join_request").await["from"]["id"], user);
        let answer = json!({ "chat_id": village, "user_id": user });
        bot.ok(method, answer.clone()).await;
        assert_eq!(bot.stand_in.member_now(name, "Village")["status"], status);
        bot.refused(method, answer).await;
    }
    let link = bot.ok("createChatInviteLink", json!({ "chat_id": village, "name": "for all" })).await;
    let revoke = json!({ "chat_id": village, "invite_link": link["invite_link"] });
    assert_eq!(bot.ok("revokeChatInviteLink", revoke.clone()).await["is_revoked"], true);
    assert_eq!(bot.refused("revokeChatInviteLink", revoke).await, "Bad Request: INVITE_HASH_EXPIRED");
    bot.ok("exportChatInviteLink", json!({ "chat_id": village })).await;
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

#[tokio::test]
async fn what_all_may_do_and_what_people_are_called_changes() {
    let Some(mut bot) = Bot::start().await else { return };
    bot.asks_for_all().await;
    let village = bot.stand_in.chat("Village");
    let quiet = json!({ "chat_id": village, "permissions": { "can_send_messages": false } });
    bot.ok("setChatPermissions", quiet.clone()).await;
    assert!(!bot.stand_in.can_speak("alice", "Village") && bot.stand_in.can_speak("olivia", "Village"));
    assert_eq!(bot.refused("setChatPermissions", quiet).await, "Bad Request: CHAT_NOT_MODIFIED");
    bot.ok("setChatPermissions", json!({ "chat_id": village, "permissions": { "can_send_polls": true } })).await;
    assert!(bot.stand_in.can_speak("alice", "Village"), "who may send polls may speak");
    bot.stand_in.renames("alice", "Alice", Some("Liddell"), None);
    bot.stand_in.whispers("alice", "hello");
    let message = bot.next("message").await;
    assert_eq!((&message["from"]["last_name"], &message["from"]["username"]), (&json!("Liddell"), &Value::Null));
    bot.stand_in.kicks("olivia", "bob", "Village");
    assert_eq!(bot.next("chat_member").await["new_chat_member"]["status"], "kicked");
    assert_eq!(bot.next("chat_member").await["new_chat_member"]["status"], "left");
    bot.end();
}
