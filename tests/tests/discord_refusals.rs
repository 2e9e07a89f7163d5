//! Refusals of the stand-in have Discord's codes, and injected faults look like Discord's.

#![allow(clippy::unwrap_used, dead_code, unreachable_pub, missing_docs, reason = "a test that cannot continue panics")]

mod discord_client;
mod passing;

use std::sync::Arc;
use std::time::Duration;

use discord_client::{Bot, quick};
use palabre_platform::VirtualClock;
use palabre_tests::discord::{Limit, Limits, Options, Permission};
use passing::pass;
use serde_json::{Value, json};
use twilight_gateway::Intents;

async fn bot() -> Option<Bot> {
    Bot::start(quick(), Intents::empty()).await
}

impl Bot {
    /// Returns the code of an error, or the status if there is none.
    async fn code(&self, method: &str, path: &str, body: Value) -> u64 {
        let (status, answer) = self.call(method, path, &body).await;
        answer["code"].as_u64().unwrap_or(u64::from(status))
    }
}

#[tokio::test]
async fn nothing_is_done_without_the_permission_or_above_ones_rank() {
    let Some(bot) = bot().await else { return };
    let discord = &bot.stand_in;
    let message = discord.says("alice", "general", "hello");
    let channel = format!("/channels/{}", discord.channel("general"));
    let member = |name: &str| format!("/guilds/{}/members/{}", discord.guild(), discord.user(name));
    let calls = [
        (Permission::MANAGE_CHANNELS, "PATCH", channel.clone(), json!({ "topic": "x" })),
        (Permission::PIN_MESSAGES, "PUT", format!("{channel}/messages/pins/{message}"), Value::Null),
        (
            Permission::ADD_REACTIONS,
            "PUT",
            format!("{channel}/messages/{message}/reactions/%F0%9F%91%8D/@me"),
            Value::Null,
        ),
        (Permission::MANAGE_MESSAGES, "DELETE", format!("{channel}/messages/{message}"), Value::Null),
        (Permission::MODERATE_MEMBERS, "PATCH", member("alice"), json!({ "communication_disabled_until": null })),
        (Permission::KICK_MEMBERS, "DELETE", member("alice"), Value::Null),
        (Permission::SEND_MESSAGES, "POST", format!("{channel}/messages"), json!({ "content": "x" })),
    ];
    for (permission, method, path, body) in calls {
        discord.deny(permission);
        assert_eq!(bot.code(method, &path, body.clone()).await, 50_013, "{method} {path}");
        discord.allow(permission);
        assert!(bot.call(method, &path, &body).await.0 < 300, "{method} {path}");
    }
    assert_eq!(bot.code("DELETE", &member("olivia"), Value::Null).await, 50_013, "the owner stands above all");
    discord.add_role("Sage", &[], true);
    let role = format!("{}/roles/{}", member("bob"), discord.role("Sage"));
    assert_eq!(bot.code("PUT", &role, Value::Null).await, 50_013, "a role above the bot's");
    discord.deny_in("general", Permission::VIEW_CHANNEL);
    assert_eq!(bot.code("GET", &channel, Value::Null).await, 50_001);
    assert_eq!((discord.violations(), discord.counters().invalid), (Vec::new(), 10));
}

