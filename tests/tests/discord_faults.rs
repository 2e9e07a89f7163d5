//! Failures on Discord of what scripts request, and what users see of them.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::discord::{Fault, Limits, Options, Permission, StandIn};
use palabre_tests::{Daemon, Project};
use serde_json::{Value, json};

/// The daemon with one bot on the stand-in, and a script.
struct Fixture {
    discord: StandIn,
    project: Project,
    daemon: Daemon,
}

const GRANTS: &str = "scripts:\n  test: { grants: [moderation, rooms, direct, files, personas, mentions] }\n";

fn bot(discord: &StandIn, settings: &str) -> String {
    let (api, token) = (discord.api(), discord.token());
    format!(
        "bots:\n  guild: {{ platform: discord, token: \" Bot {token}\\r\\n\", api: {api}, \
         prefix: \"!\"{settings} }}\n{GRANTS}"
    )
}

fn quick() -> Options {
    Options { limits: Limits::none(), ..Options::default() }
}

impl Fixture {
    async fn with(settings: &str, script: &str) -> Option<Self> {
        let discord = StandIn::start_with(quick()).await?;
        let project = Project::new(&bot(&discord, settings), &[("test.luau", script)]);
        let daemon = project.start().await;
        discord.identified(1).await;
        Some(Self { discord, project, daemon })
    }

    async fn lists(&self, names: &[&str]) {
        let is_listed = |all: &[Value], name: &str| all.iter().any(|command| command["name"] == name);
        let listed = |discord: &StandIn| {
            let all = discord.commands(None);
            names.iter().all(|name| is_listed(&all, name)).then_some(())
        };
        self.discord.until("the commands are listed", listed).await;
    }

    async fn ends_well(self) {
        assert_eq!(format!("{:#?}", self.discord.violations()), "[]", "log:\n{}", self.project.log());
        assert!(self.daemon.stop().await, "{}", self.project.log());
    }
}

#[tokio::test]
async fn one_refused_token_silences_nobody() {
    let script = "function on_message(event) event.room:typing() event:reply('heard ' .. event.text) end";
    let Some(fixture) = Fixture::with("", script).await else { return };
    for (operation, text) in
        [("trigger_typing_indicator", "one"), ("create_message", "two"), ("trigger_typing_indicator", "three")]
    {
        fixture.discord.fault_next(operation, Fault::Unauthorized);
        fixture.discord.says("alice", "general", text);
        fixture.discord.hears("general", &format!("heard {text}")).await;
    }
    assert!(!fixture.project.log().contains("refused, tries again"), "{}", fixture.project.log());
    fixture.ends_well().await;
}

#[tokio::test]
async fn a_webhook_that_is_gone_or_refused_is_made_anew() {
    let script = "function on_message(event) event.room:send{ text = event.text, as = { name = 'The Queen' } } end";
    let Some(fixture) = Fixture::with("", script).await else { return };
    fixture.discord.says("alice", "general", "one");
    fixture.discord.hears("general", "one").await;
    fixture.discord.fault_next("execute_webhook", Fault::Unauthorized);
    fixture.discord.says("alice", "general", "two");
    fixture.discord.hears("general", "two").await;
    assert_eq!(fixture.discord.texts("general"), ["one", "two"]);
    fixture.ends_well().await;
}

#[tokio::test]
async fn a_persona_may_be_called_anything() {
    let names = ["Clyde of Discord", "İİİİdiscord", "everyone", "@here", "x", "ｄｉｓｃｏｒｄ"];
    let script = "function on_message(event) event.room:send{ text = event.text, as = { name = event.text } } end";
    let Some(fixture) = Fixture::with("", script).await else { return };
    for name in names {
        fixture.discord.says("alice", "general", name);
        let post = fixture.discord.hears("general", name).await;
        assert_eq!(post.author.replace('\u{200b}', ""), name, "it is unchanged");
    }
    // A name that only Discord knows to be invalid.
    fixture.discord.refuses_name("Zoé Smith");
    fixture.discord.says("alice", "general", "Zoé Smith");
    assert_eq!(fixture.discord.hears("general", "Zoé Smith").await.author, "Z. S.");
    fixture.ends_well().await;
}

const COMMANDS: &str = r#"
command("poll", {}, function(event)
  event.room:send("Tea or coffee?")
  event.room:send("Say it here.")
end)
command("slowly", {}, function(event) sleep("2s") event.room:send("at last") event:reply("and more") end)
command("elsewhere", {}, function(event)
  rooms.get(event.bot.name .. "/" .. store.get("random")):send("there")
  event:reply("done")
end)
function on_message(event) store.set("random", event.text) end
"#;

