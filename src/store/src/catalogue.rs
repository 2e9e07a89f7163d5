//! Every table there is, in one list. The store knows their names and nothing of what they hold; who types a table
//! (`Table<K, V>`) is said in its line.

use serde::{Deserialize, Serialize};

macro_rules! catalogue {
    ($($(#[$doc:meta])* $id:ident = $name:literal,)*) => {
        /// A table's place in the catalogue. The discriminant is part of the file format: append, never reorder.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum TableId { $($(#[$doc])* $id,)* }

        impl TableId {
            /// All tables, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$id,)*];

            /// The table's name in the file.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$id => $name,)* }
            }
        }
    };
}

catalogue! {
    /// Facts about the file itself: schema version. The store's own.
    Meta = "meta",
    /// When rows end: (expiry, table, key). The store's own.
    Expiry = "expiry",
    /// Blocks of events, runs and actions. The engine's.
    Journal = "journal",
    /// The number of the last block. The engine's.
    LastBlock = "last_block",
    /// How far each script is. The engine's.
    ScriptMarks = "script_marks",
    /// How far each outbox lane is. The engine's.
    LaneMarks = "lane_marks",
    /// Runs that wait for something. The engine's.
    WaitingRuns = "waiting_runs",
    /// Timers by when they are due. The engine's.
    Timers = "timers",
    /// Events and actions that were given up. The engine's.
    DeadLetters = "dead_letters",
    /// How often a start found the same work unfinished. The engine's.
    Recovery = "recovery",
    /// What scripts store. The engine's, for the scripts.
    ScriptValues = "script_values",
    /// How many bytes each script stores. The store's own, which counts the rows of the table above as it writes them.
    ScriptUsage = "script_usage",
    /// Native ids of messages that bots sent, by idempotency key. The engine's.
    SentMessages = "sent_messages",
    /// Rooms of the room service. The rooms adapter's.
    Rooms = "rooms",
    /// Messages of the room service, by room and position. The rooms adapter's.
    RoomMessages = "room_messages",
    /// Where a message id stands: (room, id) to position. The rooms adapter's.
    RoomMessageIds = "room_message_ids",
    /// What a client's nonce became. The rooms adapter's.
    RoomNonces = "room_nonces",
    /// When tasks were last due. The engine's.
    Tasks = "tasks",
    /// How runs of tasks went. The engine's.
    TaskRuns = "task_runs",
    /// What moderators have made of members: roles, mutes, bans. The rooms adapter's.
    RoomMembers = "room_members",
    /// Files that came with messages. The rooms adapter's.
    RoomFiles = "room_files",
    /// Sessions of the gateway, by bot and shard, to be resumed. The Discord adapter's.
    DiscordSessions = "discord_sessions",
    /// Servers with their roles and channels, by bot. The Discord adapter's.
    DiscordGuilds = "discord_guilds",
    /// What ends by itself on Discord: bans, by bot and time. The Discord adapter's.
    DiscordEnds = "discord_ends",
    /// Forms that wait behind a button, by its action. The Discord adapter's.
    DiscordForms = "discord_forms",
    /// The last update that was taken in, by bot. The Telegram adapter's.
    TelegramUpdates = "telegram_updates",
    /// Parts of albums that wait for the others, by bot and update. The Telegram adapter's.
    TelegramHeld = "telegram_held",
    /// What buttons stand for that are too long for Telegram, by bot and what they carry. The Telegram adapter's.
    TelegramButtons = "telegram_buttons",
    /// Forms that are being filled in, by bot, chat and person. The Telegram adapter's.
    TelegramForms = "telegram_forms",
    /// Chats with what is known of them, by bot. The Telegram adapter's.
    TelegramChats = "telegram_chats",
    /// The languages in which commands are listed, by bot. The Telegram adapter's.
    TelegramCommands = "telegram_commands",
    /// Which script sent a message, by room and platform's id. The engine's.
    Senders = "senders",
    /// Who could speak in a channel before it was locked, by bot and channel. The Discord adapter's.
    DiscordLocks = "discord_locks",
    /// Actions that did not fit into memory, or that are retried on their own, by bot. The engine's.
    Outbox = "outbox",
    /// Which messages a long one or an album is made of, by bot, chat and message. The Telegram adapter's.
    TelegramParts = "telegram_parts",
    /// Who was seen, by bot and id. The Telegram adapter's.
    TelegramPeople = "telegram_people",
    /// Answers to people who have not begun with the bot, by bot, person and action. The Telegram adapter's.
    TelegramWaiting = "telegram_waiting",
    /// What belongs to this installation alone, by owner and name: backups leave it out, so that a copy never passes for the original.
    Installation = "installation",
    /// Single facts of a bot, by bot and name. The Discord adapter's.
    DiscordFacts = "discord_facts",
    /// Uses of commands and components that were taken in, by bot and id. The Discord adapter's.
    DiscordTaken = "discord_taken",
    /// The parts of long messages, by bot and the id of the last. The Discord adapter's.
    DiscordParts = "discord_parts",
    /// Guests of the room service by the hash of their token. The rooms adapter's.
    RoomGuests = "room_guests",
    /// What is remembered of the clock, to notice when it goes back. The engine's.
    Clock = "clock",
    /// Events of places in which a script rests, by script, place and number. The engine's.
    SetAside = "set_aside",
}

impl TableId {
    /// Returns whether its rows belong to this installation alone.
    pub(crate) const fn is_of_installation(self) -> bool {
        matches!(self, Self::Installation)
    }

    pub(crate) fn from_u8(n: u8) -> Option<Self> {
        Self::ALL.get(usize::from(n)).copied()
    }
}
