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
mod json;
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
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

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
    /// Goes up with every change; whoever waits looks again then.
    changed: watch::Sender<u64>,
    rules: &'static Rules,
    options: Options,
    /// What went wrong within the stand-in itself.
    broken: Mutex<Option<String>>,
}

impl Shared {
    /// Does something to the world, and wakes all who wait for a change.
    fn change<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let outcome = act(&mut self.lock());
        self.changed.send_modify(|number| *number += 1);
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

    /// A connection has ended; if by a panic, the test hears of it at its next question.
    fn note_end(&self, ended: Result<(), JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
        {
            *self.broken.lock().expect("only a string is kept there") = Some(error.to_string());
            self.changed.send_modify(|number| *number += 1);
        }
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
    /// Starts one with the usual options; none, with a word, where Discord's description is not there. In CI it has to be.
    pub async fn start() -> Option<Self> {
        Self::start_with(Options::default()).await
    }

    /// Starts one; see [`StandIn::start`].
    #[allow(clippy::print_stdout, reason = "whoever runs tests is told that one was skipped")]
    pub async fn start_with(options: Options) -> Option<Self> {
        let Some(rules) = Rules::shared() else {
            let what = "discord-openapi.json is neither in PALABRE_PLATFORMS nor in ../shared/platforms";
            assert!(std::env::var_os("CI").is_none(), "CI must not skip this test ({what})");
            println!("SKIPPED: {what}");
            return None;
        };
        let (rest, gateway) = (listen().await, listen().await);
        let address = |listener: &TcpListener| listener.local_addr().expect("a bound socket has an address");
        let api = format!("http://{}", address(&rest));
        let world = World::new(options.clone(), rules, api.clone(), format!("ws://{}", address(&gateway)));
        let guild = world.village;
        let (world, broken) = (Mutex::new(world), Mutex::new(None));
        let shared = Arc::new(Shared { world, changed: watch::Sender::new(0), rules, options, broken });
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

/// A socket on a free port.
async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port on this machine")
}
