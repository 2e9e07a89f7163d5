//! A script's own messages before their ids are known.
//!
//! On platforms that assign ids themselves, users may press a button before the response to the
//! request has arrived.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use palabre_engine::{Engine, Operators, Options, ScriptSetup, Web};
use palabre_platform::{Adapter, AdapterContext, AdapterError, SeededEntropy, VirtualClock};
use palabre_script::Source;
use palabre_sim::{Line, Sim};
use palabre_store::Store;
use palabre_types::{Action, ActionError, ActionKey, Capabilities, Limits, MessageId, MessageRef, Outcome};
use tokio::sync::Semaphore;

/// The simulated platform, with ids of its own and late responses in the room general.
struct Late {
    sim: Arc<Sim>,
    answers: Semaphore,
}

#[async_trait]
impl Adapter for Late {
    fn capabilities(&self) -> &Capabilities {
        self.sim.capabilities()
    }

    async fn run(self: Arc<Self>, context: AdapterContext) -> Result<(), AdapterError> {
        Arc::clone(&self.sim).run(context).await
    }

    async fn perform(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
        let mut action = action.clone();
        if let Some(MessageRef::Id(id)) = action.reference_mut() {
            *id = id.as_str().trim_end_matches('!').into();
        }
        let outcome = self.sim.perform(&action, key).await?;
        if matches!(action, Action::Send { .. }) && action.room().native() == "general" {
            self.answers.acquire().await.unwrap().forget();
        }
        Ok(Outcome { message: outcome.message.map(|id| format!("{id}!").into()) })
    }

    fn message_id(&self, _: &ActionKey) -> Option<MessageId> {
        None
    }
}

fn script(name: &str, text: &str) -> ScriptSetup {
    ScriptSetup {
        name: name.into(),
        source: Ok(Source::from_text(name, text)),
        limits: Limits::default(),
        config: serde_json::json!({}),
        grants: vec!["rooms".into()],
        bots: None,
    }
}

/// Waits for a line of the transcript that starts with `text`.
async fn says(sim: &Sim, text: &str) -> Line {
    let mut heard = sim.heard();
    loop {
        heard.mark_unchanged();
        let there = sim.transcript().lines().iter().find(|line| line.text.starts_with(text)).cloned();
        match there {
            Some(line) => return line,
            None => tokio::time::timeout(Duration::from_secs(20), heard.changed()).await.unwrap().unwrap(),
        }
    }
}

async fn harness(scripts: Vec<ScriptSetup>) -> (Arc<Sim>, Arc<Late>, Engine) {
    let sim = Sim::new("sim");
    let late = Arc::new(Late { sim: Arc::clone(&sim), answers: Semaphore::new(0) });
    let engine = Engine::start(Options {
        store: Store::in_memory().unwrap(),
        clock: Arc::new(VirtualClock::new(1_000_000)),
        entropy: Arc::new(SeededEntropy::new(7)),
        bots: vec![(sim.bot(), Arc::clone(&late) as Arc<dyn Adapter>)],
        scripts,
        workers: 2,
        journal_retention: Duration::from_secs(7 * 86_400),
        settings: HashMap::new(),
        operators: Operators::default(),
        http: Arc::new(Web::default()),
    })
    .await
    .unwrap();
    (sim, late, engine)
}

const MENU: &str = r#"
function on_message(event)
  if event.text == "menu" then
    event:reply{ text = "ready?", buttons = { { label = "Go", action = "go" }, { label = "Away", action = "away" } } }
  elseif event.text == "hands off" then
    event.message:edit("stolen")
    event.message:delete()
    rooms.get("sim/attic"):send("tried")
  end
end
function on_button(event)
  if event.action == "go" then event.message:edit("gone") else event.message:delete() end
  rooms.get("sim/attic"):send(`pressed {event.action}`)
end
function on_error(event) rooms.get("sim/cellar"):send(event.error.message) end
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_button_that_is_pressed_at_once_finds_the_scripts_own_message() {
    for (action, text, is_deleted) in [("go", "gone", false), ("away", "ready?", true)] {
        let (sim, late, engine) = harness(vec![script("menu", MENU)]).await;
        sim.person("alice", "general").says("menu").await.unwrap();
        let menu = says(&sim, "ready?").await;
        sim.person("bob", "general").presses(action, &format!("{}!", menu.id)).await.unwrap();
        says(&sim, "pressed").await;
        late.answers.add_permits(100);
        engine.when_idle().await;
        let transcript = sim.transcript();
        let now = transcript.lines().iter().find(|line| line.id == menu.id).unwrap();
        assert_eq!((&*now.text, now.deleted), (text, is_deleted), "{:#?}", transcript.lines());
        engine.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_scripts_own_is_left_alone_meanwhile() {
    let (sim, late, engine) = harness(vec![script("menu", MENU)]).await;
    sim.person("alice", "general").says("menu").await.unwrap();
    says(&sim, "ready?").await;
    sim.person("bob", "general").says("hands off").await.unwrap();
    says(&sim, "tried").await;
    late.answers.add_permits(100);
    engine.when_idle().await;
    let bobs = says(&sim, "hands off").await;
    assert!(!bobs.deleted, "{bobs:#?}");
    let refused = says(&sim, "edit in sim/general: message").await;
    assert!(refused.text.ends_with("was not sent by this script"), "{}", refused.text);
    says(&sim, "delete in sim/general: message").await;
    engine.shutdown().await;
}
