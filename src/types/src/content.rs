//! Messages and their content.

use crate::time::Millis;
use serde::{Deserialize, Serialize};

use crate::ids::{BotName, MessageId, UserId};

/// A message in a room. Text is CommonMark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The platform's id.
    pub id: MessageId,
    /// The author; `None` where the platform does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<UserId>,
    /// The time at which it was written.
    pub time: Millis,
    /// The content.
    #[serde(flatten)]
    pub content: Content,
    /// The message that it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
}

/// The content of a message, received or to be sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The text, CommonMark.
    #[serde(default)]
    pub text: String,
    /// Attachments of a received message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Embeds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embeds: Vec<Embed>,
    /// Buttons below the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
    /// A list to choose from, below the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<Select>,
    /// Attachments of a message that is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileToSend>,
    /// A poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<Poll>,
    /// Whether recipients get no sound notification.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
    /// Whether it is an ephemeral message: seen only by the user who is answered, and not stored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ephemeral: bool,
    /// The name and picture that the message is shown under, if not the bot's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persona: Option<Persona>,
    /// The users and roles that are notified.
    ///
    /// Others that the text mentions are only named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Mention>,
    /// The guarantee when it is sent.
    #[serde(default, skip_serializing_if = "DeliveryGuarantee::is_at_least_once")]
    pub delivery: DeliveryGuarantee,
}

/// The guarantee for a message if the daemon or the connection fails while it is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryGuarantee {
    /// It is sent again if it may not have been sent.
    #[default]
    AtLeastOnce,
    /// It is not sent again if it may have been sent; the script is notified instead.
    AtMostOnce,
}

impl DeliveryGuarantee {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    const fn is_at_least_once(&self) -> bool {
        matches!(self, Self::AtLeastOnce)
    }
}

/// A poll; a vote causes an `on_poll_vote` event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    /// The question.
    pub question: String,
    /// The answers to choose from.
    pub options: Vec<String>,
    /// Whether several answers may be chosen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub multiple: bool,
    /// The time for which it is open. `None`: as long as the platform keeps it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Millis>,
}

impl Poll {
    /// Returns question and options as CommonMark, for platforms without polls.
    #[must_use]
    pub fn written(&self) -> String {
        let options = self.options.iter().enumerate().map(|(index, option)| format!("\n{}. {option}", index + 1));
        format!("**{}**{}", self.question, options.collect::<String>())
    }
}

/// A name and picture that a bot uses instead of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    /// The name.
    pub name: String,
    /// The address of the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

/// The target of a mention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mention {
    /// Everybody in the room.
    Everyone,
    /// All members with the role of this name.
    Role(String),
    /// One user.
    User(UserId),
}

impl Content {
    /// Creates a content of text only.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// True when there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
            && self.attachments.is_empty()
            && self.embeds.is_empty()
            && self.files.is_empty()
            && self.poll.is_none()
    }
}

/// An attachment of a received message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// The file's name.
    pub name: String,
    /// The address of the file.
    pub url: String,
    /// Its MIME type, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The size in bytes, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// An embed: a framed part of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Embed {
    /// The title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text, CommonMark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The address that the title links to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The colour of the edge, `0xRRGGBB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<u32>,
    /// Fields, which are named values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<EmbedField>,
}

/// A field of an embed: a named value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbedField {
    /// Its name.
    pub name: String,
    /// Its value, CommonMark.
    pub value: String,
    /// Whether it may be placed next to another field.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inline: bool,
}

/// A button; pressing it causes an `on_button` event with its action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Button {
    /// The text on the button.
    pub label: String,
    /// The action in the event; empty for a button that opens a page.
    #[serde(default)]
    pub action: String,
    /// The style.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<ButtonStyle>,
    /// The page that it opens. Such a button causes no event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether the button is shown but cannot be pressed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
}

/// The style of a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ButtonStyle {
    /// The recommended choice.
    Primary,
    /// A choice with serious consequences.
    Danger,
}

/// A list to choose from; a choice causes an `on_select` event with its action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// The action in the event.
    pub action: String,
    /// The text that is shown while nothing is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placeholder: Option<String>,
    /// The minimum number of choices; 1 if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u8>,
    /// The maximum number of choices; 1 if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u8>,
    /// The options.
    pub options: Vec<SelectOption>,
}

/// An option of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelectOption {
    /// The text of the option.
    pub label: String,
    /// The value in the event.
    pub value: String,
    /// A line below the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// An attachment that a script sends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileToSend {
    /// Its name.
    pub name: String,
    /// The bytes of the file; empty while it has yet to be fetched.
    #[serde(default, with = "serde_bytes")]
    pub data: Vec<u8>,
    /// Its MIME type; derived from the name if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The attachment of another message to copy.
    ///
    /// It is fetched when this message is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<FileOrigin>,
}

/// The location of an attachment of a received message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileOrigin {
    /// The bot that received the message.
    pub bot: BotName,
    /// [`Attachment::url`].
    pub url: String,
}
