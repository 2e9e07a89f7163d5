//! The exact requests to Telegram for each action of scripts.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::Project;
use palabre_tests::telegram::{Limits, Options, StandIn};
use serde_json::Value;

/// Each content and action by its name; `done` follows in the same room after all of it.
const SCRIPT: &str = r#"
local long = string.rep("word ", 900)
local pictures = { { name = "a.jpg", data = "a" }, { name = "b.jpg", data = "b" } }
local ok = { label = "ok", action = "ok" }
local does = {
  plain = function(event)
    local line = "**hi** *there* `x` ~~no~~ ||psst|| [link](https://a.example) @alice"
    event:reply(line .. "\n> quoted\n```lua\nprint(1)\n```")
  end,
  loud = function(event)
    event.room:send{ text = `<@{event.user.id:match("%d+$")}> and @bob`, mentions = { event.user.id } }
  end,
  silent = function(event) event.room:send{ text = "hush", silent = true } end,
  embed = function(event)
    local news = { title = "News", description = "*big*", url = "https://news.example", color = 0xff0000 }
    news.fields = { { name = "a", value = "1", inline = true } }
    event.room:send{ embeds = { news } }
  end,
  buttons = function(event)
    event.room:send{
      text = "well?",
      buttons = {
        { label = "Yes", action = "yes", style = "primary" },
        { label = "No", action = "no" },
        { label = "Later", action = "later", disabled = true },
        { label = "Read", url = "https://read.example" },
        { label = "Long", action = string.rep("x", 65) },
      },
    }
  end,
  select = function(event)
    local options = { { label = "Red", value = "r", description = "like blood" }, { label = "Blue", value = "b" } }
    local select = { action = "pick", placeholder = "one or two", min = 1, max = 2, options = options }
    event.room:send{ text = "which?", select = select }
  end,
  form = function(event)
    local fields = { { name = "a", label = "Why?", placeholder = "because" }, { name = "b", label = "Who?" } }
    event:form{ title = "A *form*", action = "f", fields = fields }
  end,
  file = function(event) event.room:send{ text = "here", files = { { name = "notes.txt", data = "some notes" } } } end,
  picture = function(event)
    event.room:send{ files = { { name = "tree.png", data = "png", content_type = "image/png" } } }
  end,
  sound = function(event)
    event.room:send{ files = { { name = "a.mp3", data = "mp3" }, { name = "b.ogg", data = "ogg" } } }
  end,
  album = function(event) event.room:send{ text = "two", files = pictures } end,
  album_with_buttons = function(event) event.room:send{ text = "two", files = pictures, buttons = { ok } } end,
  long = function(event) event.room:send(long) end,
  edit = function(event) local m = event.room:send("draft") m:edit{ text = "final *now*", buttons = { ok } } end,
  recaption = function(event)
    local m = event.room:send{ text = "draft", files = { { name = "a.txt", data = "a" } } }
    m:edit("final")
  end,
  delete = function(event) return event.message:delete("spam") end,
  react = function(event) event.message:react("❤️") end,
  unreact = function(event) event.message:unreact("❤️") end,
  pin = function(event) event.message:pin() end,
  unpin = function(event) event.message:unpin() end,
  typing = function(event) event.room:typing() end,
  thread = function(event) event.message:thread("about it") end,
  invite = function(event) event.room:invite{ for_ = "1h", uses = 3 } end,
  mute = function(event) return event.member:mute("10m", "flood") end,
  unmute = function(event) return event.member:unmute() end,
  tag = function(event) return event.member:add_role("Baker") end,
  untag = function(event) return event.member:remove_role("Baker") end,
  promote = function(event) return event.member:add_role("administrator") end,
  title = function(event) return event.member:add_role("A title that is too long") end,
  demote = function(event) return event.member:remove_role("administrator") end,
  topic = function(event) event.room:set_topic("trees") end,
  lock = function(event) return event.room:lock() end,
  unlock = function(event) return event.room:unlock() end,
  purge = function(event) return event.room:purge(3) end,
  dm = function(event) event.user:dm("psst") end,
  kick = function(event) return event.member:kick("enough") end,
  ban = function(event) return event.member:ban{ for_ = "1s", reason = "spam", purge = "1d" } end,
}
function on_message(event)
  local name = event.text:match("^%S+")
  if not does[name] then return end
  local moderation = does[name](event)
  if moderation then moderation:outcome() end
  event.room:send("done: " .. name)
end
function on_error(event) log.error(`failed: {event.error.message}`) end
"#;

/// The calls that belong to no action.
const HOUSEKEEPING: [&str; 6] =
    ["getMe", "getMyCommands", "setMyCommands", "deleteWebhook", "getChatAdministrators", "getChatMember"];

