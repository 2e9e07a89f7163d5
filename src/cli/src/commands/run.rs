//! `palabre run`: runs the daemon.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use palabre_engine::{BotState, Engine, Fatal, Options, ScriptState, ScriptWatch, Web};
use palabre_platform::{Clock, Entropy, Shutdown, SystemClock, SystemEntropy};
use palabre_rooms::Rooms;
use palabre_server::{Load, Mount, Setup, raise_file_limit};
use palabre_store::Store;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::platforms::{self, Attached, Context};
use crate::problem::Problem;
use crate::{assemble, output};

/// The time for which health endpoints report a fatal error before the daemon ends.
const FATAL_ERROR_DELAY: Duration = Duration::from_secs(2);
/// The timeout for stopping the engine, longer than the engine waits for what is in flight.
const ENGINE_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);
/// The timeout for closing the store, which writes what is left.
const STORE_CLOSE_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum time to wait at the start for the room service.
const ROOMS_READY_TIMEOUT: Duration = Duration::from_secs(5);

/// The arguments of `palabre run`.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Address to listen on instead of the configured one; port 0 picks a free port.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

pub(crate) async fn run(config: Config, args: Args) -> Result<(), Problem> {
    // Before anything else, so that a signal during the start leads to an orderly shutdown too.
    let mut signals = Signals::listen()?;
    let files = raise_file_limit();
    let address = args.listen.unwrap_or_else(|| config.file.listen.clone());
    let data = config.data();
    let store = open(data).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> =
        Arc::new(SystemEntropy::new().map_err(|error| Problem::Other(format!("cannot get random numbers: {error}")))?);
    let cx = Context { store: &store, clock: &clock, entropy: &entropy };
    let Attached { bots, rooms, webhooks } = platforms::attach(&config, &cx)?;
    let listener = bind(&address).await?;
    let watch = ScriptWatch::begin(&config.scripts_folder());
    let options = Options {
        store: store.clone(),
        clock: Arc::clone(&clock),
        entropy,
        bots,
        scripts: assemble::scripts(&config)?,
        workers: assemble::workers(),
        journal_retention: Duration::from_secs(config.file.journal_days.saturating_mul(86_400)),
        settings: assemble::settings(&config),
        operators: assemble::operators(&config),
        http: Arc::new(Web::default()),
    };
    let prepared = tokio::select! {
        prepared = Engine::prepare(options) => prepared?,
        // It may be waiting for a full disk.
        reason = signals.asked_to_stop() => {
            tracing::info!("{reason} during the start");
            close(store).await;
            return Ok(());
        }
    };
    let engine = Arc::new(prepared.start().await?);
    if let Some(rooms) = &rooms {
        wait_until_ready(rooms).await;
    }
    let settings = assemble::server(&config, &address);
    let local = listener.local_addr().map_or(address, |address| address.to_string());
    announce(&engine, &local, rooms.as_deref());
    let (shutdown_sender, shutdown) = Shutdown::channel();
    let rooms = rooms.map(mounted);
    // Routes of scripts, health and metrics are served without a room service too.
    let (served, access) = (Arc::clone(&engine), assemble::access(&config));
    let of_server = store.clone();
    let setup = Setup { engine: served, store: of_server, clock, access, settings, files, webhooks, rooms };
    let serving = palabre_server::serve(listener, setup, shutdown.clone());
    let watching = reload_on_save(&config, &engine, watch, shutdown.clone());
    let stopping = async {
        let fatal = stop_requested(signals, &engine).await;
        shutdown_sender.send_replace(true);
        fatal
    };
    let ((), (), fatal) = tokio::join!(serving, watching, stopping);
    if tokio::time::timeout(ENGINE_SHUTDOWN_TIMEOUT, engine.shutdown()).await.is_err() {
        tracing::error!("the engine did not stop in time; acknowledged events are safe");
    }
    close(store.clone()).await;
    match fatal {
        None => store.damage().map_or(Ok(()), |damage| Err(Problem::Damaged(damage))),
        Some(Fatal::Thread(name)) => Err(Problem::ThreadDied(name)),
        Some(Fatal::Store(damage)) => Err(Problem::Damaged(damage)),
    }
}

/// Opens the store, which may repair or upgrade the file.
///
/// This is done on a thread of its own, so that the memory it needs is released afterwards.
async fn open(data: PathBuf) -> Result<Store, Problem> {
    let (sender, opened) = tokio::sync::oneshot::channel();
    let work = move || drop(sender.send(Store::open(&data)));
    let thread = std::thread::Builder::new().name("store-open".to_owned()).spawn(work);
    thread.map_err(|error| Problem::Other(format!("cannot start a thread: {error}")))?;
    opened.await.map_err(|_gone| Problem::ThreadDied("store-open".to_owned()))?.map_err(Problem::from)
}

