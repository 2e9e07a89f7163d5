//! The harness of one test: an engine on a simulated platform, with a clock controlled by the test.

use std::sync::Arc;
use std::time::Duration;

use palabre_engine::{Engine, Http, Options, ScriptSetup, stored_values};
use palabre_platform::{Adapter, Clock, SeededEntropy, VirtualClock};
use palabre_script::{Coverage, ReadField};
use palabre_sim::{Line, Person, Sim};
use palabre_store::Store;
use palabre_types::{Millis, Rank, ScriptName, parse_duration};
use serde_json::{Value, json};

use super::http::Replies;
use super::refusals::Refusals;
use super::{coverage, http, users};

/// The start time of every test: noon of Monday, 5 January 2026, UTC.
const START_TIME: Millis = 1_767_614_400_000;

/// Sets up the scripts of a test, the tested one last.
pub(super) type MakeScripts<'s> = dyn Fn() -> Vec<ScriptSetup> + Send + Sync + 's;

pub(super) struct Harness<'s> {
    scripts: &'s MakeScripts<'s>,
    settings: palabre_engine::BotSettings,
    seed: u64,
    store: Store,
    clock: VirtualClock,
    sim: Arc<Sim>,
    http: Arc<Replies>,
    engine: Option<Engine>,
    covered: Coverage,
    refusals: Refusals,
}

impl<'s> Harness<'s> {
    pub(super) async fn new(
        scripts: &'s MakeScripts<'s>,
        settings: palabre_engine::BotSettings,
        seed: u64,
    ) -> Result<Self, String> {
        let mut harness = Self {
            scripts,
            settings,
            seed,
            store: Store::in_memory().map_err(|error| error.to_string())?,
            clock: VirtualClock::new(START_TIME),
            sim: Sim::new("sim"),
            http: Arc::default(),
            engine: None,
            covered: Coverage::default(),
            refusals: Refusals::default(),
        };
        harness.start().await?;
        Ok(harness)
    }

    async fn start(&mut self) -> Result<(), String> {
        let engine = Engine::start(Options {
            store: self.store.clone(),
            clock: Arc::new(self.clock.clone()),
            entropy: Arc::new(SeededEntropy::new(self.seed)),
            bots: vec![(self.sim.bot(), Arc::clone(&self.sim) as Arc<dyn Adapter>)],
            scripts: (self.scripts)(),
            workers: 1,
            journal_retention: Duration::from_secs(86_400),
            settings: [(self.sim.bot().name, self.settings.clone())].into(),
            operators: palabre_engine::Operators::default(),
            http: Arc::clone(&self.http) as Arc<dyn Http>,
        });
        let engine = engine.await.map_err(|error| error.to_string())?;
        let broken = engine.status().scripts.into_iter().find(|script| script.version.is_none());
        let problem =
            broken.map(|script| format!("{} does not load: {}", script.name, script.last_error.unwrap_or_default()));
        self.engine = Some(engine);
        match problem {
            Some(problem) => Err(problem),
            None => {
                self.quiesce().await;
                Ok(())
            }
        }
    }

    async fn quiesce(&self) {
        if let Some(engine) = &self.engine {
            engine.quiesce().await;
        }
    }

    /// Returns the last error of a script.
    pub(super) fn last_error(&self) -> Option<String> {
        let scripts = self.engine.as_ref()?.status().scripts;
        scripts.into_iter().find_map(|script| Some(format!("{}: {}", script.name, script.last_error?)))
    }

    /// Returns an error for the first refused action that the test does not expect.
    pub(super) fn unexpected_refusal(&self) -> Option<String> {
        self.refusals.unexpected()
    }

    fn record_refusals(&mut self) {
        self.refusals.record(self.engine.as_ref().map(Engine::take_refusals).unwrap_or_default());
    }

    /// Returns the chat so far, in all rooms.
    pub(super) fn chat(&self) -> Vec<Line> {
        self.sim.transcript().lines().to_vec()
    }

    /// Stops the engine and returns the coverage of the tested script.
    pub(super) async fn end(mut self) -> Coverage {
        self.stop().await;
        self.covered
    }

    /// Stops the engine and adds the coverage so far.
    async fn stop(&mut self) {
        let Some(engine) = self.engine.take() else { return };
        if let Some(script) = self.tested() {
            coverage::merge(&mut self.covered, engine.coverage(&script).await);
        }
        engine.shutdown().await;
    }

    /// Performs a request of the test, and waits until the engine is idle.
    pub(super) async fn play(&mut self, question: &Value) -> Result<Value, String> {
        let answer = self.act(question).await?;
        self.quiesce().await;
        self.record_refusals();
        Ok(answer)
    }

