//! Closes run batches: the results of a script's steps, in the order in which they ended.

use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;

use palabre_script::HostApi;
use palabre_types::Write;

use super::ScriptInstance;
use crate::run_batch::RunBatch;

impl ScriptInstance {
    /// Closes the current run batch. Returns all batches so far, in order.
    pub(crate) fn take_run_batches(&mut self) -> Vec<RunBatch> {
        self.run_batch.ended = self.take_ended();
        let has_ended = !self.run_batch.ended.is_empty();
        let last = self.seal();
        if has_ended {
            // The next batch must not mention it before its first step.
            self.run_batch.script.version = self.version();
        }
        let mut run_batches = std::mem::take(&mut self.sealed);
        run_batches.extend(last);
        if !run_batches.is_empty() {
            self.store.tidy();
        }
        self.store.drop_snapshot();
        run_batches
    }

    /// Applies an operator's edit, as a run batch of its own.
    pub(crate) fn edit(&mut self, id: u64, writes: &[Write]) {
        let before = self.seal();
        self.sealed.extend(before);
        for write in writes {
            // As a run does, which reads what it overwrites: the usage is counted by the difference.
            let _read = self.store.get(&write.key, self.now());
            self.store.apply(&write.key, &write.change, self.run_batch.number);
        }
        // That concerns no run.
        let _seen = self.peers.was_unreadable();
        self.run_batch.edit = Some(id);
        let edit = self.seal();
        self.sealed.extend(edit);
    }

    /// Records that a version was replaced. Runs of it may still wait.
    pub(super) fn replaced(&mut self, hash: &Arc<str>) {
        if !self.ending.contains(hash) {
            self.ending.push(Arc::clone(hash));
        }
    }

    /// Takes the replaced versions that no run uses any more.
    fn take_ended(&mut self) -> Vec<Arc<str>> {
        let (current, waiting) = (&self.current, &self.waiting);
        let is_over = |hash: &mut Arc<str>| {
            let is_active = current.as_ref().is_some_and(|version| version.hash == *hash);
            !is_active && waiting.values().all(|waiting| waiting.ran.hash != *hash)
        };
        self.ending.extract_if(.., is_over).collect()
    }

    pub(super) fn seal(&mut self) -> Option<RunBatch> {
        if self.run_batch.is_empty() {
            return None;
        }
        let durable = self.run_batch.durable.load(Acquire);
        while self.undurable.front().is_some_and(|(number, _)| *number <= durable) {
            self.undurable.pop_front();
        }
        if self.run_batch_bytes > 0 {
            self.undurable.push_back((self.run_batch.number, std::mem::take(&mut self.run_batch_bytes)));
        }
        if !self.run_batch.deferred.is_empty() {
            self.status.write(|status| status.deferred_events = self.places.deferred());
        }
        let next = self.run_batch.following();
        Some(std::mem::replace(&mut self.run_batch, next))
    }
}
