//! Reading the body of an incoming webhook: in our own format, or in those of Slack and Discord.

use serde::Deserialize;
use serde_json::Value;

use super::payload::{Format, Payload};
use super::{discord, slack};

/// A message in our own format.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnMessage {
    message: String,
    #[serde(default)]
    nonce: Option<String>,
}

/// Returns the message in a JSON body, or `None` if the body has none of the formats.
pub(crate) fn read(body: &[u8]) -> Option<Payload> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let has = |names: &[&str]| names.iter().any(|name| body.get(name).is_some());
    if has(&["content", "embeds"]) {
        return discord::read(body);
    }
    if has(&["text", "blocks", "attachments"]) {
        return slack::read(body);
    }
    let OwnMessage { message, nonce } = serde_json::from_value(body).ok()?;
    Some(Payload { format: Format::Own, text: message, username: None, nonce })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]

    use serde_json::json;

    use super::*;

    fn message(body: &Value) -> Payload {
        read(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn the_fields_of_a_body_tell_its_format() {
        let own = message(&json!({ "message": "done", "nonce": "7" }));
        assert_eq!((own.format, own.text.as_str(), own.nonce.as_deref()), (Format::Own, "done", Some("7")));
        assert_eq!(message(&json!({ "text": "done" })).format, Format::Slack);
        assert_eq!(message(&json!({ "content": "done", "attachments": [] })).format, Format::Discord);
        for other in ["", "{", "[]", "1", "null", "{}", r#"{"message":1}"#, r#"{"text":{}}"#, r#"{"content":[]}"#] {
            assert_eq!(read(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn the_blocks_of_slack_replace_its_text_and_attachments_follow() {
        let body = json!({
            "text": "a summary",
            "username": "CI",
            "blocks": [
                { "type": "header", "text": { "type": "plain_text", "text": "Build 7" } },
                { "type": "divider" },
                {
                    "type": "section",
                    "text": { "type": "mrkdwn", "text": "<https://ci.example/7|Log> of <main> &amp; more" },
                    "fields": [{ "type": "mrkdwn", "text": "*Branch*" }],
                },
                { "type": "actions", "elements": [] },
            ],
            "attachments": [{ "fallback": "shorter", "text": "longer" }, { "fallback": "alone" }],
        });
        let payload = message(&body);
        let expected = "Build 7\n[Log](https://ci.example/7) of main & more\n*Branch*\nlonger\nalone";
        assert_eq!((payload.text.as_str(), payload.username.as_deref()), (expected, Some("CI")));
        assert_eq!(
            message(&json!({ "text": "see <https://a.example>, <!here>" })).text,
            "see https://a.example, @here"
        );
        assert_eq!(message(&json!({ "text": "1 < 2 &gt; 0" })).text, "1 < 2 > 0");
    }

    #[test]
    fn the_embeds_of_discord_follow_its_content() {
        let body = json!({
            "content": "Pushed",
            "username": "Git",
            "embeds": [
                {
                    "title": "main", "url": "https://git.example/main", "description": "2 commits", "color": 255,
                    "fields": [{ "name": "By", "value": "alice", "inline": true }],
                },
                { "url": "https://git.example" },
            ],
        });
        let expected =
            "Pushed\n\n**[main](https://git.example/main)**\n2 commits\n**By**: alice\n\nhttps://git.example";
        assert_eq!(message(&body).text, expected);
        assert_eq!(message(&json!({ "content": null, "embeds": [{ "title": "x" }] })).text, "**x**");
    }
}
