//! A bot on Discord, as its people meet it: the real daemon, and a stand-in that keeps Discord's rules.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use palabre_tests::discord::{Cut, Limits, Options, StandIn};
use palabre_tests::{Daemon, Project};
use serde_json::json;

/// The daemon with one bot on the stand-in, and these scripts.
struct Town {
    discord: StandIn,
    project: Project,
    daemon: Daemon,
}

impl Town {
    async fn start(options: Options, settings: &str, scripts: &[(&str, &str)]) -> Option<Self> {
        let discord = StandIn::start_with(options).await?;
        let project = Project::new(&bots(&discord, settings), scripts);
        let daemon = project.start().await;
        discord.identified(1).await;
        Some(Self { discord, project, daemon })
    }

    async fn with(scripts: &[(&str, &str)]) -> Option<Self> {
        Self::start(quick(), "", scripts).await
    }

    /// Nothing that the bot asked was out of Discord's rules; and the daemon stops in good order.
    async fn ends_well(self) {
        assert_eq!(format!("{:#?}", self.discord.violations()), "[]", "log:\n{}", self.project.log());
        assert_eq!(self.discord.counters().overruns, 0);
        assert!(self.daemon.stop().await, "{}", self.project.log());
    }
}

fn quick() -> Options {
    Options { limits: Limits::none(), ..Options::default() }
}

fn bots(discord: &StandIn, settings: &str) -> String {
    let (api, token) = (discord.api(), discord.token());
    format!(
        "bots:\n  guild:\n    platform: discord\n    token: {token}\n    api: {api}\n    prefix: \"!\"\n{settings}\nscripts:\n  test: {{ grants: [moderation, rooms, direct, files, personas, mentions] }}\n"
    )
}

#[tokio::test]
async fn it_answers_in_channels_threads_and_in_private() {
    let script = r#"
function on_message(event)
  event:reply(`{event.user.name} in {event.room.name} ({event.room.kind}, {event.space and event.space.name or "no server"}): {event.text}`)
end
"#;
    let Some(town) = Town::with(&[("test.luau", script)]).await else { return };
    let discord = &town.discord;
    let asked = discord.says("alice", "general", "hello");
    let post = discord.hears("general", "hello").await;
    assert_eq!(post.text(), "Alice in general (channel, Village): hello");
    assert_eq!(post.body["message_reference"]["message_id"], asked.to_string());
    assert_eq!(post.body["allowed_mentions"]["parse"], json!([]), "nobody is notified");
    discord.whispers("bob", "psst");
    assert_eq!(discord.hears("@bob", "psst").await.text(), "Bob in Bob (direct, no server): psst");
    let thread = discord.opens_thread("alice", "general", "aside").to_string();
    discord.says("bob", &thread, "well");
    assert_eq!(discord.hears(&thread, "well").await.text(), "Bob in aside (thread, Village): well");
    // Its own messages and those of other bots are none of its business.
    discord.webhook_says("weather", "general", "it rains");
    discord.says("alice", "random", "last");
    discord.hears("random", "last").await;
    assert_eq!(discord.texts("general").len(), 1);
    town.ends_well().await;
}

#[tokio::test]
async fn commands_are_listed_once_and_answered_in_time() {
    let script = r#"
command("roll", { description = "Rolls", args = { { name = "sides", type = "integer", min = 2, default = 6 } } }, function(event, args)
  event:reply(`a die of {args.sides}`)
end)
command("greet", { args = { { name = "whom", type = "user" }, { name = "how", type = "text", optional = true } } }, function(event, args)
  event:answer{ text = `{args.how or "hello"} {args.whom.name}`, ephemeral = true }
end)
command("slow", {}, function(event)
  sleep("3s")
  event:reply("at last")
end)
command("whois", { menu = "user" }, function(event, args) event:reply(args.user.name) end)
command("quote", { menu = "message" }, function(event, args) event:reply("> " .. args.message.text) end)
"#;
    let Some(town) = Town::with(&[("test.luau", script)]).await else { return };
    let discord = &town.discord;
    discord.until("the commands are listed", |discord| (discord.commands(None).len() >= 6).then_some(())).await;
    let used = discord.uses("alice", "general", "roll", &json!({ "sides": 20 }));
    assert_eq!(discord.answered(used).await.text(), "a die of 20");
    let used = discord.uses("alice", "general", "roll", &json!({}));
    assert_eq!(discord.answered(used).await.text(), "a die of 6");
    let used = discord.uses("alice", "general", "greet", &json!({ "whom": "bob", "how": "good day" }));
    let answered = discord.answered(used).await;
    assert_eq!(answered.text(), "good day Bob");
    assert_eq!(answered.flags() & 64, 64, "for one person's eyes");
    let used = discord.uses("bob", "general", "slow", &json!({}));
    assert_eq!(discord.answer(used).await["type"], 5, "announced within three seconds");
    assert_eq!(discord.answered(used).await.text(), "at last");
    let used = discord.uses_on_person("bob", "general", "whois", "alice");
    assert_eq!(discord.answered(used).await.text(), "Alice");
    let message = discord.says("alice", "general", "to be or not to be");
    let used = discord.uses_on_message("bob", "quote", message);
    assert_eq!(discord.answered(used).await.text(), "> to be or not to be");
    let writes = discord.counters().command_writes;

    // The same commands again are no reason to write.
    let Town { discord, project, daemon } = town;
    assert!(daemon.stop().await);
    let daemon = project.start().await;
    let used = discord.uses("alice", "general", "roll", &json!({ "sides": 4 }));
    assert_eq!(discord.answered(used).await.text(), "a die of 4");
    discord
        .until("the list was looked at again", |discord| {
            discord
                .counters()
                .calls
                .iter()
                .any(|(call, count)| call.contains("list_application_commands") && *count > 1)
                .then_some(())
        })
        .await;
    assert_eq!(discord.counters().command_writes, writes);
    assert_eq!(discord.counters().identifies, 1, "the session was resumed over the restart");
    Town { discord, project, daemon }.ends_well().await;
}

#[tokio::test]
async fn a_killed_daemon_hears_what_it_missed() {
    let script = "function on_message(event) event:reply(`{store.incr('n')}: {event.text}`) end";
    let Some(town) = Town::with(&[("test.luau", script)]).await else { return };
    let Town { discord, project, daemon } = town;
    discord.says("alice", "general", "one");
    discord.hears("general", "1: one").await;
    daemon.kill().await;
    discord.says("alice", "general", "two");
    discord.says("bob", "general", "three");
    let daemon = project.start().await;
    discord.hears("general", "3: three").await;
    discord.cut(Cut::Dirty);
    discord.says("bob", "general", "four");
    discord.hears("general", "4: four").await;
    assert_eq!(discord.texts("general"), ["1: one", "2: two", "3: three", "4: four"]);
    assert_eq!(discord.counters().identifies, 1);
    Town { discord, project, daemon }.ends_well().await;
}
