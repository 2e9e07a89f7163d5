//! Encodes what scripts send in Discord's format.

use palabre_types::{
    ActionError, ActionKey, Button, ButtonStyle, Content, ContentLimits, Embed, Form, Mention, Poll, Select,
};
use serde_json::{Map, Value, json};
use serenity::builder::{
    CreateActionRow, CreateAllowedMentions, CreateButton, CreateEmbed, CreateInputText, CreateModal, CreateSelectMenu,
    CreateSelectMenuKind, CreateSelectMenuOption,
};
use serenity::model::application::{ButtonStyle as DiscordStyle, InputTextStyle};
use sha2::{Digest, Sha256};

use crate::cache::Cache;
use crate::rest::File;

/// The longest text of a message, in UTF-16 units.
///
/// <https://discord.com/developers/docs/resources/message#create-message>
pub(crate) const TEXT_MAX: usize = 2_000;
/// The largest file of a message in bytes, without a paid upgrade of the server.
///
/// <https://discord.com/developers/docs/reference#uploading-files>
pub(crate) const FILE_MAX: usize = 10 << 20;
/// The most rows of components under a message.
const ROWS_MAX: usize = 5;
/// The most buttons in a row.
const BUTTONS_PER_ROW: usize = 5;
/// The longest action of a button, a list or a form.
const ACTION_MAX: usize = 100;
/// The longest label of a button.
///
/// Labels, options, placeholders and hints are truncated, since users still understand them.
/// <https://discord.com/developers/docs/components/reference>
const BUTTON_LABEL_MAX: usize = 80;
/// The longest label, value and description of an option.
const OPTION_MAX: usize = 100;
/// The longest placeholder of a list.
const PLACEHOLDER_MAX: usize = 150;
/// The longest title of a form and label of a field.
const LABEL_MAX: usize = 45;
/// The longest placeholder of a field.
const FIELD_PLACEHOLDER_MAX: usize = 100;
/// The most answers of a poll.
const ANSWERS_MAX: usize = 10;
/// The longest answer of a poll.
const ANSWER_MAX: usize = 55;
/// The longest question of a poll.
const QUESTION_MAX: usize = 300;
/// The longest duration of a poll, in hours.
const HOURS_MAX: u64 = 768;
/// The most fields of a form.
const FIELDS_MAX: usize = 5;
/// The message flag for delivery without a notification.
const SILENT_FLAG: u64 = 1 << 12;

/// The limits that are checked when a script makes the call, so that the error names its line.
///
/// Labels of buttons, lists and forms are truncated instead.
/// <https://discord.com/developers/docs/resources/message#embed-object-embed-limits>
pub(crate) const LIMITS: ContentLimits = ContentLimits {
    embeds: 10,
    embed_title: 256,
    embed_description: 4_096,
    embed_fields: 25,
    field_name: 256,
    field_value: 1_024,
    embeds_total: 6_000,
    requires_field_text: true,
    buttons: ROWS_MAX * BUTTONS_PER_ROW,
    options: 25,
    option_value: OPTION_MAX,
    action: ACTION_MAX,
    poll_options: ANSWERS_MAX,
    files: 10,
};

/// One message of those into which content is split.
pub(crate) struct Part {
    pub(crate) body: Map<String, Value>,
    pub(crate) files: Vec<File>,
}

/// Splits content into messages: each has a part of the text, and the last has everything else.
pub(crate) fn parts(content: &Content, known: &Cache, guild: Option<u64>) -> Result<Vec<Part>, ActionError> {
    let mut texts = palabre_text::split(&content.text, TEXT_MAX);
    let last = texts.pop().unwrap_or_default();
    let mentions = mentions(&content.mentions, known, guild)?;
    let flags = if content.silent { SILENT_FLAG } else { 0 };
    let plain = |text: String| {
        let mut body =
            Map::from_iter([("content".to_owned(), text.into()), ("allowed_mentions".to_owned(), mentions.clone())]);
        if flags != 0 {
            body.insert("flags".to_owned(), flags.into());
        }
        body
    };
    let mut parts: Vec<_> = texts.into_iter().map(|text| Part { body: plain(text), files: Vec::new() }).collect();
    let mut body = plain(last);
    if !content.embeds.is_empty() {
        body.insert("embeds".to_owned(), content.embeds.iter().map(embed).collect::<Vec<_>>().into());
    }
    if let Some(poll) = &content.poll {
        body.insert("poll".to_owned(), self::poll(poll)?);
    }
    let rows = components(content)?;
    if !rows.is_empty() {
        body.insert("components".to_owned(), json!(rows));
    }
    let files: Vec<_> = content.files.iter().map(file).collect();
    if !files.is_empty() {
        let named = files.iter().enumerate().map(|(id, file)| json!({ "id": id.to_string(), "filename": file.name }));
        body.insert("attachments".to_owned(), named.collect());
    }
    parts.push(Part { body, files });
    Ok(parts)
}

