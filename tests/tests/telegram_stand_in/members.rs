//! Members: permissions and moderation.

use serde_json::{Value, json};

use crate::bot::Bot;

#[tokio::test]
async fn every_right_is_needed() {
    let Some(bot) = Bot::start().await else { return };
    let stand_in = &bot.stand_in;
    let (group, forum, news) = (stand_in.chat("Village"), stand_in.chat("Forum"), stand_in.chat("News"));
    let (alice, bob) = (stand_in.user("alice"), stand_in.user("bob"));
    let said = stand_in.says("alice", "Village", "hello").id;
    let topic = stand_in.topic("Forum/ideas");
    let in_group = |more: Value| {
        let mut body = json!({ "chat_id": group });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let group_name = group.to_string();
    let group_name = group_name.as_str();
    let cases = [
        (
            group_name,
            "can_pin_messages",
            "pinChatMessage",
            in_group(json!({ "message_id": said })),
            "manage pinned messages",
        ),
        (group_name, "can_delete_messages", "deleteMessage", in_group(json!({ "message_id": said })), ""),
        (group_name, "can_change_info", "setChatTitle", in_group(json!({ "title": "Town" })), "change chat title"),
        (group_name, "can_invite_users", "createChatInviteLink", in_group(json!({})), "manage chat invite link"),
        (
            group_name,
            "can_promote_members",
            "promoteChatMember",
            in_group(json!({ "user_id": alice, "can_pin_messages": true })),
            "",
        ),
        (
            group_name,
            "can_restrict_members",
            "banChatMember",
            in_group(json!({ "user_id": bob })),
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
    let (group, bob, olivia) = (stand_in.chat("Village"), stand_in.user("bob"), stand_in.user("olivia"));
    let of = |user: i64| json!({ "chat_id": group, "user_id": user });
    assert_eq!(bot.refused("banChatMember", of(olivia)).await, "Bad Request: can't remove chat owner");
    bot.ok("banChatMember", of(bob)).await;
    assert!(stand_in.is_banned("bob", "Village"));
    bot.ok("unbanChatMember", json!({ "chat_id": group, "user_id": bob, "only_if_banned": true })).await;
    assert_eq!(bot.ok("getChatMember", of(bob)).await["status"], "left");
    stand_in.joins("bob", "Village");
    let until = jiff::Timestamp::now().as_second() + 3_600;
    let permissions = json!({ "can_send_messages": false });
    let mute = json!({ "chat_id": group, "user_id": bob, "permissions": permissions, "until_date": until });
    bot.ok("restrictChatMember", mute).await;
    let member = stand_in.member_now("bob", "Village");
    assert_eq!((&member["status"], &member["until_date"]), (&json!("restricted"), &json!(until)));
    assert!(!stand_in.can_speak("bob", "Village") && stand_in.can_speak("alice", "Village"));
    bot.ok("promoteChatMember", json!({ "chat_id": group, "user_id": bob, "can_pin_messages": true })).await;
    bot.ok("setChatAdministratorCustomTitle", json!({ "chat_id": group, "user_id": bob, "custom_title": "Pinner" }))
        .await;
    let member = stand_in.member_now("bob", "Village");
    assert_eq!((&member["status"], &member["custom_title"]), (&json!("administrator"), &json!("Pinner")));
    let all = bot.ok("getChatAdministrators", json!({ "chat_id": group })).await;
    assert_eq!(all.as_array().unwrap().len(), 3, "the owner, the bot and bob");
    assert_eq!(bot.ok("getChatMemberCount", json!({ "chat_id": group })).await, 4);
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
async fn join_requests_are_approved_or_declined() {
    let Some(mut bot) = Bot::start().await else { return };
    bot.asks_for_all().await;
    let group = bot.stand_in.chat("Village");
    for (name, method, status) in
        [("carol", "approveChatJoinRequest", "member"), ("dave", "declineChatJoinRequest", "left")]
    {
        let user = bot.stand_in.asks_to_join(name, "Village");
        assert_eq!(bot.next("chat_join_request").await["from"]["id"], user);
        let answer = json!({ "chat_id": group, "user_id": user });
        bot.ok(method, answer.clone()).await;
        assert_eq!(bot.stand_in.member_now(name, "Village")["status"], status);
        bot.refused(method, answer).await;
    }
    let link = bot.ok("createChatInviteLink", json!({ "chat_id": group, "name": "for all" })).await;
    let revoke = json!({ "chat_id": group, "invite_link": link["invite_link"] });
    assert_eq!(bot.ok("revokeChatInviteLink", revoke.clone()).await["is_revoked"], true);
    assert_eq!(bot.refused("revokeChatInviteLink", revoke).await, "Bad Request: INVITE_HASH_EXPIRED");
    bot.ok("exportChatInviteLink", json!({ "chat_id": group })).await;
    bot.end();
}

#[tokio::test]
async fn permissions_of_all_and_titles_of_members_change() {
    let Some(mut bot) = Bot::start().await else { return };
    bot.asks_for_all().await;
    let group = bot.stand_in.chat("Village");
    let quiet = json!({ "chat_id": group, "permissions": { "can_send_messages": false } });
    bot.ok("setChatPermissions", quiet.clone()).await;
    assert!(!bot.stand_in.can_speak("alice", "Village") && bot.stand_in.can_speak("olivia", "Village"));
    assert_eq!(bot.refused("setChatPermissions", quiet).await, "Bad Request: CHAT_NOT_MODIFIED");
    bot.ok("setChatPermissions", json!({ "chat_id": group, "permissions": { "can_send_polls": true } })).await;
    assert!(bot.stand_in.can_speak("alice", "Village"), "a member who may send polls may write");
    bot.stand_in.renames("alice", "Alice", Some("Liddell"), None);
    bot.stand_in.sends_direct("alice", "hello");
    let message = bot.next("message").await;
    assert_eq!((&message["from"]["last_name"], &message["from"]["username"]), (&json!("Liddell"), &Value::Null));
    bot.stand_in.kicks("olivia", "bob", "Village");
    assert_eq!(bot.next("chat_member").await["new_chat_member"]["status"], "kicked");
    assert_eq!(bot.next("chat_member").await["new_chat_member"]["status"], "left");
    bot.end();
}
