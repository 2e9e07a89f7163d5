//! Decodes messages, their edits and deletions, reactions, and votes.

use std::sync::Arc;

use palabre_types::{
    Attachment, Button, ButtonStyle, Content, Embed, EmbedField, Event, EventKind, Message, MessageId, Millis, Select,
    SelectOption,
};

use super::{Decoded, Decoder, Scene};
use crate::cache::CachedMessage;
use crate::frames;
use crate::timestamp::{made_at, millis};

/// The types of messages that users write: plain, reply, start of a thread, answer to a command.
///
/// <https://discord.com/developers/docs/resources/message#message-object-message-types>
const WRITTEN: &[u8] = &[0, 19, 20, 21, 23];
/// The type of the message with which Discord announces a pin.
const PINNED: u8 = 6;
/// The type of a reference to a forwarded message.
const FORWARD: u8 = 1;

impl Decoder {
    pub(super) fn message(&self, frame: &frames::Message, now: Millis) -> Option<Decoded> {
        let at = (frame.guild_id, frame.channel_id);
        let author = frame.author.as_ref();
        let scene = match author.filter(|_| frame.webhook_id.known().is_some()) {
            // A webhook may use any name, so its author is not cached as a user.
            Some(author) => {
                let guild = frame.guild_id.known().or_else(|| self.cache.lock().channels.get(&at.1.get()).copied());
                Scene { guild, channel: at.1.known(), user: Some(self.user(author, None)), member: None }
            }
            None => {
                let id = author.map(|user| user.id).unwrap_or_default();
                self.scene(at, id, author, frame.member.as_ref(), now)
            }
        };
        let mut known = self.cache.lock();
        for frames::Mentioned { user: person, member } in &frame.mentions {
            let id = person.id.get();
            known.people.saw(id, &self.user(person, None), &person.username);
            if let (Some(member), Some(guild)) = (member, scene.guild) {
                let roles = &member.roles;
                let member = self.member(&known, guild, id, member, now);
                known.saw_member(guild, id, &member, roles);
            }
        }
        drop(known);
        if frame.kind == PINNED {
            let message = frame.message_reference.as_ref()?.message_id.known()?;
            let kind = EventKind::Pin { message: message.to_string().into(), pinned: true, by: scene.user.clone() };
            return Some(self.event(scene, kind, now).into());
        }
        if !WRITTEN.contains(&frame.kind) {
            return None;
        }
        let message = self.written(frame, now);
        self.remember(frame, &message, frame.pinned.unwrap_or_default());
        if self.is_own(frame) || (!self.hear_bots && author.is_some_and(|author| author.bot.unwrap_or_default())) {
            return Some(Decoded::default());
        }
        let time = message.time;
        Some(self.event(scene, EventKind::Message { message }, time).into())
    }

    /// Whether the bot has sent the message, by itself or under another name.
    fn is_own(&self, frame: &frames::Message) -> bool {
        let known = self.cache.lock();
        let by_me = frame.author.as_ref().is_some_and(|author| author.id.known().is_some_and(|id| id == known.me));
        by_me
            || frame
                .application_id
                .known()
                .is_some_and(|id| frame.webhook_id.known().is_some() && id == known.application)
    }

    pub(super) fn message_update(&self, frame: &frames::Message, now: Millis) -> Option<Decoded> {
        let before = self.cache.lock().messages.get(&frame.id.get()).cloned();
        if let (Some(before), Some(pinned)) = (&before, frame.pinned)
            && before.pinned != pinned
        {
            self.remember(frame, &before.message, pinned);
            // Discord also announces the pin in a message, which names the user.
            if pinned {
                return Some(Decoded::default());
            }
            let kind = EventKind::Pin { message: frame.id.to_string().into(), pinned, by: None };
            return Some(self.at(frame, kind, now).into());
        }
        // Discord also adds previews of links by an update, which is no edit.
        frame.edited_timestamp.as_ref()?;
        let mut message = self.written(frame, now);
        if let Some(before) = &before {
            message.author = message.author.or_else(|| before.message.author.clone());
            message.reply_to = message.reply_to.or_else(|| before.message.reply_to.clone());
            if frame.content.is_none() {
                message.content.text.clone_from(&before.message.content.text);
            }
            if before.message == message {
                return Some(Decoded::default());
            }
        }
        let pinned = frame.pinned.or(before.as_ref().map(|said| said.pinned)).unwrap_or_default();
        self.remember(frame, &message, pinned);
        // A preview of a link that follows an edit is no further edit.
        if before.as_ref().is_some_and(|before| before.edited == frame.edited_timestamp) {
            return Some(Decoded::default());
        }
        if self.is_own(frame)
            || frame.author.as_ref().is_some_and(|author| author.bot.unwrap_or_default() && !self.hear_bots)
        {
            return Some(Decoded::default());
        }
        let before = before.map(|said| said.message.clone());
        Some(self.at(frame, EventKind::MessageEdit { message, before, by: None }, now).into())
    }

