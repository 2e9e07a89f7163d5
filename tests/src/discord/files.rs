//! Files in messages.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::server::upload::Upload;

use super::id::Id;
use super::state::State;

impl State {
    /// Returns the attachments of a body: those that stay, by id, and the uploaded files.
    pub(super) fn attach(&mut self, channel: Id, body: &Value, files: &[Upload]) -> Vec<Value> {
        let listed: BTreeMap<usize, Value> = body["attachments"]
            .as_array()
            .into_iter()
            .flatten()
            .cloned()
            .filter_map(|one| Some((usize::try_from(Id::of(&one, "id")?.0).ok()?, one)))
            .collect();
        let mut attachments = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let id = self.fresh_id();
            let about = listed.get(&index).cloned().unwrap_or_default();
            let name = about["filename"].as_str().unwrap_or(&file.name).to_owned();
            let path = format!("/attachments/{channel}/{id}/{name}");
            let url = format!("{}{path}?ex=66f0&is=66ef&hm=ab12", self.api);
            let mut attachment = json!({
                "id": id, "filename": name, "size": file.bytes.len(), "url": url, "proxy_url": url,
                "content_type": file.media, "ephemeral": body["flags"].as_u64().unwrap_or_default() & 64 != 0,
            });
            if let Some(description) = about["description"].as_str() {
                attachment["description"] = json!(description);
            }
            if file.media.starts_with("image/") {
                attachment["width"] = json!(64);
                attachment["height"] = json!(64);
            }
            self.files.insert(path, file.clone());
            attachments.push(attachment);
        }
        attachments
    }
}

/// Converts embeds to their displayed form.
///
/// They become rich embeds. Their images may be files of the same message, which are then removed
/// from the attachments.
pub(super) fn embeds(embeds: &Value, attachments: &mut Vec<Value>) -> Value {
    let mut embeds = embeds.as_array().cloned().unwrap_or_default();
    for embed in &mut embeds {
        embed["type"] = json!("rich");
        for place in ["image", "thumbnail"] {
            let Some(name) = embed[place]["url"].as_str().and_then(|url| url.strip_prefix("attachment://")) else {
                continue;
            };
            if let Some(index) = attachments.iter().position(|one| one["filename"] == name) {
                embed[place]["url"] = attachments.remove(index)["url"].take();
            }
        }
    }
    Value::Array(embeds)
}
