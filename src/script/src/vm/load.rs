//! Loading of a script into a new VM.

use std::rc::Rc;
use std::sync::Arc;

use mlua::{Lua, Value as LuaValue};
use palabre_types::{EventName, Limits};
use serde_json::Value;

use super::Vm;
use crate::chunk;
use crate::declarations::Listening;
use crate::fault::Failure;
use crate::host_api::HostApi;
use crate::limits::Limit;
use crate::recording::Recording;
use crate::run::{Run, SharedRun};
use crate::sandbox::prepare;
use crate::source::Source;
use crate::watch::Ticker;
use crate::yaml::nearest;

/// The maximum number of warnings about functions that look like hooks.
const WARNINGS_MAX: usize = 10;

impl Vm {
    /// Compiles the script and runs its main chunk. `config` is its part of bots.yaml.
    ///
    /// # Errors
    /// Returns the failure of the script or its syntax, with file and line.
    pub fn build(
        source: &Source,
        limits: &Limits,
        config: &Value,
        host: Rc<dyn HostApi>,
        ticker: &Ticker,
    ) -> Result<Self, Failure> {
        let lua = Lua::new();
        let watch = ticker.watch(limits.cpu());
        let waiting_memory = host.meters().waiting_memory;
        let recording = Rc::new(Recording::new(host, Arc::clone(&watch)));
        let mut run = Run::new(source.name.clone(), limits.clone(), recording, Arc::clone(&watch));
        run.depends = source.depends();
        let run = SharedRun::new(run.into());
        let describe = |error: &mlua::Error| {
            let stopped_at = run.borrow_mut().stopped_at.take();
            let output = run.borrow().observes_too_much().then_some(Limit::Output);
            let tripped = run.borrow_mut().discard().or(output);
            let tripped = tripped.or(watch.is_expired().then(|| Limit::Cpu(limits.cpu())));
            Failure::from_lua(error, tripped, stopped_at.as_deref(), limits)
        };
        let prepared = prepare(&lua, &run, source, config, limits, &watch).map_err(|error| describe(&error))?;
        let mut vm = Self {
            run: SharedRun::clone(&run),
            watch: Arc::clone(&watch),
            ticker: ticker.clone(),
            limits: limits.clone(),
            hooks: Vec::new(),
            new_runner: prepared.new_runner,
            idle_runners: Vec::new(),
            waiting_memory,
            objects: prepared.objects,
            exports: prepared.exports,
            compiled: prepared.compiled,
            declarations: Arc::default(),
            warnings: Vec::new(),
            lua,
        };
        vm.load(source).map_err(|error| describe(&error))?;
        let mut run = run.borrow_mut();
        run.is_loading = false;
        let listening = Listening::new(&run.declared.patterns, limits.hear());
        run.declared.listening = listening.map_err(|error| Failure::new(format!("hear: {error}")))?;
        vm.declarations = Arc::new(run.declared.clone());
        drop(run);
        Ok(vm)
    }

    /// Runs the main chunk and finds the hooks that it defined.
    fn load(&mut self, source: &Source) -> mlua::Result<()> {
        let main = chunk::compile(&self.lua, source, &source.entry, &self.compiled)?;
        let thread = self.lua.create_thread(main)?;
        let armed = self.ticker.arm(&self.watch);
        let outcome: mlua::Result<LuaValue> = thread.resume(());
        drop(armed);
        outcome?;
        if self.watch.is_expired() {
            return Err(mlua::Error::runtime("the script exceeded a limit while loading"));
        }
        if !thread.is_finished() {
            return Err(mlua::Error::runtime(format!(
                "{}: a script cannot wait while it is loading; do it in on_load",
                source.display_name(&source.entry)
            )));
        }
        let globals = self.lua.globals();
        for name in EventName::ALL {
            let hook = if name.is_hook() { globals.raw_get(name.hook()).unwrap_or(None) } else { None };
            self.hooks.push(hook);
        }
        for pair in globals.pairs::<LuaValue, LuaValue>() {
            let (LuaValue::String(name), LuaValue::Function(_)) = pair? else { continue };
            let name = name.to_string_lossy();
            if self.warnings.len() < WARNINGS_MAX
                && name.len() <= 64
                && (name.starts_with("on_") || name.starts_with("before_"))
                && EventName::from_hook(&name).is_none()
            {
                self.warnings.push(match EventName::ALL.iter().any(|event| event.hook() == name) {
                    true => format!("{name} is not a hook: call {name}(name, function)"),
                    false => unknown_hook(&name),
                });
            }
        }
        self.warnings.sort_unstable();
        if self.has_hook(EventName::BeforeMessage) && !self.run.borrow().host.is_granted("moderation") {
            let name = &source.name;
            return Err(mlua::Error::runtime(format!(
                "before_message refuses and changes other people's messages, which needs the grant \"moderation\"; the \
                 operator gives it in bots.yaml: scripts: {name}: {{ grants: [moderation] }}"
            )));
        }
        Ok(())
    }
}

fn unknown_hook(name: &str) -> String {
    let hooks = EventName::ALL.iter().filter(|event| event.is_hook()).map(|event| event.hook());
    format!("there is no hook {name}{}", nearest(name, hooks))
}
