//! Messages of users.

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::json::{drop_nulls, merge, without};
use crate::server::upload::Upload;
use crate::telegram::entities::Formatted;
use crate::telegram::kind::Kind;
use crate::telegram::message::Draft;
use crate::telegram::post::{self, MessageRef};
use crate::telegram::stand_in::StandIn;
use crate::telegram::state::State;

impl StandIn {
    /// Posts a message.
    ///
    /// # Panics
    /// If the user is not in the chat, or may not write there: Telegram's client would not send
    /// it.
    pub fn says(&self, who: &str, chat: &str, text: &str) -> MessageRef {
        self.posts(who, chat, json!({ "text": text }))
    }

    /// Posts a message with any fields of a Telegram message.
    ///
    /// These are `text` and `entities`, `caption`, `location`, `contact`, `dice`, `sticker`.
    /// `reply_to_message_id` makes it a reply, and `poll` is as in `sendPoll`.
    ///
    /// # Panics
    /// See [`StandIn::says`].
    pub fn posts(&self, who: &str, chat: &str, fields: Value) -> MessageRef {
        self.change(|state| {
            let author = state.who(who);
            let place = state.somewhere(chat);
            state.post(author, place, fields)
        })
    }

    /// Posts files: kind, name, media type, content.
    ///
    /// The kind is `photo`, `document`, `audio`, `voice`, `video`, `animation`, `sticker` or
    /// `video_note`. Several files are an album, whose first message has the caption.
    ///
    /// # Panics
    /// See [`StandIn::says`].
    pub fn posts_files(
        &self,
        who: &str,
        chat: &str,
        fields: Value,
        files: &[(&str, &str, &str, &[u8])],
    ) -> Vec<MessageRef> {
        self.change(|state| {
            let author = state.who(who);
            let place = state.somewhere(chat);
            let album = (files.len() > 1).then(|| state.fresh_id());
            let mut sent = Vec::new();
            for (index, (kind, name, media, bytes)) in files.iter().enumerate() {
                let mut fields =
                    if index == 0 { fields.clone() } else { without(fields.clone(), &["caption", "caption_entities"]) };
                let bytes = Bytes::copy_from_slice(bytes);
                let upload = Upload { name: (*name).to_owned(), media: (*media).to_owned(), bytes };
                fields[*kind] = state.keep_file(kind, &upload, &fields);
                if let Some(album) = &album {
                    fields["media_group_id"] = json!(album);
                }
                let about_file = ["duration", "title", "performer", "width", "height", "emoji", "set_name", "length"];
                sent.push(state.post(author, place, without(fields, &about_file)));
            }
            sent
        })
    }

    /// Posts an anonymous message as an administrator.
    ///
    /// It is from `@GroupAnonymousBot`, with the group as `sender_chat`.
    ///
    /// # Panics
    /// See [`StandIn::says`].
    pub fn says_anonymously(&self, who: &str, chat: &str, text: &str) -> MessageRef {
        self.anonymously(who, chat, json!({ "text": text }))
    }

    /// Replies anonymously to a message as an administrator.
    ///
    /// # Panics
    /// See [`StandIn::says`].
    pub fn replies_anonymously(&self, who: &str, message: MessageRef, text: &str) -> MessageRef {
        let fields = json!({ "text": text, "reply_to_message_id": message.id });
        self.anonymously(who, &message.chat.to_string(), fields)
    }

    fn anonymously(&self, who: &str, chat: &str, mut fields: Value) -> MessageRef {
        let group = {
            let mut state = self.shared.lock();
            let id = state.somewhere(chat).0;
            state.chat_frame(id)
        };
        let from =
            json!({ "id": 1_087_968_824, "is_bot": true, "first_name": "Group", "username": "GroupAnonymousBot" });
        merge(&mut fields, json!({ "from": from, "sender_chat": group }));
        self.posts(who, chat, fields)
    }

    /// Replies to a message.
    ///
    /// # Panics
    /// See [`StandIn::says`].
    pub fn replies(&self, who: &str, message: MessageRef, text: &str) -> MessageRef {
        let fields = json!({ "text": text, "reply_to_message_id": message.id });
        self.posts(who, &message.chat.to_string(), fields)
    }

    /// Replies to a quote from a message.
    ///
    /// # Panics
    /// If the message does not contain the quote.
    pub fn replies_to_quote(&self, who: &str, message: MessageRef, quote: &str, text: &str) -> MessageRef {
        let whole = self.message(message);
        let whole = post::text(&whole);
        let at = whole.find(quote).unwrap_or_else(|| panic!("{quote:?} is not in {whole:?}"));
        let quote = json!({ "text": quote, "position": whole[..at].encode_utf16().count(), "is_manual": true });
        let fields = json!({ "text": text, "reply_to_message_id": message.id, "quote": quote });
        self.posts(who, &message.chat.to_string(), fields)
    }

