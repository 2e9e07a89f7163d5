//! Adds, reloads and unloads scripts.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use palabre_fetch::Grants;
use palabre_runner::{InstanceSpec, Task};
use palabre_script::{Failure, Source};
use palabre_state::{RECOVERY, WaitingRun};
use palabre_types::{Batch, Reason, ScriptName};
use serde_json::Value;
use tokio::sync::oneshot;

use super::options::ScriptSetup;
use super::script_handle::ScriptHandle;
use super::{Engine, lock};
use crate::backlog::Unfinished;
use crate::message::{CoreMessage, Registration};

/// Maximum time that a start waits for the record of an attempt.
const ATTEMPT_RECORD_TIMEOUT: Duration = Duration::from_secs(5);

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
            let mut recovered = lock(&self.recovered);
            let script_id = scripts.len();
            let last_error = source.as_ref().err().map(ToString::to_string);
            let handle = ScriptHandle::new(name.clone(), last_error, recovered.timers.of(&name));
            let asking = Arc::new(AtomicUsize::new(0));
            let depends = source.as_ref().map(Source::depends).unwrap_or_default();
            self.cx.send(CoreMessage::Register(Box::new(Registration {
                name: name.clone(),
                worker: self.services.workers.place(script_id, &name, &depends),
                bots,
                asking: Arc::clone(&asking),
                cursor: recovered.cursors.get(&name).copied(),
                hosts: granted_hosts(&grants),
                limits: limits.clone(),
                waiting_events: Arc::clone(&handle.waiting_events),
            })));
            let instance = InstanceSpec {
                script_id,
                incarnation: 0,
                name: name.clone(),
                limits,
                config,
                grants,
                seed: self.entropy.next(),
                asking,
                timers: Arc::clone(&handle.timers),
                status: Arc::clone(&handle.status),
            };
            scripts.push(handle);
            self.task(script_id, Task::Adopt(Box::new(instance.clone())));
            // If its worker fails, the script is adopted again.
            self.services.specs.insert(instance);
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
                let written = self.cx.write("recovery", "an attempt at recovered events", batch);
                match tokio::time::timeout(ATTEMPT_RECORD_TIMEOUT, written).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => {
                        tracing::warn!(script = %name, "cannot record the attempt at its recovered events: {error}");
                    }
                    // The disk may have become full: the start goes on, and the row follows.
                    Err(_) => tracing::warn!(script = %name, "the attempt at its recovered events is not durable yet"),
                }
            }
            self.cx.send(CoreMessage::Recovered { script_id, unfinished: Box::new(unfinished) });
        }
        self.cx.send(CoreMessage::Ready { script_id });
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
            // First, so that a rebuild does not bring it back.
            self.services.specs.unloaded(script_id);
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
        if let Err(problem) = self.services.workers.bring_together(script_id, &source.depends()) {
            tracing::error!(script = %source.name, "does not load: {problem}");
            if let Some(known) = lock(&self.scripts).get(script_id) {
                known.status.write(|status| status.last_error = Some(problem.clone()));
            }
            return Err(Failure::new(problem));
        }
        let (reply, outcome) = oneshot::channel();
        let (kept, kept_config) = (source.clone(), config.clone());
        self.task(script_id, Task::Load { script_id, source: Box::new(source), config, reason, reply });
        let outcome = outcome.await.unwrap_or_else(|_| {
            Err(Failure::new("it was not loaded: the engine is stopping, or the script's worker failed; save it again"))
        });
        if outcome.is_ok() {
            self.services.specs.activated(script_id, kept, kept_config);
        }
        outcome
    }
}

/// Returns the hosts that a script may send HTTP requests to.
fn granted_hosts(grants: &[String]) -> Grants {
    let hosts: Vec<String> =
        grants.iter().filter_map(|grant| grant.strip_prefix("http:").map(ToOwned::to_owned)).collect();
    // They were checked when the configuration was read.
    Grants::parse(&hosts).unwrap_or_default()
}
