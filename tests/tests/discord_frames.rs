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
        the_house_changes(&bot.stand_in);
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

fn people_talk(town: &StandIn) {
    let first = town.says("alice", "general", "hello @everyone");
    town.replies("bob", first, "hi");
    town.forwards("bob", first, "random");
    let poll = json!({ "question": { "text": "?" }, "answers": [{ "poll_media": { "text": "!" } }], "duration": 1 });
    let poll = town.posts("alice", "general", json!({ "embeds": [{ "title": "t" }], "poll": poll }));
    town.votes("bob", poll, 1);
    let files: [(&str, &str, &[u8]); 2] = [("a.png", "image/png", b"x"), ("b.txt", "text/plain", b"y")];
    town.posts_files("alice", "general", json!({ "content": "look" }), &files);
    town.posts("alice", "general", json!({ "sticker_ids": [town.sticker("wave").to_string()] }));
    town.whispers("alice", "psst");
    town.webhook_says("bridge", "general", "from afar");
    town.system_message("alice", "general", 7);
    town.edits(first, "hello again");
    town.unfurls(first, json!({ "url": "https://e", "title": "E" }));
    town.reacts("alice", first, "👍");
    town.reacts("bob", first, "tree");
    town.unreacts("alice", first, "👍");
    town.types("alice", "general");
    town.types("alice", "@alice");
    town.pins("alice", first);
    town.unpins("alice", first);
    let thread = town.opens_thread("alice", "general", "aside").to_string();
    town.says("bob", &thread, "in a thread");
    town.changes_channel("alice", &thread, json!({ "name": "beside" }));
    town.opens_thread_on("alice", first, "more");
    town.posts_in_forum("alice", "ideas", "An idea", "text");
    let doomed = [0; 4].map(|_| town.says("alice", "general", "away"));
    town.deletes(doomed[0]);
    town.removes_message("olivia", doomed[1]);
    town.purges("olivia", "general", &doomed[2..]);
}

fn people_come_and_go(town: &StandIn) {
    for name in ["carol", "dave", "erin", "frank"] {
        town.joins(name);
    }
    town.bot_joins("beep");
    town.leaves("dave");
    town.kicks("olivia", "erin", Some("no"));
    town.bans("olivia", "frank", None);
    town.unbans("olivia", "frank");
    town.times_out("olivia", "carol", Duration::from_secs(60), None);
    town.gives_role("olivia", "bob", "Moderator");
    town.takes_role("olivia", "bob", "Moderator");
    town.renames("olivia", "bob", Some("Bobby"));
    town.appears("alice", "online", json!([{ "name": "chess", "type": 0, "created_at": 1 }]));
    town.goes_to_voice("alice", Some("voice"));
    town.goes_to_voice("alice", None);
}

fn the_house_changes(town: &StandIn) {
    town.invites("alice", "general");
    town.changes_channel("olivia", "random", json!({ "topic": "news" }));
    let other = town.add_guild("Other");
    town.at(other).guild_fails();
    town.at(other).guild_appears();
    town.at(other).throws_bot_out();
    town.add_role("Helper", &[Permission::KICK_MEMBERS], false);
    town.deny(Permission::MANAGE_GUILD);
    town.deny_in("random", Permission::SEND_MESSAGES);
    town.add_channel("gone", 5);
    town.removes_channel("gone");
}

async fn people_use_what_there_is(bot: &Bot) {
    let options = [(3, "text"), (4, "number"), (5, "truth"), (6, "user"), (7, "channel"), (8, "role"), (11, "file")];
    let options = options
        .map(|(kind, name)| json!({ "type": kind, "name": name, "description": "?", "autocomplete": kind == 3 }));
    let path = json!([{ "type": 1, "name": "add", "description": "?" }]);
    let commands = json!([
        { "name": "all", "description": "?", "options": options }, { "name": "tag", "description": "?", "options": path },
        { "name": "Info", "type": 2 }, { "name": "Quote", "type": 3 },
    ]);
    let path = format!("/applications/{}/commands", bot.stand_in.bot());
    assert_eq!(bot.call("PUT", &path, &commands).await.0, 200);
    let button = json!({ "type": 2, "style": 1, "label": "Go", "custom_id": "go" });
    let select = json!({ "type": 3, "custom_id": "one", "options": [{ "label": "A", "value": "a" }] });
    let rows = [button, select, json!({ "type": 5, "custom_id": "who" })];
    let rows = rows.map(|component| json!({ "type": 1, "components": [component] }));
    let said = bot.says(&json!({ "components": rows })).await.1["id"].as_str().unwrap().parse().unwrap();
    let town = &bot.stand_in;
    let given =
        json!({ "number": 1, "truth": true, "user": "bob", "channel": "random", "role": "Admin", "file": "x.txt" });
    town.uses("alice", "general", "all", &given);
    town.completes("alice", "general", "all", &json!({ "text": "a" }), "text");
    town.uses("alice", "@alice", "tag add", &json!({}));
    town.uses_on_person("alice", "general", "Info", "bob");
    town.uses_on_message("alice", "Quote", said);
    town.chooses("alice", said, "one", &["a"]);
    town.chooses("alice", said, "who", &["bob"]);
    let pressed = town.presses("alice", said, "Go");
    let field = json!({ "type": 1, "components": [{ "type": 4, "custom_id": "x", "style": 1, "label": "X" }] });
    let form = json!({ "type": 9, "data": { "custom_id": "f", "title": "F", "components": [field] } });
    bot.call("POST", &format!("/interactions/{pressed}/{}/callback", town.token_of(pressed)), &form).await;
    let sent = town.submits(pressed, &[("x", "y")]);
    let answer = json!({ "type": 4, "data": { "content": "thanks" } });
    bot.call("POST", &format!("/interactions/{sent}/{}/callback?with_response=true", town.token_of(sent)), &answer)
        .await;
    assert_eq!((town.violations(), town.own_misfits()), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn every_answer_fits_the_description() {
    for seed in 0..3 {
        let Some(bot) = Bot::start(rough(seed), Intents::empty()).await else { return };
        let town = &bot.stand_in;
        let asked = town.says("alice", "general", "hello");
        let said = bot.says(&json!({ "content": "one", "message_reference": { "message_id": asked } })).await.1;
        let hook = bot
            .call("POST", &format!("/channels/{}/webhooks", town.channel("general")), &json!({ "name": "bridge" }))
            .await
            .1;
        let thread = town.opens_thread("alice", "general", "aside");
        let words = [
            ("CHANNEL", town.channel("general").to_string()),
            ("FORUM", town.channel("ideas").to_string()),
            ("THREAD", thread.to_string()),
            ("GUILD", town.guild().to_string()),
            ("APP", town.bot().to_string()),
            ("SAID", said["id"].as_str().unwrap().to_owned()),
            ("ALICE", town.user("alice").to_string()),
            ("BOB", town.user("bob").to_string()),
            ("ROLE", town.role("Moderator").to_string()),
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
        assert_eq!((town.violations(), town.own_misfits()), (Vec::new(), Vec::new()));
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
