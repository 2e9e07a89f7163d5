//! HTML texts, as for `parse_mode`.

use serde_json::{Value, json};

use super::entities::{Formatted, units};
use super::refusal::Refusal;

fn unparsable(why: &str) -> Refusal {
    Refusal::broken_rule(&format!("can't parse entities: {why}"))
}

/// Parses a text.
pub(super) fn parse(text: &str) -> Result<Formatted, Refusal> {
    let mut read = Formatted::default();
    let mut open: Vec<(String, Value)> = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let at = text.len() - rest.len();
        match next {
            '<' => {
                let end =
                    rest.find('>').ok_or_else(|| unparsable(&format!("Unclosed start tag at byte offset {at}")))?;
                let tag = &rest[1..end];
                rest = &rest[end + 1..];
                if let Some(name) = tag.strip_prefix('/') {
                    let (opened, mut entity) =
                        open.pop().ok_or_else(|| unparsable(&format!("Unexpected end tag at byte offset {at}")))?;
                    if opened != name.trim() {
                        return Err(unparsable(&format!(
                            "Unmatched end tag at byte offset {at}, expected \"</{opened}>\""
                        )));
                    }
                    let offset = entity["offset"].as_u64().unwrap_or_default();
                    entity["length"] = json!(units(&read.text) - offset);
                    if entity["length"] != 0 && !entity["type"].is_null() {
                        read.entities.push(entity);
                    }
                } else {
                    let name = tag.split(' ').next().unwrap_or_default().to_lowercase();
                    let mut entity = entity(&name, tag)
                        .ok_or_else(|| unparsable(&format!("Unsupported start tag \"{name}\" at byte offset {at}")))?;
                    entity["offset"] = json!(units(&read.text));
                    open.push((name, entity));
                }
            }
            '&' => {
                let (letter, length) = reference(rest).unwrap_or(('&', 1));
                read.text.push(letter);
                rest = &rest[length..];
            }
            other => {
                read.text.push(other);
                rest = &rest[other.len_utf8()..];
            }
        }
    }
    match open.pop() {
        Some((name, _)) => Err(unparsable(&format!("Can't find end tag corresponding to start tag \"{name}\""))),
        None => Ok(read),
    }
}

/// Returns the entity that a start tag begins.
///
/// A `code` within a `pre` sets only its language, which is not kept.
fn entity(name: &str, tag: &str) -> Option<Value> {
    let attribute = |name: &str| {
        let from = tag.find(&format!("{name}=\""))? + name.len() + 2;
        let to = from + tag[from..].find('"')?;
        Some(tag[from..to].replace("&amp;", "&"))
    };
    Some(match name {
        "b" | "strong" => json!({ "type": "bold" }),
        "i" | "em" => json!({ "type": "italic" }),
        "u" | "ins" => json!({ "type": "underline" }),
        "s" | "strike" | "del" => json!({ "type": "strikethrough" }),
        "tg-spoiler" => json!({ "type": "spoiler" }),
        "span" if attribute("class").as_deref() == Some("tg-spoiler") => json!({ "type": "spoiler" }),
        "code" => json!({ "type": "code" }),
        "pre" => json!({ "type": "pre" }),
        "blockquote" if tag.ends_with(" expandable") => json!({ "type": "expandable_blockquote" }),
        "blockquote" => json!({ "type": "blockquote" }),
        "a" => match attribute("href") {
            Some(url) => json!({ "type": "text_link", "url": url }),
            None => json!({}),
        },
        _ => return None,
    })
}

/// Returns the character of a reference at the beginning of a text, and the length of the reference.
fn reference(text: &str) -> Option<(char, usize)> {
    let end = text.find(';')?;
    let letter = match &text[1..end] {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        other => {
            let number = other.strip_prefix('#')?;
            let hex = number.strip_prefix('x').map(|hex| u32::from_str_radix(hex, 16));
            char::from_u32(hex.unwrap_or_else(|| number.parse()).ok()?)?
        }
    };
    Some((letter, end + 1))
}
