//! A third-party bot: plain HTTP.

use std::time::Duration;

use palabre_tests::telegram::{Limits, Options, StandIn};
use serde_json::{Value, json};

pub struct Bot {
    pub stand_in: StandIn,
    pub http: reqwest::Client,
    /// The offset that the next `getUpdates` confirms.
    offset: i64,
}

/// Options without limits and unknown fields except those under test.
///
/// Every answer is checked against the description.
pub fn quick() -> Options {
    Options { limits: Limits::none(), check_answers: true, roughness: 0.0, ..Options::default() }
}

impl Bot {
    pub async fn start() -> Option<Self> {
        Self::start_with(quick()).await
    }

    pub async fn start_with(options: Options) -> Option<Self> {
        let _first = rustls::crypto::ring::default_provider().install_default();
        let stand_in = StandIn::start_with(options).await?;
        Some(Self { stand_in, http: reqwest::Client::new(), offset: 0 })
    }

    pub fn url(&self, method: &str) -> String {
        format!("{}/bot{}/{method}", self.stand_in.api(), self.stand_in.token())
    }

    /// Makes a JSON call, and returns its status and body.
    pub async fn call(&self, method: &str, body: Value) -> (u16, Value) {
        let response = self.http.post(self.url(method)).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Makes a call that must succeed, and returns its result.
    pub async fn ok(&self, method: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, body.clone()).await;
        assert!(status == 200 && answer["ok"] == true, "{method} {body}: {answer}");
        answer["result"].clone()
    }

    /// Makes a call that must fail, and returns the description of the error.
    pub async fn refused(&self, method: &str, body: Value) -> String {
        let (status, answer) = self.call(method, body.clone()).await;
        assert!(answer["ok"] == false && answer["error_code"] == status, "{method} {body}: {answer}");
        answer["description"].as_str().unwrap().to_owned()
    }

    pub async fn says(&self, chat: &str, text: &str) -> Value {
        self.ok("sendMessage", json!({ "chat_id": self.stand_in.chat(chat), "text": text })).await
    }

    /// Returns the updates since the last call, at least one.
    pub async fn updates(&mut self) -> Vec<Value> {
        let body = json!({ "offset": self.offset, "timeout": 20 });
        let list = self.ok("getUpdates", body).await.as_array().unwrap().clone();
        self.offset = list.last().unwrap()["update_id"].as_i64().unwrap() + 1;
        list
    }

    /// Returns the next update of a kind.
    pub async fn next(&mut self, kind: &str) -> Value {
        let wait = async {
            loop {
                let limited = json!({ "offset": self.offset, "timeout": 20, "limit": 1 });
                let list = self.ok("getUpdates", limited).await;
                self.offset = list[0]["update_id"].as_i64().unwrap() + 1;
                if !list[0][kind].is_null() {
                    return list[0][kind].clone();
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap_or_else(|_| panic!("no {kind} came"))
    }

    /// Requests all kinds of updates.
    pub async fn asks_for_all(&self) {
        let kinds = [
            "message",
            "edited_message",
            "channel_post",
            "edited_channel_post",
            "message_reaction",
            "message_reaction_count",
            "inline_query",
            "chosen_inline_result",
            "callback_query",
            "poll",
            "poll_answer",
            "my_chat_member",
            "chat_member",
            "chat_join_request",
        ];
        self.ok("getUpdates", json!({ "allowed_updates": kinds })).await;
    }

    /// Checks that the stand-in itself made no errors.
    pub fn end(&self) {
        assert_eq!(self.stand_in.own_misfits(), Vec::<String>::new());
    }
}
