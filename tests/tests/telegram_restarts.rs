//! State that a bot on Telegram keeps after kills and restarts: groups, albums, buttons and forms.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_store::Store;
use palabre_tests::Project;
use palabre_tests::telegram::{Fault, Limits, MessageRef, Options, StandIn};
use palabre_types::TableId;
use serde_json::{Value, json};

/// A stand-in with a project, whose daemon is restarted several times.
struct Fixture {
    telegram: StandIn,
    project: Project,
}

impl Fixture {
    async fn with(script: &str) -> Option<Self> {
        Self::paced(script, 1_000).await
    }

    /// Starts with a limit of messages per second to one chat.
    async fn paced(script: &str, pace: u32) -> Option<Self> {
        let telegram = StandIn::start_with(Options { limits: Limits::none(), ..Options::default() }).await?;
        let (api, token) = (telegram.api(), telegram.token());
        let pace = format!("{{ per_second: 1000, per_second_in_chat: {pace}, per_minute_in_group: 10000 }}");
        let bots = format!(
            "bots: {{ tg: {{ platform: telegram, token: \"{token}\", api: \"{api}\", prefix: \"!\", \
             telegram: {{ pace: {pace} }} }} }}\n\
             scripts: {{ test: {{ grants: [rooms] }} }}\n"
        );
        let project = Project::new(&bots, &[("test.luau", script)]);
        Some(Self { telegram, project })
    }

    fn breaks_no_rule(&self) {
        assert_eq!(format!("{:#?}", self.telegram.violations()), "[]", "log:\n{}", self.project.log());
    }
}

#[tokio::test]
async fn a_group_that_becomes_a_supergroup_stays_the_room_that_it_was() {
    let script = r#"
function on_message(event)
  if event.text == "home" then store.set("home", event.room.id) end
  if event.text == "cry" then rooms.get(store.get("home")):send("cried to " .. store.get("home")) end
  event:reply(`{event.text}: {event.room.id} in {event.space.id}, visit {store.of(event.room).incr("visits")}`)
end
"#;
    let Some(fixture) = Fixture::with(script).await else { return };
    let telegram = &fixture.telegram;
    let old = telegram.add_group("Square");
    let daemon = fixture.project.start().await;
    telegram.says("alice", "Square", "home");
    let post = telegram.hears("Square", "home: ").await;
    assert_eq!(post.text(), format!("home: tg/{old} in tg/{old}, visit 1"));
    let new = telegram.migrates("Square");
    telegram.says("alice", "Square", "moved");
    let post = telegram.hears("Square", "moved: ").await;
    assert_eq!((post.at.chat, post.text()), (new, format!("moved: tg/{old} in tg/{old}, visit 2").as_str()));
    telegram.says("bob", "Village", "cry");
    assert_eq!(telegram.hears("Square", "cried").await.at.chat, new);

    daemon.kill().await;
    let daemon = fixture.project.start().await;
    telegram.says("alice", "Square", "later");
    assert_eq!(telegram.hears("Square", "later: ").await.text(), format!("later: tg/{old} in tg/{old}, visit 3"));
    assert!(daemon.stop().await, "{}", fixture.project.log());
    fixture.breaks_no_rule();
    let asked = telegram.asked("sendMessage");
    let to_old: Vec<_> = asked.iter().filter(|asked| asked["chat_id"] == old).map(|asked| &asked["text"]).collect();
    assert_eq!(to_old.len(), 1, "nothing is sent to where nobody is any more: {to_old:?}");
}

/// The bot learns of the upgrade from an error before the update arrives.
#[tokio::test]
async fn messages_to_an_upgraded_group_are_sent_to_the_supergroup() {
    let script = "function on_message(event) event:reply(\"heard: \" .. event.text) event.room:send(\"and more\") end";
    let Some(fixture) = Fixture::with(script).await else { return };
    let telegram = &fixture.telegram;
    telegram.add_group("Square");
    let daemon = fixture.project.start().await;
    telegram.fault_next("sendMessage", Fault::TooMany);
    telegram.says("alice", "Square", "hello");
    telegram.counts("it has to wait", |counters| counters.faults == 1).await;
    let new = telegram.migrates("Square");
    assert_eq!(telegram.hears("Square", "heard: hello").await.at.chat, new);
    assert_eq!(telegram.hears("Square", "and more").await.at.chat, new);
    assert!(daemon.stop().await, "{}", fixture.project.log());
    fixture.breaks_no_rule();
}

