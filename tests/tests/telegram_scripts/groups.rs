//! The Telegram groups that are compared with the room service.

use palabre_telegram::text::{Rich, to_commonmark, to_telegram};
use palabre_tests::telegram::{Limits, Options, StandIn};
use serde_json::json;

use crate::on_telegram::{OnTelegram, small};
use crate::transcripts::fixture::OtherPlatform;
use crate::transcripts::scenario::{Platform, Scenario};

/// The groups with their bot.
pub(crate) struct Groups(StandIn);

impl OtherPlatform for Groups {
    const PLATFORM: Platform = Platform::Telegram;
    const SNAPSHOTS: &'static str = "../telegram_scripts/snapshots";
    type Driver = OnTelegram;

    async fn start(scenario: &Scenario) -> Option<Self> {
        let telegram = StandIn::start_with(Options { limits: Limits::none(), ..Options::default() }).await?;
        for place in scenario.target.into_iter().chain(["general"]) {
            telegram.add_supergroup(place);
        }
        for (who, place) in scenario.cast {
            telegram.person(&small(who));
            if telegram.member_now(&small(who), place)["status"] == "left" {
                telegram.joins(&small(who), place);
            }
            // A bot cannot send private messages to users who have not started it.
            telegram.starts(&small(who), "");
        }
        for who in scenario.moderators {
            telegram.is_promoted("olivia", &small(who), "general", &["can_restrict_members", "can_delete_messages"]);
        }
        forget_updates(&telegram).await;
        Some(Self(telegram))
    }

    fn bot(&self) -> String {
        let (api, token) = (self.0.api(), self.0.token());
        let settings = "{ pace: { per_second: 1000, per_second_in_chat: 1000, per_minute_in_group: 10000 } }";
        format!(
            r#"village: {{ platform: telegram, prefix: "!", api: "{api}", token: "{token}", telegram: {settings} }}"#
        )
    }

    fn room(&self, place: &str) -> String {
        format!("village/{}", self.0.chat(place))
    }

    async fn is_up(&self) {
        let asks = |counters: &palabre_tests::telegram::Counters| counters.calls.get("getUpdates") > Some(&1);
        self.0.counts("the bot asks for updates", asks).await;
    }

    fn driver(&self, cast: &[(&str, &str)]) -> OnTelegram {
        OnTelegram::with(&self.0, cast)
    }

    /// Converts lists, which Telegram does not have, to lines with a bullet or a number.
    fn seen(text: &str) -> String {
        let Rich { text, entities } = to_telegram(text);
        to_commonmark(&text, &entities)
    }

    fn violations(&self) -> String {
        self.0.violations().into_iter().map(|violation| format!("{violation:#?}")).collect::<Vec<_>>().join("\n")
    }
}

/// Confirms the updates from before the conversation, as a running bot would have done.
async fn forget_updates(telegram: &StandIn) {
    // Without a choice, reqwest would not know which of several crypto providers to use.
    let _first = rustls::crypto::ring::default_provider().install_default();
    let url = format!("{}/bot{}/getUpdates", telegram.api(), telegram.token());
    let past_all = json!({ "offset": 2_000_000_000, "timeout": 0 });
    let answer = reqwest::Client::new().post(url).json(&past_all).send().await.unwrap();
    assert!(answer.status().is_success() && telegram.pending() == 0);
}
