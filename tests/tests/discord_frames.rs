//! What the stand-in for Discord sends is what Discord would: a client that is not ours decodes every frame, and every
//! answer fits the published description.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use palabre_tests::discord::{Limits, Options, Permission, StandIn};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use twilight_gateway::queue::Queue;
use twilight_gateway::{ConfigBuilder, EventTypeFlags, Intents, Message, Shard, ShardId};

#[derive(Debug)]
struct AtOnce;

impl Queue for AtOnce {
    fn enqueue(&self, _shard: u32) -> oneshot::Receiver<()> {
        let (go, ready) = oneshot::channel();
        go.send(()).unwrap();
        ready
    }
}

async fn call(stand_in: &StandIn, http: &reqwest::Client, method: &str, path: &str, body: Value) -> Value {
    let url = format!("{}/api/v10{path}", stand_in.api());
    let mut request = http.request(method.parse().unwrap(), url);
    request = request.header("authorization", format!("Bot {}", stand_in.token()));
    request = request.header("x-audit-log-reason", "caf%C3%A9");
    if !body.is_null() {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{method} {path} {body}: {status} {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

#[tokio::test]
async fn frames() {
    let options = Options {
        check_answers: true,
        roughness: 0.4,
        limits: Limits::none(),
        identify_window: Duration::ZERO,
        ..Options::default()
    };
    let Some(s) = StandIn::start_with(options).await else { return };
    let _first = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().user_agent("DiscordBot (https://palabre.invalid, 1)").build().unwrap();
    let gateway = call(&s, &http, "GET", "/gateway/bot", Value::Null).await;
    let config = ConfigBuilder::new(s.token().to_owned(), Intents::all()).queue(AtOnce);
    let config = config.proxy_url(gateway["url"].as_str().unwrap().to_owned());
    let mut shard = Shard::with_config(ShardId::ONE, config.build());
    let (end, mut ended) = oneshot::channel::<()>();
    let listen = async {
        let mut kinds = BTreeSet::new();
        let mut wrong = Vec::new();
        loop {
            tokio::select! {
                biased;
                message = shard.next() => if let Some(Ok(Message::Text(text))) = message {
                    let value: Value = serde_json::from_str(&text).unwrap();
                    if let Some(t) = value["t"].as_str() { kinds.insert(t.to_owned()); }
                    match twilight_gateway::parse(text.clone(), EventTypeFlags::all()) {
                        Ok(None) => wrong.push(format!("unknown event: {text}")),
                        Err(e) => wrong.push(format!("{e} {:?}: {text}", std::error::Error::source(&e))),
                        Ok(Some(_)) => {}
                    }
                    if value["t"] == "CHANNEL_DELETE" && value["d"]["name"] == "the-end" { return (kinds, wrong); }
                },
                _ = &mut ended => {}
            }
        }
    };
    let act = async {
        s.identified(1).await;
        let g = format!("/guilds/{}", s.guild());
        let c = format!("/channels/{}", s.channel("general"));
        s.add_channel("the-end", 0);
        let m = s.says("alice", "general", "hello <@1>");
        s.replies("bob", m, "hi");
        s.forwards("bob", m, "random");
        s.posts("alice", "general", json!({"content":"x","embeds":[{"title":"t","description":"d","image":{"url":"https://e/x.png"}}],"poll":{"question":{"text":"q"},"answers":[{"poll_media":{"text":"a"}}],"duration":1}}));
        s.posts_files(
            "alice",
            "general",
            json!({"content":"f"}),
            &[("a.png", "image/png", b"x"), ("b c.txt", "text/plain", b"y")],
        );
        s.posts("alice", "general", json!({"sticker_ids":[s.sticker("wave").to_string()]}));
        s.whispers("alice", "psst");
        s.webhook_says("bridge", "general", "from afar");
        s.system_message("alice", "general", 7);
        s.edits(m, "hello again");
        s.unfurls(m, json!({"url":"https://e","title":"E"}));
        s.reacts("alice", m, "👍");
        s.reacts("bob", m, "tree");
        s.unreacts("alice", m, "👍");
        s.types("alice", "general");
        s.types("alice", "@alice");
        s.pins("alice", m);
        s.unpins("alice", m);
        let t = s.opens_thread("alice", "general", "talk");
        s.says("bob", &t.to_string(), "in thread");
        s.opens_thread_on("alice", m, "more");
        s.posts_in_forum("alice", "ideas", "An idea", "text");
        s.invites("alice", "general");
        s.joins("carol");
        s.joins("dave");
        s.joins("erin");
        s.joins("frank");
        s.leaves("dave");
        s.kicks("olivia", "erin", Some("no"));
        s.bans("olivia", "frank", None);
        s.unbans("olivia", "frank");
        s.times_out("olivia", "carol", Duration::from_secs(60), None);
        s.gives_role("olivia", "bob", "Moderator");
        s.takes_role("olivia", "bob", "Moderator");
        s.renames("olivia", "bob", Some("Bobby"));
        let d = s.says("alice", "general", "away");
        s.removes_message("bob", d);
        let (d, e) = (s.says("alice", "general", "away"), s.says("alice", "general", "away"));
        s.purges("bob", "general", &[d, e]);
        let d = s.says("alice", "general", "away");
        s.deletes(d);
        s.changes_channel("olivia", "random", json!({"topic":"news"}));
        s.appears("alice", "online", json!([]));
        s.goes_to_voice("alice", Some("voice"));
        s.goes_to_voice("alice", None);
        let other = s.add_guild("Other");
        s.at(other).guild_fails();
        s.at(other).guild_appears();
        s.add_role("Helper", &[Permission::KICK_MEMBERS], false);
        s.deny(Permission::MANAGE_GUILD);
        s.deny_in("random", Permission::SEND_MESSAGES);
        s.add_channel("gone", 0);
        s.removes_channel("gone");
        // REST
        for path in ["/users/@me", "/applications/@me", "/oauth2/applications/@me", "/users/@me/guilds", "/gateway"] {
            call(&s, &http, "GET", path, Value::Null).await;
        }
        call(&s, &http, "GET", &format!("/users/{}", s.user("alice")), Value::Null).await;
        for path in [
            "",
            "?with_counts=true",
            "/channels",
            "/roles",
            "/emojis",
            "/audit-logs",
            "/members?limit=10",
            "/members/search?query=ali",
            "/bans",
            "/threads/active",
        ] {
            call(&s, &http, "GET", &format!("{g}{path}"), Value::Null).await;
        }
        let said = call(&s, &http, "POST", &format!("{c}/messages"), json!({"content":"one","embeds":[{"title":"t"}],"nonce":"1","enforce_nonce":true,
            "components":[{"type":1,"components":[{"type":2,"style":1,"label":"Go","custom_id":"go"},{"type":2,"style":5,"label":"L","url":"https://e"}]},{"type":1,"components":[{"type":3,"custom_id":"s","options":[{"label":"A","value":"a"}]}]},{"type":1,"components":[{"type":5,"custom_id":"u"}]}],
            "message_reference":{"message_id":m.to_string(),"fail_if_not_exists":false},"allowed_mentions":{"parse":[]}})).await;
        let id = said["id"].as_str().unwrap().to_owned();
        let me = format!("{c}/messages/{id}");
        call(&s, &http, "PATCH", &me, json!({"content":"two"})).await;
        call(&s, &http, "GET", &me, Value::Null).await;
        for q in ["", "?limit=2", "?before=9999999999999999999", "?after=1"] {
            call(&s, &http, "GET", &format!("{c}/messages{q}"), Value::Null).await;
        }
        call(&s, &http, "PUT", &format!("{me}/reactions/%F0%9F%91%8D/@me"), Value::Null).await;
        call(&s, &http, "DELETE", &format!("{me}/reactions/%F0%9F%91%8D/@me"), Value::Null).await;
        call(&s, &http, "PUT", &format!("{c}/messages/pins/{id}"), Value::Null).await;
        call(&s, &http, "GET", &format!("{c}/messages/pins"), Value::Null).await;
        call(&s, &http, "GET", &format!("{c}/pins"), Value::Null).await;
        call(&s, &http, "DELETE", &format!("{c}/pins/{id}"), Value::Null).await;
        call(&s, &http, "POST", &format!("{c}/typing"), Value::Null).await;
        call(&s, &http, "GET", &c, Value::Null).await;
        call(&s, &http, "PATCH", &c, json!({"topic":"t","rate_limit_per_user":5})).await;
        let role = s.role("Moderator");
        call(&s, &http, "PUT", &format!("{c}/permissions/{role}"), json!({"type":0,"allow":"0","deny":"2048"})).await;
        call(&s, &http, "DELETE", &format!("{c}/permissions/{role}"), Value::Null).await;
        call(&s, &http, "POST", &format!("{c}/invites"), json!({"max_age":60})).await;
        call(&s, &http, "GET", &format!("{c}/invites"), Value::Null).await;
        let thread = call(&s, &http, "POST", &format!("{c}/threads"), json!({"name":"t","type":11})).await;
        let thread = thread["id"].as_str().unwrap();
        call(&s, &http, "GET", &format!("/channels/{thread}"), Value::Null).await;
        call(&s, &http, "PATCH", &format!("/channels/{thread}"), json!({"archived":true,"locked":true})).await;
        call(&s, &http, "PATCH", &format!("/channels/{thread}"), json!({"archived":false})).await;
        call(&s, &http, "PUT", &format!("/channels/{thread}/thread-members/{}", s.user("bob")), Value::Null).await;
        call(&s, &http, "POST", &format!("{me}/threads"), json!({"name":"on"})).await;
        call(
            &s,
            &http,
            "POST",
            &format!("/channels/{}/threads", s.channel("ideas")),
            json!({"name":"post","message":{"content":"p"}}),
        )
        .await;
        let hook = call(&s, &http, "POST", &format!("{c}/webhooks"), json!({"name":"bridge"})).await;
        let hook = format!("/webhooks/{}/{}", hook["id"].as_str().unwrap(), hook["token"].as_str().unwrap());
        call(&s, &http, "GET", &format!("{c}/webhooks"), Value::Null).await;
        call(&s, &http, "GET", &hook, Value::Null).await;
        let by_hook = call(
            &s,
            &http,
            "POST",
            &format!("{hook}?wait=true"),
            json!({"content":"h","username":"Zed","avatar_url":"https://e/a.png"}),
        )
        .await;
        let by_hook = format!("{hook}/messages/{}", by_hook["id"].as_str().unwrap());
        call(&s, &http, "GET", &by_hook, Value::Null).await;
        call(&s, &http, "PATCH", &by_hook, json!({"content":"h2"})).await;
        call(&s, &http, "DELETE", &by_hook, Value::Null).await;
        call(&s, &http, "DELETE", &hook, Value::Null).await;
        let dm =
            call(&s, &http, "POST", "/users/@me/channels", json!({"recipient_id":s.user("bob").to_string()})).await;
        let dm = call(
            &s,
            &http,
            "POST",
            &format!("/channels/{}/messages", dm["id"].as_str().unwrap()),
            json!({"content":"dm"}),
        )
        .await;
        assert_eq!(dm["content"], "dm");
        let bob = format!("{g}/members/{}", s.user("bob"));
        call(&s, &http, "GET", &bob, Value::Null).await;
        call(&s, &http, "PATCH", &bob, json!({"nick":"B","communication_disabled_until":"2015-01-01T00:00:00Z"})).await;
        call(&s, &http, "PUT", &format!("{bob}/roles/{role}"), Value::Null).await;
        call(&s, &http, "DELETE", &format!("{bob}/roles/{role}"), Value::Null).await;
        call(&s, &http, "DELETE", &bob, Value::Null).await;
        let alice = format!("{g}/bans/{}", s.user("alice"));
        call(&s, &http, "PUT", &alice, json!({"delete_message_seconds":3600})).await;
        call(&s, &http, "GET", &alice, Value::Null).await;
        call(&s, &http, "DELETE", &alice, Value::Null).await;
        s.joins("alice");
        s.joins("bob");
        // interactions
        let cmds = format!("/applications/{}/commands", s.bot());
        let all = json!([{"name":"roll","description":"r","options":[{"type":6,"name":"who","description":"w"},{"type":3,"name":"q","description":"q","autocomplete":true},{"type":7,"name":"ch","description":"c"},{"type":8,"name":"ro","description":"r"},{"type":11,"name":"f","description":"f"}]},
            {"name":"Info","type":2},{"name":"Quote","type":3},{"name":"tag","description":"t","options":[{"type":1,"name":"add","description":"a","options":[{"type":3,"name":"n","description":"n","required":true}]}]}]);
        call(&s, &http, "PUT", &cmds, all).await;
        call(&s, &http, "GET", &format!("{cmds}?with_localizations=true"), Value::Null).await;
        let gc = call(
            &s,
            &http,
            "POST",
            &format!("/applications/{}{g}/commands", s.bot()),
            json!({"name":"own","description":"o","default_member_permissions":"8"}),
        )
        .await;
        let gc = format!("/applications/{}{g}/commands/{}", s.bot(), gc["id"].as_str().unwrap());
        call(&s, &http, "PATCH", &gc, json!({"description":"p"})).await;
        call(&s, &http, "GET", &gc, Value::Null).await;
        call(&s, &http, "DELETE", &gc, Value::Null).await;
        s.uses("alice", "general", "roll", &json!({"who":"bob","ch":"random","ro":"Admin","f":"x.txt"}));
        s.completes("alice", "general", "roll", &json!({"q":"a"}), "q");
        s.uses("alice", "@alice", "tag add", &json!({"n":"x"}));
        s.uses_on_person("alice", "general", "Info", "bob");
        s.uses_on_message("alice", "Quote", id.parse().unwrap());
        let p = s.presses("alice", id.parse().unwrap(), "Go");
        s.chooses("alice", id.parse().unwrap(), "s", &["a"]);
        s.chooses("alice", id.parse().unwrap(), "u", &["bob"]);
        let token = s.token_of(p);
        call(&s, &http, "POST", &format!("/interactions/{p}/{token}/callback?with_response=true"), json!({"type":9,"data":{"custom_id":"f","title":"F","components":[{"type":1,"components":[{"type":4,"custom_id":"x","style":1,"label":"X"}]}]}})).await;
        let f = s.submits(p, &[("x", "y")]);
        let token = s.token_of(f);
        call(
            &s,
            &http,
            "POST",
            &format!("/interactions/{f}/{token}/callback?with_response=true"),
            json!({"type":4,"data":{"content":"e","flags":64}}),
        )
        .await;
        call(&s, &http, "POST", &format!("/webhooks/{}/{token}", s.bot()), json!({"content":"f"})).await;
        call(&s, &http, "DELETE", &format!("/webhooks/{}/{token}/messages/@original", s.bot()), Value::Null).await;
        // end
        call(&s, &http, "DELETE", &me, Value::Null).await;
        let (x, y) = (s.says("alice", "general", "1"), s.says("alice", "general", "2"));
        call(
            &s,
            &http,
            "POST",
            &format!("{c}/messages/bulk-delete"),
            json!({"messages":[x.to_string(), y.to_string()]}),
        )
        .await;
        s.removes_channel("the-end");
        drop(end);
    };
    let ((kinds, wrong), ()) = tokio::join!(listen, act);
    println!("{kinds:?}");
    println!("OWN {:#?}", s.own_misfits());
    println!("VIOLATIONS {:#?}", s.violations());
    for w in &wrong {
        println!("WRONG {w}");
    }
    assert!(wrong.is_empty() && s.own_misfits().is_empty() && s.violations().is_empty());
}
