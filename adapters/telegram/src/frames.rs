//! The parts of Telegram's objects that are read.
//!
//! Any field may be missing, and unknown fields are ignored: no field that Telegram leaves out, or
//! adds tomorrow, loses an event. teloxide's own types read an update as a whole or not at all.
//! <https://core.telegram.org/bots/api#available-types>

use palabre_types::Millis;
use serde::Deserialize;
use serde_json::Value;

use crate::lenient::each;
use crate::text::Entity;

macro_rules! frames {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Default, PartialEq, Deserialize)]
        #[serde(default)]
        pub(crate) struct $name { $($(#[$attribute])* pub(crate) $field: $type,)* }
    )*};
}

frames! {
    /// One update. <https://core.telegram.org/bots/api#update>
    Update {
        update_id: i64, message: Option<Message>, edited_message: Option<Message>, channel_post: Option<Message>,
        edited_channel_post: Option<Message>, message_reaction: Option<Reacted>, callback_query: Option<Callback>,
        poll_answer: Option<PollAnswer>, my_chat_member: Option<MemberChange>, chat_member: Option<MemberChange>,
        chat_join_request: Option<JoinRequest>, inline_query: Option<InlineQuery>,
    }

    /// A user or a bot.
    User {
        id: i64, is_bot: bool, first_name: String, last_name: Option<String>, username: Option<String>,
        language_code: Option<String>,
    }

    /// A chat.
    Chat {
        id: i64, #[serde(rename = "type")] kind: String, title: Option<String>, username: Option<String>,
        first_name: Option<String>, last_name: Option<String>, is_forum: bool,
    }

    /// A message.
    Message {
        message_id: i64, message_thread_id: Option<i64>, from: Option<User>, sender_chat: Option<Chat>,
        sender_tag: Option<String>, date: u64, chat: Chat, is_topic_message: bool, is_automatic_forward: bool,
        reply_to_message: Option<Box<Message>>, edit_date: Option<u64>, media_group_id: Option<String>,
        author_signature: Option<String>,
        text: Option<String>, #[serde(deserialize_with = "each")] entities: Vec<Entity>,
        caption: Option<String>, #[serde(deserialize_with = "each")] caption_entities: Vec<Entity>,
        animation: Option<File>, audio: Option<File>, document: Option<File>, photo: Vec<File>, sticker: Option<File>,
        video: Option<File>, video_note: Option<File>, voice: Option<File>, contact: Option<Contact>,
        dice: Option<Dice>, poll: Option<Poll>, venue: Option<Venue>, location: Option<Location>,
        new_chat_members: Vec<User>, left_chat_member: Option<User>, new_chat_title: Option<String>,
        group_chat_created: bool, supergroup_chat_created: bool, channel_chat_created: bool,
        migrate_to_chat_id: Option<i64>, migrate_from_chat_id: Option<i64>, pinned_message: Option<Box<Message>>,
        forum_topic_created: Option<Topic>, forum_topic_edited: Option<Topic>, forum_topic_closed: Option<Value>,
        forum_topic_reopened: Option<Value>, reply_markup: Option<Markup>,
    }

    /// A file, or one size of a photo.
    File {
        file_id: String, file_name: Option<String>, mime_type: Option<String>, file_size: Option<u64>,
        emoji: Option<String>, is_animated: bool, is_video: bool, performer: Option<String>, title: Option<String>,
    }

    /// A contact.
    Contact { phone_number: String, first_name: String, last_name: Option<String>, }

    /// A die or the like, with its result.
    Dice { emoji: String, value: u32, }

    /// A location.
    Location { latitude: f64, longitude: f64, }

    /// A venue: a location with a name.
    Venue { location: Location, title: String, address: String, }

    /// A poll.
    Poll { id: String, question: String, options: Vec<PollOption>, }

    /// An option of a poll.
    PollOption { text: String, }

    /// A vote in a poll; without options if it was retracted.
    PollAnswer { poll_id: String, user: Option<User>, voter_chat: Option<Chat>, option_ids: Vec<usize>, }

    /// A topic of a forum. The name may be missing when something else has changed.
    Topic { name: Option<String>, }

    /// An inline keyboard.
    Markup { inline_keyboard: Vec<Vec<Button>>, }

    /// A button of an inline keyboard.
    Button { text: String, callback_data: Option<String>, url: Option<String>, style: Option<String>, }

    /// A press on an inline button.
    Callback { id: String, from: User, message: Option<Message>, data: Option<String>, }

    /// A change of a user's reactions to a message.
    Reacted {
        chat: Chat, message_id: i64, user: Option<User>, actor_chat: Option<Chat>, old_reaction: Vec<Reaction>,
        new_reaction: Vec<Reaction>,
    }

    /// A reaction.
    Reaction { #[serde(rename = "type")] kind: String, emoji: Option<String>, custom_emoji_id: Option<String>, }

    /// A change of a membership.
    MemberChange {
        chat: Chat, from: User, old_chat_member: Membership, new_chat_member: Membership,
        invite_link: Option<InviteLink>,
    }

    /// The membership of a user in a chat.
    Membership {
        status: String, user: User, custom_title: Option<String>, tag: Option<String>, is_member: bool,
        can_send_messages: Option<bool>, can_promote_members: bool, can_restrict_members: bool,
        can_delete_messages: bool,
    }

    /// A request to join a chat.
    JoinRequest { chat: Chat, from: User, bio: Option<String>, invite_link: Option<InviteLink>, }

    /// An inline query.
    InlineQuery { id: String, from: User, query: String, }

    /// An invite link.
    InviteLink { invite_link: String, creator: Option<User>, }
}

impl User {
    /// Returns the displayed name.
    pub(crate) fn named(&self) -> String {
        match self.last_name.as_deref().filter(|last| !last.is_empty()) {
            Some(last) => format!("{} {last}", self.first_name).trim().to_owned(),
            None => self.first_name.clone(),
        }
    }
}

impl Message {
    /// Returns the time at which it was sent, in milliseconds.
    pub(crate) fn time(&self) -> Millis {
        self.date.saturating_mul(1_000)
    }
}

impl Chat {
    /// Returns the displayed name.
    pub(crate) fn named(&self) -> String {
        let first = self.first_name.clone().unwrap_or_default();
        let person = || match &self.last_name {
            Some(last) => format!("{first} {last}").trim().to_owned(),
            None => first.clone(),
        };
        self.title.clone().unwrap_or_else(person)
    }

    /// Whether the chat is between one user and the bot.
    pub(crate) fn is_private(&self) -> bool {
        self.kind == "private"
    }
}

impl Membership {
    /// Whether the user is in the chat.
    pub(crate) fn is_in(&self) -> bool {
        match self.status.as_str() {
            "creator" | "administrator" | "member" => true,
            "restricted" => self.is_member,
            _ => false,
        }
    }

    /// Whether the user is banned.
    pub(crate) fn is_banned(&self) -> bool {
        self.status == "kicked"
    }

    /// Whether the user may not write.
    pub(crate) fn is_muted(&self) -> bool {
        self.status == "restricted" && self.can_send_messages == Some(false)
    }

    /// Whether the user is an administrator or the owner.
    pub(crate) fn is_admin(&self) -> bool {
        matches!(self.status.as_str(), "creator" | "administrator")
    }
}

impl Reaction {
    /// Returns the reaction as text: its emoji, or the id of a custom emoji.
    pub(crate) fn written(&self) -> String {
        match (&self.emoji, &self.custom_emoji_id) {
            (Some(emoji), _) => emoji.clone(),
            (None, Some(id)) => format!("<:custom:{id}>"),
            (None, None) => "⭐".to_owned(),
        }
    }
}
