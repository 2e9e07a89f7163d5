//! A bot on Telegram from the users' point of view: the real daemon, and the stand-in for Telegram.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::telegram::{Fault, Limits, Options, StandIn};
use palabre_tests::{Daemon, Project};

/// The daemon with one bot on the stand-in, and these scripts.
struct Fixture {
    telegram: StandIn,
    project: Project,
    daemon: Daemon,
}

impl Fixture {
    async fn with(script: &str) -> Option<Self> {
        let options = Options { limits: Limits::none(), ..Options::default() };
        let telegram = StandIn::start_with(options).await?;
        let project = Project::new(&bots(&telegram), &[("test.luau", script)]);
        let daemon = project.start().await;
        Some(Self { telegram, project, daemon })
    }

    /// Checks that the bot violated none of Telegram's rules, and stops the daemon cleanly.
    async fn ends_well(self) {
        assert_eq!(format!("{:#?}", self.telegram.violations()), "[]", "log:\n{}", self.project.log());
        assert_eq!(self.telegram.counters().overruns, 0);
        assert!(self.daemon.stop().await, "{}", self.project.log());
    }
}

fn bots(telegram: &StandIn) -> String {
    let (api, token) = (telegram.api(), telegram.token());
    let pace = "{ per_second: 1000, per_second_in_chat: 1000, per_minute_in_group: 10000 }";
    let bot = format!("platform: telegram, token: \"{token}\", api: \"{api}\", prefix: \"!\"");
    format!(
        "listen: 127.0.0.1:0\nbots: {{ tg: {{ {bot}, telegram: {{ pace: {pace} }} }} }}\n\
         scripts: {{ test: {{ grants: [moderation, rooms, direct, files, personas, mentions] }} }}\n"
    )
}

/// A script that does what a message names.
const DOES: &str = r#"
local does = {
  edit = function(event) local m = event.room:send("draft") m:edit("final *now*") end,
  delete = function(event) event.message:delete() end,
  react = function(event) event.message:react("👍") end,
  pin = function(event) event.message:pin() end,
  typing = function(event) event.room:typing() end,
  thread = function(event)
    local id = rooms.get(event.room.id):thread("about it"):delivered()
    rooms.get(id):send("in the topic")
  end,
  invite = function(event) event:reply(event.room:invite{ for_ = "1h", uses = 3 }:delivered()) end,
  mute = function(event) event.member:mute("10m", "flood") end,
  role = function(event) event.member:add_role("Baker") end,
  topic = function(event) event.room:set_topic("trees") end,
  slow = function(event) event:reply(tostring(event.bot:can("slowmode"))) end,
  lock = function(event) event.room:lock() end,
  unlock = function(event) event.room:unlock() end,
  purge = function(event) event.room:purge(3) end,
  dm = function(event) event.user:dm("psst") end,
  poll = function(event)
    event.room:send{ poll = { question = "When?", options = { "Monday", "Friday" }, lasts = "1h" } }
  end,
  file = function(event) event.room:send{ text = "notes", files = { { name = "notes.txt", data = "hello" } } } end,
  album = function(event)
    event.room:send{ text = "two", files = { { name = "a.txt", data = "a" }, { name = "b.txt", data = "b" } } }
  end,
  embed = function(event)
    local fields = { { name = "N", value = "V" } }
    event.room:send{ embeds = { { title = "T", url = "https://example.org", description = "D", fields = fields } } }
  end,
  long = function(event) event.room:send(string.rep("word ", 1500)) end,
  kick = function(event) event.member:kick("enough") end,
  ban = function(event) event.member:ban{ for_ = "1h", reason = "spam", purge = "1d" } end,
}
function on_message(event)
  local f = does[event.text]
  if f then f(event) end
end
function on_poll_vote(event) event.room:send(`{event.user.name} votes {table.concat(event.values, "+")}`) end
function on_error(event) log.error("failed: " .. event.error.message) end
"#;

