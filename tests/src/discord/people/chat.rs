//! Messages of users.

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::discord::StandIn;
use crate::discord::files::Upload;
use crate::discord::id::Id;
use crate::discord::message::Draft;
use crate::json::merge;

impl StandIn {
    /// Posts a message.
    pub fn says(&self, who: &str, channel: &str, text: &str) -> Id {
        self.posts(who, channel, json!({ "content": text }))
    }

    /// Posts a message with any fields of Discord's create call.
    ///
    /// These include `embeds`, `components`, `sticker_ids`, `poll` and `message_reference`.
    pub fn posts(&self, who: &str, channel: &str, body: Value) -> Id {
        self.posts_files(who, channel, body, &[])
    }

    /// Posts a message with files: name, media type, content.
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

    /// Replies to a message.
    pub fn replies(&self, who: &str, message: Id, text: &str) -> Id {
        let channel = self.shared.lock().channel_of(message);
        let reference = json!({ "message_id": message, "channel_id": channel });
        self.posts(who, &channel.to_string(), json!({ "content": text, "message_reference": reference }))
    }

    /// Forwards a message to another channel.
    pub fn forwards(&self, who: &str, message: Id, channel: &str) -> Id {
        let from = self.shared.lock().channel_of(message);
        let reference = json!({ "type": 1, "message_id": message, "channel_id": from });
        self.posts(who, channel, json!({ "message_reference": reference }))
    }

    /// Sends a direct message to the bot.
    pub fn whispers(&self, who: &str, text: &str) -> Id {
        self.says(who, &format!("@{who}"), text)
    }

    /// Posts a message through a webhook that is not the bot's.
    pub fn webhook_says(&self, name: &str, channel: &str, text: &str) -> Id {
        self.change(|world| {
            let (channel, webhook) = (world.place(self.guild, channel), world.fresh_id());
            let mut draft = Draft::new(channel, webhook, json!({ "content": text }));
            draft.webhook = Some((webhook, Some(name.to_owned())));
            let message = world.compose(&draft);
            world.publish(channel, message)
        })
    }

    /// Posts a system message: kind 7 is a join, 8 a boost.
    pub fn system_message(&self, who: &str, channel: &str, kind: u64) -> Id {
        self.change(|world| {
            let (author, channel) = (world.who(who), world.place(self.guild, channel));
            let message = world.compose(&Draft { kind, ..Draft::new(channel, author, json!({})) });
            world.publish(channel, message)
        })
    }

    /// Edits the text of a message as its author.
    pub fn edits(&self, message: Id, text: &str) {
        self.edits_to(message, json!({ "content": text }));
    }

    /// Edits any editable fields of a message as its author.
    pub fn edits_to(&self, message: Id, body: Value) {
        self.change(|world| {
            let channel = world.channel_of(message);
            let outcome = world.edit(channel, message, &body, &[]);
            outcome.unwrap_or_else(|refusal| panic!("this edit is refused: {refusal:?}"));
        });
    }

    /// Adds a link preview: an update that is not an edit.
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

    /// Deletes a message as its author.
    pub fn deletes(&self, message: Id) {
        self.change(|world| {
            let channel = world.channel_of(message);
            world.erase(channel, &[message]);
        });
    }

    /// Adds a reaction: a Unicode emoji, or an emoji of the guild by its name.
    pub fn reacts(&self, who: &str, message: Id, emoji: &str) {
        self.with_emoji(who, message, emoji, true);
    }

    /// Removes a reaction.
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

    /// Votes in a poll.
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

    /// Starts typing.
    pub fn types(&self, who: &str, channel: &str) {
        self.change(|world| {
            let (user, channel) = (world.who(who), world.place(self.guild, channel));
            world.tell_of_typing(channel, user);
        });
    }

    /// Pins a message.
    pub fn pins(&self, who: &str, message: Id) {
        self.change(|world| world.set_pinned(world.channel_of(message), message, true, world.who(who)));
    }

    /// Unpins a message.
    pub fn unpins(&self, who: &str, message: Id) {
        self.change(|world| world.set_pinned(world.channel_of(message), message, false, world.who(who)));
    }

    /// Opens a thread.
    pub fn opens_thread(&self, who: &str, channel: &str, name: &str) -> Id {
        self.change(|world| {
            let (user, channel) = (world.who(who), world.place(self.guild, channel));
            world.open_thread(channel, None, user, 11, &json!({ "name": name }))
        })
    }

    /// Opens a thread on a message.
    pub fn opens_thread_on(&self, who: &str, message: Id, name: &str) -> Id {
        self.change(|world| {
            let (user, channel) = (world.who(who), world.channel_of(message));
            world.open_thread(channel, Some(message), user, 11, &json!({ "name": name }))
        })
    }

    /// Creates a forum post. The thread and its first message have the same id.
    pub fn posts_in_forum(&self, who: &str, forum: &str, title: &str, text: &str) -> Id {
        self.change(|world| {
            let (user, forum) = (world.who(who), world.place(self.guild, forum));
            let thread = world.open_thread(forum, None, user, 11, &json!({ "name": title }));
            let mut message = world.compose(&Draft::new(thread, user, json!({ "content": text })));
            message["id"] = json!(thread);
            world.publish(thread, message)
        })
    }

    /// Creates an invite and returns its code.
    pub fn invites(&self, who: &str, channel: &str) -> String {
        self.change(|world| {
            let (user, channel) = (world.who(who), world.place(self.guild, channel));
            let invite = world.create_invite(channel, user, &json!({}));
            invite["code"].as_str().unwrap_or_default().to_owned()
        })
    }
}