fn picture(name: &str, album: &str) -> Value {
    let file = json!({ "file_id": name, "file_unique_id": name, "width": 1, "height": 1, "file_size": 3 });
    json!({ "photo": [file], "media_group_id": album })
}

const ALBUMS: &str = r#"
function on_message(event)
  event:reply(`{#(event.message.attachments or {})} pictures: {event.text}, number {store.incr("count")}`)
end
"#;

#[tokio::test]
async fn an_album_is_one_message_also_over_a_kill() {
    let Some(fixture) = Fixture::with(ALBUMS).await else { return };
    let telegram = &fixture.telegram;
    let files = [("photo", "a.jpg", "image/jpeg", &b"a"[..]), ("photo", "b.jpg", "image/jpeg", b"b")];
    let daemon = fixture.project.start().await;
    telegram.posts_files("alice", "Village", json!({ "caption": "whole" }), &files);
    telegram.hears("Village", "2 pictures: whole, number 1").await;

    // Killed after the updates are confirmed, so that Telegram never sends them again, and before
    // the album is complete.
    telegram.posts_files("alice", "Village", json!({ "caption": "held" }), &files);
    telegram.confirmed().await;
    daemon.kill().await;
    assert!(
        !telegram.texts("Village").iter().any(|text| text.contains("held")),
        "the kill came too late to show anything"
    );
    let daemon = fixture.project.start().await;
    telegram.hears("Village", "2 pictures: held, number 2").await;

    // One part before the kill, and one after it.
    let mut first = picture("one", "77");
    first["caption"] = json!("cut in two");
    telegram.posts("bob", "Village", first);
    telegram.confirmed().await;
    daemon.kill().await;
    telegram.posts("bob", "Village", picture("two", "77"));
    let daemon = fixture.project.start().await;
    telegram.hears("Village", "2 pictures: cut in two, number 3").await;
    telegram.says("bob", "Village", "no");
    telegram.hears("Village", "0 pictures: no, number 4").await;
    assert!(daemon.stop().await, "{}", fixture.project.log());
    fixture.breaks_no_rule();
}

#[tokio::test]
async fn a_message_after_an_album_stays_after_it() {
    let Some(fixture) = Fixture::with(ALBUMS).await else { return };
    let telegram = &fixture.telegram;
    let daemon = fixture.project.start().await;
    telegram.posts("bob", "Village", picture("one", "1"));
    telegram.posts("alice", "Hamlet", json!({ "text": "elsewhere" }));
    telegram.posts("bob", "Village", picture("two", "1"));
    telegram.posts("bob", "Village", picture("three", "2"));
    telegram.says("alice", "Village", "behind");
    let posts = telegram.hears_many("Village", 3).await;
    let texts: Vec<_> = posts.iter().map(|post| post.text().split(", number").next().unwrap().to_owned()).collect();
    assert_eq!(texts, ["2 pictures: ", "1 pictures: ", "0 pictures: behind"]);
    telegram.hears("Hamlet", "0 pictures: elsewhere").await;
    assert!(daemon.stop().await, "{}", fixture.project.log());
    fixture.breaks_no_rule();
}