/// Commands, and what their answers lead to.
const COMMANDS: &str = r#"
local sides = { name = "sides", type = "integer", min = 2, default = 6 }
command("roll", { description = "Rolls", args = { sides } }, function(event, args)
  event:reply(`a die of {args.sides}`)
end)
command("menu", {}, function(event)
  event:reply{
    text = "what?",
    buttons = {
      { label = "Go", action = "go" },
      { label = "Long", action = string.rep("long", 30) },
      { label = "Site", url = "https://example.org" },
    },
    select = {
      action = "colour",
      max = 2,
      options = { { label = "Red", value = "red" }, { label = "Blue", value = "blue" } },
    },
  }
end)
command("ban", { permission = "moderator" }, function(event) event:reply("banned") end)
command("report", {}, function(event)
  event:form{
    title = "Report",
    action = "report",
    fields = { { name = "why", label = "Why?", min = 3 }, { name = "more", label = "More?", optional = true } },
  }
end)
function on_button(event)
  event:answer{ text = `pressed {event.action:sub(1, 8)} {#event.action}`, ephemeral = true }
end
function on_select(event) event:reply(table.concat(event.values, "+")) end
function on_form(event) event:reply(`{event.action}: {event.values.why}/{event.values.more}`) end
"#;

#[tokio::test]
async fn it_answers_in_groups_topics_and_in_private() {
    let script = r#"
function on_message(event)
  local space = event.space and event.space.name or "no space"
  event:reply(`{event.user.name} in {event.room.name} ({event.room.kind}, {space}): {event.text}`)
end
"#;
    let Some(fixture) = Fixture::with(script).await else { return };
    let telegram = &fixture.telegram;
    let asked = telegram.says("alice", "Village", "hello");
    let post = telegram.hears("Village", "hello").await;
    assert_eq!(post.text(), "Alice in Village (channel, Village): hello");
    assert_eq!(post.reply_to(), Some(asked.id));
    telegram.says("bob", "Forum/ideas", "a tree");
    let post = telegram.hears("Forum/ideas", "a tree").await;
    assert_eq!(post.text(), "Bob in ideas (channel, Forum): a tree");
    telegram.starts("alice", "");
    telegram.hears("@alice", "/start").await;
    telegram.sends_direct("alice", "psst **not bold**");
    assert_eq!(telegram.hears("@alice", "psst").await.text(), "Alice in Alice (direct, no space): psst **not bold**");
    fixture.ends_well().await;
}

#[tokio::test]
async fn commands_buttons_lists_and_forms_are_answered() {
    let Some(fixture) = Fixture::with(COMMANDS).await else { return };
    let telegram = &fixture.telegram;
    telegram.until("commands are listed", |telegram| (telegram.commands("default", "").len() >= 3).then_some(())).await;
    let offered = |telegram: &StandIn, scope: &str| {
        telegram.commands(scope, "").iter().any(|command| command["command"] == "ban")
    };
    let for_admins = |telegram: &StandIn| offered(telegram, "all_chat_administrators").then_some(());
    telegram.until("administrators are offered more", for_admins).await;
    assert!(!offered(telegram, "default"));
    telegram.says("alice", "Village", "/roll@palabre_bot 20");
    telegram.hears("Village", "a die of 20").await;
    telegram.says("alice", "Village", "!roll");
    telegram.hears("Village", "a die of 6").await;
    telegram.says("alice", "Village", "/ban");
    telegram.hears("Village", "moderators only").await;
    telegram.says("olivia", "Village", "/ban");
    telegram.hears("Village", "banned").await;

    telegram.says("alice", "Village", "/menu");
    let menu = telegram.hears("Village", "what?").await;
    let pressed = telegram.presses("alice", menu.at, "Go");
    let answer = telegram.answered(&pressed).await;
    assert_eq!((answer.text.as_str(), answer.is_alert), ("pressed go 2", true));
    let pressed = telegram.presses("bob", menu.at, "Long");
    assert_eq!(telegram.answered(&pressed).await.text, "pressed longlong 120");
    for option in ["Blue", "Red"] {
        let pressed = telegram.presses("bob", menu.at, option);
        telegram.answered(&pressed).await;
    }
    let marked = |telegram: &StandIn| telegram.message(menu.at)["reply_markup"].to_string().matches("✅").count() == 2;
    telegram.until("both are marked", |telegram| marked(telegram).then_some(())).await;
    telegram.presses("bob", menu.at, "✔️");
    telegram.hears("Village", "red+blue").await;

    telegram.says("alice", "Village", "/report");
    let question = telegram.hears("Village", "Why?").await;
    telegram.replies("bob", question.at, "none of it");
    telegram.says("alice", "Village", "a public message is not the answer");
    telegram.replies("alice", question.at, "so");
    let repeated = telegram.hears("Village", "✎ 3").await;
    telegram.replies("alice", repeated.at, "spam");
    telegram.hears("Village", "More?").await;
    telegram.says("alice", "Village", "/skip");
    telegram.hears("Village", "report: spam/").await;
    fixture.ends_well().await;
}