/// Closes the store, even if there are other handles to it.
///
/// After that, the next start need not repair it.
async fn close(store: Store) {
    let closing = tokio::task::spawn_blocking(move || store.close());
    match tokio::time::timeout(STORE_CLOSE_TIMEOUT, closing).await {
        Ok(Ok(())) => tracing::info!("the store is closed"),
        Ok(Err(_)) | Err(_) => {
            tracing::error!(
                "the store was not closed cleanly; acknowledged events are safe, and the next start repairs it"
            );
        }
    }
}

async fn bind(address: &str) -> Result<TcpListener, Problem> {
    TcpListener::bind(address).await.map_err(|cause| Problem::Listen { address: address.to_owned(), cause })
}

/// Waits for the room service, so that clients can join as soon as the page is announced.
async fn wait_until_ready(rooms: &Rooms) {
    if tokio::time::timeout(ROOMS_READY_TIMEOUT, rooms.ready()).await.is_err() {
        tracing::warn!("the room service is not ready yet");
    }
}

/// Returns the routes of the room service, and its number of connections.
fn mounted(rooms: Arc<Rooms>) -> (Mount, Load) {
    let mount = Mount { router: rooms.router(), endpoints: palabre_rooms::ENDPOINTS.to_vec() };
    (mount, Arc::new(move || rooms.load()))
}

/// Reloads scripts when they are saved, until shutdown.
async fn reload_on_save(config: &Config, engine: &Engine, watch: Result<ScriptWatch, String>, shutdown: Shutdown) {
    let setup = |name: &_, source| assemble::setup(config, name, source);
    match watch {
        Ok(watch) => watch.run(engine, setup, shutdown).await,
        Err(problem) => tracing::error!("scripts are not reloaded on save: {problem}"),
    }
}

/// Returns when the daemon should stop, with the fatal error if that is the reason.
async fn stop_requested(mut signals: Signals, engine: &Engine) -> Option<Fatal> {
    let fatal = tokio::select! {
        reason = signals.asked_to_stop() => {
            tracing::info!("{reason}: shutting down");
            return None;
        }
        fatal = engine.died() => fatal,
    };
    tracing::error!("fatal error, shutting down: {fatal:?}");
    // Gives monitoring a chance to read the reason from the health endpoint.
    tokio::time::sleep(FATAL_ERROR_DELAY).await;
    Some(fatal)
}

/// Prints the address of the page, and the state of bots and scripts.
fn announce(engine: &Engine, address: &str, rooms: Option<&Rooms>) {
    let status = engine.status();
    output::line(&format!("Palabre {}", env!("CARGO_PKG_VERSION")));
    if let Some(rooms) = rooms {
        output::line(&format!("  page     http://{address}"));
        if let Some(path) = rooms.owner_path() {
            output::line(&format!("  owner    nobody yet; register here, once: http://{address}{path}"));
        }
    } else {
        output::line(&format!(
            "  serves   http://{address} (no page: there is no bot with `platform: rooms` in bots.yaml)"
        ));
    }
    for bot in &status.bots {
        let state = match &bot.state {
            BotState::Starting => "connecting".to_owned(),
            BotState::Up => "up".to_owned(),
            BotState::Down(reason) => format!("down: {reason}"),
            BotState::Refused(reason) => format!("refused: {reason}"),
        };
        output::line(&format!("  bot      {} ({}): {state}", bot.name, bot.platform));
    }
    for script in &status.scripts {
        let what = match (script.state, &script.last_error) {
            (ScriptState::Up, _) if script.hooks.is_empty() && script.declares.is_empty() => {
                "up, without hooks".to_owned()
            }
            (ScriptState::Up, _) => {
                let hooks = script.hooks.iter().map(|hook| (*hook).to_owned());
                hooks.chain(script.declares.iter().cloned()).collect::<Vec<_>>().join(", ")
            }
            (_, Some(error)) => format!("NOT LOADED: {error}"),
            (_, None) => "NOT LOADED".to_owned(),
        };
        output::line(&format!("  script   {}: {what}", script.name));
    }
    if status.scripts.is_empty() {
        output::line("  script   none yet");
    }
    output::line("Stop with Ctrl-C. Scripts are reloaded when you save them.");
}

/// The signals that request shutdown. They are caught from the creation of this value on.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> Result<Self, Problem> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let failed = |error: std::io::Error| Problem::Other(format!("cannot listen for signals: {error}"));
            let terminate = signal(SignalKind::terminate()).map_err(failed)?;
            let interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
            Ok(Self { terminate, interrupt })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    async fn asked_to_stop(&mut self) -> &'static str {
        #[cfg(unix)]
        {
            tokio::select! {
                _ = self.interrupt.recv() => "interrupted",
                _ = self.terminate.recv() => "terminated",
            }
        }
        #[cfg(not(unix))]
        {
            // Without a handler, the process runs until it is killed, which loses nothing either.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            "interrupted"
        }
    }
}
