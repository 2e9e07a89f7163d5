//! The one door through which the world outside enters a run, so that it can be recorded and played back.

use std::sync::Arc;

use palabre_fetch::{Reply, Request};
use palabre_model::{
    ActionKey, CommandSpec, ContentLimits, Event, Impact, Member, MessageId, Millis, Permission, RoomId, ScriptName,
    UserId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::effects::MetricChange;
use crate::limits::Limit;
use crate::meter::Meters;

/// What one stretch of a run starts with.
#[derive(Debug, Clone)]
pub struct Input {
    /// What happened.
    pub event: Arc<Event>,
    /// Its sequence number.
    pub seq: u64,
    /// Which stretch of the run this is.
    pub part: u32,
    /// The time, for the whole stretch.
    pub now: Millis,
    /// Where this stretch's random numbers start.
    pub seed: u64,
}

/// A stored value as the door gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The encoded value.
    pub value: Arc<[u8]>,
    /// When it ends.
    pub expires: Option<Millis>,
}

/// What a script may see of the world while it runs. Keys are within the script's own storage.
pub trait Door {
    /// The value of `key`, if it has one at `now`.
    ///
    /// # Errors
    /// A sentence, when the store cannot be read.
    fn get(&self, key: &[u8], now: Millis) -> Result<Option<Stored>, String>;

    /// At most `limit` rows whose key starts with `prefix`, from past `after` on.
    ///
    /// # Errors
    /// A sentence, when the store cannot be read.
    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        backward: bool,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<(Vec<u8>, Stored)>, String>;

    /// How many bytes of keys and values the script has stored.
    fn stored_bytes(&self) -> u64;

    /// How many timers of the script wait.
    fn waiting_timers(&self) -> usize;

    /// Returns the limit that one more action of that bot would go past; moderation has a reserve.
    fn outbox_limit(&self, _bot: &str, _is_moderation: bool) -> Option<Limit> {
        None
    }

    /// How much memory they take with their payloads, in bytes.
    fn timer_bytes(&self) -> u64 {
        0
    }

    /// What `bot:can(what)` says.
    fn can(&self, bot: &str, what: &str) -> bool;

    /// Returns how much a message of a bot may have.
    fn content_limits(&self, _bot: &str) -> ContentLimits {
        ContentLimits::NONE
    }

    /// Returns what a mention in a text says to people, where an event happened.
    fn mentioned(&self, _around: &Event, _mention: &str) -> Option<String> {
        None
    }

    /// Whether bots.yaml grants the script `what`: moderation, rooms, …
    fn is_granted(&self, what: &str) -> bool;

    /// How much whoever the event is of may do.
    fn permission(&self, event: &Event) -> Permission {
        event.member.as_ref().and_then(|member| member.permission).unwrap_or(Permission::Member)
    }

    /// The person of that name or mention where an event happened, as a bot's platform knows them: id and name.
    fn user_named(&self, _bot: &str, _around: &Event, _name: &str) -> Option<(String, String)> {
        None
    }

    /// What a person is where an event happened, if it is known.
    fn member(&self, _around: &Event, _user: &UserId) -> Option<Member> {
        None
    }

    /// Whether somebody may do something of that impact to `target` where an event happened; without an actor it is the script, which
    /// acts by itself.
    ///
    /// # Errors
    /// Why not.
    fn may_act(
        &self,
        _around: &Event,
        _actor: Option<&UserId>,
        _target: &UserId,
        _impact: Impact,
    ) -> Result<(), Denied> {
        Ok(())
    }

    /// The key of the action of this script that has sent the message of that id, if one has.
    fn sent_as(&self, _room: &RoomId, _message: &MessageId) -> Option<ActionKey> {
        None
    }

    /// Whether something of this script's is on its way into that room: a message there may then be its own, and not known as such.
    fn is_sending(&self, _room: &RoomId) -> bool {
        false
    }

    /// The language in which a bot speaks to whom it knows nothing of.
    fn language(&self, _bot: &str) -> Option<String> {
        None
    }

    /// All commands of all scripts, with the script that each belongs to.
    fn commands(&self) -> Arc<Vec<(ScriptName, CommandSpec)>> {
        Arc::default()
    }

    /// How the last runs of one of the script's tasks went, the last one first.
    ///
    /// # Errors
    /// A sentence, when the store cannot be read.
    fn task_runs(&self, _task: &str, _limit: usize, _now: Millis) -> Result<Vec<Value>, String> {
        Ok(Vec::new())
    }

