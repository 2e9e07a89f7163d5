//! The actions on Discord: their calls with bodies, and what becomes of messages, rooms and members.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::discord::{Limits, Options, StandIn};
use palabre_tests::{Daemon, Project};
use serde_json::{Value, json};

/// All actions in one hook and one room, and therefore in this order.
const SCRIPT: &str = r#"
function on_message(event)
  if event.text ~= "all" then return end
  local room, member = event.room, event.member
  local message = room:send("draft")
  message:edit{ text = "final", embeds = { { title = "T", fields = { { name = "a", value = "b", inline = true } } } } }
  message:react("🌳")
  message:unreact("🌳")
  message:pin()
  message:unpin()
  event.message:reply{ text = "an answer", silent = true }
  room:typing()
  message:thread("about it")
  room:thread("aside")
  room:invite{ for_ = "1h", uses = 3 }
  room:set_topic("trees")
  room:slowmode("5s")
  room:slowmode(nil)
  room:lock()
  room:unlock()
  member:mute("10m", "flood")
  member:unmute()
  member:rename("Ally")
  member:add_role("Moderator", "earned")
  member:remove_role("Moderator")
  room:purge(2, { user = event.user })
  member:kick("enough")
  member:ban{ for_ = "7d", reason = "spam", purge = "1d" }
  local unbanned = member:unban("sorry")
  message:delete("done")
  unbanned:outcome()
  room:send("that is all")
end
function on_error(event) log.error("failed: " .. event.error.message) end
"#;

/// Performs the action that a message names.
const ONE_BY_ONE: &str = r#"
local does = {
  edit = function(event)
    local message = event.room:send("draft")
    message:edit{ text = "final", buttons = { { label = "ok", action = "ok" } } }
  end,
  delete = function(event) event.message:delete("spam") end,
  react = function(event) event.message:react("👍") end,
  pin = function(event) event.message:pin() end,
  typing = function(event) event.room:typing() end,
  thread = function(event)
    local id = event.message:thread("about it"):delivered()
    rooms.get(id):send("in the thread")
  end,
  invite = function(event) event:reply(event.room:invite{ for_ = "1h", uses = 3 }:delivered()) end,
  mute = function(event) event.member:mute("10m", "flood") end,
  unmute = function(event) event.member:unmute() end,
  rename = function(event) event.member:rename("Ally") end,
  role = function(event) event.member:add_role("Moderator", "earned") end,
  unrole = function(event) event.member:remove_role("Moderator") end,
  topic = function(event) event.room:set_topic("trees") end,
  slow = function(event) event.room:slowmode("5s") end,
  lock = function(event) event.room:lock() end,
  unlock = function(event) event.room:unlock() end,
  purge = function(event) event.room:purge(3) end,
  dm = function(event) event.user:dm("psst") end,
  kick = function(event) event.member:kick("enough") end,
  ban = function(event) event.member:ban{ for_ = "1s", reason = "spam", purge = "1d" } end,
}
function on_message(event)
  does[event.text](event)
end
function on_error(event) log.error("failed: " .. event.error.message) end
"#;

/// The daemon with a bot on the stand-in.
struct Fixture {
    discord: StandIn,
    project: Project,
    daemon: Daemon,
}

impl Fixture {
    async fn start(script: &str) -> Option<Self> {
        let discord = StandIn::start_with(Options { limits: Limits::none(), ..Options::default() }).await?;
        let (api, token) = (discord.api(), discord.token());
        let bots = format!(
            "bots:\n  guild: {{ platform: discord, token: {token}, api: {api} }}\n\
             scripts:\n  test: {{ grants: [moderation, rooms, direct] }}\n"
        );
        let project = Project::new(&bots, &[("test.luau", script)]);
        let daemon = project.start().await;
        discord.identified(1).await;
        Some(Self { discord, project, daemon })
    }

    /// Checks that nothing failed and the bot violated none of Discord's rules, and stops the daemon.
    async fn ends_well(self) {
        assert_eq!(format!("{:#?}", self.discord.violations()), "[]", "log:\n{}", self.project.log());
        assert_eq!(self.discord.counters().overruns, 0);
        assert!(!self.project.log().contains("failed:"), "{}", self.project.log());
        assert!(self.daemon.stop().await, "{}", self.project.log());
    }
}

#[tokio::test]
async fn every_action_is_asked_in_discords_words() {
    let Some(fixture) = Fixture::start(SCRIPT).await else { return };
    let discord = &fixture.discord;
    discord.says("alice", "general", "all");
    discord.hears("general", "that is all").await;
    let of_start = ["gateway", "application", "command", "get_my", "get_bot"];
    let calls = discord.asked().into_iter().filter(|(name, ..)| !of_start.iter().any(|part| name.contains(part)));
    let mut shown: Vec<String> = calls
        .map(|(name, reason, body)| {
            let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            let body = if body.is_null() { String::new() } else { format!(" {}", stable(&body)) };
            format!("{name}{reason}{body}")
        })
        .collect();
    // Moderation does not wait for messages, so each of the two kinds has its own order.
    shown.sort();
    insta::assert_snapshot!(shown.join("\n"));
    fixture.ends_well().await;
}

