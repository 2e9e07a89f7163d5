//! The state of the stand-in: all objects, and the queue of the bot.

mod chats;
mod commands;
mod files;
mod invites;
mod members;
mod messages;
mod polls;
mod posts;
mod reactions;
pub(super) mod topics;
mod updates;
mod users;

use std::collections::{BTreeMap, HashMap};

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;
use tokio::sync::watch;

use crate::server::faults::Faults;
use crate::server::recording::Recording;

use super::chat::Chat;
use super::commands::Commands;
use super::counters::{Counters, Violation};
use super::faults::Fault;
use super::files::Files;
use super::limits::Pacing;
use super::options::Options;
use super::poll::Ballot;
use super::post::{Action, Post};
use super::query::{CallbackQuery, InlineQuery};
use super::queue::Queue;
use super::rules::Rules;
use super::user::User;
use super::webhook::Webhook;

/// The maximum number of recorded calls.
const CALLS_KEPT_MAX: usize = 10_000;

/// The state, behind one lock.
pub(super) struct State {
    pub(super) options: Options,
    pub(super) rules: &'static Rules,
    pub(super) random: StdRng,
    pub(super) bot: i64,
    pub(super) users: BTreeMap<i64, User>,
    pub(super) names: HashMap<String, i64>,
    pub(super) chats: BTreeMap<i64, Chat>,
    pub(super) files: Files,
    pub(super) queue: Queue,
    pub(super) webhook: Webhook,
    pub(super) commands: Commands,
    /// The bot's name and descriptions by language: `name`, `description`, `short_description`.
    pub(super) profile: BTreeMap<(&'static str, String), String>,
    pub(super) presses: BTreeMap<String, CallbackQuery>,
    pub(super) inline: BTreeMap<String, InlineQuery>,
    pub(super) ballots: BTreeMap<String, Ballot>,
    /// All posts of the bot, in order.
    pub(super) posts: Vec<Post>,
    pub(super) actions: Vec<Action>,
    /// The calls with their parameters, and what was wrong with them.
    pub(super) recording: Recording<(String, Value), Violation>,
    pub(super) last_number: u64,
    pub(super) pacing: Pacing,
    pub(super) faults: Faults<Fault>,
    pub(super) counters: Counters,
    /// Whether the token is refused.
    pub(super) is_revoked: bool,
    /// Incremented when all connections are cut.
    pub(super) cuts: watch::Sender<u64>,
}

impl State {
    /// Returns a state without any users or chats.
    pub(super) fn new(options: Options, rules: &'static Rules) -> Self {
        Self {
            random: StdRng::seed_from_u64(options.seed.wrapping_add(1)),
            rules,
            bot: 0,
            users: BTreeMap::new(),
            names: HashMap::new(),
            chats: BTreeMap::new(),
            files: Files::default(),
            queue: Queue::new(options.seed),
            webhook: Webhook::default(),
            commands: Commands::default(),
            profile: BTreeMap::new(),
            presses: BTreeMap::new(),
            inline: BTreeMap::new(),
            ballots: BTreeMap::new(),
            posts: Vec::new(),
            actions: Vec::new(),
            recording: Recording::new(CALLS_KEPT_MAX),
            last_number: 0,
            pacing: Pacing::default(),
            faults: Faults::new(options.seed),
            counters: Counters::default(),
            is_revoked: false,
            cuts: watch::Sender::new(0),
            options,
        }
    }

    /// Milliseconds of the Unix epoch.
    pub(super) fn now(&self) -> u64 {
        self.options.clock.now()
    }

    /// The current time in seconds of the Unix epoch, as Telegram counts.
    pub(super) fn seconds(&self) -> u64 {
        self.now() / 1_000
    }

    /// Returns an unused number.
    pub(super) fn fresh(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// Returns an unused string of digits, as in ids of queries, polls and albums.
    pub(super) fn fresh_id(&mut self) -> String {
        format!("{}{:06}", 4_382_000_000_u64 + self.options.seed, self.fresh())
    }

    pub(super) fn message(&self, chat: i64, id: i64) -> Option<&Value> {
        self.chats.get(&chat)?.messages.get(&id)
    }

    /// Records a call.
    pub(super) fn record_call(&mut self, method: &str, parameters: &Value) {
        self.recording.record_call((method.to_owned(), parameters.clone()));
    }

    pub(super) fn record_violation(&mut self, method: &str, reason: &str, parameters: &Value) {
        let (method, reason, parameters) = (method.to_owned(), reason.to_owned(), parameters.clone());
        self.recording.violations.push(Violation { method, reason, parameters });
    }
}
