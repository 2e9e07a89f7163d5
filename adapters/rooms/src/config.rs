//! Settings of the room service in bots.yaml.

use std::collections::BTreeMap;

use palabre_fetch::Grants;
use palabre_text::skeleton;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conversation::{SessionOwner, is_conversation, session_of_room, session_owner};
use crate::decode;
use crate::guests::TOKEN_MAX;
use crate::limits::Limits;

/// The upper bound of `max_file_mb`.
///
/// An upload is held in memory until its message is stored, and this is also what one person may
/// hold.
const FILE_MB_MAX: usize = 32;
/// The shortest token of a reserved name, in characters; a shorter one could be guessed.
const NAME_TOKEN_MIN: usize = 16;
/// The upper bound of `answer_seconds`.
const ANSWER_SECONDS_MAX: u64 = 600;

/// The settings of a room service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The name under which bots post. Nobody else may take it.
    pub nickname: String,
    /// Retention of messages, guests and rooms.
    pub retention: Retention,
    /// Other sites whose pages may use this service, such as `https://example.org`.
    ///
    /// `*` is any site. They apply to the whole server, like those of `server: origins:`.
    pub origins: Vec<String>,
    /// Maximum number of open rooms.
    pub max_rooms: usize,
    /// Maximum number of open connections.
    pub max_connections: usize,
    /// Maximum size of an attached file, in mebibytes, from 1 to 32.
    pub max_file_mb: usize,
    /// Maximum number of packets queued for a slow client before it is disconnected.
    pub client_queue: usize,
    /// Limits of one connection, one person and one address.
    pub limits: Limits,
    /// Maximum number of people in a room for which each join and leave is announced at once.
    ///
    /// In larger rooms they are announced together, twice a second.
    pub presence_limit: usize,
    /// Seconds for which a request waits for the answers of the bots in a session, from 1 to 600.
    pub answer_seconds: u64,
    /// Whether accounts can search messages.
    ///
    /// The index lies in the folder `search` of the data folder, and is deleted when this is off.
    pub search: bool,
    /// Hosts to which outgoing webhooks may send; `*` is every public host, on the ports 80 and 443.
    ///
    /// Hosts in private networks and on this machine are listed by their address: `10.0.0.5:8080`.
    pub webhook_hosts: Vec<String>,
    /// Names that require a token, which has 16 characters or more.
    ///
    /// `${NAME}` is replaced from the environment.
    pub name_tokens: BTreeMap<String, String>,
    /// Names with rights under `permissions`.
    ///
    /// Without a token, only clients on this machine may take them.
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
            answer_seconds: 30,
            search: true,
            webhook_hosts: vec!["*".to_owned()],
            name_tokens: BTreeMap::new(),
            privileged: Vec::new(),
        }
    }
}

impl Config {
    /// Checks what the parser does not.
    ///
    /// # Errors
    /// Names the setting that is out of range.
    pub fn check(&self) -> Result<(), String> {
        let counts = [
            ("client_queue", self.client_queue),
            ("max_rooms", self.max_rooms),
            ("max_connections", self.max_connections),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(format!("rooms: {name} must be at least 1"));
        }
        if self.nickname.trim().is_empty() {
            return Err("rooms: nickname is empty; set the name under which the bots post".to_owned());
        }
        if !(1..=FILE_MB_MAX).contains(&self.max_file_mb) {
            let given = self.max_file_mb;
            return Err(format!("rooms: max_file_mb is {given}; it must be from 1 to {FILE_MB_MAX}"));
        }
        if !(1..=ANSWER_SECONDS_MAX).contains(&self.answer_seconds) {
            let given = self.answer_seconds;
            return Err(format!("rooms: answer_seconds is {given}; it must be from 1 to {ANSWER_SECONDS_MAX}"));
        }
        if self.retention.guest_days == 0 {
            return Err("rooms: retention: guest_days must be at least 1".to_owned());
        }
        if let Err(problem) = Grants::parse(&self.webhook_hosts) {
            return Err(format!("rooms: webhook_hosts: {problem}"));
        }
        self.limits.check().map_err(|problem| format!("rooms: {problem}"))?;
        self.name_tokens.iter().try_for_each(|(name, token)| self.check_name_token(name, token))
    }

    fn check_name_token(&self, name: &str, token: &str) -> Result<(), String> {
        decode::username(name).map_err(|problem| format!("rooms: name_tokens: {name:?}: {problem}"))?;
        if skeleton(name) == skeleton(&self.nickname) {
            return Err(format!("rooms: name_tokens: {name} is the nickname of the bots; remove it"));
        }
        let is_plain = token.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plain || !(NAME_TOKEN_MIN..=TOKEN_MAX).contains(&token.len()) {
            return Err(format!(
                "rooms: name_tokens: the token of {name} must have {NAME_TOKEN_MIN} to {TOKEN_MAX} ASCII characters \
                 and no spaces"
            ));
        }
        Ok(())
    }
}

/// Retention of messages, guests and rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Hours for which messages are kept.
    pub message_hours: u64,
    /// Maximum number of messages kept in a room.
    pub messages_per_room: usize,
    /// Has no effect, and is accepted for older files: a connected person stays in the room.
    pub idle_user_hours: u64,
    /// Hours for which an empty room is kept.
    pub empty_room_hours: u64,
    /// Days for which an unused guest token stays valid.
    pub guest_days: u64,
    /// Rooms that keep all messages; `*` is all rooms.
    pub keep: Vec<String>,
}

/// The values are those of the documents that the service follows.
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
    /// Whether `room` keeps all messages, as private conversations and the sessions of accounts do.
    #[must_use]
    pub fn keeps(&self, room: &str) -> bool {
        let owner = session_of_room(room).and_then(session_owner);
        let is_of_accounts = is_conversation(room) || matches!(owner, Some(SessionOwner::Account(_)));
        is_of_accounts || self.keep.iter().any(|kept| kept == room || kept == "*")
    }
}
