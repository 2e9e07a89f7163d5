//! Formatted text: entities set by the bot, and those that Telegram detects.
//!
//! Offsets count UTF-16 units.

use std::sync::OnceLock;

use regex::Regex;
use serde_json::{Value, json};

use super::refusal::Refusal;

/// The entity types that a bot may set.
const KINDS: [&str; 20] = [
    "mention",
    "hashtag",
    "cashtag",
    "bot_command",
    "url",
    "email",
    "phone_number",
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "blockquote",
    "expandable_blockquote",
    "code",
    "pre",
    "text_link",
    "text_mention",
    "custom_emoji",
    "date_time",
];

/// The maximum number of entities of a text; further ones are dropped silently.
const ENTITIES_MAX: usize = 100;

/// A text with its entities.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Formatted {
    pub(super) text: String,
    pub(super) entities: Vec<Value>,
}

/// The length of a text as Telegram counts it.
pub(super) fn units(text: &str) -> u64 {
    text.encode_utf16().count() as u64
}

fn range(entity: &Value) -> (u64, u64) {
    let offset = entity["offset"].as_u64().unwrap_or_default();
    (offset, offset + entity["length"].as_u64().unwrap_or_default())
}

/// Checks the entities that a bot sets in a text.
pub(super) fn check(text: &str, entities: &[Value]) -> Result<(), Refusal> {
    let mut boundaries = vec![0];
    for letter in text.chars() {
        boundaries.push(boundaries.last().copied().unwrap_or_default() + letter.len_utf16() as u64);
    }
    let end = boundaries.last().copied().unwrap_or_default();
    for entity in entities {
        let unparsable = |why: &str| Err(Refusal::broken_rule(&format!("can't parse entities: {why}: {entity}")));
        let kind = entity["type"].as_str().unwrap_or_default();
        if !KINDS.contains(&kind) {
            return unparsable("unsupported type of entity");
        }
        let (Some(offset), Some(length)) = (entity["offset"].as_u64(), entity["length"].as_u64()) else {
            return unparsable("the offset or the length is negative");
        };
        if length == 0 || offset + length > end {
            return unparsable("the entity is empty or lies outside of the text");
        }
        if boundaries.binary_search(&offset).is_err() || boundaries.binary_search(&(offset + length)).is_err() {
            return unparsable("the entity begins or ends in the middle of a UTF-16 symbol");
        }
        let needed = match kind {
            "text_link" => "url",
            "text_mention" => "user",
            "custom_emoji" => "custom_emoji_id",
            _ => continue,
        };
        if entity[needed].is_null() {
            return unparsable(&format!("{needed} is missing"));
        }
    }
    overlaps(entities)
}

/// Checks that entities do not overlap partially; they may be nested.
fn overlaps(entities: &[Value]) -> Result<(), Refusal> {
    for (index, one) in entities.iter().enumerate() {
        for other in &entities[index + 1..] {
            let ((from, to), (start, end)) = (range(one), range(other));
            let crosses = from < start && start < to && to < end || start < from && from < end && end < to;
            if crosses {
                return Err(Refusal::broken_rule(&format!("can't parse entities: {one} crosses {other}")));
            }
        }
    }
    Ok(())
}

impl Formatted {
    /// Trims the text and adds detected entities, as Telegram does.
    pub(super) fn finished(mut self) -> Self {
        let leading = units(&self.text) - units(self.text.trim_start());
        self.text = self.text.trim().to_owned();
        let end = units(&self.text);
        for entity in &mut self.entities {
            let (from, to) = range(entity);
            let (from, to) = (from.saturating_sub(leading).min(end), to.saturating_sub(leading).min(end));
            entity["offset"] = json!(from);
            entity["length"] = json!(to - from);
        }
        self.entities.retain(|entity| entity["length"] != 0);
        self.detect();
        // Outer entities come first.
        self.entities.sort_by_key(|entity| (range(entity).0, std::cmp::Reverse(range(entity).1)));
        self.entities.truncate(ENTITIES_MAX);
        self
    }

    fn detect(&mut self) {
        static FINDERS: OnceLock<Vec<(&'static str, Regex)>> = OnceLock::new();
        let finders = FINDERS.get_or_init(|| {
            let all = [
                ("url", r"()(\bhttps?://[^\s<>]*[^\s<>.,!?;:)])"),
                ("email", r"()(\b[\w.+-]+@[\w-]+\.[\w.]*\w)"),
                ("bot_command", r"(^|[^\w/<>])(/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)"),
                ("mention", r"(^|[^\w@])(@[A-Za-z0-9_]{3,32})\b"),
                ("hashtag", r"(^|[^\w#])(#[\w]*[^\W\d][\w]*)"),
            ];
            all.map(|(kind, pattern)| (kind, Regex::new(pattern).expect("it is written well"))).to_vec()
        });
        let given = self.entities.clone();
        let marked = |from: u64, to: u64| {
            let hides =
                |one: &&Value| matches!(one["type"].as_str(), Some("code" | "pre" | "text_link" | "text_mention"));
            given.iter().filter(hides).any(|one| range(one).0 < to && from < range(one).1)
        };
        let mut found: Vec<Value> = Vec::new();
        for (kind, finder) in finders {
            for captures in finder.captures_iter(&self.text) {
                let hit = captures.get(2).expect("every pattern has two groups");
                let (from, length) = (units(&self.text[..hit.start()]), units(hit.as_str()));
                let covered = found.iter().any(|one| range(one).0 < from + length && from < range(one).1);
                let known = given.iter().any(|one| one["type"] == *kind && range(one) == (from, from + length));
                if !covered && !known && !marked(from, from + length) {
                    found.push(json!({ "type": kind, "offset": from, "length": length }));
                }
            }
        }
        self.entities.extend(found);
    }
}
