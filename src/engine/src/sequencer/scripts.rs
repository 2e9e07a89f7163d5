//! Scripts: their versions, and whether they are ready for new events.

use std::sync::Arc;

use palabre_runner::StoredVersion;
use palabre_script::Declarations;
use palabre_types::{Batch, BotName, EventName, ScriptName};

use super::Sequencer;
use super::state::State;
use crate::scheduler::Due;

impl Sequencer {
    /// Stores what a version consists of, before any of its steps.
    pub(super) fn put_version(
        &mut self,
        state: &mut State,
        script_id: usize,
        version: &Arc<str>,
        stored: &StoredVersion,
    ) {
        let Some(route) = self.routes.get(script_id) else { return };
        let mut rows = Batch::default();
        self.versions.activate(&route.name, version, stored, &mut rows);
        if !rows.is_empty() {
            self.append_rows(state, "scripts", "a version is activated", rows);
            state.open.touch(false);
        }
    }

    /// Records that no run uses these versions of a script any more.
    pub(super) fn end_versions(&mut self, state: &mut State, script: &ScriptName, ended: &[Arc<str>]) {
        let mut rows = Batch::default();
        for version in ended {
            self.versions.end(script, version, self.number, &mut rows);
        }
        if !rows.is_empty() {
            self.append_rows(state, "scripts", "versions are not used any more", rows);
        }
    }

    /// Removes versions that the journal does not mention any more: it begins with the batch `oldest`.
    pub(super) fn remove_versions(&mut self, state: &mut State, oldest: u64) {
        let mut rows = Batch::default();
        self.versions.remove_before(oldest, &mut rows);
        if !rows.is_empty() {
            self.append_rows(state, "scripts", "versions that the journal does not mention any more", rows);
            state.open.touch(false);
        }
    }

    /// Activates a version of a script: its hooks and declarations count from here on.
    pub(super) fn activate_version(
        &mut self,
        state: &mut State,
        script_id: usize,
        hooks: Vec<EventName>,
        declared: Arc<Declarations>,
        version: Arc<str>,
    ) {
        let Some(route) = self.routes.get_mut(script_id) else { return };
        route.hooks = hooks;
        route.version = version;
        route.declared = Arc::clone(&declared);
        let (name, is_ready) = (route.name.clone(), route.is_ready);
        if is_ready {
            self.declare_tasks(state, &name, &declared);
        }
        self.router.declare(&name, declared);
        let mut known = self.router.declared();
        let gates = self.routes.iter().enumerate().filter(|(_, route)| route.hooks.contains(&EventName::BeforeMessage));
        known.gates = gates.map(|(script_id, _)| script_id).collect();
        let known = Arc::new(known);
        let of_bot = |bot: &BotName| {
            let attached = |script: &ScriptName| {
                let route = self.routes.iter().find(|route| route.name == *script);
                route.is_some_and(|route| route.bots.as_ref().is_none_or(|bots| bots.contains(bot)))
            };
            self.router.offered().filter(|(script, _)| attached(script)).map(|(_, spec)| spec.clone()).collect()
        };
        self.cx.platforms.offer(of_bot);
        self.cx.declared.write(|published| *published = known);
    }

    /// Marks a script as ready: it has received its recovered work.
    pub(super) fn ready(&mut self, state: &mut State, script_id: usize) {
        if let Some(route) = self.routes.get_mut(script_id) {
            route.is_ready = true;
            let now = self.cx.clock.now();
            let (name, declared) = (route.name.clone(), Arc::clone(&route.declared));
            // Timers that were due before the script was ready.
            for (key, due) in self.machine.timers.of(&name).filter(|(_, due)| *due <= now) {
                self.cx.scheduler.at(due, Due::Timer { script: name.clone(), key: key.clone() });
            }
            self.declare_tasks(state, &name, &declared);
        }
    }

    fn declare_tasks(&mut self, state: &mut State, script: &ScriptName, declared: &Declarations) {
        let mut rows = Batch::default();
        self.tasks.declare(script, &declared.tasks, self.cx.clock.now(), &mut rows);
        if !rows.is_empty() {
            self.append_rows(state, "tasks", "a version declares its tasks", rows);
            state.open.touch(false);
        }
    }
}
