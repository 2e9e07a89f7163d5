//! Frames of the stand-in conform to Discord: a third-party client reads every frame.
//!
//! Every answer fits the published description.

#![allow(clippy::unwrap_used, dead_code, unreachable_pub, missing_docs, reason = "a test that cannot continue panics")]

mod discord_client;

use std::collections::BTreeSet;
use std::time::Duration;

use discord_client::{Bot, quick};
use palabre_tests::discord::{Options, Permission, StandIn};
use serde_json::{Value, json};
use twilight_gateway::{EventTypeFlags, Intents};

/// Options with so much roughness that every kind of object occurs in every form.
fn rough(seed: u64) -> Options {
    Options { check_answers: true, roughness: 0.4, seed, ..quick() }
}

#[tokio::test]
async fn another_client_reads_every_frame() {
    let mut kinds = BTreeSet::new();
    for seed in 0..5 {
        let Some(mut bot) = Bot::start(rough(seed), Intents::all()).await else { return };
        bot.wait("GUILD_CREATE").await;
        people_talk(&bot.stand_in);
        people_come_and_go(&bot.stand_in);
        the_server_changes(&bot.stand_in);
        people_use_what_there_is(&bot).await;
        bot.stand_in.add_channel("the end", 0);
        loop {
            let text = bot.next().await;
            let value: Value = serde_json::from_str(&text).unwrap();
            kinds.extend(value["t"].as_str().map(ToOwned::to_owned));
            match twilight_gateway::parse(text.clone(), EventTypeFlags::all()) {
                Ok(event) => assert!(event.is_some(), "unknown: {text}"),
                Err(error) => panic!("{error} {:?}", std::error::Error::source(&error)),
            }
            if value["d"]["name"] == "the end" {
                break;
            }
        }
    }
    assert!(kinds.len() >= 28, "{} kinds of event: {kinds:?}", kinds.len());
}

fn people_talk(discord: &StandIn) {
    let first = discord.says("alice", "general", "hello @everyone");
    discord.replies("bob", first, "hi");
    discord.forwards("bob", first, "random");
    let poll = json!({ "question": { "text": "?" }, "answers": [{ "poll_media": { "text": "!" } }], "duration": 1 });
    let poll = discord.posts("alice", "general", json!({ "embeds": [{ "title": "t" }], "poll": poll }));
    discord.votes("bob", poll, 1);
    let files: [(&str, &str, &[u8]); 2] = [("a.png", "image/png", b"x"), ("b.txt", "text/plain", b"y")];
    discord.posts_files("alice", "general", json!({ "content": "look" }), &files);
    discord.posts("alice", "general", json!({ "sticker_ids": [discord.sticker("wave").to_string()] }));
    discord.sends_direct("alice", "psst");
    discord.webhook_says("bridge", "general", "from afar");
    discord.system_message("alice", "general", 7);
    discord.edits(first, "hello again");
    discord.unfurls(first, json!({ "url": "https://e", "title": "E" }));
    discord.reacts("alice", first, "👍");
    discord.reacts("bob", first, "tree");
    discord.unreacts("alice", first, "👍");
    discord.types("alice", "general");
    discord.types("alice", "@alice");
    discord.pins("alice", first);
    discord.unpins("alice", first);
    let thread = discord.opens_thread("alice", "general", "aside").to_string();
    discord.says("bob", &thread, "in a thread");
    discord.changes_channel("alice", &thread, json!({ "name": "beside" }));
    discord.opens_thread_on("alice", first, "more");
    discord.posts_in_forum("alice", "ideas", "An idea", "text");
    let doomed = [0; 4].map(|_| discord.says("alice", "general", "away"));
    discord.deletes(doomed[0]);
    discord.removes_message("olivia", doomed[1]);
    discord.purges("olivia", "general", &doomed[2..]);
}

fn people_come_and_go(discord: &StandIn) {
    for name in ["carol", "dave", "erin", "frank"] {
        discord.joins(name);
    }
    discord.bot_joins("beep");
    discord.leaves("dave");
    discord.kicks("olivia", "erin", Some("no"));
    discord.bans("olivia", "frank", None);
    discord.unbans("olivia", "frank");
    discord.times_out("olivia", "carol", Duration::from_secs(60), None);
    discord.gives_role("olivia", "bob", "Moderator");
    discord.takes_role("olivia", "bob", "Moderator");
    discord.renames("olivia", "bob", Some("Bobby"));
    discord.appears("alice", "online", json!([{ "name": "chess", "type": 0, "created_at": 1 }]));
    discord.goes_to_voice("alice", Some("voice"));
    discord.goes_to_voice("alice", None);
}

