//! The handle of tests to a running stand-in.

use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;

use crate::platforms;
use crate::server::listener::listen;

use super::faults::Fault;
use super::options::Options;
use super::rules::{self, Rules};
use super::shared::Shared;
use super::state::State;
use super::{api, delivery};

/// A running stand-in. Its sockets close when the last handle to it is dropped.
#[derive(Clone)]
pub struct StandIn {
    pub(super) shared: Arc<Shared>,
    api: Arc<str>,
    _sockets: Arc<JoinSet<()>>,
}

impl std::fmt::Debug for StandIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StandIn").field("api", &self.api).finish_non_exhaustive()
    }
}

impl StandIn {
    /// Starts a stand-in with the default options.
    ///
    /// Prints a note and returns `None` if Telegram's description is missing, which is not allowed
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
        let (listener, address) = listen().await;
        let api = format!("http://{address}");
        let mut state = State::new(options.clone(), rules);
        state.create_defaults();
        let shared = Arc::new(Shared::new(state, rules, options));
        let mut sockets = JoinSet::new();
        sockets.spawn(api::run(listener, Arc::clone(&shared)));
        sockets.spawn(delivery::run(Arc::clone(&shared)));
        Some(Self { shared, api: api.into(), _sockets: Arc::new(sockets) })
    }

    /// `http://127.0.0.1:PORT`; methods are at `/bot<token>/<method>`, files at `/file/bot<token>/<path>`.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// The bot's token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.shared.options.token
    }

    /// The bot's id.
    #[must_use]
    pub fn bot(&self) -> i64 {
        self.shared.lock().bot
    }

    /// Adds an update to the queue without changes, whatever the bot requested.
    ///
    /// It gets an `update_id` unless it has one.
    pub fn raw(&self, update: Value) {
        self.change(|state| state.give_raw(update));
    }

    /// Closes all connections, so that long polls fail.
    pub fn cut(&self) {
        self.shared.lock().cuts.send_modify(|number| *number += 1);
    }

    /// Refuses the token from now on, or accepts it again. Waiting polls are cut.
    pub fn revokes_token(&self, is_revoked: bool) {
        self.change(|state| state.is_revoked = is_revoked);
        self.cut();
    }

    /// Makes this share of calls fail from now on, with all kinds of faults.
    pub fn faults(&self, share: f64) {
        self.faults_of(share, &Fault::ALL);
    }

    /// Makes this share of calls fail from now on, with these kinds of faults.
    pub fn faults_of(&self, share: f64, kinds: &[Fault]) {
        self.change(|state| state.faults.inject(share, kinds));
    }

    /// Makes the next call of a method (`sendMessage`) fail.
    pub fn fault_next(&self, method: &str, fault: Fault) {
        self.change(|state| state.faults.inject_next(method, fault));
    }

    /// Changes the state, and wakes everything that waits for a change.
    pub(super) fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        self.shared.change(act)
    }
}