    fn at(&self, frame: &frames::Message, kind: EventKind, now: Millis) -> Event {
        let author = frame.author.as_ref();
        let id = author.map(|user| user.id).unwrap_or_default();
        let mut scene = self.scene((frame.guild_id, frame.channel_id), id, author, frame.member.as_ref(), now);
        if author.is_none() {
            scene.user = None;
        }
        self.event(scene, kind, now)
    }

    pub(super) fn message_delete(&self, frame: &frames::Deletion, now: Millis) -> Decoded {
        let ids = frame.ids.iter().copied().chain(frame.id.known().map(|_| frame.id));
        let events = ids.map(|id| {
            let before = self.cache.lock().messages.pop(&id.get()).map(|said| said.message.clone());
            let author =
                before.as_ref().and_then(|message| message.author.as_ref()).and_then(|id| id.native().parse().ok());
            let mut scene = self.scene((frame.guild_id, frame.channel_id), frames::Id::default(), None, None, now);
            let known = self.cache.lock();
            scene.user = author.map(|author| self.user_by_id(&known, author));
            scene.member =
                scene.guild.zip(author).and_then(|(guild, author)| known.people.member(guild, author).cloned());
            drop(known);
            let audited =
                author.and_then(|author| self.audited(frame.guild_id.get(), author, super::members::DELETED, now));
            let kind =
                EventKind::MessageDelete { message: id.to_string().into(), before, by: audited.map(|entry| entry.by) };
            self.event(scene, kind, now)
        });
        Decoded { events: events.collect(), changed: Vec::new() }
    }

    pub(super) fn reaction(&self, frame: &frames::Reaction, added: bool, now: Millis) -> Decoded {
        if self.cache.lock().me == frame.user_id.get() {
            return Decoded::default();
        }
        let at = (frame.guild_id, frame.channel_id);
        let scene = self.scene(at, frame.user_id, None, frame.member.as_ref(), now);
        let (message, emoji) = (MessageId::from(frame.message_id.to_string()), frame.emoji.written());
        let kind = if added {
            EventKind::ReactionAdd { message, emoji }
        } else {
            EventKind::ReactionRemove { message, emoji }
        };
        self.event(scene, kind, now).into()
    }

    pub(super) fn vote(&self, frame: &frames::PollVote, added: bool, now: Millis) -> Decoded {
        let scene = self.scene((frame.guild_id, frame.channel_id), frame.user_id, None, None, now);
        let values = if added { vec![frame.answer_id.to_string()] } else { Vec::new() };
        self.event(scene, EventKind::PollVote { message: frame.message_id.to_string().into(), values }, now).into()
    }

    fn remember(&self, frame: &frames::Message, message: &Message, pinned: bool) {
        let cached = CachedMessage { message: message.clone(), pinned, edited: frame.edited_timestamp.clone() };
        self.cache.lock().messages.put(frame.id.get(), Arc::new(cached));
    }

