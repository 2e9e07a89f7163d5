//! The body of Discord's "execute webhook".

use serde::Deserialize;
use serde_json::Value;

use super::payload::{Format, Payload};

/// The fields of the body that have a meaning here; others are ignored.
#[derive(Deserialize)]
struct Execution {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    embeds: Option<Vec<Embed>>,
}

#[derive(Deserialize)]
struct Embed {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    fields: Option<Vec<Field>>,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    value: String,
}

/// Returns the message in a body.
pub(super) fn read(body: Value) -> Option<Payload> {
    let Execution { content, username, embeds } = serde_json::from_value(body).ok()?;
    let embeds = embeds.into_iter().flatten().map(|embed| embed.text());
    let parts: Vec<String> = content.into_iter().chain(embeds).filter(|part| !part.trim().is_empty()).collect();
    Some(Payload { format: Format::Discord, text: parts.join("\n\n"), username, nonce: None })
}

impl Embed {
    fn text(self) -> String {
        let Self { title, description, url, fields } = self;
        let heading = match (title, url) {
            (Some(title), Some(url)) => Some(format!("**[{title}]({url})**")),
            (Some(title), None) => Some(format!("**{title}**")),
            (None, url) => url,
        };
        let fields = fields.into_iter().flatten().map(|Field { name, value }| format!("**{name}**: {value}"));
        heading.into_iter().chain(description).chain(fields).collect::<Vec<_>>().join("\n")
    }
}