#[tokio::test]
async fn each_unknown_object_has_its_own_error_code() {
    let Some(bot) = bot().await else { return };
    let (discord, none) = (&bot.stand_in, Value::Null);
    let guild = format!("/guilds/{}", discord.guild());
    let channel = format!("/channels/{}", discord.channel("general"));
    assert_eq!(bot.code("GET", &format!("{channel}/messages/1"), none.clone()).await, 10_008);
    assert_eq!(bot.code("GET", &format!("{guild}/members/1"), none.clone()).await, 10_013);
    assert_eq!(bot.code("DELETE", &format!("{guild}/bans/{}", discord.user("bob")), none.clone()).await, 10_026);
    assert_eq!(bot.code("GET", "/webhooks/1/x", none.clone()).await, 10_015);
    discord.closes_direct("bob");
    let direct = bot.call("POST", "/users/@me/channels", &json!({ "recipient_id": discord.user("bob") })).await.1;
    let direct = format!("/channels/{}/messages", direct["id"].as_str().unwrap());
    assert_eq!(bot.code("POST", &direct, json!({ "content": "psst" })).await, 50_007);
    let lone = json!({ "messages": [discord.says("alice", "general", "x")] });
    assert_ne!(bot.code("POST", &format!("{channel}/messages/bulk-delete"), lone).await, 204);
    let commands = format!("/applications/{}/commands", discord.bot());
    assert_eq!(bot.code("POST", &commands, json!({ "name": "No Spaces", "description": "x" })).await, 50_035);
    let stranger = bot.http.get(format!("{}/api/v10/users/@me", discord.api())).header("authorization", "Bot no");
    assert_eq!(stranger.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn an_interaction_waits_three_seconds_and_its_token_a_quarter_of_an_hour() {
    let clock = VirtualClock::new(1_800_000_000_000);
    let options = Options { clock: Arc::new(clock.clone()), ..quick() };
    let Some(bot) = Bot::start(options, Intents::empty()).await else { return };
    let discord = &bot.stand_in;
    let commands = format!("/applications/{}/commands", discord.bot());
    bot.call("POST", &commands, &json!({ "name": "Info", "type": 2 })).await;
    let uses = || {
        let used = discord.uses_on_person("alice", "general", "Info", "bob");
        (format!("/interactions/{used}/{}/callback", discord.token_of(used)), discord.token_of(used))
    };
    let answer = json!({ "type": 4, "data": { "content": "bob", "flags": 64 } });
    let (late, _) = uses();
    clock.advance(Duration::from_millis(3_001));
    assert_eq!(bot.code("POST", &late, answer.clone()).await, 10_062);
    let (callback, token) = uses();
    assert_eq!(bot.code("POST", &callback, answer).await, 204);
    let follow_up = format!("/webhooks/{}/{token}", discord.bot());
    assert_eq!(bot.code("POST", &follow_up, json!({ "content": "more" })).await, 200);
    clock.advance(Duration::from_millis(15 * 60_000 + 1));
    assert_eq!(bot.code("POST", &follow_up, json!({ "content": "still more" })).await, 50_027);
    let old = json!({ "messages": [discord.says("alice", "general", "1"), discord.says("alice", "general", "2")] });
    clock.advance(Duration::from_secs(14 * 86_400 + 1));
    let bulk = format!("/channels/{}/messages/bulk-delete", discord.channel("general"));
    assert_eq!(bot.code("POST", &bulk, old).await, 50_034);
}

#[tokio::test]
async fn a_patient_client_says_everything_once_through_all_faults() {
    let limits = Limits { others: Limit::new(1_000, 1_000), ..Limits::default() };
    let limits = Limits { named: [("create_message", Limit::new(20, 100))].into(), global: limits.others, ..limits };
    let Some(bot) = Bot::start(Options { limits, ..quick() }, Intents::empty()).await else { return };
    let url = format!("{}/api/v10/channels/{}/messages", bot.stand_in.api(), bot.stand_in.channel("general"));
    bot.stand_in.faults(0.3);
    for number in 0..60 {
        let body = json!({ "content": number.to_string(), "nonce": number.to_string(), "enforce_nonce": true });
        loop {
            let request = bot.http.post(&url).header("authorization", format!("Bot {}", bot.stand_in.token()));
            let Ok(answer) = request.json(&body).send().await else {
                // A client without an answer does not know the remaining limit.
                pass(Duration::from_millis(100)).await;
                continue;
            };
            let header = |name: &str| answer.headers().get(name)?.to_str().ok()?.parse::<f64>().ok();
            let (remaining, reset) = (header("x-ratelimit-remaining"), header("x-ratelimit-reset-after"));
            if remaining == Some(0.0) {
                // The header is rounded to milliseconds.
                pass(Duration::from_secs_f64(reset.unwrap()) + Duration::from_millis(1)).await;
            }
            if answer.status() == 200 {
                break;
            }
        }
    }
    let expected: Vec<String> = (0..60).map(|number| number.to_string()).collect();
    assert_eq!(bot.stand_in.texts("general"), expected);
    let counters = bot.stand_in.counters();
    assert!(counters.faults > 10 && counters.overruns == 0, "{counters:?}");
}

#[tokio::test]
async fn pins_go_by_todays_routes_alone() {
    let Some(bot) = bot().await else { return };
    let (discord, channel) = (&bot.stand_in, format!("/channels/{}", bot.stand_in.channel("general")));
    let message = discord.says("alice", "general", "hello");
    for method in ["PUT", "DELETE"] {
        assert_eq!(bot.call(method, &format!("{channel}/pins/{message}"), &Value::Null).await.0, 410, "{method}");
        assert_eq!(bot.call(method, &format!("{channel}/messages/pins/{message}"), &Value::Null).await.0, 204);
    }
    assert_eq!(bot.call("GET", &format!("{channel}/pins"), &Value::Null).await.0, 410);
    assert_eq!(discord.violations().len(), 3);
}

#[tokio::test]
async fn a_webhook_is_called_nothing_that_discord_keeps_for_itself() {
    let Some(bot) = bot().await else { return };
    let webhooks = format!("/channels/{}/webhooks", bot.stand_in.channel("general"));
    let hook = bot.call("POST", &webhooks, &json!({ "name": "Speaker" })).await.1;
    let speak = format!("/webhooks/{}/{}", hook["id"].as_str().unwrap(), hook["token"].as_str().unwrap());
    for name in ["Clyde of Discord", "İİİİdiscord", "everyone", "here", " ", &"x".repeat(81)] {
        assert_eq!(bot.code("POST", &speak, json!({ "content": "x", "username": name })).await, 50_035, "{name}");
    }
    bot.stand_in.refuses_name("Zoé");
    assert_eq!(bot.code("POST", &speak, json!({ "content": "x", "username": "Zoé" })).await, 50_035);
    assert_eq!(bot.call("POST", &speak, &json!({ "content": "x", "username": "Zoe" })).await.0, 204);
}
