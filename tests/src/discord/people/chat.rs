//! Messages of users.

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::discord::draft::Draft;
use crate::discord::id::Id;
use crate::discord::stand_in::StandIn;
use crate::json::merge;
use crate::server::upload::Upload;

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
        self.change(|state| {
            let (author, channel) = (state.who(who), state.place(self.guild, channel));
            let draft = Draft { files: files.iter().map(upload).collect(), ..Draft::new(channel, author, body) };
            let message = state.compose(&draft);
            state.publish(channel, message)
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
    pub fn sends_direct(&self, who: &str, text: &str) -> Id {
        self.says(who, &format!("@{who}"), text)
    }

    /// Posts a message through a webhook that is not the bot's.
    pub fn webhook_says(&self, name: &str, channel: &str, text: &str) -> Id {
        self.change(|state| {
            let (channel, webhook) = (state.place(self.guild, channel), state.fresh_id());
            let mut draft = Draft::new(channel, webhook, json!({ "content": text }));
            draft.webhook = Some((webhook, Some(name.to_owned())));
            let message = state.compose(&draft);
            state.publish(channel, message)
        })
    }

    /// Posts a system message: kind 7 is a join, 8 a boost.
    pub fn system_message(&self, who: &str, channel: &str, kind: u64) -> Id {
        self.change(|state| {
            let (author, channel) = (state.who(who), state.place(self.guild, channel));
            let message = state.compose(&Draft { kind, ..Draft::new(channel, author, json!({})) });
            state.publish(channel, message)
        })
    }

    /// Edits the text of a message as its author.
    pub fn edits(&self, message: Id, text: &str) {
        self.edits_to(message, json!({ "content": text }));
    }

    /// Edits any editable fields of a message as its author.
    pub fn edits_to(&self, message: Id, body: Value) {
        self.change(|state| {
            let channel = state.channel_of(message);
            let outcome = state.edit(channel, message, &body, &[]);
            outcome.unwrap_or_else(|refusal| panic!("this edit is refused: {refusal:?}"));
        });
    }

    /// Adds a link preview: an update that is not an edit.
    pub fn unfurls(&self, message: Id, embed: Value) {
        self.change(|state| {
            let channel = state.channel_of(message);
            let one = state.message_mut(channel, message).expect("it was found before");
            let mut shown = json!({ "type": "link" });
            merge(&mut shown, embed);
            one["embeds"] = json!([shown]);
            let one = one.clone();
            state.dispatch_message("MESSAGE_UPDATE", channel, one);
        });
    }

    /// Deletes a message as its author.
    pub fn deletes(&self, message: Id) {
        self.change(|state| {
            let channel = state.channel_of(message);
            state.erase(channel, &[message]);
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
        self.change(|state| {
            let (user, channel) = (state.who(who), state.channel_of(message));
            let own = state.guilds[&self.guild].emojis.iter().find(|one| one["name"] == emoji);
            let text = own.map(|one| format!("{emoji}:{}", Id::of(one, "id").expect("an emoji has an id")));
            let emoji = state.emoji(channel, text.as_deref().unwrap_or(emoji));
            let emoji = emoji.unwrap_or_else(|_| panic!("there is no such emoji"));
            if add {
                state.react(channel, message, user, &emoji)
            } else {
                state.unreact(channel, message, user, &emoji)
            }
        });
    }

    /// Votes in a poll.
    pub fn votes(&self, who: &str, message: Id, answer: u64) {
        self.change(|state| {
            let (user, channel) = (state.who(who), state.channel_of(message));
            let guild = state.guild_of(channel);
            let mut data =
                json!({ "user_id": user, "channel_id": channel, "message_id": message, "answer_id": answer });
            if let Some(guild) = guild {
                data["guild_id"] = json!(guild);
            }
            state.dispatch("MESSAGE_POLL_VOTE_ADD", guild, data);
        });
    }

    /// Starts typing.
    pub fn types(&self, who: &str, channel: &str) {
        self.change(|state| {
            let (user, channel) = (state.who(who), state.place(self.guild, channel));
            state.dispatch_typing(channel, user);
        });
    }

    /// Pins a message.
    pub fn pins(&self, who: &str, message: Id) {
        self.change(|state| state.set_pinned(state.channel_of(message), message, true, state.who(who)));
    }

    /// Unpins a message.
    pub fn unpins(&self, who: &str, message: Id) {
        self.change(|state| state.set_pinned(state.channel_of(message), message, false, state.who(who)));
    }

    /// Opens a thread.
    pub fn opens_thread(&self, who: &str, channel: &str, name: &str) -> Id {
        self.change(|state| {
            let (user, channel) = (state.who(who), state.place(self.guild, channel));
            state.open_thread(channel, None, user, 11, &json!({ "name": name }))
        })
    }

    /// Opens a thread on a message.
    pub fn opens_thread_on(&self, who: &str, message: Id, name: &str) -> Id {
        self.change(|state| {
            let (user, channel) = (state.who(who), state.channel_of(message));
            state.open_thread(channel, Some(message), user, 11, &json!({ "name": name }))
        })
    }

    /// Creates a forum post. The thread and its first message have the same id.
    pub fn posts_in_forum(&self, who: &str, forum: &str, title: &str, text: &str) -> Id {
        self.change(|state| {
            let (user, forum) = (state.who(who), state.place(self.guild, forum));
            let thread = state.open_thread(forum, None, user, 11, &json!({ "name": title }));
            let mut message = state.compose(&Draft::new(thread, user, json!({ "content": text })));
            message["id"] = json!(thread);
            state.publish(thread, message)
        })
    }

    /// Creates an invite and returns its code.
    pub fn invites(&self, who: &str, channel: &str) -> String {
        self.change(|state| {
            let (user, channel) = (state.who(who), state.place(self.guild, channel));
            let invite = state.create_invite(channel, user, &json!({}));
            invite["code"].as_str().unwrap_or_default().to_owned()
        })
    }
}