fn the_server_changes(discord: &StandIn) {
    discord.invites("alice", "general");
    discord.changes_channel("olivia", "random", json!({ "topic": "news" }));
    let other = discord.add_guild("Other");
    discord.at(other).guild_fails();
    discord.at(other).guild_appears();
    discord.at(other).throws_bot_out();
    discord.add_role("Helper", &[Permission::KICK_MEMBERS], false);
    discord.deny(Permission::MANAGE_GUILD);
    discord.deny_in("random", Permission::SEND_MESSAGES);
    discord.add_channel("gone", 5);
    discord.removes_channel("gone");
}

async fn people_use_what_there_is(bot: &Bot) {
    let options = [(3, "text"), (4, "number"), (5, "truth"), (6, "user"), (7, "channel"), (8, "role"), (11, "file")];
    let options = options
        .map(|(kind, name)| json!({ "type": kind, "name": name, "description": "?", "autocomplete": kind == 3 }));
    let path = json!([{ "type": 1, "name": "add", "description": "?" }]);
    let commands = json!([
        { "name": "all", "description": "?", "options": options },
        { "name": "tag", "description": "?", "options": path },
        { "name": "Info", "type": 2 }, { "name": "Quote", "type": 3 },
    ]);
    let path = format!("/applications/{}/commands", bot.stand_in.bot());
    assert_eq!(bot.call("PUT", &path, &commands).await.0, 200);
    let button = json!({ "type": 2, "style": 1, "label": "Go", "custom_id": "go" });
    let select = json!({ "type": 3, "custom_id": "one", "options": [{ "label": "A", "value": "a" }] });
    let rows = [button, select, json!({ "type": 5, "custom_id": "who" })];
    let rows = rows.map(|component| json!({ "type": 1, "components": [component] }));
    let said = bot.says(&json!({ "components": rows })).await.1["id"].as_str().unwrap().parse().unwrap();
    let discord = &bot.stand_in;
    let given =
        json!({ "number": 1, "truth": true, "user": "bob", "channel": "random", "role": "Admin", "file": "x.txt" });
    discord.uses("alice", "general", "all", &given);
    discord.completes("alice", "general", "all", &json!({ "text": "a" }), "text");
    discord.uses("alice", "@alice", "tag add", &json!({}));
    discord.uses_on_person("alice", "general", "Info", "bob");
    discord.uses_on_message("alice", "Quote", said);
    discord.chooses("alice", said, "one", &["a"]);
    discord.chooses("alice", said, "who", &["bob"]);
    let pressed = discord.presses("alice", said, "Go");
    let field = json!({ "type": 1, "components": [{ "type": 4, "custom_id": "x", "style": 1, "label": "X" }] });
    let form = json!({ "type": 9, "data": { "custom_id": "f", "title": "F", "components": [field] } });
    bot.call("POST", &format!("/interactions/{pressed}/{}/callback", discord.token_of(pressed)), &form).await;
    let sent = discord.submits(pressed, &[("x", "y")]);
    let answer = json!({ "type": 4, "data": { "content": "thanks" } });
    bot.call("POST", &format!("/interactions/{sent}/{}/callback?with_response=true", discord.token_of(sent)), &answer)
        .await;
    assert_eq!((discord.violations(), discord.own_misfits()), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn every_answer_fits_the_description() {
    for seed in 0..3 {
        let Some(bot) = Bot::start(rough(seed), Intents::empty()).await else { return };
        let discord = &bot.stand_in;
        let asked = discord.says("alice", "general", "hello");
        let said = bot.says(&json!({ "content": "one", "message_reference": { "message_id": asked } })).await.1;
        let hook = bot
            .call("POST", &format!("/channels/{}/webhooks", discord.channel("general")), &json!({ "name": "bridge" }))
            .await
            .1;
        let thread = discord.opens_thread("alice", "general", "aside");
        let words = [
            ("CHANNEL", discord.channel("general").to_string()),
            ("FORUM", discord.channel("ideas").to_string()),
            ("THREAD", thread.to_string()),
            ("GUILD", discord.guild().to_string()),
            ("APP", discord.bot().to_string()),
            ("SAID", said["id"].as_str().unwrap().to_owned()),
            ("ALICE", discord.user("alice").to_string()),
            ("BOB", discord.user("bob").to_string()),
            ("ROLE", discord.role("Moderator").to_string()),
            ("HOOK", format!("{}/{}", hook["id"].as_str().unwrap(), hook["token"].as_str().unwrap())),
        ];
        for line in CALLS.lines().filter(|line| !line.trim().is_empty()) {
            let line = words.iter().fold(line.trim().to_owned(), |line, (word, value)| line.replace(word, value));
            let mut parts = line.splitn(3, ' ');
            let (method, path) = (parts.next().unwrap(), parts.next().unwrap());
            let body = parts.next().map_or(Value::Null, |body| serde_json::from_str(body).unwrap());
            let (status, answer) = bot.call(method, path, &body).await;
            assert!((200..300).contains(&status), "{line}: {status} {answer}");
        }
        assert_eq!((discord.violations(), discord.own_misfits()), (Vec::new(), Vec::new()));
    }
}

const CALLS: &str = r#"
    GET /gateway
    GET /gateway/bot
    GET /users/@me
    GET /users/ALICE
    GET /users/@me/guilds
    GET /applications/@me
    GET /oauth2/applications/@me
    POST /users/@me/channels {"recipient_id":"BOB"}
    GET /guilds/GUILD?with_counts=true
    GET /guilds/GUILD/channels
    GET /guilds/GUILD/roles
    GET /guilds/GUILD/emojis
    GET /guilds/GUILD/members?limit=10
    GET /guilds/GUILD/members/search?query=ali
    GET /guilds/GUILD/members/BOB
    GET /guilds/GUILD/threads/active
    GET /channels/CHANNEL
    GET /channels/CHANNEL/messages?limit=5
    GET /channels/CHANNEL/messages?before=SAID
    GET /channels/CHANNEL/messages/SAID
    PATCH /channels/CHANNEL/messages/SAID {"content":"two","embeds":[{"title":"t"}]}
    PUT /channels/CHANNEL/messages/SAID/reactions/%F0%9F%91%8D/@me
    GET /channels/CHANNEL/messages/SAID/reactions/%F0%9F%91%8D
    DELETE /channels/CHANNEL/messages/SAID/reactions/%F0%9F%91%8D/@me
    PUT /channels/CHANNEL/messages/pins/SAID
    GET /channels/CHANNEL/messages/pins
    DELETE /channels/CHANNEL/messages/pins/SAID
    POST /channels/CHANNEL/messages/SAID/threads {"name":"on it"}
    POST /channels/CHANNEL/typing
    PATCH /channels/CHANNEL {"topic":"t","rate_limit_per_user":5}
    PUT /channels/CHANNEL/permissions/ROLE {"type":0,"allow":"0","deny":"2048"}
    DELETE /channels/CHANNEL/permissions/ROLE
    POST /channels/CHANNEL/invites {"max_age":60}
    GET /channels/CHANNEL/invites
    POST /channels/CHANNEL/threads {"name":"t","type":11}
    POST /channels/FORUM/threads {"name":"post","message":{"content":"p"}}
    GET /channels/THREAD
    PATCH /channels/THREAD {"archived":true,"locked":true}
    PATCH /channels/THREAD {"archived":false,"locked":false}
    PUT /channels/THREAD/thread-members/BOB
    GET /channels/CHANNEL/webhooks
    GET /webhooks/HOOK
    POST /webhooks/HOOK?wait=true {"content":"h","username":"Zed","avatar_url":"https://e/a.png"}
    POST /webhooks/HOOK?thread_id=THREAD {"content":"h"}
    DELETE /webhooks/HOOK
    PATCH /guilds/GUILD/members/BOB {"nick":"B","communication_disabled_until":"2015-01-01T00:00:00Z"}
    PUT /guilds/GUILD/members/BOB/roles/ROLE
    DELETE /guilds/GUILD/members/BOB/roles/ROLE
    DELETE /guilds/GUILD/members/BOB
    PUT /guilds/GUILD/bans/ALICE {"delete_message_seconds":3600}
    GET /guilds/GUILD/bans/ALICE
    GET /guilds/GUILD/bans
    DELETE /guilds/GUILD/bans/ALICE
    GET /guilds/GUILD/audit-logs?limit=50
    POST /applications/APP/guilds/GUILD/commands {"name":"own","description":"o","default_member_permissions":"8"}
    GET /applications/APP/guilds/GUILD/commands?with_localizations=true
    GET /applications/APP/commands
    DELETE /channels/CHANNEL/messages/SAID
"#;