#[tokio::test]
async fn everything_that_can_be_done_is_done_by_telegrams_means() {
    let Some(fixture) = Fixture::with(DOES).await else { return };
    let telegram = &fixture.telegram;
    telegram.says("alice", "Village", "edit");
    telegram
        .until("it is edited", |telegram| (telegram.posted("Village").last()?.text() == "final now").then_some(()))
        .await;
    let message = telegram.says("alice", "Village", "delete");
    telegram.until("it is gone", |telegram| telegram.message(message).is_null().then_some(())).await;
    let message = telegram.says("alice", "Village", "react");
    telegram.until("it is reacted to", |telegram| (!telegram.reactions(message).is_empty()).then_some(())).await;
    let message = telegram.says("alice", "Village", "pin");
    telegram.until("it is pinned", |telegram| telegram.pinned("Village").contains(&message.id).then_some(())).await;
    telegram.says("alice", "Village", "typing");
    telegram.until("it types", |telegram| (!telegram.actions().is_empty()).then_some(())).await;
    telegram.says("alice", "Forum/ideas", "thread");
    telegram
        .until("the topic is there", |telegram| {
            telegram.topics("Forum").iter().any(|(_, name, _)| name == "about it").then_some(())
        })
        .await;
    telegram.hears("Forum/about it", "in the topic").await;
    telegram.says("alice", "Village", "invite");
    telegram.hears("Village", "https://t.me/").await;
    telegram.says("alice", "Village", "mute");
    telegram.until("she is muted", |telegram| (!telegram.can_speak("alice", "Village")).then_some(())).await;
    telegram.says("olivia", "Village", "slow");
    telegram.hears("Village", "false").await;
    fixture.ends_well().await;
}

#[tokio::test]
async fn a_kick_from_a_basic_group_removes_the_member() {
    let script = r#"
function on_message(event)
  if event.text == "kick me" then event.member:kick() event.room:send("done") end
end
function on_error(event) event.room:send(`failed: {event.error.message}`) end
"#;
    let Some(fixture) = Fixture::with(script).await else { return };
    let telegram = &fixture.telegram;
    telegram.add_group("Cottage");
    telegram.says("alice", "Cottage", "kick me");
    telegram.hears("Cottage", "done").await;
    // Messages and moderation do not wait for each other.
    let is_out = |telegram: &StandIn| {
        let is_gone = telegram.member_now("alice", "Cottage")["status"] == "left";
        (is_gone || telegram.is_banned("alice", "Cottage")).then_some(())
    };
    telegram.until("alice is out", is_out).await;
    assert_eq!(telegram.counters().calls.get("unbanChatMember"), None);
    fixture.ends_well().await;
}

#[tokio::test]
async fn a_join_request_is_answered() {
    let script = r#"
function on_join_request(event)
  if event.user.name == "Mallory" then
    event.member:decline()
  else
    event.member:approve()
  end
  event.room:send(`{event.user.name} asked`)
end
"#;
    let Some(fixture) = Fixture::with(script).await else { return };
    let telegram = &fixture.telegram;
    for (who, name, status) in [("carol", "Carol", "member"), ("mallory", "Mallory", "left")] {
        telegram.asks_to_join(who, "Village");
        telegram.hears("Village", &format!("{name} asked")).await;
        let is_so = |telegram: &StandIn| (telegram.member_now(who, "Village")["status"] == status).then_some(());
        telegram.until(&format!("{name} is {status}"), is_so).await;
    }
    fixture.ends_well().await;
}

#[tokio::test]
async fn something_to_say_is_offered_in_any_chat() {
    let script = r#"
function on_inline_query(event)
  if event.text == "" then return event:offer({}) end
  event:offer({
    {
      title = "Loud",
      text = `**{event.text}**!`,
      description = "with a bang",
      picture = "https://example.org/bang.png",
    },
    { title = event.text },
  }, { lasts = "1m" })
end
"#;
    let Some(fixture) = Fixture::with(script).await else { return };
    let telegram = &fixture.telegram;
    let query = telegram.inline_query("alice", "hé");
    let mut answer = telegram.inline_answer(&query).await;
    answer["inline_query_id"] = "…".into();
    insta::assert_json_snapshot!(answer);
    telegram.takes_result(&query, "0", "Village");
    let nothing = telegram.inline_query("bob", "");
    assert_eq!(telegram.inline_answer(&nothing).await["results"], serde_json::json!([]));
    fixture.ends_well().await;
}