struct Fixture {
    telegram: StandIn,
    project: Project,
    lines: Vec<String>,
    seen: usize,
}

impl Fixture {
    async fn start() -> Option<Self> {
        let telegram =
            StandIn::start_with(Options { limits: Limits::none(), roughness: 0.0, ..Options::default() }).await?;
        let (api, token) = (telegram.api(), telegram.token());
        let settings = "{ pace: { per_second: 1000, per_second_in_chat: 1000, per_minute_in_group: 10000 } }";
        let bots = format!(
            "bots: {{ tg: {{ platform: telegram, token: \"{token}\", api: \"{api}\", telegram: {settings} }} }}\n\
             scripts: {{ test: {{ grants: [moderation, rooms, direct, files, mentions] }} }}\n"
        );
        let project = Project::new(&bots, &[("test.luau", SCRIPT)]);
        Some(Self { telegram, project, lines: Vec::new(), seen: 0 })
    }

    /// Requests one action after another as a user, and records the requests that each causes.
    async fn does(&mut self, who: &str, chat: &str, names: &[&str]) {
        for name in names {
            self.telegram.says(who, chat, name);
            self.telegram.hears(chat, &format!("done: {name}")).await;
            if *name == "dm" {
                // Direct messages have a separate order.
                self.telegram.hears(chat, "psst").await;
            }
            let asked = self.telegram.all_asked();
            let new = asked[self.seen..].iter().filter(|(method, _)| !HOUSEKEEPING.contains(&method.as_str()));
            let is_done =
                |parameters: &Value| parameters["text"].as_str().is_some_and(|text| text.starts_with("done: "));
            let new = new.filter(|(_, parameters)| !is_done(parameters));
            let lines: Vec<_> =
                new.map(|(method, parameters)| format!("{name}: {method} {}", self.stable(parameters))).collect();
            self.lines.extend(lines);
            self.seen = asked.len();
        }
    }

    /// Formats parameters with names in place of ids, and without the parts that differ each time.
    fn stable(&self, parameters: &Value) -> String {
        let mut text = parameters.to_string();
        for chat in ["Village", "Forum"] {
            text = text.replace(&self.telegram.chat(chat).to_string(), chat);
        }
        for person in ["alice", "bob", "olivia"] {
            text = text.replace(&self.telegram.user(person).to_string(), person);
        }
        let other = regex::Regex::new(r#"("(?:until|expire)_date":)\d+"#).unwrap();
        let words = regex::Regex::new("(word ){9,}(word)?").unwrap();
        words.replace_all(&other.replace_all(&text, "$1…"), "word word …").into_owned()
    }
}

#[tokio::test]
async fn everything_that_can_be_said_and_done_has_its_request() {
    let Some(mut fixture) = Fixture::start().await else { return };
    let daemon = fixture.project.start().await;
    let said = [
        "plain",
        "loud",
        "silent",
        "embed",
        "buttons",
        "select",
        "file",
        "picture",
        "sound",
        "album",
        "album_with_buttons",
        "long",
        "edit",
        "recaption",
    ];
    fixture.does("alice", "Village", &said).await;
    fixture.does("alice", "Village", &["form"]).await;
    fixture.telegram.says("alice", "Village", "/cancel");
    fixture.telegram.hears("Village", "✖").await;
    fixture
        .does(
            "olivia",
            "Village",
            &["delete", "react", "unreact", "pin", "unpin", "typing", "invite", "topic", "lock", "unlock", "purge"],
        )
        .await;
    fixture.does("alice", "Forum/ideas", &["plain", "typing", "thread"]).await;
    fixture.does("alice", "Village", &["mute"]).await;
    fixture.telegram.restricts("olivia", "alice", "Village", 0);
    fixture.telegram.is_promoted("olivia", "alice", "Village", &["can_delete_messages"]);
    fixture.telegram.is_demoted("olivia", "alice", "Village");
    fixture.does("alice", "Village", &["unmute", "tag", "untag", "promote", "title", "demote"]).await;
    fixture.telegram.starts("alice", "");
    fixture.telegram.hears("@alice", "Hello, Alice!").await;
    fixture.seen = fixture.telegram.all_asked().len();
    fixture.does("alice", "@alice", &["dm", "plain", "file"]).await;
    fixture.does("alice", "Village", &["kick"]).await;
    fixture.does("bob", "Village", &["ban"]).await;
    insta::assert_snapshot!(fixture.lines.join("\n"));
    let log = fixture.project.log();
    assert!(!log.contains("failed"), "{log}");
    assert_eq!(format!("{:#?}", fixture.telegram.violations()), "[]", "{log}");
    assert!(daemon.stop().await, "{log}");
}
