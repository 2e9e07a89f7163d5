//! The body of Slack's incoming webhooks, and its text as CommonMark.

use serde::Deserialize;
use serde_json::Value;

use super::payload::{Format, Payload};

/// The fields of the body that have a meaning here; others are ignored.
#[derive(Deserialize)]
struct SlackMessage {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    blocks: Option<Vec<Block>>,
    #[serde(default)]
    attachments: Option<Vec<SlackAttachment>>,
}

#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    /// In other blocks than those with a text, something else may have this name.
    #[serde(default)]
    text: Value,
    #[serde(default)]
    fields: Value,
}

#[derive(Deserialize)]
struct SlackAttachment {
    #[serde(default)]
    fallback: Option<String>,
    #[serde(default)]
    text: Option<String>,
}

/// Returns the message in a body.
///
/// The text of a message with blocks is only for notifications, which show no blocks.
pub(super) fn read(body: Value) -> Option<Payload> {
    let SlackMessage { text, username, blocks, attachments } = serde_json::from_value(body).ok()?;
    let mut lines: Vec<String> = blocks.iter().flatten().flat_map(Block::lines).collect();
    if lines.is_empty() {
        lines.extend(text);
    }
    lines.extend(attachments.into_iter().flatten().filter_map(|attachment| attachment.text.or(attachment.fallback)));
    lines.retain(|line| !line.trim().is_empty());
    Some(Payload { format: Format::Slack, text: to_markdown(&lines.join("\n")), username, nonce: None })
}

impl Block {
    /// Returns the texts of a block that has some.
    fn lines(&self) -> Vec<String> {
        if !matches!(self.kind.as_str(), "section" | "header") {
            return Vec::new();
        }
        let fields = self.fields.as_array().into_iter().flatten();
        let texts = std::iter::once(&self.text).chain(fields).filter_map(|object| object["text"].as_str());
        texts.map(ToOwned::to_owned).collect()
    }
}

/// Converts links and escapes. Emphasis stays: its delimiters are emphasis in CommonMark too.
fn to_markdown(text: &str) -> String {
    let (mut converted, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('<') {
        let Some((reference, behind)) = after.split_once('>') else { break };
        converted.push_str(&unescape(before));
        converted.push_str(&reference_text(reference));
        rest = behind;
    }
    converted.push_str(&unescape(rest));
    converted
}

/// Returns the text for a link or a mention between angle brackets.
fn reference_text(reference: &str) -> String {
    let (target, label) = match reference.split_once('|') {
        Some((target, label)) => (unescape(target), Some(unescape(label))),
        None => (unescape(reference), None),
    };
    if let Some(group) = target.strip_prefix('!') {
        return format!("@{group}");
    }
    match label {
        Some(label) if target.starts_with(['#', '@']) => label,
        Some(label) => format!("[{label}]({target})"),
        None => target,
    }
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
