//! Supervision of adapters, reload on save, and scans of stored values.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use palabre_engine::{BotState, Engine, Options, ScriptState, ScriptWatch};
use palabre_platform::*;
use palabre_sim::Sim;
use palabre_store::Store;
use palabre_types::*;
use support::*;

/// An adapter whose runs end in a fixed sequence.
struct Frail {
    runs: AtomicUsize,
    capabilities: Capabilities,
}

#[async_trait::async_trait]
impl Adapter for Frail {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn run(self: Arc<Self>, mut context: AdapterContext) -> Result<(), AdapterError> {
        match self.runs.fetch_add(1, SeqCst) {
            0 => panic!("a bug"),
            1 => Err(AdapterError::Lost("the cable is out".into())),
            2 => Ok(()),
            3 => Err(AdapterError::Refused("the token was refused".into())),
            _ => {
                context.shutdown.requested().await;
                Ok(())
            }
        }
    }

    async fn perform(&self, action: &Action, _: &ActionKey) -> Result<Outcome, ActionError> {
        panic!("a bug in {}", action.kind())
    }

    fn message_id(&self, _: &ActionKey) -> Option<MessageId> {
        None
    }
}

fn options(store: Store, clock: &VirtualClock, bots: Vec<(Bot, Arc<dyn Adapter>)>) -> Options {
    Options {
        store,
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SeededEntropy::new(3)),
        bots,
        scripts: Vec::new(),
        workers: 1,
        journal_retention: Duration::from_secs(86_400),
        settings: Default::default(),
        operators: Default::default(),
        http: Arc::new(palabre_engine::Web::default()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_that_fails_is_started_again_slowly_when_refused_and_takes_nobody_down() {
    let (clock, sim) = (VirtualClock::new(1_000_000), Sim::new("sim"));
    let frail = Arc::new(Frail {
        runs: AtomicUsize::new(0),
        capabilities: Capabilities {
            actions: Vec::new(),
            buttons: false,
            personas: false,
            polls: false,
            direct_messages: false,
            text_max: 1,
            max_file: 1,
        },
    });
    let bot = Bot { name: "frail".into(), platform: "frail".into() };
    let bots: Vec<(Bot, Arc<dyn Adapter>)> =
        vec![(bot, Arc::clone(&frail) as Arc<dyn Adapter>), (sim.bot(), Arc::clone(&sim) as Arc<dyn Adapter>)];
    let mut options = options(Store::in_memory().unwrap(), &clock, bots);
    let text = r#"function on_lost(event) rooms.get("sim/log"):send(event.bot.name .. " lost: " .. event.reason) end
        function on_message(event) rooms.get("frail/x"):send("never heard") event:reply("fine") end
        function on_error(event) rooms.get("sim/log"):send(event.error.message) end"#;
    options.scripts = vec![script("watch", text)];
    let engine = Engine::start(options).await.unwrap();
    for _ in 0..4_000 {
        if engine.status().bots[0].state == BotState::Refused("the token was refused".into()) {
            break;
        }
        clock.advance(Duration::from_secs(1));
        // Real time for the supervisor, which tells nobody that it waits for the clock.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(engine.status().bots[0].state, BotState::Refused("the token was refused".into()));
    assert_eq!(engine.status().bots[1].state, BotState::Up);
    engine.when_idle().await;
    let log = sim.transcript().texts("log").join("\n");
    for reason in ["this is a bug in Palabre", "the cable is out", "its adapter ended", "the token was refused"] {
        assert!(log.contains(reason), "{reason} is not in {log}");
    }

    sim.person("alice", "general").says("x").await.unwrap();
    for _ in 0..4_000 {
        if sim.transcript().texts("log").iter().any(|line| line.contains("the adapter failed")) {
            break;
        }
        clock.advance(Duration::from_secs(1));
        // Real time for the breaker and the retries of the frail bot.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(sim.transcript().texts("general").contains(&"fine"), "its panic affects no other bot");
    assert!(sim.transcript().texts("log").iter().any(|line| line.contains("the adapter failed")));
    engine.shutdown().await;
}

fn save(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// Waits in real time, since the file watcher does not use the virtual clock.
async fn soon(what: &str, done: impl AsyncFn() -> bool) {
    for _ in 0..500 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never happened: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_takes_over_what_is_new_is_loaded_and_what_is_gone_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("game")).unwrap();
    let (clock, sim) = (VirtualClock::new(1_000_000), Sim::new("sim"));
    let bots: Vec<(Bot, Arc<dyn Adapter>)> = vec![(sim.bot(), Arc::clone(&sim) as Arc<dyn Adapter>)];
    let engine = Engine::start(options(Store::in_memory().unwrap(), &clock, bots)).await.unwrap();
    let (stop, shutdown) = Shutdown::channel();
    let setup = |name: &ScriptName, source| {
        (name.as_str() != "disabled").then(|| palabre_engine::ScriptSetup { source, ..script(name.as_str(), "") })
    };
    let watch = ScriptWatch::begin(folder).unwrap();
    save(folder, "early.luau", "function on_connect() end");
    let watching = watch.run(&engine, setup, shutdown);
    let alice = sim.person("alice", "general");
    let answers = async || {
        let before = sim.transcript().lines().len();
        alice.says("x").await.unwrap();
        engine.when_idle().await;
        let transcript = sim.transcript();
        let mut texts: Vec<_> = transcript.lines()[before + 1..].iter().map(|line| line.text.clone()).collect();
        texts.sort();
        texts
    };
    let says = |text: &str| format!("function on_message(event) event:reply('{text}') end");
    let editing = async {
        let is_loaded = async || engine.status().scripts.iter().any(|script| script.name.as_str() == "early");
        soon("what was saved before anybody looked", is_loaded).await;
        save(folder, "one.luau", &says("one"));
        soon("a new file", async || answers().await == ["one"]).await;
        save(folder, "disabled.luau", &says("never"));
        save(folder, "one.luau", &says("two"));
        soon("an edit", async || answers().await == ["two"]).await;
        save(folder, "one.luau", "function on_message(");
        let broken = async || engine.status().scripts.iter().any(|script| script.last_error.is_some());
        soon("a broken edit", broken).await;
        assert_eq!(answers().await, ["two"], "the old version stays");
        save(folder, "game/words.luau", "return 'three'");
        save(
            folder,
            "game/init.luau",
            "local word = require('./words') function on_message(event) event:reply(word) end",
        );
        soon("a folder", async || answers().await == ["three", "two"]).await;
        save(folder, "game/words.luau", "return 'four'");
        soon("a module", async || answers().await == ["four", "two"]).await;
        std::fs::remove_file(folder.join("one.luau")).unwrap();
        soon("a removal", async || answers().await == ["four"]).await;
        assert!(engine.status().scripts.iter().any(|script| script.state == ScriptState::Broken));
        save(folder, "one.luau", &says("back"));
        soon("a return", async || answers().await == ["back", "four"]).await;
        stop.send_replace(true);
    };
    tokio::join!(watching, editing);
    engine.shutdown().await;
}

/// Checks that bots answer with the new scripts after `swap`.
///
/// `swap` receives the folder that holds everything; `scripts` names the folder of the scripts in
/// it.
#[cfg(unix)]
async fn swapped(prepare: impl FnOnce(&Path), scripts: &str, swap: impl FnOnce(&Path)) {
    let root = tempfile::tempdir().unwrap();
    prepare(root.path());
    let (clock, sim) = (VirtualClock::new(1_000_000), Sim::new("sim"));
    let bots: Vec<(Bot, Arc<dyn Adapter>)> = vec![(sim.bot(), Arc::clone(&sim) as Arc<dyn Adapter>)];
    let engine = Engine::start(options(Store::in_memory().unwrap(), &clock, bots)).await.unwrap();
    let (stop, shutdown) = Shutdown::channel();
    let setup = |name: &ScriptName, source| Some(palabre_engine::ScriptSetup { source, ..script(name.as_str(), "") });
    let watch = ScriptWatch::begin(&root.path().join(scripts)).unwrap();
    // A script is loaded as soon as it is touched.
    save(&root.path().join(scripts), "talker.luau", &answer("old"));
    let watching = watch.run(&engine, setup, shutdown);
    let alice = sim.person("alice", "general");
    let says = async |wanted: &str| {
        alice.says("x").await.unwrap();
        engine.when_idle().await;
        sim.transcript().lines().last().is_some_and(|line| line.text == wanted)
    };
    let swapping = async {
        soon("the first version", async || says("old").await).await;
        swap(root.path());
        soon("the other version", async || says("new").await).await;
        stop.send_replace(true);
    };
    tokio::join!(watching, swapping);
    engine.shutdown().await;
}

#[cfg(unix)]
fn answer(text: &str) -> String {
    format!("function on_message(event) event:reply('{text}') end")
}

/// Replaces a link atomically.
#[cfg(unix)]
fn turn(link: &Path, target: &str) {
    let mut temporary = link.as_os_str().to_owned();
    temporary.push(".tmp");
    std::os::unix::fs::symlink(target, &temporary).unwrap();
    std::fs::rename(&temporary, link).unwrap();
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn scripts_that_are_a_link_are_loaded_anew_when_it_is_turned_to_another_folder() {
    let prepare = |root: &Path| {
        for (version, text) in [("v1", "old"), ("v2", "new")] {
            std::fs::create_dir(root.join(version)).unwrap();
            save(&root.join(version), "talker.luau", &answer(text));
        }
        turn(&root.join("scripts"), "v1");
    };
    swapped(prepare, "scripts", |root| turn(&root.join("scripts"), "v2")).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_link_on_the_way_to_the_scripts_may_be_turned_too() {
    let prepare = |root: &Path| {
        for (version, text) in [("v1", "old"), ("v2", "new")] {
            std::fs::create_dir_all(root.join(version).join("scripts")).unwrap();
            save(&root.join(version).join("scripts"), "talker.luau", &answer(text));
        }
        turn(&root.join("current"), "v1");
    };
    swapped(prepare, "current/scripts", |root| turn(&root.join("current"), "v2")).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn scripts_that_are_links_through_a_folder_are_loaded_anew_when_that_is_swapped() {
    let prepare = |root: &Path| {
        for (version, text) in [("..v1", "old"), ("..v2", "new")] {
            std::fs::create_dir_all(root.join("scripts").join(version)).unwrap();
            save(&root.join("scripts").join(version), "talker.luau", &answer(text));
        }
        turn(&root.join("scripts/..data"), "..v1");
        turn(&root.join("scripts/talker.luau"), "..data/talker.luau");
    };
    swapped(prepare, "scripts", |root| turn(&root.join("scripts/..data"), "..v2")).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_has_the_place_of_another_is_loaded() {
    let prepare = |root: &Path| {
        for (version, text) in [("scripts", "old"), ("next", "new")] {
            std::fs::create_dir(root.join(version)).unwrap();
            save(&root.join(version), "talker.luau", &answer(text));
        }
    };
    let swap = |root: &Path| {
        std::fs::rename(root.join("scripts"), root.join("before")).unwrap();
        std::fs::rename(root.join("next"), root.join("scripts")).unwrap();
    };
    swapped(prepare, "scripts", swap).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_sees_what_is_durable_and_what_is_not_yet() {
    let text = r#"function on_message(event)
        if event.text == "fill" then
          for n = 1, 120 do store.set(string.format("k%03d", n), n) end
          return
        end
        store.delete("k002") store.set("k500", 500)
        local keys = {}
        for key in store.scan("k") do keys[#keys + 1] = key end
        local back = {}
        for key, value in store.scan("k", { reverse = true, limit = 2 }) do back[#back + 1] = key .. "=" .. value end
        event:reply(`{#keys} {keys[1]} {keys[2]} {keys[#keys]} {table.concat(back, ",")}`)
      end"#;
    let harness = Harness::new(vec![script("s", text)]).await;
    harness.alice("fill").await;
    harness.alice("scan").await;
    harness.alice("scan").await;
    assert_eq!(harness.replies(), ["120 k001 k003 k500 k500=500,k120=120", "120 k001 k003 k500 k500=500,k120=120"]);
    let harness = harness.restart(vec![script("s", text)]).await;
    harness.alice("scan").await;
    assert_eq!(harness.replies().len(), 3);
    assert_eq!(harness.replies()[2], harness.replies()[0], "as before the restart");
}
