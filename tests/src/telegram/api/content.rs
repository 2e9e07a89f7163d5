//! Contents of messages that the bot sends.

use std::collections::HashMap;

use rand::RngExt;
use serde_json::{Map, Value, json};

use crate::json::merge;
use crate::server::upload::Upload;
use crate::telegram::entities::{self, Formatted, units};
use crate::telegram::html;
use crate::telegram::refusal::Refusal;
use crate::telegram::state::State;

use super::call::Call;

/// The media that can be sent, by method name.
pub(super) const MEDIA: [(&str, &str); 8] = [
    ("sendPhoto", "photo"),
    ("sendDocument", "document"),
    ("sendAudio", "audio"),
    ("sendVoice", "voice"),
    ("sendVideo", "video"),
    ("sendAnimation", "animation"),
    ("sendSticker", "sticker"),
    ("sendVideoNote", "video_note"),
];

/// The maximum length of a text and of a caption, in UTF-16 units.
const TEXT_MAX: u64 = 4_096;
const CAPTION_MAX: u64 = 1_024;

/// Returns a text with its entities.
fn formatted(fields: &Value, name: &str, entities_name: &str) -> Result<Formatted, Refusal> {
    let text = fields[name].as_str().unwrap_or_default();
    let given = fields[entities_name].as_array().cloned();
    let parsed = match fields["parse_mode"].as_str() {
        None | Some("") => {
            let entities = given.unwrap_or_default();
            entities::check(text, &entities)?;
            Formatted { text: text.to_owned(), entities }
        }
        Some(_) if given.is_some() => {
            return Err(Refusal::blamed("can't parse entities", "there is a parse_mode and a list of entities"));
        }
        Some(mode) if mode.eq_ignore_ascii_case("html") => html::parse(text)?,
        Some(mode) => {
            return Err(Refusal::blamed(
                "unsupported parse_mode",
                &format!("the stand-in reads no {mode}: use entities"),
            ));
        }
    };
    Ok(parsed.finished())
}

/// Returns the text of a message.
pub(super) fn text(fields: &Value) -> Result<Value, Refusal> {
    let Formatted { text, entities } = formatted(fields, "text", "entities")?;
    if text.is_empty() {
        return Err(Refusal::broken_rule("message text is empty"));
    }
    if units(&text) > TEXT_MAX {
        return Err(Refusal::broken_rule("message is too long"));
    }
    let mut content = json!({ "text": text });
    if !entities.is_empty() {
        content["entities"] = Value::Array(entities);
    }
    if !fields["link_preview_options"].is_null() {
        content["link_preview_options"] = fields["link_preview_options"].clone();
    }
    Ok(content)
}

/// Returns the caption of a medium, if there is one.
pub(super) fn caption(fields: &Value) -> Result<Value, Refusal> {
    let Formatted { text, entities } = formatted(fields, "caption", "caption_entities")?;
    if units(&text) > CAPTION_MAX {
        return Err(Refusal::broken_rule("message caption is too long"));
    }
    let mut content = json!({});
    if !text.is_empty() {
        content["caption"] = json!(text);
    }
    if !entities.is_empty() {
        content["caption_entities"] = Value::Array(entities);
    }
    for (name, shown) in
        [("show_caption_above_media", "show_caption_above_media"), ("has_spoiler", "has_media_spoiler")]
    {
        if fields[name] == true {
            content[shown] = json!(true);
        }
    }
    Ok(content)
}

impl State {
    /// Returns a medium with its caption, as the fields of a message.
    pub(super) fn medium(
        &mut self,
        kind: &str,
        source: &str,
        fields: &Value,
        files: &HashMap<String, Upload>,
    ) -> Result<Value, Refusal> {
        if source.is_empty() {
            return Err(Refusal::broken_rule(&format!("there is no {kind} in the request")));
        }
        let mut content = caption(fields)?;
        let medium = self.resolve(kind, source, files, fields)?;
        if kind == "animation" {
            let mut document = medium.clone();
            document
                .as_object_mut()
                .expect("an animation is an object")
                .retain(|name, _| !matches!(name.as_str(), "width" | "height" | "duration"));
            content["document"] = document;
        }
        content[kind] = medium;
        Ok(content)
    }

