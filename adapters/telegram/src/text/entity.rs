//! Telegram's entities, in its own JSON. <https://core.telegram.org/bots/api#messageentity>

use serde::{Deserialize, Serialize};

/// A text with entities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rich {
    /// The plain text.
    pub text: String,
    /// The entities, sorted by start, the longer first.
    pub entities: Vec<Entity>,
}

impl Rich {
    /// Returns the length of the text as Telegram counts it, in UTF-16 units.
    #[must_use]
    pub fn length(&self) -> usize {
        self.text.encode_utf16().count()
    }
}

/// The format or the meaning of a part of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// The kind.
    #[serde(flatten)]
    pub kind: EntityKind,
    /// The start, in UTF-16 units. Input from outside may have any value.
    pub offset: i64,
    /// The length, in UTF-16 units.
    pub length: i64,
}

/// The kinds of entities.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EntityKind {
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Underlined.
    Underline,
    /// Struck through.
    Strikethrough,
    /// Hidden until it is tapped.
    Spoiler,
    /// Code within a line.
    Code,
    /// A block of code.
    Pre {
        /// The language.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
    },
    /// A quotation.
    Blockquote,
    /// A long quotation, of which only the beginning is shown.
    ExpandableBlockquote,
    /// A link with a text of its own.
    TextLink {
        /// The address.
        url: String,
    },
    /// A mention of a user without a username.
    TextMention {
        /// The user.
        user: Person,
    },
    /// A custom emoji.
    CustomEmoji {
        /// The identifier.
        custom_emoji_id: String,
    },
    /// A time, shown in the time zone of each reader.
    DateTime {
        /// In seconds since 1970.
        unix_time: i64,
        /// The format.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        date_time_format: Option<String>,
    },
    /// `@name`.
    Mention,
    /// `#tag`.
    Hashtag,
    /// `$USD`.
    Cashtag,
    /// `/start@bot`.
    BotCommand,
    /// An address in the text.
    Url,
    /// An e-mail address.
    Email,
    /// A telephone number.
    PhoneNumber,
    /// A kind that is not known here.
    #[serde(other)]
    Other,
}

impl EntityKind {
    /// Emphases, which may be within anything but code.
    pub(super) const EMPHASES: [Self; 5] =
        [Self::Bold, Self::Italic, Self::Underline, Self::Strikethrough, Self::Spoiler];

    pub(super) fn is_emphasis(&self) -> bool {
        Self::EMPHASES.contains(self)
    }

    /// Whether it is indivisible: a link, a mention, an emoji or a time.
    pub(super) fn is_whole(&self) -> bool {
        matches!(
            self,
            Self::TextLink { .. } | Self::TextMention { .. } | Self::CustomEmoji { .. } | Self::DateTime { .. }
        )
    }

    pub(super) fn is_quote(&self) -> bool {
        matches!(self, Self::Blockquote | Self::ExpandableBlockquote)
    }

    pub(super) fn is_code(&self) -> bool {
        *self == Self::Code
    }

    pub(super) fn is_pre(&self) -> bool {
        matches!(self, Self::Pre { .. })
    }

    /// Returns the order of nesting for entities with the same range: the lowest is outermost.
    pub(super) fn rank(&self) -> usize {
        match self {
            kind if kind.is_quote() => 0,
            kind if kind.is_whole() => 1,
            kind => Self::EMPHASES.iter().position(|emphasis| emphasis == kind).map_or(7, |at| at + 2),
        }
    }
}

/// A user, as far as a mention needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Person {
    /// The user's id at Telegram.
    pub id: i64,
    /// The first name; may be empty in requests.
    #[serde(default)]
    pub first_name: String,
    /// Whether it is a bot; required in requests.
    #[serde(default)]
    pub is_bot: bool,
}

/// An entity with a valid range in bytes, at the boundaries of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: EntityKind,
}

impl Span {
    pub(super) fn new(start: usize, end: usize, kind: EntityKind) -> Self {
        Self { start, end, kind }
    }

    /// Sorts spans by start, outer ones first.
    pub(super) fn sort(spans: &mut [Self]) {
        spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end), span.kind.rank()));
    }
}