#[tokio::test]
async fn a_purge_that_fails_is_tried_again_and_removes_no_more() {
    let script = r#"
command("purge", {}, function(event)
  event.room:purge(2):outcome()
  event.room:send("purged")
end)
"#;
    let Some(fixture) = Fixture::with(script).await else { return };
    let telegram = &fixture.telegram;
    telegram.fault_next("deleteMessages", Fault::Broken);
    let said = ["one", "two", "three", "/purge"].map(|text| telegram.says("olivia", "Village", text));
    telegram.hears("Village", "purged").await;
    let left = said.map(|message| !telegram.message(message).is_null());
    assert_eq!(left, [true, true, false, false]);
    fixture.ends_well().await;
}

#[tokio::test]
async fn contents_are_sent_in_the_forms_of_telegram() {
    let Some(fixture) = Fixture::with(DOES).await else { return };
    let telegram = &fixture.telegram;
    telegram.says("alice", "Village", "poll");
    let poll = telegram
        .until("the poll is there", |telegram| {
            telegram.posted("Village").into_iter().find(|post| post.method == "sendPoll")
        })
        .await;
    telegram.votes("bob", poll.at, &[1]);
    telegram.hears("Village", "Bob votes Friday").await;
    telegram.says("alice", "Village", "file");
    let post = telegram.hears("Village", "notes").await;
    assert_eq!((post.method.as_str(), post.files[0].name.as_str()), ("sendDocument", "notes.txt"));
    telegram.says("alice", "Village", "album");
    telegram.hears("Village", "two").await;
    telegram.says("alice", "Village", "embed");
    let post = telegram.hears("Village", "N: V").await;
    assert_eq!(post.text(), "T\nD\nN: V");
    telegram.says("alice", "Village", "long");
    telegram
        .until("both parts are there", |telegram| {
            (telegram.texts("Village").iter().filter(|text| text.starts_with("word")).count() == 2).then_some(())
        })
        .await;
    assert!(!fixture.project.log().contains("failed:"), "{}", fixture.project.log());
    fixture.ends_well().await;
}

#[tokio::test]
async fn members_and_chats_are_moderated_by_telegrams_means() {
    let Some(fixture) = Fixture::with(DOES).await else { return };
    let telegram = &fixture.telegram;
    telegram.says("alice", "Village", "role");
    telegram
        .until("she is a baker", |telegram| (telegram.member_now("alice", "Village")["tag"] == "Baker").then_some(()))
        .await;
    telegram.says("olivia", "Village", "topic");
    telegram
        .until("it is described", |telegram| (telegram.chat_now("Village")["description"] == "trees").then_some(()))
        .await;
    telegram.says("olivia", "Village", "lock");
    telegram.until("it is locked", |telegram| (!telegram.can_speak("bob", "Village")).then_some(())).await;
    telegram.says("olivia", "Village", "unlock");
    telegram.until("it is open", |telegram| telegram.can_speak("bob", "Village").then_some(())).await;
    let before = telegram.messages("Village").len();
    telegram.says("olivia", "Village", "purge");
    telegram
        .until("three are gone", |telegram| (telegram.messages("Village").len() == before + 1 - 3).then_some(()))
        .await;
    telegram.starts("alice", "");
    telegram.says("alice", "Village", "dm");
    telegram.hears("@alice", "psst").await;
    telegram.says("alice", "Village", "kick");
    telegram
        .until("she is out, and may come back", |telegram| {
            (telegram.member_now("alice", "Village")["status"] == "left" && !telegram.is_banned("alice", "Village"))
                .then_some(())
        })
        .await;
    telegram.says("bob", "Village", "ban");
    telegram.until("he is banned", |telegram| telegram.is_banned("bob", "Village").then_some(())).await;
    assert!(!fixture.project.log().contains("failed:"), "{}", fixture.project.log());
    fixture.ends_well().await;
}
