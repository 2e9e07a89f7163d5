//! Adds, reloads and unloads scripts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use palabre_fetch::Grants;
use palabre_model::{Batch, Reason, ScriptName};
use palabre_script::{Failure, Source};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{Engine, ScriptHandle, ScriptSetup, lock};
use crate::instance::ScriptInstance;
use crate::pending_waits::Outgoing;
use crate::rebuild::Spec;
use crate::recovery::Unfinished;
use crate::route::Route;
use crate::script_store::ScriptStore;
use crate::sequencer::CoreMessage;
use crate::status::{Published, ScriptState, ScriptStatus};
use crate::tables::{RECOVERY, WaitingRun};
use crate::worker::Task;

/// A registered script and its recovered work.
pub(super) struct Registered {
    name: ScriptName,
    script_id: usize,
    outcome: Result<Vec<String>, Failure>,
    unfinished: Option<Unfinished>,
    waiting: Vec<(ScriptName, u64, WaitingRun)>,
}

impl Engine {
    /// Adds a script and loads it.
    ///
    /// One that does not load stays registered, and receives its events once it does.
    ///
    /// # Errors
    /// If it does not load.
    pub async fn add_script(&self, setup: ScriptSetup) -> Result<Vec<String>, Failure> {
        let added = self.register(setup).await;
        self.activate(added).await
    }

    /// Registers the script and loads it.
    pub(super) async fn register(&self, setup: ScriptSetup) -> Registered {
        let ScriptSetup { name, source, limits, config, grants, bots } = setup;
        let (script_id, unfinished, waiting) = {
            let mut scripts = lock(&self.scripts);
            let script_id = scripts.len();
            let mut recovered = lock(&self.recovered);
            let status = Arc::new(Published::new(ScriptStatus {
                name: name.clone(),
                version: None,
                hooks: Vec::new(),
                declares: Vec::new(),
                state: ScriptState::Broken,
                last_error: source.as_ref().err().map(ToString::to_string),
                memory_bytes: 0,
                waiting_runs: 0,
                timers: 0,
                timer_bytes: 0,
                waiting_events: 0,
                set_aside_events: 0,
            }));
            let waiting_events = Arc::new(AtomicU64::new(0));
            let timers = recovered.timers.of(&name);
            scripts.push(ScriptHandle {
                name: name.clone(),
                status: Arc::clone(&status),
                waiting: Arc::clone(&waiting_events),
                timers: Arc::clone(&timers),
            });
            let asking = Arc::new(AtomicUsize::new(0));
            let depends = source.as_ref().map(Source::depends).unwrap_or_default();
            let worker = self.workers.place(script_id, &name, &depends);
            let hosts: Vec<String> =
                grants.iter().filter_map(|grant| grant.strip_prefix("http:").map(ToOwned::to_owned)).collect();
            // They were checked when the configuration was read.
            let hosts = Grants::parse(&hosts).unwrap_or_default();
            self.send(CoreMessage::Route(Box::new(Route {
                name: name.clone(),
                worker,
                bots,
                asking: Arc::clone(&asking),
                cursor: recovered.cursors.get(&name).copied(),
                hooks: Vec::new(),
                declared: Arc::default(),
                hosts: Arc::new(Outgoing::new(hosts, &limits)),
                window: std::collections::VecDeque::new(),
                window_bytes: 0,
                lag: None,
                waiting: Arc::clone(&waiting_events),
                replay: None,
                outgoing: Vec::new(),
                version: "".into(),
                is_ready: false,
                rebuilds: 0,
            })));
            let (cx, seed) = (self.cx.clone(), self.entropy.next());
            let (store, platforms) = (self.store.clone(), Arc::clone(&self.platforms));
            let (settings, declared) = (Arc::clone(&self.settings), Arc::clone(&self.declared));
            let metrics = Arc::clone(&self.metrics);
            let script = name.clone();
            // Cloned for each call: if its worker fails, the script is adopted again.
            let adopt = move || {
                let (script, store, platforms) = (script.clone(), store.clone(), Arc::clone(&platforms));
                let (grants, timers, settings) = (grants.clone(), Arc::clone(&timers), Arc::clone(&settings));
                let (declared, metrics, limits) = (Arc::clone(&declared), Arc::clone(&metrics), limits.clone());
                let (config, cx, asking, status) =
                    (config.clone(), cx.clone(), Arc::clone(&asking), Arc::clone(&status));
                Task::Adopt(Box::new(move |peers| {
                    let usage = store.stored_bytes(script.as_str()).unwrap_or_else(|error| {
                        tracing::error!(script = %script, "cannot read how much it stores; counting from 0: {error}");
                        Arc::default()
                    });
                    let store = ScriptStore::new(
                        script.clone(),
                        store,
                        platforms,
                        grants,
                        usage,
                        timers,
                        settings,
                        declared,
                        peers.clone(),
                        metrics,
                    );
                    let peers = peers.clone();
                    ScriptInstance::new(script_id, script, limits, config, cx, store, peers, seed, asking, status)
                }))
            };
            self.task(script_id, adopt());
            let spec = Spec { name: name.clone(), adopt: Box::new(adopt), source: None, config: None };
            self.specs.lock().insert(script_id, spec);
            let waiting: Vec<_> = recovered.waiting.extract_if(.., |(script, ..)| *script == name).collect();
            (script_id, recovered.unfinished.remove(&name), waiting)
        };
        let outcome = match source {
            Ok(source) => self.load(script_id, source, None, Reason::Start).await,
            Err(error) => {
                tracing::error!(script = %name, "{error}");
                Err(Failure::new(error.to_string()))
            }
        };
        Registered { name, script_id, outcome, unfinished, waiting }
    }

