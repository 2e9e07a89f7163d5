//! Users are known after a restart; a user who starts the bot is greeted and receives waiting messages.

use palabre_tests::Project;
use palabre_tests::telegram::{Limits, Options, StandIn};
use serde_json::json;

const SCRIPT: &str = r#"
command("who", { args = { { name = "whom", type = "user" } } }, function(event, args)
  event:reply(`it is {args.whom.name}`)
end)
command("eject", { args = { { name = "whom", type = "member" } } }, function(event, args)
  args.whom:ban()
  event:reply("ejected")
end)
command("secret", {}, function(event)
  event:answer{ text = `for {event.user.name} alone: {string.rep("x", 250)}`, ephemeral = true }
end)
command("offer", {}, function(event)
  event:reply{ text = "press", buttons = { { label = "Tell", action = "tell" } } }
end)
function on_button(event) event:answer{ text = `told in private: {string.rep("x", 250)}`, ephemeral = true } end
"#;

async fn set_up(script: &str) -> Option<(StandIn, Project)> {
    let telegram = StandIn::start_with(Options { limits: Limits::none(), ..Options::default() }).await?;
    let (api, token) = (telegram.api(), telegram.token());
    let pace = "{ per_second: 1000, per_second_in_chat: 1000, per_minute_in_group: 10000 }";
    let bots = format!(
        "bots: {{ tg: {{ platform: telegram, token: \"{token}\", api: \"{api}\", telegram: {{ pace: {pace} }} }} }}\n\
         scripts: {{ test: {{ grants: [moderation] }} }}\n"
    );
    Some((telegram, Project::new(&bots, &[("test.luau", script)])))
}

#[tokio::test]
async fn users_seen_before_a_restart_are_found_by_username_and_name() {
    let Some((telegram, project)) = set_up(SCRIPT).await else { return };
    telegram.joins("mallory", "Village");
    let daemon = project.start().await;
    telegram.says("mallory", "Village", "hello");
    telegram.says("bob", "Village", "hello");
    telegram.confirmed().await;
    daemon.kill().await;
    let daemon = project.start().await;
    telegram.says("olivia", "Village", "/who @Mallory");
    telegram.hears("Village", "it is Mallory").await;
    telegram.says("olivia", "Village", "/eject @mallory");
    telegram.until("mallory is banned", |telegram| telegram.is_banned("mallory", "Village").then_some(())).await;
    telegram.says("olivia", "Village", "/eject Bob");
    telegram.until("bob is banned", |telegram| telegram.is_banned("bob", "Village").then_some(())).await;
    assert!(daemon.stop().await, "{}", project.log());
    assert_eq!(format!("{:#?}", telegram.violations()), "[]");
}

#[tokio::test]
async fn a_mention_of_somebody_without_a_username_brings_their_name() {
    let Some((telegram, project)) = set_up(SCRIPT).await else { return };
    let zed = telegram.person("zed");
    let daemon = project.start().await;
    let user = json!({ "id": zed, "is_bot": false, "first_name": "Zed", "last_name": "Z" });
    let entities = json!([{ "type": "text_mention", "offset": 5, "length": 3, "user": user }]);
    telegram.posts("alice", "Village", json!({ "text": "/who Zed", "entities": entities }));
    telegram.hears("Village", "it is Zed Z").await;
    assert!(daemon.stop().await, "{}", project.log());
}

#[tokio::test]
async fn a_user_who_starts_the_bot_is_greeted_and_receives_waiting_answers() {
    let Some((telegram, project)) = set_up(SCRIPT).await else { return };
    for who in ["carol", "dave"] {
        telegram.joins(who, "Village");
    }
    let daemon = project.start().await;
    telegram.says("carol", "Village", "/secret");
    let link = telegram.hears("Village", "https://t.me/palabre_bot?start=").await;
    let payload = link.text().split_once("?start=").unwrap().1.to_owned();
    // With a button that opens the link.
    telegram.says("alice", "Village", "/offer");
    let offer = telegram.hears("Village", "press").await;
    let pressed = telegram.presses("dave", offer.at, "Tell");
    let answer = telegram.answered(&pressed).await;
    // On a slow machine the press was acknowledged before, and a link is shown as well.
    if let Some(url) = answer.url {
        assert_eq!(url, format!("https://t.me/palabre_bot?start={payload}"));
    }
    telegram.confirmed().await;
    assert!(daemon.stop().await, "{}", project.log());

    let daemon = project.start().await;
    telegram.starts("carol", &payload);
    telegram.hears("@carol", "for Carol alone").await;
    let greeting = telegram.hears("@carol", "Hello, Carol!").await;
    assert!(greeting.text().contains("/secret"), "it says what the bot does: {}", greeting.text());
    telegram.starts("dave", "");
    telegram.hears("@dave", "told in private").await;
    telegram.speaks("bob", "fr");
    telegram.starts("bob", "");
    telegram.hears("@bob", "Bonjour, Bob").await;
    // Each is delivered once.
    telegram.sends_direct("carol", "/who Carol");
    telegram.hears("@carol", "it is Carol").await;
    assert_eq!(telegram.texts("@carol").iter().filter(|text| text.contains("alone")).count(), 1);
    assert!(daemon.stop().await, "{}", project.log());
    assert_eq!(format!("{:#?}", telegram.violations()), "[]");
}

#[tokio::test]
async fn a_script_that_has_a_command_for_start_greets_by_itself() {
    let script = r#"
command("start", { hidden = true }, function(event) event:reply("welcome") end)
command("ping", {}, function(event) event:reply("pong") end)
"#;
    let Some((telegram, project)) = set_up(script).await else { return };
    let daemon = project.start().await;
    telegram.starts("alice", "");
    telegram.hears("@alice", "welcome").await;
    telegram.sends_direct("alice", "/ping");
    telegram.hears("@alice", "pong").await;
    assert_eq!(telegram.texts("@alice"), ["welcome", "pong"]);
    assert!(daemon.stop().await, "{}", project.log());
}
