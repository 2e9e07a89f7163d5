//! The state of the stand-in: all objects, and the connected sessions.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::server::recording::Recording;
use crate::server::upload::Upload;

use super::counters::{Counters, Violation};
use super::gateway::session::{Identifies, Session};
use super::guild::{Guild, User};
use super::id::Id;
use super::interaction::Interaction;
use super::options::Options;
use super::post::Post;
use super::rest::command_lists::CommandLists;
use super::rest::faults::Faults;
use super::rest::limits::Buckets;
use super::rough::Rough;
use super::rules::Rules;
use super::timestamp::stamp;

/// The maximum number of stored messages per channel.
///
/// Older ones are dropped, so that long tests stay small.
const HISTORY_MAX: usize = 2_000;

/// The maximum number of recorded calls.
const CALLS_KEPT_MAX: usize = 1_000;

/// A recorded call: operation, reason for the audit log, body or null.
pub(super) type Asked = (String, Option<String>, Value);

/// The state, behind one lock.
pub(super) struct State {
    pub(super) options: Options,
    pub(super) random: StdRng,
    pub(super) rough: Rough,
    pub(super) last_id: u64,
    /// `http://127.0.0.1:PORT`, and `ws://…` of the gateway.
    pub(super) api: String,
    pub(super) gateway: String,
    pub(super) bot: Id,
    pub(super) default_guild: Id,
    pub(super) guilds: BTreeMap<Id, Guild>,
    pub(super) channels: BTreeMap<Id, Value>,
    pub(super) users: BTreeMap<Id, User>,
    pub(super) names: HashMap<String, Id>,
    pub(super) messages: HashMap<Id, BTreeMap<Id, Value>>,
    /// Reactions to each message of a channel: emoji and user.
    pub(super) reactions: HashMap<(Id, Id), Vec<(Value, Id)>>,
    pub(super) webhooks: BTreeMap<Id, Value>,
    pub(super) invites: Vec<Value>,
    pub(super) commands: CommandLists,
    pub(super) interactions: BTreeMap<Id, Interaction>,
    /// Files by path, for `/attachments/…`.
    pub(super) files: HashMap<String, Upload>,
    /// All posts of the bot.
    pub(super) posts: Vec<Post>,
    /// The nonces by author and channel, with the message.
    pub(super) nonces: HashMap<(Id, Id, String), Id>,
    pub(super) sessions: BTreeMap<String, Session>,
    pub(super) identifies: Identifies,
    pub(super) buckets: Buckets,
    pub(super) faults: Faults,
    pub(super) counters: Counters,
    pub(super) recording: Recording<Asked, Violation>,
}

impl State {
    pub(super) fn new(options: Options, rules: &Rules, api: String, gateway: String) -> Self {
        let rough = Rough::new(rules, options.seed, options.roughness);
        let mut state = Self {
            random: StdRng::seed_from_u64(options.seed.wrapping_add(1)),
            rough,
            last_id: 0,
            api,
            gateway,
            bot: Id(0),
            default_guild: Id(0),
            guilds: BTreeMap::new(),
            channels: BTreeMap::new(),
            users: BTreeMap::new(),
            names: HashMap::new(),
            messages: HashMap::new(),
            reactions: HashMap::new(),
            webhooks: BTreeMap::new(),
            invites: Vec::new(),
            commands: CommandLists::default(),
            interactions: BTreeMap::new(),
            files: HashMap::new(),
            posts: Vec::new(),
            nonces: HashMap::new(),
            sessions: BTreeMap::new(),
            identifies: Identifies::default(),
            buckets: Buckets::default(),
            faults: Faults::new(options.seed),
            counters: Counters::default(),
            recording: Recording::new(CALLS_KEPT_MAX),
            options,
        };
        state.bot = state.create_user("palabre", true);
        state.create_default_guild();
        state
    }

    /// Milliseconds of the Unix epoch.
    pub(super) fn now(&self) -> u64 {
        self.options.clock.now()
    }

    /// Returns a new id of the current time, above all others.
    pub(super) fn fresh_id(&mut self) -> Id {
        self.last_id = Id::at(self.now()).0.max(self.last_id + 1);
        Id(self.last_id)
    }

    /// The current time in Discord's format.
    pub(super) fn stamp(&self) -> String {
        stamp(self.now())
    }

    /// Returns the guild of a channel; none for a direct channel.
    pub(super) fn guild_of(&self, channel: Id) -> Option<Id> {
        Id::of(self.channels.get(&channel)?, "guild_id")
    }

    pub(super) fn message(&self, channel: Id, message: Id) -> Option<&Value> {
        self.messages.get(&channel)?.get(&message)
    }

    pub(super) fn message_mut(&mut self, channel: Id, message: Id) -> Option<&mut Value> {
        self.messages.get_mut(&channel)?.get_mut(&message)
    }

    /// Adds a message to the history of its channel.
    pub(super) fn keep_message(&mut self, channel: Id, id: Id, message: Value) {
        let history = self.messages.entry(channel).or_default();
        history.insert(id, message);
        if history.len() > HISTORY_MAX {
            history.pop_first();
        }
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel["last_message_id"] = json!(id);
            if channel["message_count"].is_u64() {
                let count = channel["message_count"].as_u64().unwrap_or_default() + 1;
                channel["message_count"] = json!(count);
                channel["total_message_sent"] = json!(count);
            }
        }
    }

    /// Records a post of the bot.
    pub(super) fn record_post(&mut self, channel: Id, message: &Value, body: Value, files: Vec<Upload>) {
        let id = Id::of(message, "id").expect("a message has an id");
        let author = message["author"]["username"].as_str().unwrap_or_default().to_owned();
        self.posts.push(Post { id, channel, at: Instant::now(), body, files, author, message: Value::Null });
    }

    /// Returns a post with the current message.
    pub(super) fn current(&self, post: &Post) -> Post {
        let message = self.message(post.channel, post.id).cloned().unwrap_or_default();
        Post { message, ..post.clone() }
    }

    pub(super) fn user_named(&self, name: &str) -> Option<Id> {
        self.names.get(name).copied()
    }

    /// Returns the direct channel with a user, and creates it if needed.
    pub(super) fn direct_channel(&mut self, user: Id) -> Id {
        let found = self.channels.iter().find(|(_, channel)| {
            channel["type"] == 1
                && channel["recipients"].as_array().is_some_and(|all| Id::of(&all[0], "id") == Some(user))
        });
        if let Some((id, _)) = found {
            return *id;
        }
        let id = self.fresh_id();
        let recipient = self.user_frame(user);
        let channel = json!({ "id": id, "type": 1, "flags": 0, "last_message_id": null, "recipients": [recipient] });
        self.channels.insert(id, channel);
        id
    }
}
