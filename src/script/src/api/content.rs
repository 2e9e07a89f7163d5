//! Message content as scripts write it: a string or a table.

use std::collections::BTreeSet;

use mlua::Value as LuaValue;
use palabre_types::{
    Button, Content, DeliveryGuarantee, Embed, FileOrigin, FileToSend, Mention, Persona, Poll, RoomId, Select, UserId,
};
use serde::Deserialize;

use super::check::{granted, text};
use crate::limits::VALUE_BYTES;
use crate::reply::Problem;
use crate::run::Run;
use crate::value;

/// The maximum length of a file name, in bytes, as in most file systems.
const FILE_NAME_MAX: usize = 255;

/// The fields of a content table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentTable {
    #[serde(default)]
    text: String,
    #[serde(default)]
    embeds: Vec<Embed>,
    #[serde(default)]
    buttons: Vec<Button>,
    #[serde(default)]
    select: Option<Select>,
    #[serde(default)]
    files: Vec<FileTable>,
    #[serde(default)]
    poll: Option<PollTable>,
    #[serde(default)]
    silent: bool,
    #[serde(default)]
    ephemeral: bool,
    #[serde(default)]
    reply_to: Option<String>,
    #[serde(default, rename = "as")]
    persona: Option<Persona>,
    #[serde(default)]
    mentions: Vec<String>,
    #[serde(default)]
    delivery: DeliveryGuarantee,
}

/// A file that the script provides, or an attachment of a message as the event has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTable {
    name: String,
    #[serde(default)]
    data: Option<String>,
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    bot: Option<String>,
    #[serde(default, rename = "size")]
    _size: Option<u64>,
}

impl FileTable {
    fn file(self) -> Result<FileToSend, Problem> {
        let Self { name, data, content_type, url, bot, .. } = self;
        let (name, data, from) = match (data, url, bot) {
            (Some(data), None, None) => (name, data.into_bytes(), None),
            // The name comes from somebody else, so it is corrected instead of refused.
            (None, Some(url), Some(bot)) => {
                (file_name(&name), Vec::new(), Some(FileOrigin { bot: bot.as_str().into(), url }))
            }
            _ => {
                return Err(format!("the file \"{name}\" needs data, or must be an unchanged attachment of a message"));
            }
        };
        Ok(FileToSend { name, data, content_type, from })
    }
}

/// A poll, with its duration as scripts write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PollTable {
    question: String,
    options: Vec<String>,
    #[serde(default)]
    multiple: bool,
    #[serde(default)]
    lasts: Option<serde_json::Value>,
}

impl PollTable {
    fn poll(self) -> Result<Poll, Problem> {
        let Self { question, options, multiple, lasts } = self;
        if question.trim().is_empty() || options.len() < 2 || options.iter().any(|option| option.trim().is_empty()) {
            return Err("a poll has a question, and at least two options".to_owned());
        }
        let lasts = lasts.map(|lasts| {
            let text = lasts.as_str().map_or_else(|| lasts.to_string(), ToOwned::to_owned);
            let parsed = palabre_types::parse_duration(&text);
            let millis = parsed.and_then(|duration| u64::try_from(duration.as_millis()).ok());
            millis.ok_or_else(|| "poll: lasts is a duration like \"1h\" or \"7d\"".to_owned())
        });
        Ok(Poll { question, options, multiple, lasts: lasts.transpose()? })
    }
}

/// Returns the content, and the id of the message that it replies to, if any.
pub(super) fn content_of(run: &Run, content: &LuaValue) -> Result<(Content, Option<String>), Problem> {
    let too_large = || format!("a message has at most {} KiB", VALUE_BYTES >> 10);
    match content {
        LuaValue::String(string) if string.as_bytes().len() > VALUE_BYTES => Err(too_large()),
        LuaValue::String(string) => Ok((Content::text(text(string)?), None)),
        LuaValue::Integer(_) | LuaValue::Number(_) => {
            Ok((Content::text(content.to_string().map_err(|error| error.to_string())?), None))
        }
        LuaValue::Table(_) => {
            let mut json = value::from_lua(content, VALUE_BYTES)
                .map_err(|problem| format!("this content cannot be sent: {problem}"))?;
            value::fill_lists(&mut json, &["embeds", "buttons", "files", "fields", "options", "mentions"]);
            // Scripts may pass a number as text.
            if let Some(number @ serde_json::Value::Number(_)) = json.get("text") {
                json["text"] = number.to_string().into();
            }
            let table: ContentTable =
                serde_json::from_value(json).map_err(|error| format!("this content cannot be sent: {error}"))?;
            let content = Content {
                text: table.text,
                embeds: table.embeds,
                buttons: table.buttons,
                select: table.select,
                files: table.files.into_iter().map(FileTable::file).collect::<Result<_, _>>()?,
                poll: table.poll.map(PollTable::poll).transpose()?,
                silent: table.silent,
                ephemeral: table.ephemeral,
                attachments: Vec::new(),
                persona: table.persona,
                mentions: table.mentions.iter().map(|mention| parse_mention(mention)).collect::<Result<_, _>>()?,
                delivery: table.delivery,
            };
            if !content.files.is_empty() {
                granted(run, "files", "sending files")?;
            }
            if content.persona.is_some() {
                granted(run, "personas", "speaking under another name")?;
            }
            if content.mentions.iter().any(|mention| !matches!(mention, Mention::User(_))) {
                granted(run, "mentions", "notifying everyone, or a role")?;
            }
            check_components(&content)?;
            Ok((content, table.reply_to))
        }
        other => Err(format!("content is a string or a table; this is a {}", other.type_name())),
    }
}