#[tokio::test]
async fn the_first_message_of_a_script_answers_its_command() {
    let Some(fixture) = Fixture::with("", COMMANDS).await else { return };
    let discord = &fixture.discord;
    fixture.lists(&["poll", "slowly", "elsewhere"]).await;
    let used = discord.uses("alice", "general", "poll", &json!({}));
    assert_eq!(discord.answered(used).await.text(), "Tea or coffee?");
    let said = discord.hears("general", "Say it here.").await;
    assert!(said.message["interaction_metadata"].is_null(), "only the first is the answer: {}", said.message);
    let used = discord.uses("alice", "general", "slowly", &json!({}));
    assert_eq!(discord.answered(used).await.text(), "at last");
    discord.until("the rest", |discord| discord.follow_ups(used).pop().filter(|post| post.text() == "and more")).await;
    // A message in another room is not an answer to the interaction.
    discord.says("alice", "general", &discord.channel("random").to_string());
    let used = discord.uses("alice", "general", "elsewhere", &json!({}));
    assert_eq!(discord.answered(used).await.text(), "done");
    discord.hears("random", "there").await;
    fixture.ends_well().await;
}

#[tokio::test]
async fn a_user_who_accepts_no_direct_messages_is_informed_in_the_room() {
    let script = r#"command("secret", {}, function(event) event:answer{ text = "psst", ephemeral = true } end)"#;
    let Some(fixture) = Fixture::with("", script).await else { return };
    fixture.discord.closes_direct("alice");
    fixture.discord.says("alice", "general", "!secret");
    let told = fixture.discord.hears("general", "in private").await;
    assert!(told.text().contains(&format!("<@{}>", fixture.discord.user("alice"))) && !told.text().contains("psst"));
    fixture.discord.says("bob", "general", "!secret");
    assert_eq!(fixture.discord.hears("@bob", "psst").await.text(), "psst");
    assert_eq!(fixture.discord.texts("general").len(), 1);
    fixture.ends_well().await;
}

#[tokio::test]
async fn a_message_that_is_changed_to_more_than_fits_is_changed_in_parts() {
    let script = r#"
local handle
local words = function(word, count) return (word .. " "):rep(count) end
function on_message(event)
  if event.text == "say" then handle = event.room:send("short") return end
  if event.text == "gone" then handle:delete() return end
  handle:edit{ text = words(event.text, 600), buttons = { { label = "ok", action = "ok" } } }
end
"#;
    let Some(fixture) = Fixture::with("", script).await else { return };
    let discord = &fixture.discord;
    discord.says("alice", "general", "say");
    let first = discord.hears("general", "short").await;
    let parts = |word: &str, count: usize| {
        let word = word.to_owned();
        move |discord: &StandIn| {
            let texts = discord.texts("general");
            let all: usize = texts.iter().map(|text| text.split(' ').filter(|one| *one == word).count()).sum();
            (all == 600 && texts.len() == count).then_some(texts)
        }
    };
    discord.says("alice", "general", "word");
    discord.until("it is there in parts", parts("word", 2)).await;
    assert!(discord.message(first.id)["content"].as_str().unwrap().starts_with("word"));
    assert_eq!(discord.message(first.id)["components"], json!([]), "the buttons are under the last");
    discord.says("alice", "general", "longer");
    discord.until("there are more of them", parts("longer", 3)).await;
    discord.says("alice", "general", "x");
    discord.until("there is one again", parts("x", 1)).await;
    assert!(discord.message(first.id)["content"].as_str().unwrap().starts_with("x x"));
    discord.says("alice", "general", "longer");
    discord.until("there are more of them", parts("longer", 3)).await;
    discord.says("alice", "general", "gone");
    discord.until("all are gone", |discord| discord.texts("general").is_empty().then_some(())).await;
    fixture.ends_well().await;
}

#[tokio::test]
async fn a_spoiler_over_the_limit_lies_open_nowhere() {
    let script = "function on_message(event) event.room:send('||' .. ('word '):rep(900) .. 'end||') end";
    let Some(fixture) = Fixture::with("", script).await else { return };
    fixture.discord.says("alice", "general", "hello");
    for post in fixture.discord.hears_many("general", 3).await {
        assert!(post.text().starts_with("||") && post.text().ends_with("||"), "{}", post.text());
    }
    fixture.ends_well().await;
}

/// Whether one of these ids may write in a channel by Discord's rules.
///
/// In a locked channel this depends on the overwrites for the member or a role of theirs.
fn may_write(discord: &StandIn, channel: &str, ids: &[palabre_tests::discord::Id]) -> bool {
    let now = discord.channel_now(channel);
    let all = now["permission_overwrites"].as_array().cloned().unwrap_or_default();
    let allows =
        |one: &Value| one["allow"].as_str().unwrap().parse::<u64>().unwrap() & Permission::SEND_MESSAGES.0 != 0;
    ids.iter().any(|id| all.iter().any(|one| one["id"] == json!(id) && allows(one)))
}

