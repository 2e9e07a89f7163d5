//! Permissions and identities on Telegram.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::telegram::{Limits, Options, StandIn};
use palabre_tests::{Daemon, Project};

const SCRIPT: &str = r#"
local order = { { name = "what", type = "string" }, { name = "whom", type = "member", optional = true } }
command("order", { args = order }, function(event, args)
  if args.what == "lock" then event.room:lock() elseif args.what == "unlock" then event.room:unlock()
  elseif args.what == "mute" then args.whom:mute() elseif args.what == "unmute" then args.whom:unmute()
  elseif args.what == "ban" then args.whom:ban{ purge = "1d" } end
  event:reply(`{args.what} is done`)
end)
command("vote", {}, function(event)
  event.room:send{ text = "", poll = { question = "Tea?", options = { "yes", "no" } } }
end)
command("tell", {}, function(event)
  event:form{ action = "told", title = "Tell", fields = { { name = "what", label = "What?" } } }
end)
function on_form(event) event:reply(`{event.user.name} told {event.values.what}`) end
function on_message(event) event:reply(`heard {event.text}`) end
"#;

async fn set_up() -> Option<(StandIn, Project, Daemon)> {
    let telegram = StandIn::start_with(Options { limits: Limits::none(), ..Options::default() }).await?;
    let (api, token) = (telegram.api(), telegram.token());
    let pace = "{ per_second: 1000, per_second_in_chat: 1000, per_minute_in_group: 10000 }";
    let bots = format!(
        "listen: 127.0.0.1:0\n\
         bots: {{ tg: {{ platform: telegram, token: \"{token}\", api: \"{api}\", telegram: {{ pace: {pace} }} }} }}\n\
         scripts: {{ test: {{ grants: [moderation, rooms] }} }}\n"
    );
    let project = Project::new(&bots, &[("test.luau", SCRIPT)]);
    let daemon = project.start().await;
    Some((telegram, project, daemon))
}

async fn ends_well(telegram: StandIn, project: Project, daemon: Daemon) {
    assert_eq!(format!("{:#?}", telegram.violations()), "[]", "log:\n{}", project.log());
    assert!(daemon.stop().await, "{}", project.log());
}

#[tokio::test]
async fn a_member_unmuted_in_a_locked_room_may_write_when_it_is_unlocked() {
    let Some((telegram, project, daemon)) = set_up().await else { return };
    telegram.says("bob", "Village", "good morning");
    for (order, done) in [("lock", "lock"), ("mute @bob", "mute"), ("unmute @bob", "unmute"), ("unlock", "unlock")] {
        telegram.says("olivia", "Village", &format!("/order {order}"));
        telegram.hears("Village", &format!("{done} is done")).await;
        if done == "mute" {
            let is_mute = |telegram: &StandIn| (!telegram.can_speak("bob", "Village")).then_some(());
            telegram.until("bob is silent", is_mute).await;
        }
    }
    let is_free = |telegram: &StandIn| telegram.can_speak("bob", "Village").then_some(());
    telegram.until("bob may speak again", is_free).await;
    ends_well(telegram, project, daemon).await;
}

#[tokio::test]
async fn a_poll_in_a_channel_is_one_that_channels_take() {
    let Some((telegram, project, daemon)) = set_up().await else { return };
    telegram.add_channel("News");
    telegram.says("olivia", "News", "/vote");
    telegram
        .until("there is a poll", |telegram| {
            telegram.messages("News").into_iter().find(|message| message["poll"]["is_anonymous"] == true)
        })
        .await;
    ends_well(telegram, project, daemon).await;
}

#[tokio::test]
async fn a_message_that_only_begins_like_a_form_command_is_an_ordinary_message() {
    let Some((telegram, project, daemon)) = set_up().await else { return };
    telegram.starts("alice", "");
    telegram.hears("@alice", "/start").await;
    telegram.sends_direct("alice", "/tell");
    telegram.hears("@alice", "What?").await;
    telegram.sends_direct("alice", "/cancelled");
    telegram.hears("@alice", "heard /cancelled").await;
    telegram.sends_direct("alice", "/skip");
    let asked = telegram.hears("@alice", "✎ 1").await;
    // As a reply: the bot may not know yet that its question was posted.
    telegram.replies("alice", asked.at, "everything");
    telegram.hears("@alice", "told everything").await;
    ends_well(telegram, project, daemon).await;
}

#[tokio::test]
async fn an_anonymous_administrator_can_fill_in_a_form() {
    let Some((telegram, project, daemon)) = set_up().await else { return };
    telegram.says_anonymously("olivia", "Village", "/tell");
    let asked = telegram.hears("Village", "What?").await;
    telegram.says_anonymously("olivia", "Village", "not to that");
    telegram.hears("Village", "heard not to that").await;
    telegram.replies_anonymously("olivia", asked.at, "a secret");
    telegram.hears("Village", "told a secret").await;
    ends_well(telegram, project, daemon).await;
}

#[tokio::test]
async fn a_ban_with_purge_deletes_the_messages_of_the_member() {
    let Some((telegram, project, daemon)) = set_up().await else { return };
    let spam = ["spam", "more spam"].map(|text| telegram.says("bob", "Village", text));
    let other = telegram.says("alice", "Village", "good morning");
    telegram.says("olivia", "Village", "/order ban @bob");
    telegram.hears("Village", "ban is done").await;
    let is_gone = |telegram: &StandIn| spam.iter().all(|one| telegram.message(*one).is_null()).then_some(());
    telegram.until("the spam is gone", is_gone).await;
    assert!(telegram.is_banned("bob", "Village") && !telegram.message(other).is_null());
    ends_well(telegram, project, daemon).await;
}
