//! What bots.yaml says of the room service.

use std::collections::BTreeMap;

use palabre_text::skeleton;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decode;
use crate::guests::TOKEN_MAX;
use crate::limits::Limits;

/// The largest file that may be allowed, in mebibytes: it is held in memory until its message is there, and no more of one person is.
const FILE_MB_MAX: usize = 32;
/// The shortest token of a reserved name, in characters: a short one can be guessed.
const NAME_TOKEN_MIN: usize = 16;

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
    /// The largest file of a message, in mebibytes; 1 to 32.
    pub max_file_mb: usize,
    /// How many packets may wait for a slow client before it is disconnected.
    pub client_queue: usize,
    /// What one connection, one person and one address may do.
    pub limits: Limits,
    /// How many people a room may have for each arrival and departure to be told by itself. In larger rooms they are told together,
    /// twice a second.
    pub presence_limit: usize,
    /// Names that nobody may take without the token that is beside them, of 16 characters or more. `${NAME}` is taken from the
    /// environment.
    pub name_tokens: BTreeMap<String, String>,
    /// Names that have rights under `permissions`: without a token they can be taken from this machine alone.
    #[serde(skip)]
    pub privileged: Vec<String>,
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
            presence_limit: 200,
            name_tokens: BTreeMap::new(),
            privileged: Vec::new(),
        }
    }
}

impl Config {
    /// Checks what the parser does not.
    ///
    /// # Errors
    /// When a setting is out of its range, which is named.
    pub fn check(&self) -> Result<(), String> {
        let counts = [
            ("client_queue", self.client_queue),
            ("max_rooms", self.max_rooms),
            ("max_connections", self.max_connections),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(format!("rooms: {name} is at least 1"));
        }
        if self.nickname.trim().is_empty() {
            return Err("rooms: nickname is empty; give the bots a name to speak under".to_owned());
        }
        if !(1..=FILE_MB_MAX).contains(&self.max_file_mb) {
            let given = self.max_file_mb;
            return Err(format!("rooms: max_file_mb is {given}; it may be from 1 to {FILE_MB_MAX}"));
        }
        if self.retention.guest_days == 0 {
            return Err("rooms: retention: guest_days is at least 1".to_owned());
        }
        self.limits.check().map_err(|problem| format!("rooms: {problem}"))?;
        self.name_tokens.iter().try_for_each(|(name, token)| self.check_name_token(name, token))
    }

    fn check_name_token(&self, name: &str, token: &str) -> Result<(), String> {
        decode::username(name).map_err(|problem| format!("rooms: name_tokens: {name:?}: {problem}"))?;
        if skeleton(name) == skeleton(&self.nickname) {
            return Err(format!("rooms: name_tokens: {name} is the name of the bots"));
        }
        let is_plain = token.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plain || !(NAME_TOKEN_MIN..=TOKEN_MAX).contains(&token.len()) {
            return Err(format!(
                "rooms: name_tokens: the token of {name} needs {NAME_TOKEN_MIN} to {TOKEN_MAX} ASCII characters without spaces"
            ));
        }
        Ok(())
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
    /// How long the token of a guest is good for without being used, in days.
    pub guest_days: u64,
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
            guest_days: 30,
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
