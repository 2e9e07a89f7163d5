//! The harness of one test: an engine on a simulated platform, with a clock controlled by the test.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use palabre_engine::{Engine, Http, Options, ScriptSetup, stored_values};
use palabre_fetch::{FetchError, Grants, Reply, ReplyGuard, Request, Url};
use palabre_model::{Adapter, Clock, EventKind, Millis, Permission, Rank, SeededEntropy, VirtualClock, parse_duration};
use palabre_script::{Coverage, ReadField, RouteReply};
use palabre_sim::{Line, Person, SendFailure, Sim};
use palabre_store::Store;
use serde_json::{Value, json};

use super::coverage;
use super::refusals::Refusals;

/// The start time of every test: noon of Monday, 5 January 2026, UTC.
const START_TIME: Millis = 1_767_614_400_000;

/// The timeout of a route, in milliseconds; the server has the same.
const ROUTE_TIMEOUT: Millis = 30_000;

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

/// The responses to HTTP requests of scripts, by the beginning of the URL.
#[derive(Default)]
struct Replies(Mutex<Vec<(String, Reply)>>);

#[async_trait]
impl Http for Replies {
    async fn fetch(&self, request: &Request, grants: &Grants) -> Result<Reply, FetchError> {
        let url = Url::parse(&request.url).map_err(|error| FetchError::BadUrl(error.to_string()))?;
        grants.allows(&url)?;
        let replies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = replies.iter().rev().find(|(beginning, _)| request.url.starts_with(beginning));
        found.map(|(_, reply)| reply.clone()).ok_or_else(|| {
            FetchError::Failed(format!("the test defines no reply of {}; add one with t:reply_to", request.url))
        })
    }
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
        if let Some(setup) = (self.scripts)().pop() {
            coverage::merge(&mut self.covered, engine.coverage(&setup.name).await);
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
        let failed = |error: palabre_model::EmitError| error.to_string();
        match text("op") {
            "says" => match person.says(text("text")).await {
                Ok(_) => Ok(Value::Null),
                Err(SendFailure::NotTaken(error)) => Err(error.to_string()),
                Err(refused) => Ok(refused.to_string().into()),
            },
            "edits" => {
                let is_own = |line: &Line| line.author == person.name() && line.room == person.room();
                let line = newest(&person, is_own).ok_or("the user has no message to edit in this room")?;
                person.edits(&line.id, text("text")).await.map_err(failed).map(|()| Value::Null)
            }
            "presses" => {
                let label = text("label");
                let with =
                    |line: &Line| line.buttons.iter().any(|button| button.label == label || button.action == label);
                let line = newest(&person, with).ok_or_else(|| format!("the user sees no button \"{label}\""))?;
                let button = line.buttons.iter().find(|button| button.label == label || button.action == label);
                let action = button.map_or(label, |button| &button.action);
                person.presses(action, &line.id).await.map_err(failed).map(|()| Value::Null)
            }
            "chooses" => {
                let line = newest(&person, |line| line.select.is_some()).ok_or("there is no list to choose from")?;
                let action = line.select.as_ref().map_or("", |select| &select.action);
                let values: Vec<_> =
                    question["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                person.chooses(action, &line.id, &values).await.map_err(failed).map(|()| Value::Null)
            }
            "submits" => {
                let line = newest(&person, |line| line.form.is_some()).ok_or("there is no form to fill in")?;
                let action = line.form.as_ref().map_or("", |form| &form.action);
                person.submits(action, question["values"].clone()).await.map_err(failed).map(|()| Value::Null)
            }
            "queries" => person.queries(text("text")).await.map_err(failed).map(|()| Value::Null),
            "asks_to_join" => {
                let about = question["text"].as_str().map(ToOwned::to_owned);
                let kind = EventKind::JoinRequest { code: None, by: None, about };
                person.happens(kind).await.map_err(failed).map(|()| Value::Null)
            }
            "reacts" => {
                let line = newest(&person, |line| line.shown().contains(text("text")));
                let line = line.ok_or("the user sees no such message to react to")?;
                let kind = EventKind::ReactionAdd { message: line.id.into(), emoji: text("emoji").to_owned() };
                person.happens(kind).await.map_err(failed).map(|()| Value::Null)
            }
            "enters" => {
                let kind = EventKind::Join { by: None, reason: None };
                person.happens(kind).await.map_err(failed).map(|()| Value::Null)
            }
            "leaves" => {
                let kind = EventKind::Leave { by: None, reason: None };
                person.happens(kind).await.map_err(failed).map(|()| Value::Null)
            }
            "heard" => Ok(others(&person).iter().any(|line| line.shown().contains(text("text"))).into()),
            "last" => Ok(others(&person).last().map(Line::shown).into()),
            "sees" => Ok(person.sees().iter().map(|line| format!("{}: {}", line.author, line.shown())).collect()),
            "may" => {
                let level = text("permission");
                let level = Permission::named(level).ok_or_else(|| format!("there is no permission {level}"))?;
                person.may(level);
                Ok(Value::Null)
            }
            "ranks" => {
                person.ranks(rank(question)?);
                Ok(Value::Null)
            }
            "bot_ranks" => {
                self.sim.bot_ranks(rank(question)?);
                Ok(Value::Null)
            }
            "refuse" => self.refusals.refuse(&self.sim, question).map(|()| Value::Null),
            "allow" => self.refusals.allow(&self.sim, question).map(|()| Value::Null),
            "expect_refused" => self.refusals.expect(question).map(Value::from),
            "advance" => {
                let by = question["by"].as_str().map_or_else(|| question["by"].to_string(), ToOwned::to_owned);
                let by = parse_duration(&by).ok_or_else(|| format!("\"{by}\" is not a duration"))?;
                self.advance(by).await;
                Ok(Value::Null)
            }
            "now" => Ok((self.clock.now() as f64 / 1_000.0).into()),
            "room" => {
                let state = self.sim.room(text("room"));
                let transcript = self.sim.transcript();
                Ok(json!({
                    "topic": state.topic, "slowmode": state.slowmode as f64 / 1_000.0, "locked": state.locked,
                    "messages": transcript.texts(text("room")),
                }))
            }
            "stored" => self.stored(text("key")),
            "restart" => {
                self.record_refusals();
                self.stop().await;
                self.start().await.map(|()| Value::Null)
            }
            "reply_to" => {
                let reply = &question["reply"];
                let body = match &reply["json"] {
                    Value::Null => reply["body"].as_str().unwrap_or_default().to_owned(),
                    json => json.to_string(),
                };
                let reply = Reply {
                    status: reply["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200),
                    headers: reply["headers"].as_object().into_iter().flatten().map(header).collect(),
                    body: body.into_bytes(),
                    url: text("url").to_owned(),
                    guard: ReplyGuard::default(),
                };
                let mut replies = self.http.0.lock().unwrap_or_else(PoisonError::into_inner);
                replies.push((text("url").to_owned(), reply));
                Ok(Value::Null)
            }
            "request" => self.request(text("method"), text("path"), &question["options"]).await,
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
        Box::new(move |user, field| state(&sim.person(user, "general"), clock.now(), field))
    }

    fn stored(&self, key: &str) -> Result<Value, String> {
        let Some(setup) = (self.scripts)().pop() else { return Ok(Value::Null) };
        let snapshot = self.store.snapshot(self.clock.now()).map_err(|error| error.to_string())?;
        for row in stored_values(&snapshot, &setup.name).map_err(|error| error.to_string())? {
            let (name, value) = row.map_err(|error| error.to_string())?;
            if name == key {
                return Ok(value);
            }
        }
        Ok(Value::Null)
    }

    /// Advances the clock from one due time to the next, so that everything runs at its own time.
    async fn advance(&self, by: Duration) {
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

    async fn request(&self, method: &str, path: &str, options: &Value) -> Result<Value, String> {
        let Some(engine) = &self.engine else { return Err("the daemon is stopped".to_owned()) };
        let name = (self.scripts)().pop().map(|setup| setup.name);
        let routes = engine.routes().into_iter();
        let mut of_script = routes.filter(|(script, route)| Some(script) == name.as_ref() && route.method == method);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let found = of_script.find_map(|(script, route)| Some((route.matches(path)?, script, route)));
        let Some((params, script, route)) = found else { return Ok(json!({ "status": 404, "body": "" })) };
        let body = match &options["body"] {
            // As in the server, a route without declared fields gets the text, if its method has a body.
            _ if route.body.is_none() && matches!(method, "GET" | "DELETE") => Value::Null,
            table @ (Value::Object(_) | Value::Array(_)) if route.body.is_none() => table.to_string().into(),
            other => other.clone(),
        };
        if let Err(wrong) = route.check_body(&body) {
            return Ok(json!({ "status": 422, "body": wrong.join("; ") }));
        }
        let query: serde_json::Map<_, _> = Url::parse(&format!("http://test/?{query}"))
            .map(|url| url.query_pairs().map(|(name, value)| (name.into_owned(), value.into())).collect())
            .unwrap_or_default();
        let headers = if options["headers"].is_object() { options["headers"].clone() } else { json!({}) };
        let user = options["permission"].as_str().map(|level| json!({ "name": "test", "permission": level }));
        let request = json!({
            "method": method, "path": path, "params": params, "query": query, "body": body, "headers": headers,
            "address": "127.0.0.1", "user": user,
        });
        let mut asking = std::pin::pin!(engine.request(&script, &route, request));
        let end = self.clock.now() + ROUTE_TIMEOUT;
        // A route may wait for the virtual clock, which must be advanced then.
        let result = loop {
            tokio::select! {
                biased;
                result = &mut asking => break result?,
                () = engine.quiesce() => {}
            }
            let (now, next) = (self.clock.now(), engine.next_due());
            if next > end {
                let answered = tokio::time::timeout(Duration::from_millis(100), &mut asking).await;
                break answered.ok().ok_or("the route did not respond within 30 s of virtual time")??;
            }
            self.clock.advance(Duration::from_millis(next.saturating_sub(now).max(1)));
        };
        let reply = RouteReply::of(&result)?;
        let json: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        Ok(json!({ "status": reply.status, "body": reply.body, "json": json }))
    }
}

fn state(person: &Person, now: Millis, field: &str) -> Result<Value, String> {
    let state = person.state();
    Ok(match field {
        "muted" => state.is_muted(now).into(),
        "banned" => state.is_banned(now).into(),
        "kicked" => (state.kicks > 0).into(),
        "kicks" => state.kicks.into(),
        "approved" => state.approved.into(),
        "roles" => state.roles.into(),
        "nickname" => state.nickname.into(),
        // The user has not said anything yet.
        "refused" => Value::Null,
        other => {
            return Err(format!(
                "a user has no field {other}; expected one of muted, banned, kicked, kicks, approved, roles, nickname, \
                 refused"
            ));
        }
    })
}

fn rank(question: &Value) -> Result<Rank, String> {
    let rank = question["rank"].as_u64().and_then(|rank| u32::try_from(rank).ok());
    rank.map(Rank).ok_or_else(|| "a rank is a whole number, 0 or more".to_owned())
}

fn header((name, value): (&String, &Value)) -> (String, String) {
    (name.to_lowercase(), value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
}

/// Returns the newest message that the person sees and for which `wanted` is true.
fn newest(person: &Person, wanted: impl Fn(&Line) -> bool) -> Option<Line> {
    person.sees().into_iter().rev().find(|line| wanted(line))
}

/// Returns the messages of others that the person sees.
fn others(person: &Person) -> Vec<Line> {
    person.sees().into_iter().filter(|line| line.author != person.name()).collect()
}