    /// What the script has done in the present minute, for all versions of it.
    fn meters(&self) -> Meters {
        Meters::default()
    }

    /// Makes room for the series of something that the script counts or measures, as one of at most `most` of them.
    ///
    /// # Errors
    /// Why there is none.
    fn reserve_metric(&self, _change: &MetricChange, _most: usize) -> Result<(), String> {
        Ok(())
    }

    /// Calls a function that another script exports. What it does is kept or dropped with the run that `input` began.
    ///
    /// # Errors
    /// Why it cannot be called, or what it raised.
    fn call(&self, script: &str, function: &str, _arguments: &Value, _input: &Input) -> Result<Value, String> {
        Err(format!("{script}.{function} cannot be called here"))
    }

    /// The id that the message of `key` will have in `room`, where that is known beforehand.
    fn message_id(&self, room: &RoomId, key: &ActionKey) -> Option<MessageId>;
}

/// Why somebody may not act on somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The target is the bot.
    #[error("that is the bot itself")]
    TheBot,
    /// The target is who asks for it.
    #[error("nobody does that to themselves")]
    Oneself,
    /// The target may do as much, or more.
    #[error("they stand as high as whoever asks for it, or higher")]
    Level,
    /// The target is a moderator or higher, and nobody asks for it but the script.
    #[error("they are a moderator, on whom a script does not act by itself")]
    Moderator,
    /// The platform ranks the target as high, or higher.
    #[error("they rank as high on the platform as whoever asks for it, or higher")]
    Rank,
    /// The platform ranks the target as high as the bot, or higher.
    #[error("they rank as high on the platform as the bot, or higher")]
    BotRank,
}

/// A world with nothing in it but what is granted: to load a script without running it.
#[derive(Debug, Clone, Default)]
pub struct EmptyDoor(pub Vec<String>);

impl Door for EmptyDoor {
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

/// What a run waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// The time.
    Sleep {
        /// When it goes on.
        until: Millis,
    },
    /// The next message of a person in a room.
    Ask {
        /// Where.
        room: RoomId,
        /// Whose.
        user: UserId,
        /// When it gives up.
        until: Millis,
    },
    /// A person's choice: a button of this action, or a message that says the same as a label.
    Choose {
        /// Where.
        room: RoomId,
        /// Whose.
        user: UserId,
        /// The action that each choice has, and its label.
        choices: Vec<(String, String)>,
        /// When it gives up.
        until: Millis,
    },
    /// An answer over HTTP.
    Http {
        /// What is asked.
        request: Request,
        /// When it gives up.
        until: Millis,
    },
    /// An action of the script's own to be done.
    Delivery {
        /// The action.
        key: ActionKey,
        /// When it gives up.
        until: Millis,
    },
}

impl Wait {
    /// When it is over in any case.
    #[must_use]
    pub const fn until(&self) -> Millis {
        match self {
            Self::Sleep { until }
            | Self::Ask { until, .. }
            | Self::Choose { until, .. }
            | Self::Http { until, .. }
            | Self::Delivery { until, .. } => *until,
        }
    }

    /// The wait as it is written down: what is sent over HTTP may hold secrets, and is not asked again after a restart.
    #[must_use]
    pub fn for_the_record(&self) -> Self {
        match self {
            Self::Http { request, until } => {
                let url = request.url.split(['?', '#']).next().unwrap_or_default().to_owned();
                let request = Request { headers: Vec::new(), body: None, url, ..request.clone() };
                Self::Http { request, until: *until }
            }
            other => other.clone(),
        }
    }

    /// The wait with its end no later than `latest`.
    #[must_use]
    pub fn ending_by(mut self, latest: Millis) -> Self {
        match &mut self {
            Self::Sleep { until }
            | Self::Ask { until, .. }
            | Self::Choose { until, .. }
            | Self::Http { until, .. }
            | Self::Delivery { until, .. } => *until = latest.min(*until),
        }
        self
    }
}

/// What ends a wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Its time was over.
    TimeUp,
    /// What the person said or chose; the id of what an action has made, empty where it makes nothing.
    Text(String),
    /// What came over HTTP.
    Reply(Box<Reply>),
    /// What went wrong.
    Failed(String),
}
