//! The content of a message: its text, files, embeds and buttons.

use palabre_types::{Attachment, Button, Content, Embed};

use super::decoder::Decoder;
use crate::frames::{self, File};
use crate::text::{Entity, EntityKind, to_commonmark};

/// Scheme of attachment URLs, which only the bot itself can resolve.
pub(crate) const FILE_SCHEME: &str = "telegram:";

impl Decoder {
    /// Returns the content of all parts of a message together.
    pub(super) fn content(&self, parts: &[frames::Message]) -> Content {
        let mut content = Content::default();
        let mut texts = Vec::new();
        for part in parts {
            texts.extend(self.words(part));
            content.attachments.extend(attachments(part));
            content.embeds.extend(part.poll.as_ref().map(poll));
            content.buttons.extend(part.reply_markup.iter().flat_map(buttons));
        }
        content.text = texts.join("\n\n");
        content
    }

    /// Returns the text of one part.
    fn words(&self, frame: &frames::Message) -> Option<String> {
        if let Some(text) = &frame.text {
            let command = self.command(text, &frame.entities);
            return Some(command.unwrap_or_else(|| to_commonmark(text, &frame.entities)));
        }
        if let Some(caption) = &frame.caption {
            let command = self.command(caption, &frame.caption_entities);
            return Some(command.unwrap_or_else(|| to_commonmark(caption, &frame.caption_entities)));
        }
        if let Some(dice) = &frame.dice {
            return Some(format!("{} {}", dice.emoji, dice.value));
        }
        if let Some(venue) = &frame.venue {
            let frames::Location { latitude, longitude } = venue.location;
            let (title, address) = (palabre_text::escape(&venue.title), palabre_text::escape(&venue.address));
            return Some(format!("📍 **{title}**, {address} ({latitude}, {longitude})"));
        }
        if let Some(frames::Location { latitude, longitude }) = frame.location {
            return Some(format!("📍 {latitude}, {longitude}"));
        }
        let contact = frame.contact.as_ref()?;
        let last = contact.last_name.as_ref().map(|last| format!(" {last}")).unwrap_or_default();
        Some(format!("👤 {}: {}", palabre_text::escape(&format!("{}{last}", contact.first_name)), contact.phone_number))
    }

    /// Returns a command as it was typed, without the bot's username; arguments are no CommonMark.
    fn command(&self, text: &str, entities: &[Entity]) -> Option<String> {
        let first = entities.iter().find(|entity| entity.kind == EntityKind::BotCommand && entity.offset == 0)?;
        let length = usize::try_from(first.length).ok()?;
        let units: Vec<u16> = text.encode_utf16().collect();
        let command = String::from_utf16(units.get(..length)?).ok()?;
        // Mentioned users without a username are written by id.
        let mut rest = String::new();
        let mut at = length;
        for entity in entities {
            let (EntityKind::TextMention { user }, Ok(start), Ok(count)) =
                (&entity.kind, usize::try_from(entity.offset), usize::try_from(entity.length))
            else {
                continue;
            };
            if start < at {
                continue;
            }
            rest.push_str(&String::from_utf16(units.get(at..start)?).ok()?);
            rest.push_str(&format!("<@{}>", user.id));
            at = start.saturating_add(count);
        }
        rest.push_str(&String::from_utf16(units.get(at..)?).ok()?);
        Some(match command.split_once('@') {
            Some((name, bot)) if bot.eq_ignore_ascii_case(&self.cache.lock().username) => format!("{name}{rest}"),
            // Addressed to another bot: escaped, so that it is no command here.
            Some(_) => format!("\\{command}{rest}"),
            None => format!("{command}{rest}"),
        })
    }
}

/// Returns the files of one part.
fn attachments(frame: &frames::Message) -> Vec<Attachment> {
    let mut all = Vec::new();
    // Telegram repeats an animation as a document, for clients that do not know animations.
    let document = frame.document.as_ref().filter(|_| frame.animation.is_none());
    let sticker = frame.sticker.as_ref().map(|file| match (file.is_animated, file.is_video) {
        (true, _) => (file, "sticker.tgs", "application/x-tgsticker"),
        (_, true) => (file, "sticker.webm", "video/webm"),
        _ => (file, "sticker.webp", "image/webp"),
    });
    let files = [
        frame.photo.last().map(|file| (file, "photo.jpg", "image/jpeg")),
        document.map(|file| (file, "file", "application/octet-stream")),
        frame.animation.as_ref().map(|file| (file, "animation.mp4", "video/mp4")),
        frame.video.as_ref().map(|file| (file, "video.mp4", "video/mp4")),
        frame.video_note.as_ref().map(|file| (file, "video-note.mp4", "video/mp4")),
        frame.audio.as_ref().map(|file| (file, "audio.mp3", "audio/mpeg")),
        frame.voice.as_ref().map(|file| (file, "voice.ogg", "audio/ogg")),
        sticker,
    ];
    all.extend(files.into_iter().flatten().map(|(file, name, kind)| attachment(file, name, kind)));
    all
}

fn attachment(file: &File, name: &str, kind: &str) -> Attachment {
    Attachment {
        name: file.file_name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| name.to_owned()),
        url: format!("{FILE_SCHEME}{}", file.file_id),
        content_type: Some(file.mime_type.clone().unwrap_or_else(|| kind.to_owned())),
        size: file.file_size,
    }
}

/// Shows a poll as an embed: the question, with the options below.
fn poll(poll: &frames::Poll) -> Embed {
    let answers = poll.options.iter().enumerate().map(|(index, option)| format!("{}. {}", index + 1, option.text));
    Embed {
        title: Some(poll.question.clone()),
        description: Some(answers.collect::<Vec<_>>().join("\n")),
        ..Embed::default()
    }
}

fn buttons(markup: &frames::Markup) -> Vec<Button> {
    let button = |button: &frames::Button| Button {
        label: button.text.clone(),
        action: button.callback_data.clone().unwrap_or_default(),
        style: None,
        url: button.url.clone(),
        disabled: false,
    };
    markup.inline_keyboard.iter().flatten().map(button).collect()
}