    async fn act(&mut self, question: &Value) -> Result<Value, String> {
        let text = |name: &str| question[name].as_str().unwrap_or_default();
        let person = self.person(question);
        match text("op") {
            "says" => users::says(&person, text("text")).await,
            "edits" => users::edits(&person, text("text")).await,
            "presses" => users::presses(&person, text("label")).await,
            "chooses" => users::chooses(&person, &question["values"]).await,
            "submits" => users::submits(&person, &question["values"]).await,
            "queries" => users::queries(&person, text("text")).await,
            "asks_to_join" => users::asks_to_join(&person, question["text"].as_str()).await,
            "reacts" => users::reacts(&person, text("text"), text("emoji")).await,
            "enters" => users::enters(&person).await,
            "leaves" => users::leaves(&person).await,
            "heard" => Ok(users::has_heard(&person, text("text")).into()),
            "last" => Ok(users::last_heard(&person).into()),
            "sees" => Ok(users::sees(&person)),
            "may" => users::set_permission(&person, text("permission")),
            "ranks" => rank(question).map(|rank| {
                person.ranks(rank);
                Value::Null
            }),
            "bot_ranks" => rank(question).map(|rank| {
                self.sim.bot_ranks(rank);
                Value::Null
            }),
            "refuse" => self.refusals.refuse(&self.sim, question).map(|()| Value::Null),
            "allow" => self.refusals.allow(&self.sim, question).map(|()| Value::Null),
            "expect_refused" => self.refusals.expect(question).map(Value::from),
            "advance" => self.advance(&question["by"]).await,
            "now" => Ok((self.clock.now() as f64 / 1_000.0).into()),
            "room" => Ok(self.room(text("room"))),
            "stored" => self.stored(text("key")),
            "restart" => self.restart().await,
            "reply_to" => {
                self.http.add(text("url"), &question["reply"]);
                Ok(Value::Null)
            }
            "request" => self.request(question).await,
            other => Err(format!("unknown test operation {other}")),
        }
    }

    fn person(&self, question: &Value) -> Person {
        let text = |name: &str| question[name].as_str();
        let person = self.sim.person(text("user").unwrap_or("nobody"), text("room").unwrap_or("general"));
        let person = if question["private"] == Value::Bool(true) { person.in_private() } else { person };
        match text("locale") {
            Some(locale) => person.speaking(locale),
            None => person,
        }
    }

    /// Returns a function that reads the fields of users.
    pub(super) fn look(&self) -> Box<ReadField> {
        let (sim, clock) = (Arc::clone(&self.sim), self.clock.clone());
        Box::new(move |user, field| users::field(&sim.person(user, "general"), clock.now(), field))
    }

    /// Returns the name of the tested script.
    fn tested(&self) -> Option<ScriptName> {
        (self.scripts)().pop().map(|setup| setup.name)
    }

    /// Restarts the engine, which keeps the store and the platform.
    async fn restart(&mut self) -> Result<Value, String> {
        self.record_refusals();
        self.stop().await;
        self.start().await.map(|()| Value::Null)
    }

    /// Returns the settings and messages of a room.
    fn room(&self, name: &str) -> Value {
        let state = self.sim.room(name);
        let transcript = self.sim.transcript();
        json!({
            "topic": state.topic, "slowmode": state.slowmode as f64 / 1_000.0, "locked": state.locked,
            "messages": transcript.texts(name),
        })
    }

    /// Returns a value that the tested script has stored.
    fn stored(&self, key: &str) -> Result<Value, String> {
        let Some(script) = self.tested() else { return Ok(Value::Null) };
        let snapshot = self.store.snapshot(self.clock.now()).map_err(|error| error.to_string())?;
        for row in stored_values(&snapshot, &script, "").map_err(|error| error.to_string())? {
            let (name, value) = row.map_err(|error| error.to_string())?;
            if name == key {
                return Ok(value);
            }
        }
        Ok(Value::Null)
    }

    /// Advances the clock by a duration: a text such as `5m`, or a number of seconds.
    async fn advance(&self, by: &Value) -> Result<Value, String> {
        let by = by.as_str().map_or_else(|| by.to_string(), ToOwned::to_owned);
        let by = parse_duration(&by).ok_or_else(|| format!("\"{by}\" is not a duration"))?;
        self.run_for(by).await;
        Ok(Value::Null)
    }

    /// Advances the clock from one due time to the next, so that everything runs at its own time.
    async fn run_for(&self, by: Duration) {
        let Some(engine) = &self.engine else { return };
        let end = self.clock.now() + u64::try_from(by.as_millis()).unwrap_or(0);
        loop {
            engine.quiesce().await;
            let now = self.clock.now();
            let next = engine.next_due().clamp(now, end);
            if next >= end {
                self.clock.advance(Duration::from_millis(end - now));
                // Run what is due at the end, and its consequences.
                return engine.quiesce().await;
            }
            self.clock.advance(Duration::from_millis((next - now).max(1)));
        }
    }

    /// Calls a route of the tested script.
    async fn request(&self, question: &Value) -> Result<Value, String> {
        let (Some(engine), Some(script)) = (&self.engine, self.tested()) else {
            return Err("the daemon is stopped".to_owned());
        };
        http::request(engine, &self.clock, &script, question).await
    }
}

fn rank(question: &Value) -> Result<Rank, String> {
    let rank = question["rank"].as_u64().and_then(|rank| u32::try_from(rank).ok());
    rank.map(Rank).ok_or_else(|| "a rank is a whole number, 0 or more".to_owned())
}
