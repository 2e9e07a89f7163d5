//! The gateway frames, as far as they are read.
//!
//! Every field may be missing, and unknown ones are ignored, so that a change by Discord loses no
//! event.
//! <https://discord.com/developers/docs/topics/gateway-events>

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An id, or 0 if it is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) struct Id(u64);

impl Id {
    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    pub(crate) const fn known(self) -> Option<u64> {
        if self.0 == 0 { None } else { Some(self.0) }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Ids;
        impl Visitor<'_> for Ids {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Id, E> {
                text.parse().map(Id).map_err(|error| E::custom(format!("\"{text}\" is not an id: {error}")))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Id, E> {
                Ok(Id(number))
            }

            fn visit_unit<E>(self) -> Result<Id, E> {
                Ok(Id(0))
            }
        }
        deserializer.deserialize_any(Ids)
    }
}

/// Returns the id of the object that a frame describes.
pub(crate) fn id_of(data: &Value) -> Option<u64> {
    data.get("id").and_then(|id| Id::deserialize(id).ok())?.known()
}

macro_rules! frames {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(default)]
        pub(crate) struct $name { $($(#[$attribute])* pub(crate) $field: $type,)* }
    )*};
}

frames! {
    /// A frame of the gateway.
    Frame { op: u8, t: Option<String>, d: Value, }

    Ready { user: User, application: Partial, guilds: Vec<Partial>, }

    /// A partial object, used mainly for its id.
    Partial { id: Id, unavailable: bool, name: Option<String>, }

    User { id: Id, username: String, global_name: Option<String>, bot: Option<bool>, locale: Option<String>,
        avatar: Option<String>,
    }

    Member {
        user: Option<User>, nick: Option<String>, roles: Vec<Id>, communication_disabled_until: Option<String>,
        /// The member's permissions in the channel of an interaction.
        permissions: Option<String>,
    }

    /// A change of membership, with the fields of the member at the same level.
    Membership { guild_id: Id, user: User, #[serde(flatten)] member: Member, }

    Role { id: Id, name: String, permissions: String, position: i64, managed: bool, }

    RoleChange { guild_id: Id, role: Role, role_id: Id, }

    Channel {
        id: Id, guild_id: Id, name: Option<String>, #[serde(rename = "type")] kind: u8, topic: Option<String>,
        parent_id: Id, newly_created: Option<bool>, owner_id: Id,
    }

    Guild {
        id: Id, name: String, owner_id: Id, unavailable: bool, system_channel_id: Id, preferred_locale: Option<String>,
        roles: Vec<Role>, channels: Vec<Channel>, threads: Vec<Channel>, members: Vec<Member>, presences: Vec<Presence>,
        voice_states: Vec<Voice>,
    }

    Threads { guild_id: Id, threads: Vec<Channel>, }

    Presence { user: Partial, guild_id: Id, status: Option<String>, }

    Voice {
        guild_id: Id, channel_id: Id, user_id: Id, member: Option<Member>, self_mute: bool, self_deaf: bool,
        mute: bool, deaf: bool,
    }

    Message {
        id: Id, channel_id: Id, guild_id: Id, author: Option<User>, member: Option<Member>,
        content: Option<String>, timestamp: Option<String>, edited_timestamp: Option<String>,
        #[serde(rename = "type")] kind: u8, attachments: Vec<Attachment>, embeds: Vec<Embed>,
        mentions: Vec<Mentioned>, sticker_items: Vec<Sticker>, components: Vec<Component>, poll: Option<Poll>,
        message_reference: Option<Reference>, message_snapshots: Vec<Snapshot>, webhook_id: Id,
        application_id: Id, pinned: Option<bool>, flags: u64,
    }

    /// A mentioned user, in a server with the data of the member.
    Mentioned { #[serde(flatten)] user: User, member: Option<Member>, }

    Snapshot { message: Box<Message>, }

    /// A reference to another message: type 0 is a reply, type 1 a forward.
    Reference { message_id: Id, channel_id: Id, #[serde(rename = "type")] kind: u8, }

    Attachment {
        filename: String, url: String, content_type: Option<String>, size: Option<u64>,
        description: Option<String>,
    }

    Sticker { id: Id, name: String, format_type: u8, }

    Embed {
        title: Option<String>, description: Option<String>, url: Option<String>, color: Option<u32>,
        fields: Vec<EmbedField>,
    }

    EmbedField { name: String, value: String, inline: Option<bool>, }

    /// A component: a row, a button, a list or a field, depending on `type`.
    Component {
        #[serde(rename = "type")] kind: u8, components: Vec<Component>, component: Option<Box<Component>>,
        custom_id: Option<String>, label: Option<String>, style: Option<u8>, url: Option<String>,
        disabled: Option<bool>, placeholder: Option<String>, min_values: Option<u8>, max_values: Option<u8>,
        options: Vec<SelectOption>, value: Option<String>, values: Vec<String>,
    }

    SelectOption { label: String, value: String, description: Option<String>, }

    Poll { question: PollMedia, answers: Vec<PollAnswer>, }

    PollAnswer { answer_id: u64, poll_media: PollMedia, }

    PollMedia { text: Option<String>, }

    PollVote { user_id: Id, channel_id: Id, message_id: Id, guild_id: Id, answer_id: u64, }

    Deletion { id: Id, ids: Vec<Id>, channel_id: Id, guild_id: Id, }

    Reaction { user_id: Id, channel_id: Id, message_id: Id, guild_id: Id, member: Option<Member>, emoji: Emoji, }

    Emoji { id: Id, name: Option<String>, animated: bool, }

    Typing { channel_id: Id, guild_id: Id, user_id: Id, member: Option<Member>, }

    Ban { guild_id: Id, user: User, }

    Audit { guild_id: Id, user_id: Id, target_id: Id, action_type: u16, reason: Option<String>, }

    Invite { code: String, channel_id: Id, guild_id: Id, inviter: Option<User>, }

    Interaction {
        id: Id, token: String, #[serde(rename = "type")] kind: u8, data: InteractionData, guild_id: Id,
        channel_id: Id, channel: Option<Channel>, member: Option<Member>, user: Option<User>,
        message: Option<Message>, locale: Option<String>,
    }

    InteractionData {
        name: String, #[serde(rename = "type")] kind: u8, options: Vec<CommandOption>, resolved: Resolved,
        target_id: Id, custom_id: String, component_type: u8, values: Vec<String>, components: Vec<Component>,
    }

    CommandOption {
        name: String, #[serde(rename = "type")] kind: u8, value: Value, focused: bool,
        options: Vec<CommandOption>,
    }

    Resolved {
        users: BTreeMap<String, User>, members: BTreeMap<String, Member>, roles: BTreeMap<String, Role>,
        channels: BTreeMap<String, Channel>, attachments: BTreeMap<String, Attachment>,
        messages: BTreeMap<String, Message>,
    }
}

impl Interaction {
    /// Returns the user, which in a server is part of the member.
    pub(crate) fn by(&self) -> Option<&User> {
        self.member.as_ref().and_then(|member| member.user.as_ref()).or(self.user.as_ref())
    }
}

impl User {
    /// Returns the URL of the user's picture.
    ///
    /// <https://discord.com/developers/docs/reference#image-formatting>
    pub(crate) fn picture(&self) -> Option<String> {
        let hash = self.avatar.as_deref().filter(|hash| !hash.is_empty())?;
        Some(format!("https://cdn.discordapp.com/avatars/{}/{hash}.png", self.id))
    }

    /// Returns the name for events: the display name, or else the username.
    pub(crate) fn named(&self) -> &str {
        self.global_name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&self.username)
    }
}

impl Emoji {
    /// Returns the emoji as users write it: the character, or `<:name:id>` for one of a server.
    pub(crate) fn written(&self) -> String {
        let name = self.name.as_deref().unwrap_or_default();
        match self.id.known() {
            Some(id) => format!("<{}:{name}:{id}>", if self.animated { "a" } else { "" }),
            None => name.to_owned(),
        }
    }
}