/// Parses a mention to notify: everyone, a role, or a user's id.
fn parse_mention(mention: &str) -> Result<Mention, Problem> {
    match mention {
        "everyone" => Ok(Mention::Everyone),
        other => match other.strip_prefix("role:") {
            Some(role) if !role.is_empty() => Ok(Mention::Role(role.to_owned())),
            _ if other.contains('/') => Ok(Mention::User(UserId::from(other))),
            _ => Err(format!("mentions: \"{other}\" is not \"everyone\", \"role:NAME\" or a user's id")),
        },
    }
}

/// Checks that each component has an effect, so that the error is raised at the script's own line.
fn check_components(content: &Content) -> Result<(), Problem> {
    if let Some(button) = content.buttons.iter().find(|button| button.action.is_empty() == button.url.is_none()) {
        return Err(format!("the button \"{}\" needs either an action or a url", button.label));
    }
    if content.buttons.iter().any(|button| button.label.trim().is_empty()) {
        return Err("a button needs a label".to_owned());
    }
    if let Some(file) = content.files.iter().find(|file| !is_file_name(&file.name)) {
        let name = file.name.escape_debug();
        return Err(format!(
            "\"{name}\" is not a name of a file; use 1 to {FILE_NAME_MAX} bytes, no slashes and no control characters"
        ));
    }
    let is_none = |url: &&String| !(url.starts_with("https://") || url.starts_with("http://"));
    let urls = content.buttons.iter().filter_map(|button| button.url.as_ref());
    if let Some(url) = urls.chain(content.embeds.iter().filter_map(|embed| embed.url.as_ref())).find(is_none) {
        return Err(format!("\"{url}\" is not an address of a page; it must begin with https:// or http://"));
    }
    if let Some(select) = &content.select
        && (select.action.is_empty() || select.options.is_empty())
    {
        return Err("a select needs an action and at least one option".to_owned());
    }
    content.select.as_ref().map_or(Ok(()), check_options)
}

/// Checks that the values of options are distinct and that enough options can be chosen.
fn check_options(select: &Select) -> Result<(), Problem> {
    let options = &select.options;
    if options.iter().any(|option| option.label.trim().is_empty() || option.value.is_empty()) {
        return Err("an option of a select needs a label and a value".to_owned());
    }
    let mut values = BTreeSet::new();
    if let Some(twice) = options.iter().find(|option| !values.insert(&option.value)) {
        return Err(format!("the select has the value \"{}\" twice", twice.value));
    }
    let (min, max) = (select.min.unwrap_or(1), select.max.unwrap_or(1));
    if min > max || usize::from(max) > options.len() {
        let count = options.len();
        return Err(format!("a select with {count} options cannot ask for between {min} and {max} choices"));
    }
    Ok(())
}

/// Checks content against the limits of the bot's platform.
pub(super) fn check_limits(run: &Run, bot: &str, content: &Content) -> Result<(), Problem> {
    run.host.check_content(bot, content)
}

/// Replaces what the platform does not support by the nearest equivalent.
///
/// Without personas the name is put in front of the text; without polls the question and the answers become text.
pub(super) fn adapt(run: &Run, room: &RoomId, mut content: Content) -> Content {
    if let Some(poll) = content.poll.take_if(|_| !run.host.can(room.bot(), "poll")) {
        let parts = [content.text, poll.written()];
        content.text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
    }
    let is_plain = content.persona.is_none() || run.host.can(room.bot(), "as");
    match content.persona {
        Some(Persona { name, .. }) if !is_plain => {
            let text = format!("**{}**: {}", palabre_text::escape(&name), content.text);
            Content { text, persona: None, ..content }
        }
        persona => Content { persona, ..content },
    }
}

/// Whether a file may have this name.
fn is_file_name(name: &str) -> bool {
    !name.trim().is_empty() && name.len() <= FILE_NAME_MAX && !name.contains(is_separator)
}

/// Returns the nearest valid file name.
fn file_name(name: &str) -> String {
    let name: String = name.chars().map(|c| if is_separator(c) { '_' } else { c }).collect();
    // Cuts at the front, to keep the extension.
    let mut start = name.len().saturating_sub(FILE_NAME_MAX);
    while !name.is_char_boundary(start) {
        start += 1;
    }
    if name.trim().is_empty() { "file".to_owned() } else { name[start..].to_owned() }
}

/// Whether a character is not allowed in file names: control characters, line and path separators.
fn is_separator(c: char) -> bool {
    c.is_control() || matches!(c, '/' | '\\' | '\u{2028}' | '\u{2029}')
}

/// Checks that content is not empty.
pub(super) fn check_not_empty(content: &Content) -> Result<(), Problem> {
    if content.is_empty() {
        return Err("there is nothing to send: text, files, embeds and poll are empty".to_owned());
    }
    Ok(())
}