    /// Returns the content of the message that a call sends.
    pub(super) fn content(&mut self, call: &Call) -> Result<Value, Refusal> {
        let name = call.method.name.as_str();
        if let Some((_, kind)) = MEDIA.iter().find(|(method, _)| *method == name) {
            return self.medium(kind, call.text(kind), &call.parameters, &call.files);
        }
        let picked = |names: &[&str]| -> Value {
            let given = names.iter().filter(|name| !call.get(name).is_null());
            given.map(|name| ((*name).to_owned(), call.get(name).clone())).collect::<Map<_, _>>().into()
        };
        match name {
            "sendMessage" => text(&call.parameters),
            "sendLocation" | "sendVenue" => self.location(call, &picked(&["latitude", "longitude", "live_period"])),
            "sendContact" => Ok(json!({ "contact": picked(&["phone_number", "first_name", "last_name", "vcard"]) })),
            "sendDice" => self.dice(call),
            "sendPoll" => self.poll(call),
            _ => Err(Refusal::not_played(name)),
        }
    }

    fn location(&self, call: &Call, location: &Value) -> Result<Value, Refusal> {
        let within = |name: &str, max: f64| location[name].as_f64().is_some_and(|degrees| degrees.abs() <= max);
        if !within("latitude", 90.0) || !within("longitude", 180.0) {
            return Err(Refusal::broken_rule("wrong latitude or longitude specified"));
        }
        let mut content = json!({ "location": location });
        if call.method.name == "sendVenue" {
            content["venue"] =
                json!({ "location": location, "title": call.text("title"), "address": call.text("address") });
        }
        Ok(content)
    }

    fn dice(&mut self, call: &Call) -> Result<Value, Refusal> {
        let emoji = call.get("emoji").as_str().unwrap_or("🎲");
        let value_max = match emoji {
            "🎲" | "🎯" | "🎳" => 6,
            "🏀" | "⚽" => 5,
            "🎰" => 64,
            _ => return Err(Refusal::broken_rule("wrong emoji specified for the dice")),
        };
        Ok(json!({ "dice": { "emoji": emoji, "value": self.random.random_range(1..=value_max) } }))
    }

    fn poll(&mut self, call: &Call) -> Result<Value, Refusal> {
        let question = call.text("question");
        if !(1..=300).contains(&units(question)) {
            return Err(Refusal::blamed("poll question is wrong", "it has 1 to 300 characters"));
        }
        let options = call.get("options").as_array().map(Vec::as_slice).unwrap_or_default();
        if options.len() < 2 {
            return Err(Refusal::broken_rule("poll must have at least 2 option"));
        }
        if options.len() > 12 {
            return Err(Refusal::broken_rule("poll can't have more than 12 options"));
        }
        if options.iter().any(|one| !(1..=100).contains(&units(one["text"].as_str().unwrap_or_default()))) {
            return Err(Refusal::blamed("poll options are wrong", "each has 1 to 100 characters"));
        }
        let correct = call.get("correct_option_ids").as_array().map(Vec::as_slice).unwrap_or_default();
        let is_quiz = call.text("type") == "quiz";
        let exists = |id: &Value| id.as_u64().is_some_and(|id| id < options.len() as u64);
        if is_quiz && (correct.is_empty() || !correct.iter().all(exists)) {
            return Err(Refusal::broken_rule("wrong correct option ID specified"));
        }
        let mut content = json!({});
        content["poll"] = self.poll_frame(&call.parameters);
        merge(&mut content["poll"], json!({ "question": question }));
        Ok(content)
    }
}
