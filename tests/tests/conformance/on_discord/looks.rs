//! Messages as users see them on Discord.

use palabre_types::{Button, ButtonStyle};
use serde_json::Value;

use super::OnDiscord;
use crate::platform::Seen;

/// The flag of messages without a notification.
const SILENT: u64 = 4_096;

impl OnDiscord {
    /// Converts a Discord message to what users see.
    pub(super) async fn seen(&self, message: &Value) -> Seen {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let mut files = Vec::new();
        for file in list(&message["attachments"]) {
            let body = self.http.get(text(&file["url"])).send().await.expect("the file is there").text().await;
            files.push((text(&file["filename"]), body.expect("it is text")));
        }
        let embed = |embed: &Value| {
            let fields =
                list(&embed["fields"]).into_iter().map(|f| format!("{} {}", text(&f["name"]), text(&f["value"])));
            let parts = [text(&embed["title"]), text(&embed["description"])].into_iter().chain(fields);
            parts.collect::<Vec<_>>().join(" ")
        };
        let components: Vec<Value> =
            list(&message["components"]).iter().flat_map(|row| list(&row["components"])).collect();
        let select = components.iter().find(|one| one["type"] == 3);
        let select = select.map(|one| list(&one["options"]).iter().map(|option| text(&option["label"])).collect());
        let everyone = (message["mention_everyone"] == true).then(|| "everyone".to_owned());
        let mentions = list(&message["mentions"]).into_iter().map(|user| text(&user["id"]));
        let reactions = self.reactions(message);
        Seen {
            id: text(&message["id"]),
            author: text(&message["author"]["username"]),
            text: text(&message["content"]),
            buttons: components.iter().filter(|one| one["type"] == 2).map(button).collect(),
            select,
            embeds: list(&message["embeds"]).iter().map(embed).collect(),
            files,
            reply_to: message["message_reference"]["message_id"].as_str().map(ToOwned::to_owned),
            reactions,
            pinned: message["pinned"] == true,
            silent: message["flags"].as_u64().unwrap_or_default() & SILENT != 0,
            notifies: everyone.into_iter().chain(mentions).collect(),
        }
    }

    fn reactions(&self, message: &Value) -> Vec<String> {
        let all = message["reactions"].as_array().into_iter().flatten();
        let own = all.filter(|reaction| reaction["me"] == true);
        own.filter_map(|reaction| reaction["emoji"]["name"].as_str()).map(ToOwned::to_owned).collect()
    }
}

fn button(component: &Value) -> Button {
    let text = |field: &str| component[field].as_str().map(ToOwned::to_owned);
    Button {
        label: text("label").unwrap_or_default(),
        action: text("custom_id").unwrap_or_default(),
        style: match component["style"].as_u64() {
            Some(1) => Some(ButtonStyle::Primary),
            Some(4) => Some(ButtonStyle::Danger),
            _ => None,
        },
        url: text("url"),
        disabled: component["disabled"] == true,
    }
}
