//! Conversion of scripts' content into Telegram's form.

use palabre_types::{Content, Embed, FileToSend, Mention};

use crate::cache::PlatformCache;
use crate::text::{Mentioned, Rich, cut, quiet, to_telegram_with};

/// Maximum length of a message and of a caption, in UTF-16 units.
/// <https://core.telegram.org/bots/api#sendmessage>
pub(crate) const TEXT_MAX: usize = 4_096;
pub(crate) const CAPTION_MAX: usize = 1_024;
/// Maximum size of a file, in bytes. <https://core.telegram.org/bots/api#sending-files>
pub(crate) const FILE_SIZE_MAX: usize = 50 << 20;
/// Maximum size of a photo, in bytes.
const PHOTO_SIZE_MAX: usize = 10 << 20;
/// Maximum number of files in an album.
pub(crate) const ALBUM_FILES_MAX: usize = 10;

/// Returns the text of the content with its embeds, in parts of at most `max` UTF-16 units.
///
/// Mentions that the script does not mean notify nobody.
pub(crate) fn texts(cache: &PlatformCache, content: &Content, max: usize) -> Vec<Rich> {
    cut(&rich(cache, content), max)
}

/// Returns the text of the content with its embeds.
pub(crate) fn rich(cache: &PlatformCache, content: &Content) -> Rich {
    let parts = std::iter::once(content.text.clone()).chain(content.embeds.iter().map(embed));
    let text = parts.filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join("\n\n");
    let name = |id: i64| cache.lock().people.user(id).map(|user| user.name.clone());
    let rich = to_telegram_with(&text, &name);
    let is_meant = |mentioned: Mentioned<'_>| {
        content.mentions.iter().any(|mention| {
            let Mention::User(user) = mention else { return false };
            match mentioned {
                Mentioned::Id(id) => user.native() == id.to_string(),
                Mentioned::Name(name) => {
                    let state = cache.lock();
                    state.people.named(None, name).is_some_and(|known| known.id == *user)
                }
            }
        })
    };
    quiet(&rich, is_meant)
}

/// Writes an embed as text, since Telegram has none: title, description and fields, line by line.
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

/// The kind of a file on Telegram.
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
        // Telegram accepts a photo that is too large as a document.
        if kind == Self::Photo && file.data.len() > PHOTO_SIZE_MAX { Self::Document } else { kind }
    }

    /// Returns the method that sends such a file, and the name of the file's field.
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

    /// Returns the group of kinds that fit into one album: photos and videos, audio, or documents.
    pub(crate) const fn album(self) -> Option<u8> {
        match self {
            Self::Photo | Self::Video => Some(0),
            Self::Audio => Some(1),
            Self::Document => Some(2),
            Self::Animation | Self::Voice => None,
        }
    }

    /// Returns the name of the kind in an album.
    pub(crate) const fn media(self) -> &'static str {
        self.method().1
    }
}
