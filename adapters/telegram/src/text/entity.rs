//! Telegram's entities, in its own JSON. <https://core.telegram.org/bots/api#messageentity>

use serde::{Deserialize, Serialize};

/// A text and what is special about parts of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rich {
    /// The text as it is read.
    pub text: String,
    /// Its entities, sorted by where they begin, the longer first.
    pub entities: Vec<Entity>,
}

impl Rich {
    /// How long Telegram finds the text, in UTF-16 units.
    #[must_use]
    pub fn length(&self) -> usize {
        self.text.encode_utf16().count()
    }
}

/// What is special about a part of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// What it is.
    #[serde(flatten)]
    pub kind: EntityKind,
    /// Where it begins, in UTF-16 units. What comes from outside may lie anywhere.
    pub offset: i64,
    /// How long it is, in UTF-16 units.
    pub length: i64,
}

/// What can be special about a part of a text.
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
    /// Hidden until it is touched.
    Spoiler,
    /// Code within a line.
    Code,
    /// A block of code.
    Pre {
        /// The language that it is in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
    },
    /// A quotation.
    Blockquote,
    /// A long quotation, of which the beginning is shown.
    ExpandableBlockquote,
    /// Text that leads to an address.
    TextLink {
        /// The address.
        url: String,
    },
    /// Somebody who has no name to be mentioned by.
    TextMention {
        /// Who.
        user: Person,
    },
    /// An emoji that somebody has drawn.
    CustomEmoji {
        /// Which.
        custom_emoji_id: String,
    },
    /// A time, which everybody sees in their own zone.
    DateTime {
        /// In seconds since 1970.
        unix_time: i64,
        /// How it is shown.
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
    /// An address that is written out.
    Url,
    /// An e-mail address.
    Email,
    /// A telephone number.
    PhoneNumber,
    /// Something that was added to Telegram later.
    #[serde(other)]
    Other,
}

impl EntityKind {
    /// The emphases, which may stand within anything but code.
    pub(super) const EMPHASES: [Self; 5] =
        [Self::Bold, Self::Italic, Self::Underline, Self::Strikethrough, Self::Spoiler];

    pub(super) fn is_emphasis(&self) -> bool {
        Self::EMPHASES.contains(self)
    }

    /// Whether it is one thing, which is not taken apart: a link, somebody, an emoji, a time.
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

    /// Which of two that cover the same is around the other.
    pub(super) fn rank(&self) -> usize {
        match self {
            kind if kind.is_quote() => 0,
            kind if kind.is_whole() => 1,
            kind => Self::EMPHASES.iter().position(|emphasis| emphasis == kind).map_or(7, |at| at + 2),
        }
    }
}

/// Somebody, as far as a mention needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Person {
    /// The identifier at Telegram.
    pub id: i64,
    /// The first name; may be empty in what is sent.
    #[serde(default)]
    pub first_name: String,
    /// Whether it is a bot, which Telegram wants said and does not go by.
    #[serde(default)]
    pub is_bot: bool,
}

/// An entity whose place is known, in bytes at the borders of characters.
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

    /// By where they begin, those around others first.
    pub(super) fn sort(spans: &mut [Self]) {
        spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end), span.kind.rank()));
    }
}