#[tokio::test]
async fn buttons_lists_and_forms_go_on_after_a_restart() {
    let script = r#"
command("menu", {}, function(event)
  event:reply{
    text = "what?",
    buttons = { { label = "Go", action = "go" }, { label = "Long", action = string.rep("long", 30) } },
    select = {
      action = "colour",
      max = 2,
      options = { { label = "Red", value = "red" }, { label = "Blue", value = "blue" } },
    },
  }
end)
command("report", {}, function(event)
  local fields = { { name = "why", label = "Why?" }, { name = "who", label = "Who?" } }
  table.insert(fields, { name = "more", label = "More?", optional = true })
  event:form{ title = "Report", action = "report", fields = fields }
end)
function on_button(event)
  event:answer{ text = `pressed {event.action:sub(1, 8)} {#event.action}`, ephemeral = true }
end
function on_select(event) event:reply(table.concat(event.values, "+")) end
function on_form(event) event:reply(`{event.action}: {event.values.why}/{event.values.who}/{event.values.more}`) end
"#;
    let Some(fixture) = Fixture::with(script).await else { return };
    let telegram = &fixture.telegram;
    let daemon = fixture.project.start().await;
    telegram.says("alice", "Village", "/menu");
    let menu = telegram.hears("Village", "what?").await.at;
    let pressed = telegram.presses("bob", menu, "Blue");
    telegram.answered(&pressed).await;
    telegram.says("alice", "Forum/ideas", "!report");
    let question = telegram.hears("Forum/ideas", "Why?").await;
    telegram.confirmed().await;
    daemon.kill().await;

    // Presses and messages wait while the daemon is down.
    let go = telegram.presses("alice", menu, "Go");
    telegram.replies("alice", question.at, "spam");
    let daemon = fixture.project.start().await;
    assert_eq!(telegram.answered(&go).await.text, "pressed go 2");
    let pressed = telegram.presses("bob", menu, "Long");
    assert_eq!(telegram.answered(&pressed).await.text, "pressed longlong 120");
    let pressed = telegram.presses("bob", menu, "Red");
    telegram.answered(&pressed).await;
    telegram.until("both are ticked", |telegram| (ticks(telegram, menu) == 2).then_some(())).await;
    let question = telegram.hears("Forum/ideas", "Who?").await;
    telegram.confirmed().await;
    assert!(daemon.stop().await, "{}", fixture.project.log());

    let daemon = fixture.project.start().await;
    telegram.presses("bob", menu, "✔️");
    telegram.hears("Village", "red+blue").await;
    telegram.replies("alice", question.at, "a stranger");
    telegram.hears("Forum/ideas", "More?").await;
    telegram.says("alice", "Forum/ideas", "/skip");
    telegram.hears("Forum/ideas", "report: spam/a stranger/").await;
    assert!(daemon.stop().await, "{}", fixture.project.log());
    fixture.breaks_no_rule();
}

fn ticks(telegram: &StandIn, menu: MessageRef) -> usize {
    telegram.message(menu)["reply_markup"].to_string().matches('✅').count()
}

#[tokio::test]
async fn a_message_that_a_kill_may_have_followed_is_not_sent_again_if_it_is_sent_at_most_once() {
    let script = r#"
function on_message(event) event:reply{ text = event.text, delivery = "at_most_once" } end
function on_error(event) event.room:send("told: " .. event.error.message) end
"#;
    let Some(fixture) = Fixture::with(script).await else { return };
    let telegram = &fixture.telegram;
    let told = |telegram: &StandIn| {
        let texts = telegram.texts("Village").into_iter();
        texts.filter(|text| text.starts_with("told: ")).collect::<Vec<_>>()
    };
    let mut daemon = fixture.project.start().await;
    for round in 0..3 {
        // Telegram has sent the message, and the daemon does not know that yet.
        telegram.fault_next("sendMessage", Fault::Unanswered);
        telegram.says("alice", "Village", &format!("number {round}"));
        telegram.hears("Village", &format!("number {round}")).await;
        daemon.kill().await;
        daemon = fixture.project.start().await;
        telegram.until("on_error is called", |telegram| (told(telegram).len() > round).then_some(())).await;
    }
    telegram.says("alice", "Village", "the end");
    telegram.hears("Village", "the end").await;
    assert!(daemon.stop().await, "{}", fixture.project.log());
    let said = telegram.texts("Village");
    for round in 0..3 {
        let number = format!("number {round}");
        assert_eq!(said.iter().filter(|text| **text == number).count(), 1, "{said:?}");
    }
    let told = told(telegram);
    assert!(told.len() == 3 && told.iter().all(|text| text.contains("may or may not have been sent")), "{told:?}");
    fixture.breaks_no_rule();
}

