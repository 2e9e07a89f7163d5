//! A user who has the page of the room service open.

use palabre_tests::Client;
use serde_json::{Value, json};

use crate::platform::SeenMember;

/// A user with the page open, and what only they see.
pub(super) struct Visitor {
    client: Client,
    pub(super) private: Vec<Value>,
    pub(super) form: Option<Value>,
    pub(super) typings: usize,
    pub(super) state: SeenMember,
}

impl Visitor {
    pub(super) async fn enter(address: &str, who: &str, room: &str) -> Self {
        let (client, _) = Client::enter(address, who, room).await.expect("the room is open");
        let state = SeenMember::default();
        Self { client, private: Vec::new(), form: None, typings: 0, state }
    }

    /// Processes all events that have arrived.
    pub(super) async fn looks(&mut self) {
        self.asks("room_users", json!({})).await;
        for (event, data) in self.client.drain() {
            let is_it = |shown: &Value| shown["id"] == data["id"];
            match event.as_str() {
                "new_message" if data["ephemeral"] == true || data["private"] == true => self.private.push(data),
                "message_edited" => {
                    self.private.iter_mut().filter(|shown| is_it(shown)).for_each(|shown| *shown = data.clone());
                }
                "message_deleted" => self.private.retain(|shown| !is_it(shown)),
                "form" => self.form = Some(data),
                "user_typing" if data["username"] == "palabre" => self.typings += 1,
                "moderated" => self.apply(&data),
                _ => {}
            }
        }
    }

    fn apply(&mut self, moderated: &Value) {
        let name = moderated["name"].as_str().unwrap_or_default().to_owned();
        match moderated["kind"].as_str() {
            Some("muted") => self.state.is_muted = true,
            Some("unmuted") => self.state.is_muted = false,
            // An event may arrive twice.
            Some("role_added") if self.state.roles.contains(&name) => {}
            Some("role_added") => self.state.roles.push(name),
            Some("role_removed") => self.state.roles.retain(|role| *role != name),
            Some("renamed") => self.state.nickname = (!name.is_empty()).then_some(name),
            _ => {}
        }
    }

    pub(super) async fn asks(&mut self, event: &str, data: Value) -> Value {
        let number = self.client.ask(event, data).await.expect("the connection holds");
        self.client.ack(number).await.expect("it is acknowledged")
    }
}
