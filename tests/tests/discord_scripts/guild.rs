//! The Discord server that is compared with the room service.

use palabre_tests::discord::{Limits, Options, Permission, StandIn};

use crate::on_discord::{OnDiscord, small};
use crate::transcripts::fixture::OtherPlatform;
use crate::transcripts::scenario::{Platform, Scenario};

/// The server with its bot.
pub(crate) struct Guild(StandIn);

impl OtherPlatform for Guild {
    const PLATFORM: Platform = Platform::Discord;
    const SNAPSHOTS: &'static str = "../discord_scripts/snapshots";
    type Driver = OnDiscord;

    async fn start(scenario: &Scenario) -> Option<Self> {
        let discord = StandIn::start_with(Options { limits: Limits::none(), ..Options::default() }).await?;
        if let Some(target) = scenario.target {
            discord.add_channel(target, 0);
        }
        for (who, _) in scenario.cast {
            discord.person(&small(who));
            if discord.member_now(&small(who)).is_null() {
                discord.joins(&small(who));
            }
        }
        if !scenario.moderators.is_empty() {
            let rights = [Permission::MODERATE_MEMBERS, Permission::KICK_MEMBERS, Permission::BAN_MEMBERS];
            discord.add_role("Moderators", &rights, false);
        }
        for who in scenario.moderators {
            discord.gives_role("olivia", &small(who), "Moderators");
        }
        Some(Self(discord))
    }

    fn bot(&self) -> String {
        let (api, token) = (self.0.api(), self.0.token());
        format!(r#"guild: {{ platform: discord, prefix: "!", api: "{api}", token: "{token}" }}"#)
    }

    fn room(&self, place: &str) -> String {
        format!("guild/{}", self.0.channel(place))
    }

    async fn is_up(&self) {
        self.0.identified(1).await;
    }

    fn driver(&self, cast: &[(&str, &str)]) -> OnDiscord {
        OnDiscord::with(&self.0, cast)
    }

    fn violations(&self) -> String {
        let overruns = self.0.counters().overruns;
        let overrun = (overruns > 0).then(|| format!("{overruns} calls were too many"));
        let violations = self.0.violations().into_iter().map(|violation| format!("{violation:#?}"));
        violations.chain(overrun).collect::<Vec<_>>().join("\n")
    }
}
