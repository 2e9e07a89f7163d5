//! A third-party bot: twilight's gateway client, and plain HTTP.

use std::time::Duration;

use futures_util::StreamExt;
use palabre_tests::discord::{Limits, Options, StandIn};
use serde_json::Value;
use tokio::sync::oneshot;
use twilight_gateway::queue::Queue;
use twilight_gateway::{ConfigBuilder, Intents, Message, Session, Shard, ShardId};

/// Leaves the rate limit of identifies to the stand-in.
#[derive(Debug)]
pub struct NoQueue;

impl Queue for NoQueue {
    fn enqueue(&self, _shard: u32) -> oneshot::Receiver<()> {
        let (go, ready) = oneshot::channel();
        go.send(()).unwrap();
        ready
    }
}

pub struct Bot {
    pub stand_in: StandIn,
    pub shard: Shard<NoQueue>,
    pub http: reqwest::Client,
}

/// Options without limits except those under test.
pub fn quick() -> Options {
    Options { identify_window: Duration::ZERO, limits: Limits::none(), ..Options::default() }
}

impl Bot {
    pub async fn start(options: Options, intents: Intents) -> Option<Self> {
        let _first = rustls::crypto::ring::default_provider().install_default();
        let stand_in = StandIn::start_with(options).await?;
        let http = reqwest::Client::builder().user_agent("DiscordBot (https://palabre.invalid, 1)").build().unwrap();
        Some(Self { shard: Self::connect(&stand_in, intents, ShardId::ONE, None).await, stand_in, http })
    }

    /// Connects a shard to the gateway, with its previous session.
    pub async fn connect(
        stand_in: &StandIn,
        intents: Intents,
        id: ShardId,
        session: Option<Session>,
    ) -> Shard<NoQueue> {
        let url = format!("{}/api/v10/gateway", stand_in.api());
        let http = reqwest::Client::builder().user_agent("DiscordBot (https://palabre.invalid, 1)").build().unwrap();
        let gateway: Value = http.get(url).send().await.unwrap().json().await.unwrap();
        let config = ConfigBuilder::new(stand_in.token().to_owned(), intents).queue(NoQueue);
        let config = config.proxy_url(gateway["url"].as_str().unwrap().to_owned());
        let config = if let Some(session) = session { config.session(session) } else { config };
        Shard::with_config(id, config.build())
    }

    /// Returns the data of the next dispatch of a name; earlier ones are skipped.
    pub async fn wait(&mut self, name: &str) -> Value {
        self.wait_for(|event| event["t"] == name).await
    }

    /// Returns the data of the next payload that fits.
    pub async fn wait_for(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        let next = async {
            loop {
                let text = self.next().await;
                let event: Value = serde_json::from_str(&text).unwrap();
                if fits(&event) {
                    return event["d"].clone();
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), next).await.expect("an event in time")
    }

    /// Returns the next payload, over any number of connections.
    pub async fn next(&mut self) -> String {
        loop {
            if let Some(Ok(Message::Text(text))) = self.shard.next().await {
                return text;
            }
        }
    }

    pub async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/api/v10{path}", self.stand_in.api());
        let mut request = self.http.request(method.parse().unwrap(), url);
        request = request.header("authorization", format!("Bot {}", self.stand_in.token()));
        request = request.header("x-audit-log-reason", "caf%C3%A9");
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    pub async fn says(&self, body: &Value) -> (u16, Value) {
        self.call("POST", &format!("/channels/{}/messages", self.stand_in.channel("general")), body).await
    }
}
