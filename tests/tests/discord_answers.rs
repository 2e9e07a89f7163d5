//! Difficult cases on Discord: long answers when requests fail, and permissions set by others.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::discord::{Fault, Id, Limits, Options, Permission, StandIn};
use palabre_tests::{Daemon, Project};
use serde_json::{Value, json};

async fn set_up(script: &str) -> Option<(StandIn, Project, Daemon)> {
    let discord = StandIn::start_with(Options { limits: Limits::none(), ..Options::default() }).await?;
    let (api, token) = (discord.api(), discord.token());
    let bots = format!(
        "bots:\n  guild: {{ platform: discord, token: {token}, api: {api}, prefix: \"!\" }}\n\
         scripts:\n  test: {{ grants: [moderation] }}\n"
    );
    let project = Project::new(&bots, &[("test.luau", script)]);
    let daemon = project.start().await;
    discord.identified(1).await;
    Some((discord, project, daemon))
}

async fn ends_well(discord: StandIn, project: Project, daemon: Daemon) {
    assert_eq!(format!("{:#?}", discord.violations()), "[]", "log:\n{}", project.log());
    assert!(daemon.stop().await, "{}", project.log());
}

const LONG: &str = r#"
local function long(word)
  local parts = {}
  for n = 1, 3 do table.insert(parts, word .. n .. string.rep(" and so on", 185)) end
  return table.concat(parts, "\n\n")
end
function on_message(event) event:reply{ text = "press", buttons = {{ label = "More", action = "more" }} } end
function on_button(event) event:answer(long("part")) end
"#;

#[tokio::test]
async fn a_long_answer_is_said_once_whatever_happens_to_its_requests() {
    let Some((discord, project, daemon)) = set_up(LONG).await else { return };
    let faults = [
        ("create_interaction_response", Fault::CutAfter),
        ("create_interaction_response", Fault::CutBefore),
        ("execute_webhook", Fault::Broken),
        ("execute_webhook", Fault::CutBefore),
    ];
    for (operation, fault) in faults {
        discord.says("alice", "general", "hello");
        let menu = discord.hears("general", "press").await;
        discord.fault_next(operation, fault);
        let pressed = discord.presses("alice", menu.id, "more");
        let first = discord.answered(pressed).await;
        assert!(first.text().starts_with("part1"), "{operation} {fault:?}: {}", first.text());
        discord.until("the rest is there", |discord| (discord.follow_ups(pressed).len() >= 2).then_some(())).await;
        let said: Vec<_> = discord.follow_ups(pressed).iter().map(|post| post.text()[..5].to_owned()).collect();
        assert_eq!(said, ["part2", "part3"], "{operation} {fault:?}");
    }
    ends_well(discord, project, daemon).await;
}

/// Returns the allowed and denied permissions of a role or member in a channel.
fn overwrite(discord: &StandIn, channel: &str, id: Id) -> Option<(u64, u64)> {
    let now = discord.channel_now(channel);
    let bits = |one: &Value, name: &str| one[name].as_str().unwrap().parse::<u64>().unwrap();
    let found = now["permission_overwrites"].as_array()?.iter().find(|one| one["id"] == json!(id))?.clone();
    Some((bits(&found, "allow"), bits(&found, "deny")))
}

