//! A reader of server-sent events.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

/// Maximum time to wait for an event.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An event of a stream.
#[derive(Debug, Clone)]
pub struct StreamEvent {
    /// The id, empty if it has none.
    pub id: String,
    /// The name, empty if it has none.
    pub name: String,
    /// The data, as JSON.
    pub data: Value,
}

/// A stream of server-sent events.
#[derive(Debug)]
pub struct EventStream {
    answer: reqwest::Response,
    text: String,
    /// The id of the last event that had one.
    pub last_id: String,
}

impl EventStream {
    /// Sends a request for a stream.
    ///
    /// # Errors
    /// With the status, if it is refused.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn open(request: reqwest::RequestBuilder) -> Result<Self, StatusCode> {
        let answer = request.send().await.expect("an answer");
        if answer.status() != StatusCode::OK {
            return Err(answer.status());
        }
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Ok(Self { answer, text: String::new(), last_id: String::new() })
    }

    /// Returns the next event with a name; `None` at the end of the stream.
    ///
    /// # Panics
    /// If nothing arrives in time.
    pub async fn next(&mut self) -> Option<StreamEvent> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let event = parsed(event);
                self.text = rest.to_owned();
                if !event.id.is_empty() {
                    self.last_id.clone_from(&event.id);
                }
                if !event.name.is_empty() {
                    return Some(event);
                }
            }
            let chunk = tokio::time::timeout(TIMEOUT, self.answer.chunk()).await.expect("an event in time");
            self.text.push_str(&String::from_utf8_lossy(&chunk.ok().flatten()?));
        }
    }

    /// Returns the data of the next event, which has this name.
    ///
    /// # Panics
    /// If it has another one, or the stream ends.
    pub async fn expect(&mut self, name: &str) -> Value {
        let event = self.next().await.expect("an event");
        assert_eq!(event.name, name, "{event:?}");
        event.data
    }
}

fn parsed(text: &str) -> StreamEvent {
    let mut event = StreamEvent { id: String::new(), name: String::new(), data: Value::Null };
    let mut data = String::new();
    for line in text.lines() {
        match line.split_once(": ") {
            Some(("id", id)) => event.id = id.to_owned(),
            Some(("event", name)) => event.name = name.to_owned(),
            Some(("data", part)) => data.push_str(part),
            _ => {}
        }
    }
    event.data = serde_json::from_str(&data).unwrap_or_default();
    event
}
