//! The events that each intent requests.

use super::event::Event;

pub(super) const GUILDS: u64 = 1;
pub(super) const MEMBERS: u64 = 1 << 1;
const MODERATION: u64 = 1 << 2;
const EXPRESSIONS: u64 = 1 << 3;
const WEBHOOKS: u64 = 1 << 5;
const INVITES: u64 = 1 << 6;
const VOICE_STATES: u64 = 1 << 7;
pub(super) const PRESENCES: u64 = 1 << 8;
const MESSAGES: u64 = 1 << 9;
const REACTIONS: u64 = 1 << 10;
const TYPING: u64 = 1 << 11;
const DIRECT_MESSAGES: u64 = 1 << 12;
const DIRECT_REACTIONS: u64 = 1 << 13;
const DIRECT_TYPING: u64 = 1 << 14;
/// The intent for message text, which is empty without it.
pub const MESSAGE_CONTENT: u64 = 1 << 15;
const POLLS: u64 = 1 << 24;
const DIRECT_POLLS: u64 = 1 << 25;

/// The intents that must be enabled for an application: members, presences, message content.
pub const PRIVILEGED: u64 = MEMBERS | PRESENCES | MESSAGE_CONTENT;

/// All existing intents.
pub(super) const KNOWN: u64 = 0x1FFFF | 1 << 20 | 1 << 21 | POLLS | DIRECT_POLLS;

/// The intents of which one is required for an event; none if it is always sent.
pub(super) fn needed(event: &Event) -> u64 {
    let guild = event.guild.is_some();
    let either = |in_guild, in_direct| if guild { in_guild } else { in_direct };
    match event.name.as_str() {
        "MESSAGE_CREATE" | "MESSAGE_UPDATE" | "MESSAGE_DELETE" | "MESSAGE_DELETE_BULK" => {
            either(MESSAGES, DIRECT_MESSAGES)
        }
        "TYPING_START" => either(TYPING, DIRECT_TYPING),
        "CHANNEL_PINS_UPDATE" => either(GUILDS, DIRECT_MESSAGES),
        "GUILD_AUDIT_LOG_ENTRY_CREATE" | "GUILD_BAN_ADD" | "GUILD_BAN_REMOVE" => MODERATION,
        "GUILD_EMOJIS_UPDATE" | "GUILD_STICKERS_UPDATE" => EXPRESSIONS,
        "WEBHOOKS_UPDATE" => WEBHOOKS,
        "INVITE_CREATE" | "INVITE_DELETE" => INVITES,
        "VOICE_STATE_UPDATE" => VOICE_STATES,
        "PRESENCE_UPDATE" => PRESENCES,
        "GUILD_MEMBERS_CHUNK" => 0,
        // A bot always receives its own membership.
        "GUILD_MEMBER_UPDATE" if event.of_bot => 0,
        name if name.starts_with("GUILD_MEMBER") => MEMBERS,
        name if name.starts_with("MESSAGE_REACTION") => either(REACTIONS, DIRECT_REACTIONS),
        name if name.starts_with("MESSAGE_POLL") => either(POLLS, DIRECT_POLLS),
        name if name.starts_with("THREAD") || name.starts_with("CHANNEL") || name.starts_with("GUILD_") => GUILDS,
        _ => 0,
    }
}

/// The application flags that show its privileged intents, for applications in few guilds.
pub(super) fn application_flags(privileged: u64) -> u64 {
    [(PRESENCES, 1 << 13), (MEMBERS, 1 << 15), (MESSAGE_CONTENT, 1 << 19)]
        .into_iter()
        .filter(|(intent, _)| privileged & intent != 0)
        .map(|(_, flag)| flag)
        .sum()
}
