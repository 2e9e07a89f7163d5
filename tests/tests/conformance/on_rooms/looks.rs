//! Messages as users see them on the page of the room service.

use serde_json::{Value, json};

use super::OnRooms;
use crate::platform::Seen;

impl OnRooms {
    /// Converts the wire format of a message to what users see.
    pub(super) async fn seen(&self, shown: &Value) -> Seen {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let mut files = Vec::new();
        for file in list(&shown["attachments"]) {
            let url = format!("http://{}{}", self.app.address, text(&file["url"]));
            let body = self.http.get(url).send().await.expect("the file is there").text().await;
            files.push((text(&file["name"]), body.expect("it is text")));
        }
        let strings = |embed: &Value| {
            let fields =
                list(&embed["fields"]).into_iter().map(|f| format!("{} {}", text(&f["name"]), text(&f["value"])));
            let parts = [text(&embed["title"]), text(&embed["description"])].into_iter().chain(fields);
            parts.collect::<Vec<_>>().join(" ")
        };
        let of_bot = |names: &Value| list(names).iter().any(|name| name == "palabre");
        let reactions = shown["reactions"].as_object().into_iter().flatten();
        Seen {
            id: text(&shown["id"]),
            author: text(&shown["username"]),
            text: text(&shown["message"]),
            buttons: serde_json::from_value(json!(list(&shown["buttons"]))).expect("they are buttons"),
            select: shown["select"]
                .as_object()
                .map(|select| list(&select["options"]).iter().map(|one| text(&one["label"])).collect()),
            embeds: list(&shown["embeds"]).iter().map(strings).collect(),
            files,
            reply_to: shown["reply_to"].as_str().map(ToOwned::to_owned),
            reactions: reactions.filter(|(_, names)| of_bot(names)).map(|(emoji, _)| emoji.clone()).collect(),
            pinned: shown["pinned"] == true,
            silent: false,
            notifies: Vec::new(),
        }
    }
}