#[tokio::test]
async fn actions_on_messages_are_seen_on_discord() {
    let Some(fixture) = Fixture::start(ONE_BY_ONE).await else { return };
    let discord = &fixture.discord;
    discord.says("alice", "general", "edit");
    let is_edited = |discord: &StandIn| {
        let last = discord.posted("general").pop()?;
        (last.message["content"] == "final").then_some(())
    };
    discord.until("it is edited", is_edited).await;
    let message = discord.says("alice", "general", "delete");
    discord.until("it is gone", |discord| discord.message(message).is_null().then_some(())).await;
    let message = discord.says("alice", "general", "react");
    let emoji = |discord: &StandIn| discord.message(message)["reactions"][0]["emoji"]["name"].clone();
    discord.until("it is reacted to", |discord| (emoji(discord) == "👍").then_some(())).await;
    let message = discord.says("alice", "general", "pin");
    discord.until("it is pinned", |discord| (discord.message(message)["pinned"] == true).then_some(())).await;
    discord.says("alice", "general", "thread");
    discord.counts("the thread is there", |counters| counters.calls.contains_key("create_thread_from_message")).await;
    discord.until("it is spoken in", |discord| discord.posted("about it").pop()).await;
    fixture.ends_well().await;
}

#[tokio::test]
async fn actions_on_rooms_are_seen_on_discord() {
    /// The permissions that a locked channel denies: to send messages, there and in threads.
    const DENIED: u64 = 1 << 11 | 1 << 38;
    let Some(fixture) = Fixture::start(ONE_BY_ONE).await else { return };
    let discord = &fixture.discord;
    discord.says("alice", "general", "typing");
    discord.counts("it types", |counters| counters.calls.contains_key("trigger_typing_indicator")).await;
    discord.says("alice", "general", "invite");
    discord.hears("general", "https://discord.gg/").await;
    discord.says("alice", "random", "topic");
    discord.until("it has a topic", |discord| (discord.channel_now("random")["topic"] == "trees").then_some(())).await;
    discord.says("alice", "random", "slow");
    let seconds = |discord: &StandIn| discord.channel_now("random")["rate_limit_per_user"].clone();
    discord.until("it is slow", |discord| (seconds(discord) == 5).then_some(())).await;
    let is_locked = |discord: &StandIn| {
        let overwrites = discord.channel_now("random")["permission_overwrites"].to_string();
        overwrites.contains(&DENIED.to_string())
    };
    discord.says("alice", "random", "lock");
    discord.until("it is locked", |discord| is_locked(discord).then_some(())).await;
    discord.says("olivia", "random", "unlock");
    discord.until("it is open", |discord| (!is_locked(discord)).then_some(())).await;
    let last = discord.says("alice", "random", "purge");
    discord.until("the last are gone", |discord| discord.message(last).is_null().then_some(())).await;
    fixture.ends_well().await;
}

#[tokio::test]
async fn actions_on_members_are_seen_on_discord() {
    let Some(fixture) = Fixture::start(ONE_BY_ONE).await else { return };
    let discord = &fixture.discord;
    let alice = |discord: &StandIn| discord.member_now("alice");
    let is_muted = |discord: &StandIn| alice(discord)["communication_disabled_until"].is_string();
    discord.says("alice", "general", "mute");
    discord.until("she is muted", |discord| is_muted(discord).then_some(())).await;
    discord.says("alice", "general", "unmute");
    discord.until("she may speak", |discord| (!is_muted(discord)).then_some(())).await;
    discord.says("alice", "general", "rename");
    discord.until("she is renamed", |discord| (alice(discord)["nick"] == "Ally").then_some(())).await;
    let roles = |discord: &StandIn| alice(discord)["roles"].as_array().map_or(0, Vec::len);
    discord.says("alice", "general", "role");
    discord.until("she is a moderator", |discord| (roles(discord) == 1).then_some(())).await;
    discord.says("alice", "general", "unrole");
    discord.until("she is none", |discord| (roles(discord) == 0).then_some(())).await;
    discord.says("bob", "random", "dm");
    discord.hears("@bob", "psst").await;
    discord.says("bob", "random", "kick");
    discord.until("he is out", |discord| discord.member_now("bob").is_null().then_some(())).await;
    discord.says("alice", "random", "ban");
    discord.until("she is banned", |discord| discord.is_banned("alice").then_some(())).await;
    discord.until("and may come back", |discord| (!discord.is_banned("alice")).then_some(())).await;
    let log = discord.audit_log();
    let reasons: Vec<_> = log.iter().filter_map(|entry| entry["reason"].as_str()).collect();
    for reason in ["flood", "earned", "enough", "spam"] {
        assert!(reasons.contains(&reason), "{reason}: {reasons:?}");
    }
    fixture.ends_well().await;
}

/// Removes the parts of a body that differ from run to run: ids, nonces, times.
fn stable(body: &Value) -> Value {
    match body {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), stable_field(name, value))).collect(),
        Value::Array(list) => list.iter().map(stable).collect(),
        Value::String(text) if text.len() > 14 && text.bytes().all(|byte| byte.is_ascii_digit()) => json!("ID"),
        other => other.clone(),
    }
}

fn stable_field(name: &str, value: &Value) -> Value {
    match name {
        "nonce" => json!("NONCE"),
        "communication_disabled_until" if value.is_string() => json!("TIME"),
        _ => stable(value),
    }
}
