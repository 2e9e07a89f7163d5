//! What scripts say, as Telegram takes it.

use palabre_model::{Content, Embed, FileToSend, Mention};

use crate::text::{Mentioned, Rich, cut, quiet, to_telegram_with};
use crate::world::World;

/// The longest text of a message, and below a picture, in UTF-16 units.
/// <https://core.telegram.org/bots/api#sendmessage>
pub(crate) const TEXT: usize = 4_096;
pub(crate) const CAPTION: usize = 1_024;
/// The largest file, in bytes. <https://core.telegram.org/bots/api#sending-files>
pub(crate) const FILE: usize = 50 << 20;
/// The largest picture that is shown as one.
const PICTURE: usize = 10 << 20;
/// How many files go in an album.
pub(crate) const ALBUM: usize = 10;

/// The text of the content with its framed parts, in parts of at most `most` units. Mentions that the script does not mean notify nobody.
pub(crate) fn texts(world: &World, content: &Content, most: usize) -> Vec<Rich> {
    cut(&rich(world, content), most)
}

/// The text of the content with its framed parts.
pub(crate) fn rich(world: &World, content: &Content) -> Rich {
    let parts = std::iter::once(content.text.clone()).chain(content.embeds.iter().map(embed));
    let text = parts.filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join("\n\n");
    let name = |id: i64| world.lock().people.user(id).map(|user| user.name.clone());
    let rich = to_telegram_with(&text, &name);
    let is_meant = |mentioned: Mentioned<'_>| {
        content.mentions.iter().any(|mention| {
            let Mention::User(user) = mention else { return false };
            match mentioned {
                Mentioned::Id(id) => user.native() == id.to_string(),
                Mentioned::Name(name) => {
                    let known = world.lock();
                    known.people.named(None, name).is_some_and(|known| known.id == *user)
                }
            }
        })
    };
    quiet(&rich, is_meant)
}

/// A framed part, which Telegram does not have: its headline, its text and its values, one below the other.
fn embed(embed: &Embed) -> String {
    let mut lines = Vec::new();
    if let Some(title) = &embed.title {
        let title = palabre_text::escape(title);
        lines.push(match &embed.url {
            Some(url) => format!("**[{title}](<{url}>)**"),
            None => format!("**{title}**"),
        });
    }
    lines.extend(embed.description.clone());
    for field in &embed.fields {
        lines.push(format!("**{}**: {}", palabre_text::escape(&field.name), field.value));
    }
    lines.join("\n")
}

/// What kind of thing a file is to Telegram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Photo,
    Video,
    Animation,
    Audio,
    Voice,
    Document,
}

impl Kind {
    pub(crate) fn of(file: &FileToSend) -> Self {
        let by_name = file.name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
        let given = file.content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let kind = match (given, by_name.as_str()) {
            ("image/jpeg" | "image/png" | "image/webp", _) | ("", "jpg" | "jpeg" | "png" | "webp") => Self::Photo,
            ("image/gif", _) | ("", "gif") => Self::Animation,
            ("video/mp4", _) | ("", "mp4") => Self::Video,
            ("audio/mpeg" | "audio/mp4", _) | ("", "mp3" | "m4a") => Self::Audio,
            ("audio/ogg", _) | ("", "ogg" | "oga" | "opus") => Self::Voice,
            _ => Self::Document,
        };
        // Telegram takes a picture that is too large as a file.
        if kind == Self::Photo && file.data.len() > PICTURE { Self::Document } else { kind }
    }

    /// The method that sends one, and what it calls the file.
    pub(crate) const fn method(self) -> (&'static str, &'static str) {
        match self {
            Self::Photo => ("sendPhoto", "photo"),
            Self::Video => ("sendVideo", "video"),
            Self::Animation => ("sendAnimation", "animation"),
            Self::Audio => ("sendAudio", "audio"),
            Self::Voice => ("sendVoice", "voice"),
            Self::Document => ("sendDocument", "document"),
        }
    }

    /// Which go in one album: pictures and films, sounds, or files.
    pub(crate) const fn album(self) -> Option<u8> {
        match self {
            Self::Photo | Self::Video => Some(0),
            Self::Audio => Some(1),
            Self::Document => Some(2),
            Self::Animation | Self::Voice => None,
        }
    }

    /// What it is called in an album.
    pub(crate) const fn media(self) -> &'static str {
        self.method().1
    }
}
