//! People talk.

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::discord::StandIn;
use crate::discord::files::Upload;
use crate::discord::id::Id;
use crate::discord::message::Draft;
use crate::json::merge;

impl StandIn {
    /// Somebody says something.
    pub fn says(&self, who: &str, channel: &str, text: &str) -> Id {
        self.posts(who, channel, json!({ "content": text }))
    }

    /// Somebody says something with whatever Discord's create call takes: `embeds`, `components`, `sticker_ids`, `poll`,
    /// `message_reference`.
    pub fn posts(&self, who: &str, channel: &str, body: Value) -> Id {
        self.posts_files(who, channel, body, &[])
    }

    /// Somebody says something with files: name, media type, content.
    pub fn posts_files(&self, who: &str, channel: &str, body: Value, files: &[(&str, &str, &[u8])]) -> Id {
        let upload = |(name, media, bytes): &(&str, &str, &[u8])| Upload {
            name: (*name).to_owned(),
            media: (*media).to_owned(),
            bytes: Bytes::copy_from_slice(bytes),
        };
        self.change(|world| {
            let (author, channel) = (world.who(who), world.place(self.guild, channel));
            let draft = Draft { files: files.iter().map(upload).collect(), ..Draft::new(channel, author, body) };
            let message = world.compose(&draft);
            world.publish(channel, message)
        })
    }

    /// Somebody answers a message.
    pub fn replies(&self, who: &str, message: Id, text: &str) -> Id {
        let channel = self.shared.lock().channel_of(message);
        let reference = json!({ "message_id": message, "channel_id": channel });
        self.posts(who, &channel.to_string(), json!({ "content": text, "message_reference": reference }))
    }

    /// Somebody forwards a message to another channel.
    pub fn forwards(&self, who: &str, message: Id, channel: &str) -> Id {
        let from = self.shared.lock().channel_of(message);
        let reference = json!({ "type": 1, "message_id": message, "channel_id": from });
        self.posts(who, channel, json!({ "message_reference": reference }))
    }

    /// Somebody writes to the bot directly.
    pub fn whispers(&self, who: &str, text: &str) -> Id {
        self.says(who, &format!("@{who}"), text)
    }

    /// A webhook that is not the bot's says something.
    pub fn webhook_says(&self, name: &str, channel: &str, text: &str) -> Id {
        self.change(|world| {
            let (channel, webhook) = (world.place(self.guild, channel), world.fresh_id());
            let mut draft = Draft::new(channel, webhook, json!({ "content": text }));
            draft.webhook = Some((webhook, Some(name.to_owned())));
            let message = world.compose(&draft);
            world.publish(channel, message)
        })
    }

    /// A message without words of anybody's: 7 somebody joined, 8 boosted.
    pub fn system_message(&self, who: &str, channel: &str, kind: u64) -> Id {
        self.change(|world| {
            let (author, channel) = (world.who(who), world.place(self.guild, channel));
            let message = world.compose(&Draft { kind, ..Draft::new(channel, author, json!({})) });
            world.publish(channel, message)
        })
    }

    /// The author changes the text.
    pub fn edits(&self, message: Id, text: &str) {
        self.edits_to(message, json!({ "content": text }));
    }

    /// The author changes whatever an edit may change.
    pub fn edits_to(&self, message: Id, body: Value) {
        self.change(|world| {
            let channel = world.channel_of(message);
            let outcome = world.edit(channel, message, &body, &[]);
            outcome.unwrap_or_else(|refusal| panic!("this edit is refused: {refusal:?}"));
        });
    }

    /// The preview of a link appears: an update without an edit.
    pub fn unfurls(&self, message: Id, embed: Value) {
        self.change(|world| {
            let channel = world.channel_of(message);
            let one = world.message_mut(channel, message).expect("it was found before");
            let mut shown = json!({ "type": "link" });
            merge(&mut shown, embed);
            one["embeds"] = json!([shown]);
            let one = one.clone();
            world.tell_of_message("MESSAGE_UPDATE", channel, one);
        });
    }

