//! Irregularities that a client must tolerate: unknown fields, and missing optional ones.

use std::collections::HashSet;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use super::rules::Rules;

/// The schemas of Discord's description that match the objects under these keys.
const SHAPES: [(&[&str], &[&str]); 8] = [
    (&["user", "author", "inviter", "owner", "recipients", "mentions", "users"], &["UserResponse"]),
    (&["member", "members"], &["GuildMemberResponse"]),
    (&["roles", "role"], &["GuildRoleResponse"]),
    (&["channel", "channels", "threads", "thread"], &["GuildChannelResponse", "ThreadResponse"]),
    (&["message", "referenced_message"], &["MessageResponse"]),
    (&["attachments"], &["MessageAttachmentResponse"]),
    (&["embeds"], &["MessageEmbedResponse"]),
    (&["emojis"], &["EmojiResponse"]),
];

/// Objects with data as keys: an unknown field there would be a wrong entry.
const MAPS: [&str; 4] = ["resolved", "name_localizations", "description_localizations", "integration_types_config"];

/// Makes JSON irregular, reproducibly for a seed.
pub(super) struct Rough {
    random: StdRng,
    share: f64,
    optional: [HashSet<String>; SHAPES.len()],
}

impl Rough {
    pub(super) fn new(rules: &Rules, seed: u64, share: f64) -> Self {
        let optional = SHAPES.map(|(_, schemas)| schemas.iter().flat_map(|schema| rules.optional(schema)).collect());
        Self { random: StdRng::seed_from_u64(seed), share, optional }
    }

    /// Adds unknown fields, and removes empty optional ones (`null`, `false`, `0`, `""`, `[]`).
    ///
    /// `kind` is the key under which such an object would appear: `message`, `member`.
    pub(super) fn roughen(&mut self, kind: &str, value: &mut Value) {
        if self.share > 0.0 {
            self.walk(kind, value);
        }
    }

    fn walk(&mut self, kind: &str, value: &mut Value) {
        match value {
            Value::Array(list) => list.iter_mut().for_each(|item| self.walk(kind, item)),
            Value::Object(object) if MAPS.contains(&kind) => {
                for entries in object.values_mut().filter_map(Value::as_object_mut) {
                    entries.values_mut().for_each(|entry| self.walk("", entry));
                }
            }
            Value::Object(object) => self.roughen_object(kind, object),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn roughen_object(&mut self, kind: &str, object: &mut Map<String, Value>) {
        for (key, value) in object.iter_mut() {
            self.walk(key, value);
        }
        if let Some(shape) = SHAPES.iter().position(|(keys, _)| keys.contains(&kind)) {
            let (random, share, optional) = (&mut self.random, self.share, &self.optional[shape]);
            object.retain(|key, value| !(optional.contains(key) && is_nothing(value) && random.random_bool(share)));
        }
        // An object that holds only strings may be read as a map; the options of audit entries are
        // one.
        let is_map = !object.is_empty() && object.values().all(Value::is_string);
        if !is_map && self.random.random_bool(self.share) {
            let value = match self.random.random_range(0..5) {
                0 => Value::Null,
                1 => json!(self.random.random_range(0..1_000_000)),
                2 => json!("new here"),
                3 => json!([1, "two", { "three": 3.5 }]),
                _ => json!({ "enabled": true, "id": "1" }),
            };
            object.insert(format!("unheard_of_{}", self.random.random_range(0..100)), value);
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(_) => false,
    }
}