/// Splits content into messages that replace earlier ones, including embeds and components.
pub(crate) fn edit(content: &Content, known: &Cache, guild: Option<u64>) -> Result<Vec<Part>, ActionError> {
    let mut parts = parts(content, known, guild)?;
    for part in &mut parts {
        for list in ["embeds", "components"] {
            part.body.entry(list).or_insert_with(|| json!([]));
        }
        part.body.remove("flags");
    }
    Ok(parts)
}

/// Returns a poll in Discord's format.
///
/// <https://discord.com/developers/docs/resources/poll#poll-create-request-object>
fn poll(poll: &Poll) -> Result<Value, ActionError> {
    if poll.options.len() > ANSWERS_MAX {
        let count = poll.options.len();
        return Err(ActionError::Rejected(format!("the poll has {count} options, but Discord allows {ANSWERS_MAX}")));
    }
    let answers = poll.options.iter().map(|option| json!({ "poll_media": { "text": clipped(option, ANSWER_MAX) } }));
    let hours = poll.lasts.map_or(HOURS_MAX, |lasts| lasts.div_ceil(3_600_000).clamp(1, HOURS_MAX));
    Ok(json!({
        "question": { "text": clipped(&poll.question, QUESTION_MAX) },
        "answers": answers.collect::<Vec<_>>(),
        "duration": hours,
        "allow_multiselect": poll.multiple,
    }))
}

fn clipped(text: &str, length_max: usize) -> String {
    if text.chars().count() <= length_max {
        return text.to_owned();
    }
    text.chars().take(length_max - 1).chain(['…']).collect()
}

fn file(file: &palabre_types::FileToSend) -> File {
    File { name: file.name.clone(), data: file.data.clone() }
}

/// Returns the `allowed_mentions` of a message: nobody, unless the script names them.
fn mentions(meant: &[Mention], known: &Cache, guild: Option<u64>) -> Result<Value, ActionError> {
    let mut everyone = false;
    let (mut users, mut roles) = (Vec::new(), Vec::new());
    for mention in meant {
        match mention {
            Mention::Everyone => everyone = true,
            Mention::User(id) => users.push(number(id.native(), "a user's id")?),
            Mention::Role(name) => {
                let found = guild.and_then(|guild| known.guilds.get(&guild)?.role(name));
                roles.push(
                    found.ok_or_else(|| ActionError::NotFound(format!("there is no role \"{name}\" to mention")))?,
                );
            }
        }
    }
    let allowed = CreateAllowedMentions::new().everyone(everyone).users(users).roles(roles).replied_user(false);
    Ok(json!(allowed))
}

/// Parses a native id as a number.
pub(crate) fn number(native: &str, what: &str) -> Result<u64, ActionError> {
    let parsed = native.parse().ok().filter(|id| *id != 0);
    parsed.ok_or_else(|| ActionError::NotFound(format!("\"{native}\" is not {what} on Discord")))
}

fn embed(embed: &Embed) -> Value {
    let mut made = CreateEmbed::new();
    if let Some(title) = &embed.title {
        made = made.title(title);
    }
    if let Some(text) = &embed.description {
        made = made.description(text);
    }
    if let Some(url) = &embed.url {
        made = made.url(url);
    }
    if let Some(color) = embed.color {
        made = made.colour(color & 0x00ff_ffff);
    }
    json!(embed.fields.iter().fold(made, |made, field| made.field(&field.name, &field.value, field.inline)))
}

