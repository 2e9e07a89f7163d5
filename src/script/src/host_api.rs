//! The host interface, through which everything outside the VM enters a run.
//!
//! It is the only way in, so that a run can be recorded and replayed.

use std::sync::Arc;

use bytes::Bytes;
use palabre_types::{
    ActionKey, CommandSpec, Content, Denied, Event, Impact, Member, MessageId, MetricChange, Millis, Permission,
    RoomId, RunId, ScriptName, UserId,
};
use serde_json::Value;

use crate::limits::Limit;
use crate::meter::Meters;

/// The input of one step of a run.
#[derive(Debug, Clone)]
pub struct Input {
    /// The event.
    pub event: Arc<Event>,
    /// The identity of the step.
    pub run: RunId,
    /// The time, constant during the step.
    pub now: Millis,
    /// The seed of the step's random numbers.
    pub seed: u64,
}

/// A stored value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The encoded value.
    pub value: Bytes,
    /// The expiry time.
    pub expires: Option<Millis>,
}

/// The host functions that a script can reach while it runs.
///
/// Keys are relative to the script's own storage.
pub trait HostApi {
    /// Returns the value of `key`, if there is one at `now`.
    ///
    /// # Errors
    /// Returns an error text if the store cannot be read.
    fn get(&self, key: &[u8], now: Millis) -> Result<Option<Stored>, String>;

    /// Returns at most `limit` rows whose key starts with `prefix`, after the key `after`.
    ///
    /// # Errors
    /// Returns an error text if the store cannot be read.
    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        backward: bool,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<(Vec<u8>, Stored)>, String>;

    /// Returns the size of the script's stored keys and values, in bytes.
    fn stored_bytes(&self) -> u64;

    /// Returns the number of the script's pending timers.
    fn waiting_timers(&self) -> usize;

    /// Returns the limit that one more action of this bot would exceed.
    ///
    /// Part of the outbox is reserved for moderation.
    fn outbox_limit(&self, _bot: &str, _is_moderation: bool) -> Option<Limit> {
        None
    }

    /// Returns the memory that pending timers take with their payloads, in bytes.
    fn timer_bytes(&self) -> u64 {
        0
    }

    /// Whether the bot's platform supports a feature, as `bot:can(what)` returns it.
    fn can(&self, bot: &str, what: &str) -> bool;

    /// Checks the content of a message against the limits of the bot's platform.
    ///
    /// # Errors
    /// Returns the limit that it exceeds.
    fn check_content(&self, _bot: &str, _content: &Content) -> Result<(), String> {
        Ok(())
    }

    /// Returns the name behind a mention in a text, in the context of an event.
    fn mentioned(&self, _context: &Event, _mention: &str) -> Option<String> {
        None
    }

    /// Whether bots.yaml grants the script `what`: moderation, rooms, …
    fn is_granted(&self, what: &str) -> bool;

    /// Returns the permission level of the event's user: the platform's, or a higher one from bots.yaml.
    fn permission(&self, event: &Event) -> Permission {
        event.member.as_ref().and_then(|member| member.permission).unwrap_or(Permission::Member)
    }

    /// Returns the id and name of a user by name or mention, in the context of an event.
    ///
    /// The bot's platform decides which name belongs to whom.
    fn user_named(&self, _bot: &str, _context: &Event, _name: &str) -> Option<(String, String)> {
        None
    }

    /// Returns a user's membership in the event's space, if known.
    fn member(&self, _context: &Event, _user: &UserId) -> Option<Member> {
        None
    }

    /// Checks whether `actor` may do something with this impact to `target` in the event's room.
    ///
    /// Without an actor the script acts on its own.
    ///
    /// # Errors
    /// Returns the reason why not.
    fn may_act(
        &self,
        _context: &Event,
        _actor: Option<&UserId>,
        _target: &UserId,
        _impact: Impact,
    ) -> Result<(), Denied> {
        Ok(())
    }

    /// Returns the key of the action by which this script sent a message, if it did.
    fn sent_as(&self, _room: &RoomId, _message: &MessageId) -> Option<ActionKey> {
        None
    }

    /// Whether the script has messages in flight to a room.
    ///
    /// A message there may then be its own without being recorded as such yet.
    fn is_sending(&self, _room: &RoomId) -> bool {
        false
    }

    /// Returns whether the run has answered its event's user in an earlier step; the VM knows it by itself.
    ///
    /// It passes through here so that it is recorded: a VM that executes the step again does not know it.
    fn has_answered(&self, is_known: bool) -> bool {
        is_known
    }

    /// Returns the default language of a bot.
    fn language(&self, _bot: &str) -> Option<String> {
        None
    }

    /// Returns the commands of all scripts, each with its script.
    fn commands(&self) -> Arc<Vec<(ScriptName, CommandSpec)>> {
        Arc::default()
    }

    /// Returns the latest runs of one of the script's tasks, the last one first.
    ///
    /// # Errors
    /// Returns an error text if the store cannot be read.
    fn task_runs(&self, _task: &str, _limit: usize, _now: Millis) -> Result<Vec<Value>, String> {
        Ok(Vec::new())
    }

    /// Returns what the script has used in the current minute, across all its versions.
    fn meters(&self) -> Meters {
        Meters::default()
    }

    /// Reserves a metric series for the script, which may have at most `_series_max`.
    ///
    /// # Errors
    /// Returns the reason if there is no room for another series.
    fn reserve_metric(&self, _change: &MetricChange, _series_max: usize) -> Result<(), String> {
        Ok(())
    }

    /// Calls a function that another script exports, within the run that `input` began.
    ///
    /// Its effects are committed or dropped with that run.
    ///
    /// # Errors
    /// Returns the reason why it cannot be called, or the error that it raised.
    fn call(&self, script: &str, function: &str, _arguments: &Value, _input: &Input) -> Result<Value, String> {
        Err(format!("{script}.{function} cannot be called here"))
    }

    /// Returns the id that the message of `key` will have in `room`, if it is known before delivery.
    fn message_id(&self, room: &RoomId, key: &ActionKey) -> Option<MessageId>;
}

/// A host without data, with these grants: to load a script without running it.
#[derive(Debug, Clone, Default)]
pub struct EmptyHost(pub Vec<String>);

impl HostApi for EmptyHost {
    fn get(&self, _: &[u8], _: Millis) -> Result<Option<Stored>, String> {
        Ok(None)
    }

    fn scan(&self, _: &[u8], _: Option<&[u8]>, _: bool, _: usize, _: Millis) -> Result<Vec<(Vec<u8>, Stored)>, String> {
        Ok(Vec::new())
    }

    fn stored_bytes(&self) -> u64 {
        0
    }

    fn waiting_timers(&self) -> usize {
        0
    }

    fn can(&self, _: &str, _: &str) -> bool {
        false
    }

    fn is_granted(&self, what: &str) -> bool {
        self.0.iter().any(|grant| grant == what)
    }

    fn message_id(&self, _: &RoomId, _: &ActionKey) -> Option<MessageId> {
        None
    }
}