    /// Returns a message as scripts see it.
    pub(super) fn written(&self, frame: &frames::Message, now: Millis) -> Message {
        let is_forward = frame.message_reference.as_ref().is_some_and(|reference| reference.kind == FORWARD);
        let reply_to = frame.message_reference.as_ref().filter(|_| !is_forward).and_then(|r| r.message_id.known());
        // The content of a forward is in its snapshots.
        let forwarded = frame.message_snapshots.iter().map(|snapshot| &*snapshot.message);
        let mut content = content(frame);
        for message in forwarded {
            let inner = self::content(message);
            if content.text.is_empty() {
                content.text = inner.text;
            }
            content.attachments.extend(inner.attachments);
            content.embeds.extend(inner.embeds);
        }
        let time = frame.timestamp.as_deref().and_then(millis);
        Message {
            id: frame.id.to_string().into(),
            author: frame.author.as_ref().map(|author| self.user_id(author.id.get())),
            time: time.or(frame.id.known().map(made_at)).unwrap_or(now),
            content,
            reply_to: reply_to.map(|id| id.to_string().into()),
        }
    }
}

fn content(frame: &frames::Message) -> Content {
    let stickers = frame.sticker_items.iter().map(|sticker| {
        // Formats 1 to 4: PNG, APNG, Lottie, GIF.
        // <https://discord.com/developers/docs/resources/sticker>
        let (ending, kind) = match sticker.format_type {
            3 => ("json", "application/json"),
            4 => ("gif", "image/gif"),
            _ => ("png", "image/png"),
        };
        let url = format!("https://media.discordapp.net/stickers/{}.{ending}", sticker.id);
        Attachment { name: format!("{}.{ending}", sticker.name), url, content_type: Some(kind.to_owned()), size: None }
    });
    let attachments = frame.attachments.iter().map(attachment).chain(stickers);
    let polls = frame.poll.iter().map(poll);
    let mut content = Content {
        text: frame.content.clone().unwrap_or_default(),
        attachments: attachments.collect(),
        embeds: frame.embeds.iter().map(embed).chain(polls).collect(),
        // 4096: delivered without a notification.
        silent: frame.flags & 4_096 != 0,
        ..Content::default()
    };
    for component in frame.components.iter().flat_map(|row| &row.components) {
        match component.kind {
            2 => content.buttons.push(button(component)),
            3 => content.select = Some(select(component)),
            _ => {}
        }
    }
    content
}

pub(super) fn attachment(file: &frames::Attachment) -> Attachment {
    Attachment {
        name: file.filename.clone(),
        url: file.url.clone(),
        content_type: file.content_type.clone(),
        size: file.size,
    }
}

fn embed(frame: &frames::Embed) -> Embed {
    let field = |field: &frames::EmbedField| EmbedField {
        name: field.name.clone(),
        value: field.value.clone(),
        inline: field.inline.unwrap_or_default(),
    };
    Embed {
        title: frame.title.clone(),
        description: frame.description.clone(),
        url: frame.url.clone(),
        color: frame.color,
        fields: frame.fields.iter().map(field).collect(),
    }
}

/// Returns a poll as an embed: the question, with the answers below.
fn poll(poll: &frames::Poll) -> Embed {
    let answers = poll
        .answers
        .iter()
        .map(|answer| format!("{}. {}", answer.answer_id, answer.poll_media.text.as_deref().unwrap_or_default()));
    Embed {
        title: poll.question.text.clone(),
        description: Some(answers.collect::<Vec<_>>().join("\n")),
        ..Embed::default()
    }
}

fn button(component: &frames::Component) -> Button {
    let style = match component.style {
        Some(1) => Some(ButtonStyle::Primary),
        Some(4) => Some(ButtonStyle::Danger),
        _ => None,
    };
    Button {
        label: component.label.clone().unwrap_or_default(),
        action: component.custom_id.clone().unwrap_or_default(),
        style,
        url: component.url.clone(),
        disabled: component.disabled.unwrap_or_default(),
    }
}

fn select(component: &frames::Component) -> Select {
    let option = |option: &frames::SelectOption| SelectOption {
        label: option.label.clone(),
        value: option.value.clone(),
        description: option.description.clone(),
    };
    Select {
        action: component.custom_id.clone().unwrap_or_default(),
        placeholder: component.placeholder.clone(),
        min: component.min_values,
        max: component.max_values,
        options: component.options.iter().map(option).collect(),
    }
}