fn components(content: &Content) -> Result<Vec<CreateActionRow>, ActionError> {
    let buttons: Vec<_> = content.buttons.iter().map(button).collect::<Result<_, _>>()?;
    let mut rows: Vec<_> = buttons.chunks(BUTTONS_PER_ROW).map(|row| CreateActionRow::Buttons(row.to_vec())).collect();
    if let Some(list) = &content.select {
        rows.push(CreateActionRow::SelectMenu(select(list)?));
    }
    if rows.len() > ROWS_MAX {
        let buttons_max = ROWS_MAX * BUTTONS_PER_ROW;
        return Err(ActionError::Rejected(format!(
            "Discord shows at most {ROWS_MAX} rows, which is {buttons_max} buttons, or a list and four rows of buttons"
        )));
    }
    Ok(rows)
}

fn action(action: &str) -> Result<&str, ActionError> {
    let length = action.chars().count();
    if length <= ACTION_MAX {
        return Ok(action);
    }
    Err(ActionError::Rejected(format!(
        "the action \"{action}\" has {length} characters; Discord accepts at most {ACTION_MAX}"
    )))
}

fn button(button: &Button) -> Result<CreateButton, ActionError> {
    let made = match &button.url {
        Some(url) => CreateButton::new_link(url),
        None => CreateButton::new(action(&button.action)?).style(match button.style {
            Some(ButtonStyle::Primary) => DiscordStyle::Primary,
            Some(ButtonStyle::Danger) => DiscordStyle::Danger,
            None => DiscordStyle::Secondary,
        }),
    };
    Ok(made.label(clipped(&button.label, BUTTON_LABEL_MAX)).disabled(button.disabled))
}

fn select(list: &Select) -> Result<CreateSelectMenu, ActionError> {
    let option = |option: &palabre_types::SelectOption| {
        let made = CreateSelectMenuOption::new(clipped(&option.label, OPTION_MAX), &option.value);
        option.description.iter().fold(made, |made, text| made.description(clipped(text, OPTION_MAX)))
    };
    let kind = CreateSelectMenuKind::String { options: list.options.iter().map(option).collect() };
    let made = CreateSelectMenu::new(action(&list.action)?, kind);
    let made = made.min_values(list.min.unwrap_or(1)).max_values(list.max.unwrap_or(1));
    Ok(list.placeholder.iter().fold(made, |made, text| made.placeholder(clipped(text, PLACEHOLDER_MAX))))
}

/// Returns a form as a modal.
pub(crate) fn form(form: &Form) -> Result<Value, ActionError> {
    if form.fields.len() > FIELDS_MAX {
        let count = form.fields.len();
        return Err(ActionError::Rejected(format!("the form has {count} fields; Discord shows at most {FIELDS_MAX}")));
    }
    let field = |field: &palabre_types::FormField| {
        let style = if field.long { InputTextStyle::Paragraph } else { InputTextStyle::Short };
        let narrow = |n: u32| u16::try_from(n).unwrap_or(4_000).min(4_000);
        let mut made =
            CreateInputText::new(style, clipped(&field.label, LABEL_MAX), &field.name).required(!field.optional);
        if let Some(min) = field.min {
            made = made.min_length(narrow(min));
        }
        if let Some(max) = field.max {
            made = made.max_length(narrow(max));
        }
        if let Some(text) = &field.placeholder {
            made = made.placeholder(clipped(text, FIELD_PLACEHOLDER_MAX));
        }
        if let Some(text) = &field.value {
            made = made.value(text);
        }
        CreateActionRow::InputText(made)
    };
    let modal = CreateModal::new(action(&form.action)?, clipped(&form.title, LABEL_MAX));
    Ok(json!(modal.components(form.fields.iter().map(field).collect())))
}

/// Returns the nonce of one part of an action, of at most 25 characters.
///
/// Discord creates one message per nonce. It stays the same however often the action is tried, and
/// differs between installations.
pub(crate) fn nonce(seed: &str, key: &ActionKey, part: usize) -> String {
    let hash = Sha256::digest(format!("{seed}#{key}#{part}"));
    hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}
