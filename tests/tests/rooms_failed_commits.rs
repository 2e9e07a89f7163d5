//! Messages of bots whose commit is reported as failed, although it has reached the file.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use palabre_engine::{Engine, Options, ScriptSetup};
use palabre_platform::{Adapter, SeededEntropy, SystemClock};
use palabre_rooms::{Config, Rooms};
use palabre_script::Source;
use palabre_store::{Direction, Disk, MemoryDisk, Store, Table};
use palabre_tests::{App, Client, assert_rebuilt};
use palabre_types::{Bot, Limits, TableId};
use serde_json::{Value, json};

/// Failed commits that are tried until one with an answer has reached the file.
///
/// A busy machine may commit the answer after its event.
const ROUNDS_MAX: usize = 30;
const ECHO: &str = "function on_message(event) event.room:send('heard ' .. event.text) end";

/// A disk that has written everything when it reports a sync as failed.
#[derive(Debug, Default)]
struct DoubtfulDisk {
    disk: MemoryDisk,
    fails_next: AtomicBool,
    /// The file at the last failure.
    failed: Mutex<Vec<u8>>,
}

impl Disk for DoubtfulDisk {
    fn size(&self) -> io::Result<u64> {
        self.disk.size()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        if !self.fails_next.swap(false, SeqCst) {
            return self.disk.sync();
        }
        *self.failed.lock().unwrap() = self.disk.content();
        Err(io::ErrorKind::StorageFull.into())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write(offset, data)
    }
}

async fn start(store: &Store) -> (Engine, App) {
    let entropy = || Arc::new(SeededEntropy::new(1));
    let rooms = Rooms::new(store.clone(), Config::default(), Arc::new(SystemClock), entropy());
    let app = App::serve(rooms.router()).await;
    let engine = Engine::start(Options {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        entropy: entropy(),
        bots: vec![(Bot { name: "lobby".into(), platform: "rooms".into() }, Arc::clone(&rooms) as Arc<dyn Adapter>)],
        scripts: vec![ScriptSetup {
            name: "echo".into(),
            source: Ok(Source::from_text("echo", ECHO)),
            limits: Limits::default(),
            config: json!({}),
            grants: Vec::new(),
            bots: None,
        }],
        workers: 1,
        journal_retention: Duration::from_secs(86_400),
        settings: Default::default(),
        operators: Default::default(),
        http: Arc::new(palabre_engine::Web::default()),
    })
    .await
    .unwrap();
    rooms.ready().await;
    (engine, app)
}

/// Returns the messages of bots in the room general.
fn answers(store: &Store) -> Vec<String> {
    const MESSAGES: Table<(String, u64), Value> = Table::new(TableId::RoomMessages);
    let snapshot = store.snapshot(0).unwrap();
    let rows = MESSAGES.scan(&snapshot, &"general".to_owned(), Direction::Forward).unwrap().map(|row| row.unwrap().1);
    let said = rows.filter(|row| row["bot"] == true).map(|row| row["text"].as_str().unwrap().to_owned());
    said.collect()
}

/// Says something, and adds the messages of the bot that are shown to `heard`, up to the answer.
async fn says(client: &mut Client, text: &str, heard: &mut Vec<String>) {
    client.say(text, text).await.unwrap();
    let answer = format!("heard {text}");
    while heard.last() != Some(&answer) {
        let shown = client.wait("new_message").await.unwrap()["message"].as_str().unwrap().to_owned();
        if shown.starts_with("heard ") {
            heard.push(shown);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_bot_whose_commit_failed_and_is_in_the_file_is_shown_once() {
    let disk = Arc::new(DoubtfulDisk::default());
    let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    let (engine, app) = start(&store).await;
    let (mut alice, _) = Client::enter(&app.address, "alice", "general").await.unwrap();
    let (mut heard, mut expected, mut is_found) = (Vec::new(), Vec::new(), false);
    while !is_found {
        assert!(expected.len() < ROUNDS_MAX, "no failed commit had an answer in it");
        let text = format!("round {}", expected.len());
        let answer = format!("heard {text}");
        engine.when_idle().await;
        disk.fails_next.store(true, SeqCst);
        says(&mut alice, &text, &mut heard).await;
        let file = std::mem::take(&mut *disk.failed.lock().unwrap());
        let found = Store::on_disk(Arc::new(MemoryDisk::with_content(file))).unwrap();
        is_found = answers(&found).contains(&answer);
        expected.push(answer);
    }
    // Whatever would have been shown twice comes before this.
    says(&mut alice, "the end", &mut heard).await;
    expected.push("heard the end".to_owned());
    assert_eq!(heard, expected);
    engine.when_idle().await;
    assert_eq!(answers(&store), expected);
    assert_rebuilt(&store.snapshot(0).unwrap());
    engine.shutdown().await;
}
