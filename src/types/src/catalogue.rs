//! The list of all tables.
//!
//! The store knows their names but not their contents. The doc comment of each table says who owns
//! it and defines its types (`Table<K, V>`).

use serde::{Deserialize, Serialize};

macro_rules! catalogue {
    ($($(#[$doc:meta])* $id:ident = $name:literal,)*) => {
        /// The id of a table.
        ///
        /// The discriminant is part of the file format: append, never reorder.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum TableId { $($(#[$doc])* $id,)* }

        impl TableId {
            /// All tables, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$id,)*];

            /// Returns the table's name in the file.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$id => $name,)* }
            }
        }
    };
}

catalogue! {
    /// Facts about the file itself, such as the schema version. The store's own.
    Meta = "meta",
    /// Index of expiries: (expiry, table, key). The store's own.
    Expiry = "expiry",
    /// The journal: batches of entries (events, runs and actions). The engine's.
    Journal = "journal",
    /// The number of the last entry batch. The engine's.
    LastEntryBatch = "last_block",
    /// The cursor of each script in the journal. The engine's.
    ScriptCursors = "script_marks",
    /// The cursor of each ordered queue of the outbox. The engine's.
    QueueCursors = "lane_marks",
    /// Suspended runs. The engine's.
    WaitingRuns = "waiting_runs",
    /// Timers, by due time. The engine's.
    Timers = "timers",
    /// Dead letters: events and actions that were given up. The engine's.
    DeadLetters = "dead_letters",
    /// Attempts: the number of starts that found the same work unfinished. The engine's.
    Recovery = "recovery",
    /// Values that scripts store. The engine's, for the scripts.
    ScriptValues = "script_values",
    /// The number of bytes that each script stores. The store's own.
    ///
    /// Updated whenever rows of the table above are written.
    ScriptUsage = "script_usage",
    /// Platform ids of messages that bots sent, by action key. The engine's.
    SentMessages = "sent_messages",
    /// Rooms of the room service. The rooms adapter's.
    Rooms = "rooms",
    /// Messages of the room service, by room and position. The rooms adapter's.
    RoomMessages = "room_messages",
    /// Positions of messages, by room and message id. The rooms adapter's.
    RoomMessageIds = "room_message_ids",
    /// Message ids, by room, author and nonce of the client. The rooms adapter's.
    RoomNonces = "room_nonces",
    /// The last due time of each task. The engine's.
    Tasks = "tasks",
    /// Results of task runs. The engine's.
    TaskRuns = "task_runs",
    /// Roles, mutes and bans of members. The rooms adapter's.
    RoomMembers = "room_members",
    /// Earlier versions of edited messages, by room and position. The rooms adapter's.
    RoomEdits = "room_edits",
    /// Read markers, by account and room. The rooms adapter's.
    RoomReads = "room_reads",
    /// Rooms that accounts have created. The rooms adapter's.
    RoomGroups = "room_groups",
    /// Members of those rooms, by room and account. The rooms adapter's.
    RoomMemberships = "room_memberships",
    /// Invites to those rooms, by room and code. The rooms adapter's.
    RoomInvites = "room_invites",
    /// The room of each invite, by code. The rooms adapter's.
    RoomInviteCodes = "room_invite_codes",
    /// The attachment store: files of messages. The rooms adapter's.
    RoomFiles = "room_files",
    /// Gateway sessions that can be resumed, by bot and shard. The Discord adapter's.
    DiscordSessions = "discord_sessions",
    /// Servers with their roles and channels, by bot. The Discord adapter's.
    DiscordGuilds = "discord_guilds",
    /// Ban expiries, by bot and time. The Discord adapter's.
    DiscordBanExpiries = "discord_ends",
    /// Forms that a button opens, by its action. The Discord adapter's.
    DiscordForms = "discord_forms",
    /// The last update that was accepted, by bot. The Telegram adapter's.
    TelegramUpdates = "telegram_updates",
    /// Parts of albums that are not complete yet, by bot and update. The Telegram adapter's.
    TelegramAlbumParts = "telegram_held",
    /// Button data that exceeds Telegram's limit. The Telegram adapter's.
    ///
    /// By bot and the shorter data that the button carries instead.
    TelegramButtons = "telegram_buttons",
    /// Forms that are being filled in, by bot, chat and user. The Telegram adapter's.
    TelegramForms = "telegram_forms",
    /// Known chats, by bot. The Telegram adapter's.
    TelegramChats = "telegram_chats",
    /// The languages in which commands are listed, by bot. The Telegram adapter's.
    TelegramCommands = "telegram_commands",
    /// Keys of the actions that sent messages, by room and platform id. The engine's.
    Senders = "senders",
    /// Permissions from before a channel was locked, by bot and channel. The Discord adapter's.
    DiscordLocks = "discord_locks",
    /// Actions that did not fit into memory or are retried on their own, by bot. The engine's.
    Outbox = "outbox",
    /// The parts of long messages and albums. The Telegram adapter's.
    ///
    /// By bot, chat and message.
    TelegramParts = "telegram_parts",
    /// Users who were seen, by bot and id. The Telegram adapter's.
    TelegramUsers = "telegram_people",
    /// Answers to users who have not started the bot. The Telegram adapter's.
    ///
    /// By bot, user and action.
    TelegramPendingAnswers = "telegram_waiting",
    /// Data of this installation only, by owner and name.
    ///
    /// Backups omit it, so that a copy is never taken for the original.
    Installation = "installation",
    /// Single facts about a bot, by bot and name. The Discord adapter's.
    DiscordFacts = "discord_facts",
    /// Interactions that were accepted, by bot and id. The Discord adapter's.
    DiscordInteractions = "discord_taken",
    /// The parts of long messages, by bot and the id of the last part. The Discord adapter's.
    DiscordParts = "discord_parts",
    /// Guests of the room service, by the hash of their token. The rooms adapter's.
    RoomGuests = "room_guests",
    /// The last known state of the clock, to detect that it went back. The engine's.
    Clock = "clock",
    /// Deferred events of the places where a script is suspended. The engine's.
    ///
    /// By script, place and sequence number.
    DeferredEvents = "set_aside",
    /// Attempts at actions that are performed at most once, by position in the journal. The engine's.
    BegunAttempts = "begun_attempts",
    /// The files of scripts, by script and hash. The engine's.
    ScriptSources = "script_sources",
    /// Versions of scripts: their files and settings, by script and hash. The engine's.
    ScriptVersions = "script_versions",
    /// The head of each script: the number of its steps and edits so far. The engine's.
    ScriptHeads = "script_heads",
    /// Versions of scripts that no run uses any more, by script and hash. The engine's.
    EndedVersions = "ended_versions",
    /// Accounts of the room service, by id. The rooms adapter's.
    Accounts = "accounts",
    /// Account ids by the confusable skeleton of the name. The rooms adapter's.
    AccountNames = "account_names",
    /// Account ids by e-mail address, in lower case. The rooms adapter's.
    AccountEmails = "account_emails",
    /// Sessions and access tokens, by account and the hash of the token. The rooms adapter's.
    AccountCredentials = "account_credentials",
    /// Ratings of messages, by room, message and the id of the person. The rooms adapter's.
    RoomFeedback = "room_feedback",
    /// Incoming webhooks of rooms, by id. The rooms adapter's.
    RoomWebhooks = "room_webhooks",
    /// Changes of the last day that streams of events show, by number. The rooms adapter's.
    RoomChanges = "room_changes",
    /// Outgoing webhooks of rooms, by id. The rooms adapter's.
    RoomOutgoingWebhooks = "room_outgoing_webhooks",
    /// The progress of outgoing webhooks, by id. The rooms adapter's.
    RoomDeliveries = "room_deliveries",
}

impl TableId {
    /// Whether the rows belong to this installation only.
    #[must_use]
    pub const fn is_of_installation(self) -> bool {
        matches!(self, Self::Installation)
    }

    /// Whether the rows are in entries of the journal too.
    ///
    /// Not the journal itself, facts about the file, what belongs to this installation only, and the
    /// contents of files, which may be large and have to be gone once they are deleted.
    #[must_use]
    pub const fn is_journalled(self) -> bool {
        !matches!(self, Self::Meta | Self::Journal | Self::Installation | Self::RoomFiles)
    }

    /// Returns the table with a discriminant.
    #[must_use]
    pub fn from_u8(n: u8) -> Option<Self> {
        Self::ALL.get(usize::from(n)).copied()
    }
}
