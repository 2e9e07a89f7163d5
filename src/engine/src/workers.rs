//! Which worker runs which script. Scripts that call each other's functions share one: a call is a call, not a message.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Sender;
use palabre_model::ScriptName;

use crate::worker::Task;

/// The workers, and who is where.
#[derive(Clone)]
pub(crate) struct Workers {
    senders: Vec<Sender<Task>>,
    placed: Arc<Mutex<Placed>>,
}

#[derive(Default)]
struct Placed {
    by_slot: HashMap<usize, usize>,
    by_name: HashMap<ScriptName, usize>,
}

impl Workers {
    pub(crate) fn new(senders: Vec<Sender<Task>>) -> Self {
        Self { senders, placed: Arc::default() }
    }

    pub(crate) fn all(&self) -> &[Sender<Task>] {
        &self.senders
    }

    /// Decides beforehand where scripts go that depend on each other: each with those on which it depends.
    pub(crate) fn group(&self, scripts: &[(ScriptName, Vec<ScriptName>)]) {
        let mut group: HashMap<&ScriptName, usize> =
            scripts.iter().enumerate().map(|(index, (name, _))| (name, index)).collect();
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

    /// The worker of a script that is added, which may depend on others that are there.
    pub(crate) fn place(&self, slot: usize, name: &ScriptName, depends: &[ScriptName]) -> usize {
        let mut placed = self.lock();
        let known = placed.by_name.get(name).copied();
        let beside = depends.iter().find_map(|other| placed.by_name.get(other).copied());
        let worker = known.or(beside).unwrap_or(slot % self.senders.len());
        placed.by_slot.insert(slot, worker);
        placed.by_name.insert(name.clone(), worker);
        worker
    }

    /// Hands a task to the worker of a slot.
    pub(crate) fn tell(&self, slot: usize, task: Task) {
        let worker = self.lock().by_slot.get(&slot).copied().unwrap_or(0);
        // Workers end at shutdown alone.
        drop(self.senders[worker].send(task));
    }

    fn lock(&self) -> MutexGuard<'_, Placed> {
        self.placed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
