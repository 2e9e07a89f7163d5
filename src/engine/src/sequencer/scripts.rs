//! Scripts: their versions, and whether they are ready for new events.

use std::sync::Arc;

use palabre_script::Declarations;
use palabre_types::{BotName, EventName, ScriptName};

use super::Sequencer;
use super::state::State;

impl Sequencer {
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
            self.tasks.declare(&name, &declared.tasks, self.cx.clock.now(), &mut state.open.batch);
            state.open.touch(false);
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
            self.timers.wake(&route.name, now);
            let (name, declared) = (route.name.clone(), Arc::clone(&route.declared));
            self.tasks.declare(&name, &declared.tasks, now, &mut state.open.batch);
            state.open.touch(false);
        }
    }
}
