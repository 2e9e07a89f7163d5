//! What bots.yaml says of the room service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits::Limits;

/// The settings of a room service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The name that the bots speak under. Nobody else may take it.
    pub nickname: String,
    /// What becomes of messages, people and rooms in time.
    pub retention: Retention,
    /// Other sites whose pages may talk to this service, as `https://example.org`; `*` is any. They count for the whole server, as
    /// those of `server: origins:` do.
    pub origins: Vec<String>,
    /// How many rooms there may be at once.
    pub max_rooms: usize,
    /// How many connections there may be at once.
    pub max_connections: usize,
    /// The largest file of a message, in mebibytes.
    pub max_file_mb: usize,
    /// How many packets may wait for a slow client before it is disconnected.
    pub client_queue: usize,
    /// What one connection, one person and one address may do.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            nickname: "palabre".to_owned(),
            retention: Retention::default(),
            origins: Vec::new(),
            max_rooms: 10_000,
            max_connections: 10_000,
            max_file_mb: 10,
            client_queue: 8_192,
            limits: Limits::default(),
        }
    }
}

/// What becomes of messages, people and rooms in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// How long messages are kept, in hours.
    pub message_hours: u64,
    /// How many messages a room keeps.
    pub messages_per_room: usize,
    /// Has no effect: whoever is connected is in the room, however long they only read. Accepted for older files.
    pub idle_user_hours: u64,
    /// How long an empty room is kept, in hours.
    pub empty_room_hours: u64,
    /// Rooms that keep everything; `*` is all rooms.
    pub keep: Vec<String>,
}

/// As the documents that this service follows have it.
impl Default for Retention {
    fn default() -> Self {
        Self {
            message_hours: 7 * 24,
            messages_per_room: 100,
            idle_user_hours: 2,
            empty_room_hours: 24,
            keep: Vec::new(),
        }
    }
}

impl Retention {
    /// Whether `room` keeps everything.
    #[must_use]
    pub fn keeps(&self, room: &str) -> bool {
        self.keep.iter().any(|kept| kept == room || kept == "*")
    }
}
