//! Identities and permissions on Discord.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::discord::{Limits, Options, Permission, StandIn};
use palabre_tests::{Daemon, Project};
use serde_json::json;

const SCRIPT: &str = r#"
command("who", { args = { { name = "whom", type = "member" } } }, function(event, args)
  event:reply(`{args.whom.id} {table.concat(args.whom.roles or {}, ",")}`)
end)
command("tidy", { permission = "moderator" }, function(event) event:reply("tidied") end)
command("tell", {}, function(event)
  event:form{ action = "told", title = "Tell", fields = { { name = "what", label = "What?" } } }
end)
function on_form(event) event:reply(`{event.user.name} told {event.values.what}`) end
"#;

struct Fixture {
    discord: StandIn,
    project: Project,
    daemon: Daemon,
}

impl Fixture {
    async fn new() -> Option<Self> {
        let discord = StandIn::start_with(Options { limits: Limits::none(), ..Options::default() }).await?;
        let (api, token) = (discord.api(), discord.token());
        let carol = discord.person("carol");
        let bots = format!(
            "bots:\n  guild: {{ platform: discord, token: {token}, api: {api}, prefix: \"!\", \
             permissions: {{ moderator: [Helper, \"{carol}\"] }} }}\n"
        );
        let project = Project::new(&bots, &[("test.luau", SCRIPT)]);
        let daemon = project.start().await;
        discord.identified(1).await;
        discord.until("commands are listed", |discord| (discord.commands(None).len() >= 3).then_some(())).await;
        Some(Self { discord, project, daemon })
    }

    /// Returns the bot's answer in the channel.
    async fn answer(&self, who: &str, text: &str) -> String {
        self.answer_in("general", who, text).await
    }

    /// Returns the bot's refusal, which is a direct message.
    async fn refusal(&self, who: &str, text: &str) -> String {
        self.answer_in(&format!("@{who}"), who, text).await
    }

    async fn answer_in(&self, channel: &str, who: &str, text: &str) -> String {
        let before = self.discord.posted(channel).len();
        self.discord.says(who, "general", text);
        self.discord.hears_many(channel, before + 1).await[before].text().to_owned()
    }

    async fn ends_well(self) {
        assert_eq!(format!("{:#?}", self.discord.violations()), "[]", "log:\n{}", self.project.log());
        assert!(self.daemon.stop().await, "{}", self.project.log());
    }
}

#[tokio::test]
async fn permissions_in_a_channel_make_nobody_a_moderator_of_the_server() {
    let Some(fixture) = Fixture::new().await else { return };
    let bob = fixture.discord.user("bob");
    let allowed = json!([{ "id": bob, "type": 1, "allow": Permission::MANAGE_MESSAGES.0.to_string(), "deny": "0" }]);
    fixture.discord.changes_channel("olivia", "general", json!({ "permission_overwrites": allowed }));
    let used = fixture.discord.uses("bob", "general", "tidy", &json!({}));
    assert!(fixture.discord.answered(used).await.text().contains("moderator"), "{}", fixture.project.log());
    assert!(fixture.refusal("bob", "!tidy").await.contains("moderator"));
    fixture.discord.gives_role("olivia", "bob", "Moderator");
    let used = fixture.discord.uses("bob", "general", "tidy", &json!({}));
    assert_eq!(fixture.discord.answered(used).await.text(), "tidied");
    fixture.ends_well().await;
}

#[tokio::test]
async fn a_name_means_a_member_of_the_same_server_or_nobody() {
    let Some(fixture) = Fixture::new().await else { return };
    let discord = &fixture.discord;
    let other = discord.at(discord.add_guild("Other"));
    let (carol, bob) = (other.joins("carol"), discord.user("bob"));
    assert!(fixture.refusal("alice", "!who carol").await.contains("carol"), "nobody of that name is here");
    let here = discord.joins("carla");
    discord.renames("olivia", "carla", Some("carol"));
    let id = |id: palabre_tests::discord::Id| format!("guild/{id}");
    let meant = fixture.answer("alice", "!who carol").await;
    assert!(meant.starts_with(&id(here)), "{meant} is not {here}; {carol} is elsewhere");
    discord.says("bob", "general", "good morning");
    discord.renames("olivia", "carla", Some("bob"));
    discord.webhook_says("bob", "general", "it is me");
    let meant = fixture.answer("alice", "!who bob").await;
    assert!(meant.starts_with(&id(bob)), "{meant} only calls themselves what {bob} is called");
    discord.joins("dave");
    for who in ["dave", "carla"] {
        discord.renames("olivia", who, Some("Zed"));
    }
    assert!(fixture.refusal("alice", "!who zed").await.contains("zed"), "two members have that name");
    discord.gives_role("olivia", "bob", "Moderator");
    let used = discord.uses("alice", "general", "who", &json!({ "whom": "bob" }));
    assert_eq!(discord.answered(used).await.text(), format!("{} Moderator", id(bob)));
    fixture.ends_well().await;
}

#[tokio::test]
async fn a_form_behind_a_button_is_for_its_user_and_opens_once() {
    let Some(fixture) = Fixture::new().await else { return };
    let discord = &fixture.discord;
    discord.says("alice", "general", "!tell");
    let offered = discord.hears("general", "Tell").await;
    let pressed = discord.presses("bob", offered.id, "✎");
    assert_eq!(discord.answer(pressed).await["type"], 6, "it is not bob's");
    let pressed = discord.presses("alice", offered.id, "✎");
    assert_eq!(discord.answer(pressed).await["type"], 9);
    // A user who closes the form by mistake can open it again until it is submitted.
    let reopened = discord.presses("alice", offered.id, "✎");
    assert_eq!(discord.answer(reopened).await["type"], 9);
    let sent = discord.submits(reopened, &[("what", "all")]);
    assert_eq!(discord.answered(sent).await.text(), "Alice told all");
    discord.until("the button is gone", |discord| discord.message(offered.id).is_null().then_some(())).await;
    fixture.ends_well().await;
}

#[tokio::test]
async fn a_role_that_is_named_like_somebody_is_not_them() {
    let Some(fixture) = Fixture::new().await else { return };
    let discord = &fixture.discord;
    let carol = discord.joins("carol").to_string();
    for name in [carol.as_str(), "Helper"] {
        discord.add_role(name, &[], false);
    }
    let tidies = async |who: &str| {
        let used = discord.uses(who, "general", "tidy", &json!({}));
        discord.answered(used).await.text() == "tidied"
    };
    assert!(tidies("carol").await, "by her id");
    discord.gives_role("olivia", "alice", &carol);
    assert!(!tidies("alice").await, "by a role of that name");
    discord.gives_role("olivia", "alice", "Helper");
    assert!(tidies("alice").await, "by a role that is mapped");
    fixture.ends_well().await;
}
