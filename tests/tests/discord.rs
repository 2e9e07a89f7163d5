//! A bot on Discord from the users' point of view: the real daemon, and the stand-in for Discord.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::discord::{Cut, Limits, Options, StandIn};
use palabre_tests::{Daemon, Project};
use serde_json::json;

/// The daemon with one bot on the stand-in, and these scripts.
struct Fixture {
    discord: StandIn,
    project: Project,
    daemon: Daemon,
}

impl Fixture {
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

    /// Checks that the bot violated none of Discord's rules, and stops the daemon cleanly.
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
        "bots:\n  guild:\n    platform: discord\n    token: {token}\n    api: {api}\n    prefix: \"!\"\n{settings}\n\
         scripts:\n  test: {{ grants: [moderation, rooms, direct, files, personas, mentions] }}\n"
    )
}

#[tokio::test]
async fn it_answers_in_channels_threads_and_in_private() {
    let script = r#"
function on_message(event)
  local server = event.space and event.space.name or "no server"
  event:reply(`{event.user.name} in {event.room.name} ({event.room.kind}, {server}): {event.text}`)
end
"#;
    let Some(fixture) = Fixture::with(&[("test.luau", script)]).await else { return };
    let discord = &fixture.discord;
    let asked = discord.says("alice", "general", "hello");
    let post = discord.hears("general", "hello").await;
    assert_eq!(post.text(), "Alice in general (channel, Village): hello");
    assert_eq!(post.body["message_reference"]["message_id"], asked.to_string());
    assert_eq!(post.body["allowed_mentions"]["parse"], json!([]), "nobody is notified");
    discord.sends_direct("bob", "psst");
    assert_eq!(discord.hears("@bob", "psst").await.text(), "Bob in Bob (direct, no server): psst");
    let thread = discord.opens_thread("alice", "general", "aside").to_string();
    discord.says("bob", &thread, "well");
    assert_eq!(discord.hears(&thread, "well").await.text(), "Bob in aside (thread, Village): well");
    // The bot must ignore its own messages and those of other bots.
    discord.webhook_says("weather", "general", "it rains");
    discord.says("alice", "random", "last");
    discord.hears("random", "last").await;
    assert_eq!(discord.texts("general").len(), 1);
    fixture.ends_well().await;
}

#[tokio::test]
async fn commands_are_listed_once_and_answered_in_time() {
    let script = r#"
local sides = { name = "sides", type = "integer", min = 2, default = 6 }
command("roll", { description = "Rolls", args = { sides } }, function(event, args)
  event:reply(`a die of {args.sides}`)
end)
local whom, how = { name = "whom", type = "user" }, { name = "how", type = "text", optional = true }
command("greet", { args = { whom, how } }, function(event, args)
  event:answer{ text = `{args.how or "hello"} {args.whom.name}`, ephemeral = true }
end)
command("slow", {}, function(event)
  sleep("3s")
  event:reply("at last")
end)
command("whois", { menu = "user" }, function(event, args) event:reply(args.user.name) end)
command("quote", { menu = "message" }, function(event, args) event:reply("> " .. args.message.text) end)
"#;
    let Some(fixture) = Fixture::with(&[("test.luau", script)]).await else { return };
    let discord = &fixture.discord;
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

    // Unchanged commands are not written again.
    let Fixture { discord, project, daemon } = fixture;
    assert!(daemon.stop().await);
    let daemon = project.start().await;
    let used = discord.uses("alice", "general", "roll", &json!({ "sides": 4 }));
    assert_eq!(discord.answered(used).await.text(), "a die of 4");
    let compared = async {
        while !project.log().contains("of which 0 were changed") {
            tokio::task::yield_now().await;
        }
    };
    let timeout = std::time::Duration::from_secs(10);
    assert!(tokio::time::timeout(timeout, compared).await.is_ok(), "{}", project.log());
    assert_eq!(discord.counters().command_writes, writes);
    assert_eq!(discord.counters().identifies, 1, "the session was resumed over the restart");
    Fixture { discord, project, daemon }.ends_well().await;
}

#[tokio::test]
async fn a_killed_daemon_hears_what_it_missed() {
    let script = "function on_message(event) event:reply(`{store.incr('n')}: {event.text}`) end";
    let Some(fixture) = Fixture::with(&[("test.luau", script)]).await else { return };
    let Fixture { discord, project, daemon } = fixture;
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
    Fixture { discord, project, daemon }.ends_well().await;
}

