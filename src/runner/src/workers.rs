//! Starts the workers and assigns scripts to them.
//!
//! Scripts that call each other's functions share a worker: a call is a plain call, not a message.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crossbeam_channel::Sender;
use palabre_platform::Vitals;
use palabre_types::ScriptName;

use crate::context::RunnerContext;
use crate::task::Task;
use crate::worker;

/// The workers, and the assignment of scripts to them.
#[derive(Clone)]
pub struct Workers {
    senders: Vec<Sender<Task>>,
    placed: Arc<Mutex<Placed>>,
}

#[derive(Default)]
struct Placed {
    by_id: HashMap<usize, usize>,
    by_name: HashMap<ScriptName, usize>,
}

impl Workers {
    /// Starts the threads, at least one. They end with [`Task::Stop`].
    ///
    /// # Errors
    /// If the operating system does not start a thread.
    pub fn start(
        count: usize,
        cx: &RunnerContext,
        vitals: &Arc<Vitals>,
    ) -> std::io::Result<(Self, Vec<JoinHandle<()>>)> {
        let (mut senders, mut threads) = (Vec::new(), Vec::new());
        for index in 0..count.max(1) {
            let (sender, tasks) = crossbeam_channel::unbounded();
            let cx = cx.clone();
            let name = format!("script-worker-{index}");
            threads.push(vitals.spawn(&name, move |pulse| worker::run(index, &tasks, &cx, pulse))?);
            senders.push(sender);
        }
        Ok((Self { senders, placed: Arc::default() }, threads))
    }

    /// Returns the number of workers.
    #[must_use]
    pub fn count(&self) -> usize {
        self.senders.len()
    }

    /// Assigns scripts that depend on each other to the same worker, before they are added.
    ///
    /// This includes dependencies that do not exist yet and are added later.
    pub fn group(&self, scripts: &[(ScriptName, Vec<ScriptName>)]) {
        let named = scripts.iter().map(|(name, _)| name).chain(scripts.iter().flat_map(|(_, depends)| depends));
        let mut group: HashMap<&ScriptName, usize> = HashMap::new();
        for (index, name) in named.enumerate() {
            group.entry(name).or_insert(index);
        }
        for (name, depends) in scripts {
            for other in depends {
                let (Some(&one), Some(&two)) = (group.get(name), group.get(other)) else { continue };
                group.values_mut().filter(|of| **of == two).for_each(|of| *of = one);
            }
        }
        let mut placed = self.lock();
        for (name, index) in group {
            placed.by_name.insert(name.clone(), index % self.senders.len());
        }
    }

    /// Ensures that a script can call its dependencies: they run on its worker, or are put there.
    ///
    /// # Errors
    /// If one of them already runs elsewhere. Scripts do not move while they run.
    pub fn bring_together(&self, script_id: usize, depends: &[ScriptName]) -> Result<(), String> {
        let mut placed = self.lock();
        let worker = placed.by_id.get(&script_id).copied().unwrap_or(0);
        let elsewhere = depends.iter().find(|other| placed.by_name.get(*other).is_some_and(|of| *of != worker));
        if let Some(other) = elsewhere {
            return Err(format!(
                "it depends on {other}, which was started on another worker and cannot be called from there; restart \
                 the daemon, which starts both on the same one"
            ));
        }
        for other in depends {
            placed.by_name.insert(other.clone(), worker);
        }
        Ok(())
    }

    /// Assigns a worker to a new script, if possible the one of its dependencies.
    pub fn place(&self, script_id: usize, name: &ScriptName, depends: &[ScriptName]) -> usize {
        let mut placed = self.lock();
        let known = placed.by_name.get(name).copied();
        let dependency = depends.iter().find_map(|other| placed.by_name.get(other).copied());
        let worker = known.or(dependency).unwrap_or(script_id % self.senders.len());
        placed.by_id.insert(script_id, worker);
        placed.by_name.insert(name.clone(), worker);
        worker
    }

    /// Sends a task to the worker of a script.
    pub fn send(&self, script_id: usize, task: Task) {
        let worker = self.lock().by_id.get(&script_id).copied().unwrap_or(0);
        self.send_to(worker, task);
    }

    /// Sends a task to a worker.
    pub fn send_to(&self, worker: usize, task: Task) {
        // Workers end only at shutdown.
        drop(self.senders[worker].send(task));
    }

    /// Sends a task to each worker.
    pub fn send_to_all(&self, task: impl Fn() -> Task) {
        for sender in &self.senders {
            drop(sender.send(task()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Placed> {
        self.placed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