#[tokio::test]
async fn a_lock_leaves_what_others_have_settled_as_it_was() {
    let script = r#"
function on_message(event)
  if event.text == "lock" then event.room:lock() elseif event.text == "unlock" then event.room:unlock() end
end
"#;
    let Some((discord, project, daemon)) = set_up(script).await else { return };
    let speaking = Permission::SEND_MESSAGES.0;
    let bot = discord.bot();
    discord.deny_in("general", Permission::ADD_REACTIONS);
    let everybody = |discord: &StandIn| {
        overwrite(discord, "general", discord.guild()).is_some_and(|(_, deny)| deny & speaking != 0)
    };
    discord.says("olivia", "general", "lock");
    discord.until("it is locked", |discord| everybody(discord).then_some(())).await;
    let own = overwrite(&discord, "general", bot).unwrap();
    assert_eq!((own.0 & speaking, own.1), (speaking, Permission::ADD_REACTIONS.0));
    discord.says("olivia", "general", "unlock");
    let is_back = |discord: &StandIn| {
        (overwrite(discord, "general", bot) == Some((0, Permission::ADD_REACTIONS.0))).then_some(())
    };
    discord.until("the previous overwrites of the bot are back", is_back).await;
    assert!(!everybody(&discord));
    // Locking and unlocking neither opens a read-only channel nor removes individual permissions.
    let allows = Permission::SEND_MESSAGES.0.to_string();
    let overwrites = json!([
        { "id": discord.guild(), "type": 0, "allow": "0", "deny": allows },
        { "id": bot, "type": 1, "allow": allows, "deny": "0" },
    ]);
    discord.changes_channel("olivia", "general", json!({ "permission_overwrites": overwrites }));
    for (order, own) in [("lock", speaking | 1 << 38), ("unlock", speaking)] {
        discord.says("olivia", "general", order);
        let is_so = |discord: &StandIn| (overwrite(discord, "general", bot) == Some((own, 0))).then_some(());
        discord.until(order, is_so).await;
    }
    assert_eq!(overwrite(&discord, "general", discord.guild()), Some((0, speaking)));
    ends_well(discord, project, daemon).await;
}

#[tokio::test]
async fn commands_are_listed_in_the_languages_of_the_script() {
    let Some(discord) = StandIn::start_with(Options { limits: Limits::none(), ..Options::default() }).await else {
        return;
    };
    let (api, token) = (discord.api(), discord.token());
    let bots = format!("bots:\n  guild: {{ platform: discord, token: {token}, api: {api} }}\n");
    let script = r#"
command("order", {
  description = "Order something",
  args = { { name = "size", type = "choice", choices = { "small", "large" }, description = "How much" } },
}, function(event, args) event:reply(args.size) end)
"#;
    let project = Project::new(&bots, &[]);
    std::fs::create_dir_all(project.path().join("scripts/locales")).unwrap();
    let french = "command-order =\n    .name = commander\n    .description = Commander\n    .arg-size = taille\n    \
                  .arg-size-description = Combien\n    .choice-large = grand\n";
    std::fs::write(project.path().join("scripts/locales/fr.ftl"), french).unwrap();
    project.write_script("test.luau", script);
    let daemon = project.start().await;
    let command = discord
        .until("it is listed", |discord| discord.commands(None).into_iter().find(|command| command["name"] == "order"))
        .await;
    assert_eq!(command["name_localizations"]["fr"], "commander");
    let option = &command["options"][0];
    assert_eq!((&option["name"], &option["name_localizations"]["fr"]), (&json!("size"), &json!("taille")));
    assert_eq!(option["description_localizations"]["fr"], "Combien");
    assert_eq!(option["choices"][1]["name_localizations"]["fr"], "grand");
    let used = discord.uses("alice", "general", "order", &json!({ "size": "large" }));
    assert_eq!(discord.answered(used).await.text(), "large");
    ends_well(discord, project, daemon).await;
}

#[tokio::test]
async fn words_that_are_too_long_for_a_button_a_list_or_a_form_are_cut() {
    let script = r#"
local long = string.rep("word ", 60)
function on_message(event)
  local options = { { label = long, value = "one", description = long } }
  event:reply{ text = "well?", buttons = { { label = long, action = "ask" } },
    select = { action = "pick", placeholder = long, options = options } }
end
function on_button(event)
  event:form{ action = "told", title = long, fields = { { name = "what", label = long, placeholder = long } } }
end
"#;
    let Some((discord, project, daemon)) = set_up(script).await else { return };
    discord.says("alice", "general", "hello");
    let post = discord.hears("general", "well?").await;
    let pressed = discord.presses("alice", post.id, "ask");
    let form = discord.answer(pressed).await;
    assert!(form["data"]["title"].as_str().unwrap().ends_with('…'), "{form}");
    ends_well(discord, project, daemon).await;
}