/// Removes the parts of a request body that differ from run to run.
fn stable(body: &serde_json::Value) -> serde_json::Value {
    let text = body.to_string();
    let ids = regex::Regex::new(r#"\d{15,}|"nonce":"[0-9a-f]{24}""#).unwrap();
    serde_json::from_str(&ids.replace_all(&text, |found: &regex::Captures<'_>| {
        if found[0].starts_with('"') { r#""nonce":"…""#.to_owned() } else { "0".to_owned() }
    }))
    .unwrap()
}

#[tokio::test]
async fn everything_that_can_be_said_is_said_in_discords_words() {
    let script = r#"
local says = {
  plain = function(event) event:reply("**hi** @everyone") end,
  loud = function(event)
    event:reply{ text = "wake up", mentions = { "everyone", "role:Moderator", event.user.id } }
  end,
  silent = function(event) event.room:send{ text = "hush", silent = true } end,
  embed = function(event)
    event.room:send{ embeds = { {
      title = "News", description = "*big*", url = "https://news.example", color = 0xff0000,
      fields = { { name = "a", value = "1", inline = true } },
    } } }
  end,
  buttons = function(event)
    event.room:send{ text = "well?", buttons = {
      { label = "Yes", action = "yes", style = "primary" },
      { label = "No", action = "no", style = "danger" },
      { label = "Later", action = "later", disabled = true },
      { label = "Read", url = "https://read.example" },
    } }
  end,
  select = function(event)
    event.room:send{ text = "which?", select = {
      action = "pick", placeholder = "one or two", min = 1, max = 2,
      options = { { label = "Red", value = "r", description = "like blood" }, { label = "Blue", value = "b" } },
    } }
  end,
  files = function(event) event.room:send{ text = "here", files = { { name = "notes.txt", data = "some notes" } } } end,
  long = function(event) event.room:send(string.rep("word ", 900)) end,
  poll = function(event)
    event.room:send{ poll = { question = "When?", options = { "Monday", "Friday" }, multiple = true, lasts = "90m" } }
  end,
  persona = function(event)
    local queen = { name = "Clyde the Queen", picture = "https://pictures.example/queen.png" }
    event.room:send{ text = "I am the queen", as = queen }
  end,
}
function on_message(event)
  says[event.text](event)
end
"#;
    let Some(fixture) = Fixture::with(&[("test.luau", script)]).await else { return };
    let discord = &fixture.discord;
    let mut said = Vec::new();
    for what in ["plain", "loud", "silent", "embed", "buttons", "select", "files", "long", "poll", "persona"] {
        let before = discord.posted("general").len();
        discord.says("alice", "general", what);
        let count = before + if what == "long" { 3 } else { 1 };
        let posts = discord.hears_many("general", count).await;
        for post in &posts[before..] {
            let files: Vec<_> = post.files.iter().map(|file| &file.name).collect();
            said.push(json!({ what: stable(&post.body), "by": post.author, "files": files }));
        }
    }
    insta::assert_json_snapshot!(said);
    fixture.ends_well().await;
}

#[tokio::test]
async fn buttons_lists_and_forms_are_answered() {
    let script = r#"
function on_message(event)
  local buttons = { { label = "Count", action = "count" }, { label = "Tell", action = "tell" } }
  event:reply{ text = "well?", buttons = buttons,
    select = { action = "pick", options = { { label = "Red", value = "r" }, { label = "Blue", value = "b" } } } }
end
function on_button(event)
  if event.action == "tell" then
    event:form{ action = "told", title = "Tell us", fields = {
      { name = "what", label = "What?", long = true, min = 3 },
      { name = "who", label = "Who?", optional = true },
    } }
  else
    event:answer{ text = `pressed {store.incr("n")} times`, ephemeral = true }
  end
end
function on_select(event) event:answer(`{event.user.name} takes {event.values[1]}`) end
function on_form(event) event:reply(`{event.user.name}: {event.values.what} ({event.values.who})`) end
command("choose", {}, function(event)
  local colour = event.room:choose(event.user, "Which?", { "red", "blue" })
  event:reply(`It is {colour}`)
end)
"#;
    let Some(fixture) = Fixture::with(&[("test.luau", script)]).await else { return };
    let discord = &fixture.discord;
    discord.says("alice", "general", "hello");
    let post = discord.hears("general", "well?").await;
    let pressed = discord.presses("bob", post.id, "Count");
    assert_eq!(discord.answered(pressed).await.text(), "pressed 1 times");
    let chosen = discord.chooses("bob", post.id, "pick", &["b"]);
    assert_eq!(discord.answered(chosen).await.text(), "Bob takes b");
    let pressed = discord.presses("alice", post.id, "Tell");
    assert_eq!(discord.answer(pressed).await["type"], 9);
    let sent = discord.submits(pressed, &[("what", "a story"), ("who", "me")]);
    assert_eq!(discord.answered(sent).await.text(), "Alice: a story (me)");
    discord.until("the commands are listed", |discord| (discord.commands(None).len() >= 2).then_some(())).await;
    discord.uses("alice", "general", "choose", &json!({}));
    let asked = discord.hears("general", "Which?").await;
    discord.presses("alice", asked.id, "blue");
    discord.hears("general", "It is blue").await;
    fixture.ends_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_intents_and_permissions_are_reported_before_the_start() {
    let Some(discord) =
        StandIn::start_with(Options { privileged: palabre_tests::discord::MESSAGE_CONTENT, ..quick() }).await
    else {
        return;
    };
    let project = Project::new(&bots(&discord, ""), &[("test.luau", "function on_message(event) end")]);
    discord.deny(palabre_tests::discord::Permission::BAN_MEMBERS);
    let asked = tokio::task::spawn_blocking(move || (project.run(&["check", "--online"]), project));
    let ((code, out, _), project) = asked.await.unwrap();
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("in 1 server\n") && out.contains("Server Members Intent"), "{out}");
    assert!(out.contains("in Village it lacks") && out.contains("Ban Members"), "{out}");
    assert!(out.contains("https://discord.com/oauth2/authorize?client_id="), "{out}");
    // A refused token is retried slowly, and the log says what to do.
    let text = bots(&discord, "").replace(discord.token(), "nonsense");
    std::fs::write(project.path().join("bots.yaml"), text).unwrap();
    let asked = tokio::task::spawn_blocking(move || (project.run(&["check", "--online"]), project));
    let ((code, out, _), project) = asked.await.unwrap();
    assert!(code == Some(1) && out.contains("refuses its token"), "{out}");
    let daemon = project.start().await;
    discord.counts("it has asked", |counters| counters.invalid >= 2).await;
    let told = async {
        while !project.log().contains("refused, tries again in") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), told).await.expect("it says why");
    assert!(daemon.stop().await);
    assert!(project.log().contains("Discord refuses the token of guild"), "{}", project.log());
    assert!(!project.log().contains("nonsense"), "the token stays out of the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_intent_is_reported_and_left_out() {
    let options = Options { privileged: palabre_tests::discord::MESSAGE_CONTENT, ..quick() };
    let script = "function on_message(event) event:reply('heard ' .. event.text) end";
    let Some(fixture) = Fixture::start(options, "", &[("test.luau", script)]).await else { return };
    fixture.discord.says("alice", "general", "hello");
    fixture.discord.hears("general", "heard hello").await;
    let log = fixture.project.log();
    assert!(log.contains("Server Members Intent") && log.contains("on_join"), "{log}");
    fixture.ends_well().await;
}

#[tokio::test]
async fn a_ban_for_good_is_not_lifted_by_one_for_a_while() {
    let script = r#"
local whom, lasts = { name = "whom", type = "member" }, { name = "lasts", type = "duration", optional = true }
command("out", { args = { whom, lasts } }, function(event, args)
  args.whom:ban{ for_ = args.lasts, reason = "out" }
end)
"#;
    let Some(fixture) = Fixture::with(&[("test.luau", script)]).await else { return };
    let discord = &fixture.discord;
    let (bob, alice) = (discord.user("bob"), discord.user("alice"));
    discord.says("olivia", "general", &format!("!out <@{bob}> 1s"));
    discord.says("olivia", "general", &format!("!out <@{bob}>"));
    let bans = |calls: u64| {
        discord
            .counts("the bans", move |counters| counters.calls.get("ban_user_from_guild").is_some_and(|n| *n >= calls))
    };
    bans(2).await;
    discord.says("olivia", "general", &format!("!out <@{alice}> 2s"));
    bans(3).await;
    discord.until("the later one is over", |discord| (!discord.is_banned("alice")).then_some(())).await;
    assert!(discord.is_banned("bob"));
    fixture.ends_well().await;
}
