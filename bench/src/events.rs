//! Measures events per second through journal, hook, commit and outbox, all durable.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use palabre_engine::{Engine, Options, ScriptSetup};
use palabre_platform::*;
use palabre_script::Source;
use palabre_store::Store;
use palabre_types::*;
use tokio::sync::watch;

use crate::hook::SCRIPT;
use crate::report::{Report, thousands};

/// The most events that are not durable yet.
const UNCONFIRMED_MAX: usize = 40_000;
const ROOMS: usize = 100;

/// A platform without costs, which counts the actions.
struct Counting {
    capabilities: Capabilities,
    context: watch::Sender<Option<AdapterContext>>,
    said: AtomicU64,
}

impl Counting {
    fn new() -> Self {
        let capabilities = Capabilities {
            actions: ActionKind::ALL.to_vec(),
            buttons: false,
            personas: false,
            polls: false,
            direct_messages: true,
            text_max: 4_000,
            max_file: 10 << 20,
        };
        Self { capabilities, context: watch::Sender::new(None), said: AtomicU64::new(0) }
    }
}

#[async_trait]
impl Adapter for Counting {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn run(self: Arc<Self>, context: AdapterContext) -> Result<(), AdapterError> {
        let mut shutdown = context.shutdown.clone();
        self.context.send_replace(Some(context));
        shutdown.requested().await;
        Ok(())
    }

    async fn perform(&self, _: &Action, _: &ActionKey) -> Result<Outcome, ActionError> {
        self.said.fetch_add(1, Relaxed);
        Ok(Outcome::default())
    }

    fn message_id(&self, key: &ActionKey) -> Option<MessageId> {
        Some(key.to_string().into())
    }
}

pub(crate) fn durable(report: &mut Report, bare: f64) {
    let only = std::env::var("EVENTS").is_ok();
    for (users, scripts, count) in [(10_000, 1, 1_000_000), (10_000, 2, 500_000), (1_000_000, 1, 500_000)] {
        if only && (users, scripts) != (10_000, 1) {
            continue;
        }
        let rate = run(users, scripts, count);
        report.row(
            &format!("durable events, {} users, {scripts} script(s)", thousands(users as f64)),
            format!("{} events/s", thousands(rate)),
            format!("{:.0} % of the bare hook; target 200,000", 100.0 * rate / bare),
        );
    }
}

/// Returns the events per second that an engine with `scripts` scripts makes durable and answers.
fn run(users: usize, scripts: usize, count: usize) -> f64 {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let platform = Arc::new(Counting::new());
        let bot = Bot { name: "sim".into(), platform: "sim".into() };
        let engine = start(&store, &bot, &platform, scripts).await;
        let mut context = platform.context.subscribe();
        let context = context.wait_for(Option::is_some).await.expect("a context").clone().expect("a context");
        let (rooms, people) = (rooms(&bot), people(&bot, users));
        let began = Instant::now();
        send(&context, messages(&bot, &rooms, &people, count)).await;
        engine.when_idle().await;
        let took = began.elapsed();
        let said = platform.said.load(Relaxed);
        assert_eq!(said, (count * scripts) as u64, "every event is answered once by each script");
        engine.shutdown().await;
        count as f64 / took.as_secs_f64()
    })
}

/// Starts an engine whose scripts all answer every message.
async fn start(store: &Store, bot: &Bot, platform: &Arc<Counting>, scripts: usize) -> Engine {
    let limits =
        Limits { actions_per_minute: u32::MAX, storage_mb: 4_096, write_mb_per_minute: u32::MAX, ..Limits::default() };
    let setup = |number: usize| {
        let name = format!("counter{number}");
        ScriptSetup {
            source: Ok(Source::from_text(&name, SCRIPT)),
            name: name.into(),
            limits: limits.clone(),
            config: serde_json::json!({}),
            grants: Vec::new(),
            bots: None,
        }
    };
    let options = Options {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SeededEntropy::new(1)),
        bots: vec![(bot.clone(), Arc::clone(platform) as Arc<dyn Adapter>)],
        scripts: (0..scripts).map(setup).collect(),
        workers: 2,
        journal_retention: Duration::from_secs(86_400),
        settings: Default::default(),
        operators: Default::default(),
        http: std::sync::Arc::new(palabre_engine::Web::default()),
    };
    Engine::start(options).await.expect("an engine")
}

fn rooms(bot: &Bot) -> Vec<Arc<Room>> {
    let room = |number: usize| {
        let name = format!("room{number}");
        Arc::new(Room::channel(RoomId::new(&bot.name, &name), &name))
    };
    (0..ROOMS).map(room).collect()
}

fn people(bot: &Bot, users: usize) -> Vec<Arc<User>> {
    let user = |number: usize| {
        let name = format!("user{number}");
        Arc::new(User { id: UserId::new(&bot.name, &name), name, bot: false, locale: None, picture: None })
    };
    (0..users).map(user).collect()
}

/// Returns messages in all rooms by all users.
fn messages<'a>(
    bot: &'a Bot,
    rooms: &'a [Arc<Room>],
    people: &'a [Arc<User>],
    count: usize,
) -> impl Iterator<Item = Event> + 'a {
    // A stride that is coprime to the number of users, so that successive events do not touch
    // adjacent rows.
    let mut who = 0;
    (0..count).map(move |number| {
        who = (who + 7_919) % people.len();
        let message = Message {
            id: format!("m{number}").into(),
            author: Some(people[number % people.len()].id.clone()),
            time: 0,
            content: Content::text("hello there"),
            reply_to: None,
        };
        Event {
            time: 0,
            bot: bot.clone(),
            space: None,
            room: Some(Arc::clone(&rooms[number % rooms.len()])),
            user: Some(Arc::clone(&people[who])),
            member: None,
            kind: EventKind::Message { message },
        }
    })
}

/// Sends events, of which a limited number is not durable yet, and waits until all are.
async fn send(context: &AdapterContext, events: impl Iterator<Item = Event>) {
    let mut waiting: VecDeque<Receipt> = VecDeque::with_capacity(UNCONFIRMED_MAX);
    for event in events {
        if waiting.len() >= UNCONFIRMED_MAX
            && let Some(receipt) = waiting.pop_front()
        {
            receipt.await.expect("a receipt");
        }
        waiting.push_back(context.sink.emit(event, Batch::default()));
    }
    for receipt in waiting {
        receipt.await.expect("a receipt");
    }
}