    /// Hands a script its recovered work; from then on it receives new events.
    pub(super) async fn activate(&self, added: Registered) -> Result<Vec<String>, Failure> {
        let Registered { name, script_id, outcome, unfinished, waiting } = added;
        for (_, seq, run) in waiting {
            self.task(script_id, Task::Interrupted { script_id, seq, run: Box::new(run) });
        }
        if let Some(unfinished) = unfinished {
            tracing::info!(script = %name, events = unfinished.count, "recovering events of the previous process");
            if outcome.is_ok() {
                // If the daemon goes down now, one of these events may be the cause; so the attempt
                // is recorded before the first begins.
                let mut batch = Batch::default();
                RECOVERY.put(&mut batch, &name.to_string(), &unfinished.attempts);
                if let Err(error) = self.store.commit(batch).await {
                    tracing::warn!(script = %name, "cannot record the attempt at its recovered events: {error}");
                }
            }
            self.send(CoreMessage::Recovered { script_id, unfinished: Box::new(unfinished) });
        }
        self.send(CoreMessage::Ready { script_id });
        outcome
    }

    /// Replaces a script by a new version, if that loads.
    ///
    /// The old one stays until then, and if the new one does not load.
    ///
    /// # Errors
    /// If it does not load, or there is no such script.
    pub async fn reload(&self, source: Source) -> Result<Vec<String>, Failure> {
        let Some(script_id) = self.script_id(&source.name) else {
            return Err(Failure::new(format!("there is no script named {}", source.name)));
        };
        self.load(script_id, source, None, Reason::Reload).await
    }

    /// Like [`Engine::reload`], with a new configuration.
    ///
    /// # Errors
    /// If it does not load, or there is no such script.
    pub async fn reload_configured(&self, source: Source, config: Value) -> Result<Vec<String>, Failure> {
        let Some(script_id) = self.script_id(&source.name) else {
            return Err(Failure::new(format!("there is no script named {}", source.name)));
        };
        self.load(script_id, source, Some(config), Reason::Reload).await
    }

    /// Unloads a script whose files are gone. [`Engine::reload`] brings it back.
    pub fn unload(&self, name: &ScriptName) {
        if let Some(script_id) = self.script_id(name) {
            self.task(script_id, Task::Unload { script_id });
        }
    }

    /// Whether the engine knows a script of that name.
    #[must_use]
    pub fn has_script(&self, name: &ScriptName) -> bool {
        self.script_id(name).is_some()
    }

    async fn load(
        &self,
        script_id: usize,
        source: Source,
        config: Option<Value>,
        reason: Reason,
    ) -> Result<Vec<String>, Failure> {
        if let Err(problem) = self.workers.bring_together(script_id, &source.depends()) {
            tracing::error!(script = %source.name, "does not load: {problem}");
            if let Some(known) = lock(&self.scripts).get(script_id) {
                known.status.write(|status| status.last_error = Some(problem.clone()));
            }
            return Err(Failure::new(problem));
        }
        let (reply, outcome) = oneshot::channel();
        let (kept, kept_config) = (source.clone(), config.clone());
        self.task(script_id, Task::Load { script_id, source: Box::new(source), config, reason, reply });
        let outcome = outcome.await.unwrap_or_else(|_| Err(Failure::new("the engine is stopping")));
        if outcome.is_ok()
            && let Some(spec) = self.specs.lock().get_mut(&script_id)
        {
            spec.source = Some(kept);
            spec.config = kept_config.or(spec.config.take());
        }
        outcome
    }
}
