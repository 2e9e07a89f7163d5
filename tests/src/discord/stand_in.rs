//! The handle with which tests start the stand-in and control it.

use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;

use crate::platforms;
use crate::server::listener::listen;

use super::event::Event;
use super::gateway::cut::Cut;
use super::id::Id;
use super::options::Options;
use super::rest::faults::Fault;
use super::rules::{self, Rules};
use super::shared::Shared;
use super::state::State;
use super::{gateway, intents, rest};

/// A running stand-in. Its sockets close when the last handle to it is dropped.
#[derive(Clone)]
pub struct StandIn {
    pub(super) shared: Arc<Shared>,
    /// The default guild.
    pub(super) guild: Id,
    api: Arc<str>,
    _sockets: Arc<JoinSet<()>>,
}

impl std::fmt::Debug for StandIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StandIn").field("api", &self.api).finish_non_exhaustive()
    }
}

impl StandIn {
    /// Refuses this name for webhooks from now on.
    pub fn refuses_name(&self, name: &str) {
        self.shared.change(|state| state.faults.refused_names.push(name.to_owned()));
    }

    /// Refuses the token in all calls from now on, or accepts it again.
    pub fn refuses_token(&self, refuses: bool) {
        self.shared.change(|state| state.faults.refuses_token = refuses);
    }

    /// Answers all calls of an operation with 500 from now on, or stops doing so.
    pub fn breaks(&self, operation: &str, broken: bool) {
        self.shared.change(|state| {
            state.faults.broken.retain(|one| one != operation);
            if broken {
                state.faults.broken.push(operation.to_owned());
            }
        });
    }

    /// Starts a stand-in with the default options.
    ///
    /// Prints a note and returns `None` if Discord's description is missing, which is not allowed
    /// in CI.
    pub async fn start() -> Option<Self> {
        Self::start_with(Options::default()).await
    }

    /// Starts a stand-in; see [`StandIn::start`].
    pub async fn start_with(options: Options) -> Option<Self> {
        let Some(rules) = Rules::shared() else {
            platforms::skip(rules::FILE);
            return None;
        };
        let ((rest, rest_address), (gateway, gateway_address)) = (listen().await, listen().await);
        let api = format!("http://{rest_address}");
        let state = State::new(options.clone(), rules, api.clone(), format!("ws://{gateway_address}"));
        let guild = state.default_guild;
        let shared = Arc::new(Shared::new(state, rules, options));
        let mut sockets = JoinSet::new();
        sockets.spawn(rest::run(rest, Arc::clone(&shared)));
        sockets.spawn(gateway::run(gateway, Arc::clone(&shared)));
        Some(Self { shared, guild, api: api.into(), _sockets: Arc::new(sockets) })
    }

    /// `http://127.0.0.1:PORT`; the REST API is below `/api/v10`.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// The bot's token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.shared.options.token
    }

    /// The bot, which is also its application.
    #[must_use]
    pub fn bot(&self) -> Id {
        self.shared.lock().bot
    }

    /// The same stand-in with another default guild.
    #[must_use]
    pub fn at(&self, guild: Id) -> Self {
        Self { guild, ..self.clone() }
    }

    /// The default guild.
    #[must_use]
    pub fn guild(&self) -> Id {
        self.guild
    }

    /// Sends a dispatch without changes to the sessions that its `guild_id` and intents select.
    pub fn raw(&self, name: &str, data: &Value) {
        self.change(|state| {
            let guild = Id::of(data, "guild_id");
            let event = Event { name: name.to_owned(), guild, data: data.clone(), of_bot: false };
            let (needed, text, frames_max) = (intents::needed(&event), data.to_string(), state.options.session_frames);
            let sessions = state.sessions.values_mut();
            for session in sessions.filter(|one| one.covers(guild) && (needed == 0 || one.intents & needed != 0)) {
                session.push(name, &text, frames_max);
            }
        });
    }

    /// Injects a fault into all current connections. Returns their number.
    pub fn cut(&self, cut: Cut) -> usize {
        self.change(|state| {
            let connected = state.sessions.values_mut().filter(|session| session.is_connected());
            connected.map(|session| session.cut = Some(cut)).count()
        })
    }

    /// Requests a heartbeat from all shards, which must answer at once.
    pub fn asks_for_heartbeat(&self) {
        self.change(|state| state.sessions.values_mut().for_each(|session| session.asked = session.is_connected()));
    }

    /// Makes this share of calls fail from now on, with all kinds of faults.
    pub fn faults(&self, share: f64) {
        self.faults_of(share, &Fault::ALL);
    }

    /// Makes this share of calls fail from now on, with these kinds of faults.
    pub fn faults_of(&self, share: f64, kinds: &[Fault]) {
        self.change(|state| state.faults.injected.inject(share, kinds));
    }

    /// Makes the next call of an operation (`create_message`) fail.
    pub fn fault_next(&self, operation: &str, fault: Fault) {
        self.change(|state| state.faults.injected.inject_next(operation, fault));
    }

    pub(super) fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        self.shared.change(act)
    }
}
