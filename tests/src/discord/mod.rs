//! A stand-in for Discord: a gateway over real websockets and a REST side over real HTTP, with the rules that Discord
//! publishes and documents. What works with it works with Discord; what Discord would refuse it refuses and remembers.
//!
//! It begins with one guild, *Village*: the channels `general` and `random`, `voice`, the forum `ideas`; the roles
//! Moderator, Admin and Palabre (the bot's); the owner olivia, alice and bob. Wherever a channel is named, `@alice` is
//! the bot's direct channel with alice, and an id will do as well.

mod counters;
mod files;
mod frames;
mod gateway;
mod guild;
mod id;
mod intents;
mod interaction;
mod mention;
mod message;
mod options;
mod people;
mod permissions;
mod post;
mod rest;
mod rough;
mod rules;
mod watching;
mod world;

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::changes::Changes;
use crate::platforms::{self, listen};

use rules::Rules;
use world::World;

pub use counters::{Counters, Violation};
pub use files::Upload;
pub use gateway::Cut;
pub use id::Id;
pub use intents::{MESSAGE_CONTENT, PRIVILEGED};
pub use options::Options;
pub use permissions::Permission;
pub use post::Post;
pub use rest::{Fault, Limit, Limits};

/// What the sockets and the tests share.
struct Shared {
    world: Mutex<World>,
    changes: Changes,
    rules: &'static Rules,
    options: Options,
}

impl Shared {
    /// Does something to the world, and wakes all who wait for a change.
    fn change<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let outcome = act(&mut self.lock());
        self.changes.wake();
        outcome
    }

    /// Does something that nobody waits for.
    fn change_silently<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        // A test that asked for something impossible panicked; the world is as it was.
        self.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A running stand-in. Its sockets close when the last handle to it is dropped.
#[derive(Clone)]
pub struct StandIn {
    shared: Arc<Shared>,
    /// The guild that is meant where none is named.
    guild: Id,
    api: Arc<str>,
    _sockets: Arc<JoinSet<()>>,
}

impl std::fmt::Debug for StandIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StandIn").field("api", &self.api).finish_non_exhaustive()
    }
}

impl StandIn {
    /// From now on no webhook may speak under this name.
    pub fn refuses_name(&self, name: &str) {
        self.shared.change(|world| world.faults.refused_names.push(name.to_owned()));
    }

    /// From now on no call is taken with the token, or they are again.
    pub fn refuses_token(&self, refuses: bool) {
        self.shared.change(|world| world.faults.refuses_token = refuses);
    }

    /// From now on all calls of an operation are answered with 500, or none is by this any more.
    pub fn breaks(&self, operation: &str, broken: bool) {
        self.shared.change(|world| {
            world.faults.broken.retain(|one| one != operation);
            if broken {
                world.faults.broken.push(operation.to_owned());
            }
        });
    }

    /// Starts one with the usual options; none, with a word, where Discord's description is not there. In CI it has to be.
    pub async fn start() -> Option<Self> {
        Self::start_with(Options::default()).await
    }

    /// Starts one; see [`StandIn::start`].
    pub async fn start_with(options: Options) -> Option<Self> {
        let Some(rules) = Rules::shared() else {
            platforms::skip(rules::FILE);
            return None;
        };
        let (rest, gateway) = (listen().await, listen().await);
        let address = |listener: &TcpListener| listener.local_addr().expect("a bound socket has an address");
        let api = format!("http://{}", address(&rest));
        let world = World::new(options.clone(), rules, api.clone(), format!("ws://{}", address(&gateway)));
        let guild = world.village;
        let (world, changes) = (Mutex::new(world), Changes::default());
        let shared = Arc::new(Shared { world, changes, rules, options });
        let mut sockets = JoinSet::new();
        sockets.spawn(rest::run(rest, Arc::clone(&shared)));
        sockets.spawn(gateway::run(gateway, Arc::clone(&shared)));
        Some(Self { shared, guild, api: api.into(), _sockets: Arc::new(sockets) })
    }

    /// `http://127.0.0.1:PORT`; REST is below `/api/v10`.
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

    /// The same stand-in, with another guild meant where none is named.
    #[must_use]
    pub fn at(&self, guild: Id) -> Self {
        Self { guild, ..self.clone() }
    }

    /// The guild that is meant where none is named.
    #[must_use]
    pub fn guild(&self) -> Id {
        self.guild
    }

    /// Sends a dispatch as it stands, to whom it concerns by its `guild_id` and its intents.
    pub fn raw(&self, name: &str, data: &Value) {
        self.change(|world| {
            let guild = Id::of(data, "guild_id");
            let event = world::Event { name: name.to_owned(), guild, data: data.clone(), of_bot: false };
            let (needed, text, most) = (intents::needed(&event), data.to_string(), world.options.session_frames);
            let sessions = world.sessions.values_mut();
            for session in sessions.filter(|one| one.covers(guild) && (needed == 0 || one.intents & needed != 0)) {
                session.push(name, &text, most);
            }
        });
    }

    /// Something goes wrong with the connections of all shards that are there now. Returns how many that are.
    pub fn cut(&self, cut: Cut) -> usize {
        self.change(|world| {
            let connected = world.sessions.values_mut().filter(|session| session.is_connected());
            connected.map(|session| session.cut = Some(cut)).count()
        })
    }

    /// Discord asks all shards for a heartbeat; each has to answer at once.
    pub fn asks_for_heartbeat(&self) {
        self.change(|world| world.sessions.values_mut().for_each(|session| session.asked = session.is_connected()));
    }

    /// From now on this share of calls goes wrong, in all ways.
    pub fn faults(&self, share: f64) {
        self.faults_of(share, &Fault::ALL);
    }

    /// From now on this share of calls goes wrong, in these ways.
    pub fn faults_of(&self, share: f64, kinds: &[Fault]) {
        self.change(|world| (world.faults.share, world.faults.kinds) = (share, kinds.to_vec()));
    }

    /// The next call of an operation (`create_message`) goes wrong.
    pub fn fault_next(&self, operation: &str, fault: Fault) {
        self.change(|world| world.faults.next.push((operation.to_owned(), fault)));
    }

    fn change<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.shared.change(act)
    }
}