#[tokio::test]
async fn a_message_that_is_sent_at_most_once_is_not_sent_again_if_a_run_waited_for_its_outcome() {
    let script = r#"
function on_message(event)
  if event.text == "go" then
    event:reply{ text = "sent once", delivery = "at_most_once" }:outcome()
    event.room:send("the outcome is known")
  else
    event:reply("heard " .. event.text)
  end
end
function on_error(event) event.room:send("told: " .. event.error.message) end
"#;
    let Some(fixture) = Fixture::with(script).await else { return };
    let telegram = &fixture.telegram;
    let daemon = fixture.project.start().await;
    // Telegram has sent the message, and the run that waits for the outcome learns nothing.
    telegram.fault_next("sendMessage", Fault::Unanswered);
    telegram.says("alice", "Village", "go");
    telegram.hears("Village", "sent once").await;
    daemon.kill().await;

    let daemon = fixture.project.start().await;
    for part in ["told: interrupted", "may or may not have been sent"] {
        telegram.hears("Village", part).await;
    }
    telegram.says("alice", "Village", "the end");
    telegram.hears("Village", "heard the end").await;
    assert!(daemon.stop().await, "{}", fixture.project.log());
    let said = telegram.texts("Village");
    let times = |wanted: &str| said.iter().filter(|text| *text == wanted).count();
    assert_eq!((times("sent once"), times("the outcome is known")), (1, 0), "{said:?}");
    fixture.breaks_no_rule();
}

#[tokio::test]
async fn an_answer_that_waits_for_its_user_is_not_sent_again_if_it_is_sent_at_most_once() {
    let script = r#"
command("secret", {}, function(event)
  event:answer{ text = "for you alone", ephemeral = true, delivery = "at_most_once" }
end)
command("ping", {}, function(event) event:reply("pong") end)
"#;
    let Some(fixture) = Fixture::with(script).await else { return };
    let telegram = &fixture.telegram;
    telegram.joins("carol", "Village");
    let daemon = fixture.project.start().await;
    // A bot cannot begin a private chat: the answer waits until carol does.
    telegram.says("carol", "Village", "/secret");
    telegram.hears("Village", "?start=").await;
    telegram.fault_next("sendMessage", Fault::Unanswered);
    telegram.sends_direct("carol", "hello");
    telegram.hears("@carol", "for you alone").await;
    daemon.kill().await;
    let store = Store::open_for_inspection(&fixture.project.path().join("data")).unwrap();
    let waiting = store.snapshot(0).unwrap().len(TableId::TelegramPendingAnswers).unwrap();
    assert_eq!(waiting, 0, "it no longer waits once it may have been sent");
    store.close();

    let daemon = fixture.project.start().await;
    for text in ["hello?", "/ping"] {
        telegram.sends_direct("carol", text);
    }
    telegram.hears("@carol", "pong").await;
    assert!(daemon.stop().await, "{}", fixture.project.log());
    assert_eq!(telegram.texts("@carol"), ["for you alone", "pong"]);
    fixture.breaks_no_rule();
}

/// A message sent in the last second before a kill may be repeated, but not those that waited with it.
#[tokio::test]
async fn of_what_waits_its_turn_nothing_is_repeated_that_was_said_before() {
    let script = "function on_message(event) for i = 1, 12 do event.room:send(`number {i}`) end end";
    let Some(fixture) = Fixture::paced(script, 4).await else { return };
    let telegram = &fixture.telegram;
    let daemon = fixture.project.start().await;
    telegram.says("alice", "Village", "go");
    telegram.hears("Village", "number 5").await;
    daemon.kill().await;
    let daemon = fixture.project.start().await;
    telegram.hears("Village", "number 12").await;
    let said = telegram.texts("Village");
    let times = |number: usize| said.iter().filter(|text| **text == format!("number {number}")).count();
    assert!((1..=4).all(|number| times(number) == 1) && (5..=12).all(|number| times(number) >= 1), "{said:?}");
    assert!(daemon.stop().await, "{}", fixture.project.log());
    fixture.breaks_no_rule();
}
