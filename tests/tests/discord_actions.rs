//! The calls to Discord for each action, with their bodies.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::Project;
use palabre_tests::discord::{Limits, Options, StandIn};
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

#[tokio::test]
async fn every_action_is_asked_in_discords_words() {
    let Some(discord) = StandIn::start_with(Options { limits: Limits::none(), ..Options::default() }).await else {
        return;
    };
    let (api, token) = (discord.api(), discord.token());
    let bots = format!(
        "bots:\n  guild: {{ platform: discord, token: {token}, api: {api} }}\nscripts:\n  test: {{ grants: [moderation, rooms, direct] }}\n"
    );
    let project = Project::new(&bots, &[("test.luau", SCRIPT)]);
    let daemon = project.start().await;
    discord.identified(1).await;
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
    assert_eq!(format!("{:#?}", discord.violations()), "[]");
    assert!(!project.log().contains("failed:"), "{}", project.log());
    assert!(daemon.stop().await, "{}", project.log());
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