    /// The author deletes a message.
    pub fn deletes(&self, message: Id) {
        self.change(|world| {
            let channel = world.channel_of(message);
            world.erase(channel, &[message]);
        });
    }

    /// Somebody reacts: with a sign, or with an emoji of the guild by its name.
    pub fn reacts(&self, who: &str, message: Id, emoji: &str) {
        self.with_emoji(who, message, emoji, true);
    }

    /// Somebody takes a reaction back.
    pub fn unreacts(&self, who: &str, message: Id, emoji: &str) {
        self.with_emoji(who, message, emoji, false);
    }

    fn with_emoji(&self, who: &str, message: Id, emoji: &str, add: bool) {
        self.change(|world| {
            let (user, channel) = (world.who(who), world.channel_of(message));
            let own = world.guilds[&self.guild].emojis.iter().find(|one| one["name"] == emoji);
            let text = own.map(|one| format!("{emoji}:{}", Id::of(one, "id").expect("an emoji has an id")));
            let emoji = world.emoji(channel, text.as_deref().unwrap_or(emoji));
            let emoji = emoji.unwrap_or_else(|_| panic!("there is no such emoji"));
            if add {
                world.react(channel, message, user, &emoji)
            } else {
                world.unreact(channel, message, user, &emoji)
            }
        });
    }

    /// Somebody votes in a poll.
    pub fn votes(&self, who: &str, message: Id, answer: u64) {
        self.change(|world| {
            let (user, channel) = (world.who(who), world.channel_of(message));
            let guild = world.guild_of(channel);
            let mut data =
                json!({ "user_id": user, "channel_id": channel, "message_id": message, "answer_id": answer });
            if let Some(guild) = guild {
                data["guild_id"] = json!(guild);
            }
            world.dispatch("MESSAGE_POLL_VOTE_ADD", guild, data);
        });
    }

    /// Somebody begins to type.
    pub fn types(&self, who: &str, channel: &str) {
        self.change(|world| {
            let (user, channel) = (world.who(who), world.place(self.guild, channel));
            world.tell_of_typing(channel, user);
        });
    }

    /// Somebody pins a message.
    pub fn pins(&self, who: &str, message: Id) {
        self.change(|world| world.set_pinned(world.channel_of(message), message, true, world.who(who)));
    }

    /// Somebody unpins a message.
    pub fn unpins(&self, who: &str, message: Id) {
        self.change(|world| world.set_pinned(world.channel_of(message), message, false, world.who(who)));
    }

    /// Somebody opens a thread.
    pub fn opens_thread(&self, who: &str, channel: &str, name: &str) -> Id {
        self.change(|world| {
            let (user, channel) = (world.who(who), world.place(self.guild, channel));
            world.open_thread(channel, None, user, 11, &json!({ "name": name }))
        })
    }

    /// Somebody opens a thread on a message.
    pub fn opens_thread_on(&self, who: &str, message: Id, name: &str) -> Id {
        self.change(|world| {
            let (user, channel) = (world.who(who), world.channel_of(message));
            world.open_thread(channel, Some(message), user, 11, &json!({ "name": name }))
        })
    }

    /// Somebody posts in a forum. The thread and its first message have the same id.
    pub fn posts_in_forum(&self, who: &str, forum: &str, title: &str, text: &str) -> Id {
        self.change(|world| {
            let (user, forum) = (world.who(who), world.place(self.guild, forum));
            let thread = world.open_thread(forum, None, user, 11, &json!({ "name": title }));
            let mut message = world.compose(&Draft::new(thread, user, json!({ "content": text })));
            message["id"] = json!(thread);
            world.publish(thread, message)
        })
    }

    /// Somebody makes an invite; its code.
    pub fn invites(&self, who: &str, channel: &str) -> String {
        self.change(|world| {
            let (user, channel) = (world.who(who), world.place(self.guild, channel));
            let invite = world.create_invite(channel, user, &json!({}));
            invite["code"].as_str().unwrap_or_default().to_owned()
        })
    }
}