#[tokio::test]
async fn a_member_who_may_unlock_may_write_in_a_locked_channel() {
    let script = r#"
command("lock", { permission = "moderator" }, function(event) event.room:lock() event:reply("locked") end)
command("unlock", { permission = "moderator" }, function(event) event.room:unlock() event:reply("open") end)
"#;
    let Some(discord) = StandIn::start_with(quick()).await else { return };
    let (helper, carol) = (discord.add_role("Helper", &[], false), discord.joins("carol"));
    let settings = format!(", permissions: {{ moderator: [Helper, \"{carol}\"] }}");
    let project = Project::new(&bot(&discord, &settings), &[("test.luau", script)]);
    let daemon = project.start().await;
    discord.identified(1).await;
    let fixture = Fixture { discord, project, daemon };
    let discord = &fixture.discord;
    let speakers = [helper, carol, discord.role("Moderator"), discord.bot()];
    discord.says("carol", "general", "!lock");
    let everybody = discord.guild();
    let is_locked = |discord: &StandIn| {
        let all = discord.channel_now("general")["permission_overwrites"].clone();
        all.as_array()?.iter().any(|one| one["id"] == json!(everybody) && one["deny"] != "0").then_some(())
    };
    discord.until("it is locked", is_locked).await;
    for id in speakers {
        assert!(may_write(discord, "general", &[id]), "{id}: {}", discord.channel_now("general"));
    }
    assert!(!may_write(discord, "general", &[discord.user("bob")]));
    discord.says("carol", "general", "!unlock");
    let is_open =
        |discord: &StandIn| (discord.channel_now("general")["permission_overwrites"] == json!([])).then_some(());
    discord.until("it is as it was", is_open).await;
    fixture.ends_well().await;
}

#[tokio::test]
async fn lists_of_commands_follow_the_setting_and_are_counted_right() {
    let script = r#"
command("one", {}, function(event) event:reply("1") end)
command("two", {}, function(event) event:reply("2") end)
"#;
    let Some(discord) = StandIn::start_with(quick()).await else { return };
    let project = Project::new(&bot(&discord, ""), &[("test.luau", script)]);
    let daemon = project.start().await;
    let guild = discord.guild();
    let listed = |everywhere: usize, there: usize| {
        move |discord: &StandIn| {
            let counts = (discord.commands(None).len(), discord.commands(Some(guild)).len());
            // `/help` is a command too.
            (counts.0.min(everywhere) == everywhere
                && counts.1.min(there) == there
                && (everywhere > 0 || counts.0 == 0)
                && (there > 0 || counts.1 == 0))
                .then_some(())
        }
    };
    discord.until("they are listed everywhere", listed(2, 0)).await;
    assert!(daemon.stop().await);
    let set = bot(&discord, &format!(", discord: {{ command_servers: [\"{guild}\"] }}"));
    std::fs::write(project.path().join("bots.yaml"), set).unwrap();
    let daemon = project.start().await;
    discord.until("they are listed there alone", listed(0, 2)).await;
    assert!(daemon.stop().await);
    std::fs::write(project.path().join("bots.yaml"), bot(&discord, "")).unwrap();
    let daemon = project.start().await;
    discord.until("they are listed everywhere again", listed(2, 0)).await;
    Fixture { discord, project, daemon }.ends_well().await;
}

#[tokio::test]
async fn content_limits_of_discord_are_reported_at_the_line_of_the_script() {
    let script = r#"
local long = ("x"):rep(300)
local options, same = {}, { { label = "a", value = "1" }, { label = "b", value = "1" } }
for n = 1, 26 do options[n] = { label = "option " .. n, value = "v" .. n } end
local wrong = {
  title = { embeds = { { title = long } } },
  field = { embeds = { { fields = { { name = "a", value = long:rep(4) } } } } },
  empty = { embeds = { { fields = { { name = "", value = "b" } } } } },
  total = { embeds = { { description = ("x"):rep(4000) }, { description = ("x"):rep(4000) } } },
  list = { text = "?", select = { action = "a", options = options } },
  twice = { text = "?", select = { action = "a", options = same } },
  action = { text = "?", buttons = { { label = "a", action = long } } },
  label = { text = "?", buttons = { { label = " ", action = "a" } } },
  file = { files = { { name = "a\r\nb.txt", data = "x" } } },
}
function on_message(event)
  local _, problem = pcall(function() event.room:send(wrong[event.text]) end)
  event:reply(event.text .. ": " .. tostring(problem))
end
"#;
    let Some(fixture) = Fixture::with("", script).await else { return };
    for (what, part) in [
        ("title", "256"),
        ("field", "1024"),
        ("empty", "empty"),
        ("total", "6000"),
        ("list", "25"),
        ("twice", "twice"),
        ("action", "100"),
        ("label", "label"),
        ("file", "name of a file"),
    ] {
        fixture.discord.says("alice", "general", what);
        let told = fixture.discord.hears("general", &format!("{what}: ")).await;
        assert!(told.text().contains(part) && told.text().contains("test.luau"), "{}", told.text());
    }
    fixture.ends_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_accepts_and_never_answers_is_given_up_in_seconds() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    let bots = format!("bots:\n  guild: {{ platform: discord, token: some.token.here, api: \"{api}\" }}\n");
    let project = Project::new(&bots, &[("test.luau", "function on_message(event) end")]);
    // The system accepts connections that nobody reads.
    let asked = tokio::task::spawn_blocking(move || project.run(&["check", "--online"]));
    let (code, out, _) = tokio::time::timeout(std::time::Duration::from_secs(60), asked).await.unwrap().unwrap();
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("has not responded yet") && out.contains("does not answer in time"), "{out}");
    drop(listener);
}