    /// Forwards a message to another chat.
    ///
    /// # Panics
    /// See [`StandIn::says`].
    pub fn forwards(&self, who: &str, message: MessageRef, chat: &str) -> MessageRef {
        let fields = {
            let state = self.shared.lock();
            state.forwarded(state.known(message))
        };
        self.posts(who, chat, fields)
    }

    /// Sends a private message to the bot.
    pub fn sends_direct(&self, who: &str, text: &str) -> MessageRef {
        self.says(who, &format!("@{who}"), text)
    }

    /// Starts the bot, with a deep link if there is a payload.
    pub fn starts(&self, who: &str, payload: &str) -> MessageRef {
        self.sends_direct(who, format!("/start {payload}").trim_end())
    }

    /// Edits the text of a message as its author.
    pub fn edits(&self, message: MessageRef, text: &str) {
        self.edits_to(message, json!({ "text": text }));
    }

    /// Edits any editable fields of a message as its author: `text`, `caption`, their entities.
    ///
    /// Null removes a field.
    pub fn edits_to(&self, message: MessageRef, fields: Value) {
        self.change(|state| {
            let author = state.author_of(message);
            let fields = state.finished(fields);
            let edited = state.edit(message.chat, message.id, fields, true);
            state.send_update(&edited, author, true);
        });
    }

    /// Deletes a message. Telegram sends no update about it.
    pub fn deletes(&self, message: MessageRef) {
        self.change(|state| {
            state.known(message);
            state.erase(message.chat, message.id);
        });
    }

    /// Posts a service message of a user: `{ "new_chat_photo": […] }`, `{ "delete_chat_photo": true }`.
    pub fn service(&self, who: &str, chat: &str, fields: Value) -> MessageRef {
        self.change(|state| {
            let user = state.who(who);
            let (chat, thread) = state.somewhere(chat);
            MessageRef::of(&state.post_service(chat, user, thread, fields))
        })
    }
}

impl State {
    /// Posts a message of a user in a chat and a topic.
    fn post(&mut self, author: i64, (chat, thread): (i64, Option<i64>), fields: Value) -> MessageRef {
        self.check_author(author, chat);
        let reply = fields["reply_to_message_id"].as_i64().map(|id| self.known(MessageRef { chat, id }));
        let thread = thread.or_else(|| reply.as_ref().and_then(|reply| reply["message_thread_id"].as_i64()));
        let mut content = self.finished(without(fields, &["reply_to_message_id"]));
        if content["poll"].is_object() && content["poll"]["id"].is_null() {
            content["poll"] = self.poll_frame(&content["poll"]);
        }
        drop_nulls(&mut content);
        let message = self.publish(Draft { thread, reply, ..Draft::new(chat, author, content) });
        self.open_ballot(&message);
        MessageRef::of(&message)
    }

    fn check_author(&mut self, author: i64, chat: i64) {
        let name = self.users[&author].name.clone();
        let title = self.chats[&chat].title.clone();
        match self.chats[&chat].kind {
            Kind::Private => {
                assert!(chat == author, "{name} writes in the private chat of another");
                let user = self.users.get_mut(&author).expect("they were found before");
                user.has_started = true;
                if user.blocks {
                    self.set_blocked(author, false);
                }
            }
            Kind::Channel => assert!(self.member(chat, author).is_admin(), "{name} may not post in {title}"),
            Kind::Group | Kind::Supergroup => {
                assert!(self.member(chat, author).is_in(), "{name} is not in {title}");
                assert!(self.is_permitted(chat, author, "can_send_messages"), "{name} may not speak in {title}");
            }
        }
    }

    /// Adds the entities that Telegram detects to texts.
    fn finished(&self, mut fields: Value) -> Value {
        for (text, entities) in [("text", "entities"), ("caption", "caption_entities")] {
            let Some(said) = fields[text].as_str() else { continue };
            let given = fields[entities].as_array().cloned().unwrap_or_default();
            let done = Formatted { text: said.to_owned(), entities: given }.finished();
            assert!(text == "caption" || !done.text.is_empty(), "nobody can say nothing");
            let found = if done.entities.is_empty() { Value::Null } else { Value::Array(done.entities) };
            merge(&mut fields, json!({ text: done.text, entities: found }));
        }
        fields
    }

    pub(super) fn author_of(&self, message: MessageRef) -> i64 {
        let owner = || {
            let members = self.chats[&message.chat].members.iter();
            members.filter(|(_, member)| member.is_admin()).map(|(id, _)| *id).find(|id| *id != self.bot)
        };
        let is_bots = self.posts.iter().any(|post| post.at == message);
        let author = self.known(message)["from"]["id"].as_i64().or(is_bots.then_some(self.bot)).or_else(owner);
        author.expect("a message has an author")
    }
}
