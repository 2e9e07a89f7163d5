//! A script in its VM, which runs one step of a run at a time.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use mlua::{Function, Lua, LuaString, MultiValue, Table, Thread, Value as LuaValue};
use palabre_fetch::Request;
use palabre_model::{EventName, Millis};
use serde_json::Value;

use crate::chunk::Coverage;
use crate::declarations::{Declarations, Listening};
use crate::effects::Effects;
use crate::fault::Failure;
use crate::host_api::{Answer, HostApi, Input, Wait};
use crate::limits::{Limit, Limits, VALUE_BYTES};
use crate::objects::{Arguments, Objects};
use crate::refusal::{TIMED_OUT, report_refusals};
use crate::run::{Run, SharedRun};
use crate::sandbox::{DONE, WAIT, prepare};
use crate::source::Source;
use crate::waiting_memory::{self, Share, WaitingMemory};
use crate::watch::{Ticker, Watch};
use crate::yaml::nearest;
use crate::{chunk, value};

/// The maximum number of idle coroutines kept for later events.
const IDLE_RUNNERS_MAX: usize = 16;
/// The maximum number of warnings about functions that look like hooks.
const WARNINGS_MAX: usize = 10;

/// The outcome of a step of a run.
#[allow(clippy::large_enum_variant, reason = "one is held at a time, and taken apart at once")]
pub enum Step {
    /// The hook returned, with these effects.
    Done(Effects),
    /// The hook waits. It has the effects so far and what it waits for.
    Waiting(Effects, Wait, SuspendedRun),
    /// The hook raised an error or exceeded a limit. Its effects are dropped.
    Failed(Box<Failure>),
}

/// A run that waits.
pub struct SuspendedRun {
    runner: Thread,
    choices: Vec<(String, String)>,
    /// The error to raise on a timeout; `None` if a timeout is a normal answer.
    timed_out: Option<&'static str>,
    /// Its share of the memory of waiting runs.
    share: Share,
}

/// The VM of a script. It is not `Send`: it stays on one worker thread.
pub struct Vm {
    lua: Lua,
    run: SharedRun,
    watch: Arc<Watch>,
    ticker: Ticker,
    limits: Limits,
    hooks: Vec<Option<Function>>,
    new_runner: Function,
    idle_runners: Vec<Thread>,
    /// The memory of waiting runs outside the VM.
    waiting_memory: WaitingMemory,
    objects: Objects,
    exports: Table,
    compiled: chunk::Compiled,
    declarations: Arc<Declarations>,
    warnings: Vec<String>,
}

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
        let mut run = Run::new(source.name.clone(), limits.clone(), host, Arc::clone(&watch));
        run.depends = source.depends();
        let run = SharedRun::new(run.into());
        let describe = |error: &mlua::Error| {
            let stopped_at = run.borrow_mut().stopped_at.take();
            let tripped = run.borrow_mut().discard().or(watch.is_expired().then(|| Limit::Cpu(limits.cpu())));
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

    /// Whether the script has a hook for `name`.
    #[must_use]
    pub fn has_hook(&self, name: EventName) -> bool {
        self.hooks.get(name as usize).is_some_and(Option::is_some)
    }

    /// Returns the coverage so far, if the source asks for it.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        chunk::coverage(&self.compiled)
    }

    /// Returns the declarations that the script made while it loaded.
    #[must_use]
    pub fn declarations(&self) -> &Arc<Declarations> {
        &self.declarations
    }

    /// Returns warnings about likely mistakes.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Returns the memory in use, in bytes.
    #[must_use]
    pub fn used_memory(&self) -> usize {
        self.lua.used_memory()
    }

    /// Starts the hook for an event. Without a hook, nothing is done.
    pub fn start(&mut self, input: Input) -> Step {
        let name = input.event.kind.name();
        let hook = self.hooks.get(name as usize).cloned().flatten();
        if hook.is_none() && name.is_hook() {
            return Step::Done(Effects::default());
        }
        let input_again = input.clone();
        self.run.borrow_mut().begin(input);
        // Armed first: making a runner runs Lua code, which the flag of the last step would stop.
        let watch = Arc::clone(&self.watch);
        let armed = self.ticker.arm(&watch);
        let runner = match self.idle_runners.pop().map_or_else(|| self.make_runner(), Ok) {
            Ok(runner) => runner,
            Err(error) => {
                drop(armed);
                return self.failed(&error);
            }
        };
        let arguments = self.arguments(&input_again);
        let outcome = arguments.and_then(
            |((kind, id, time), (bot, space, room), (user, name, is_bot, locale, picture, member), message)| {
                let (text, message_id, written, fields) = message;
                runner.resume::<(LuaValue, LuaValue)>((
                    hook,
                    kind,
                    id,
                    time,
                    bot,
                    space,
                    room,
                    user,
                    name,
                    is_bot,
                    locale,
                    picture,
                    member,
                    text,
                    message_id,
                    (written, fields),
                ))
            },
        );
        drop(armed);
        self.finish_step(runner, outcome)
    }

    /// Resumes a run whose wait is over.
    pub fn resume(&mut self, suspended: SuspendedRun, answer: &Answer, input: Input) -> Step {
        let SuspendedRun { runner, choices, timed_out, share } = suspended;
        drop(share);
        let now = input.now;
        self.run.borrow_mut().begin(input);
        let watch = Arc::clone(&self.watch);
        let armed = self.ticker.arm(&watch);
        let limit = self.limits.cpu_s_per_minute;
        if self.run.borrow_mut().cpu_meter.add(now, 0) > limit.saturating_mul(1_000) {
            let problem = self.run.borrow_mut().trip(Limit::CpuOfMinute(limit));
            drop(armed);
            return self.failed(&mlua::Error::runtime(problem));
        }
        let began = Instant::now();
        let outcome = self
            .answer(answer, &choices, timed_out)
            .and_then(|(value, problem)| runner.resume::<(LuaValue, LuaValue)>((value, problem)));
        drop(armed);
        let spent = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
        self.run.borrow_mut().cpu_meter.add(now, spent);
        self.finish_step(runner, outcome)
    }

    /// Converts the outcome of a wait to its return value, or to the error to raise there.
    fn answer(
        &self,
        answer: &Answer,
        choices: &[(String, String)],
        timed_out: Option<&'static str>,
    ) -> mlua::Result<(LuaValue, Option<String>)> {
        Ok(match answer {
            Answer::TimeUp => (LuaValue::Nil, timed_out.map(ToOwned::to_owned)),
            Answer::Text(text) => {
                let chosen = choices.iter().find(|(action, _)| action == text);
                let text = chosen.map_or(text.as_str(), |(_, label)| label.as_str());
                (LuaValue::String(self.lua.create_string(text)?), None)
            }
            Answer::Reply(reply) => {
                let headers = self.lua.create_table()?;
                for (name, value) in &reply.headers {
                    headers.raw_set(name.as_str(), value.as_str())?;
                }
                let table = self.lua.create_table()?;
                table.raw_set("status", reply.status)?;
                table.raw_set("ok", (200..300).contains(&reply.status))?;
                table.raw_set("url", reply.url.as_str())?;
                table.raw_set("headers", headers)?;
                table.raw_set("body", self.lua.create_string(&reply.body)?)?;
                (LuaValue::Table(table), None)
            }
            Answer::Failed(problem) => (LuaValue::Nil, Some(problem.clone())),
        })
    }

    /// Calls a function that the script exports, within another script's run.
    ///
    /// Its effects stay in this VM until that run is [finished](Vm::finish_call) or dropped. It cannot wait.
    ///
    /// # Errors
    /// Returns the error that it raised, or that there is no such function.
    pub fn call(&mut self, function: &str, arguments: &Value, input: Input) -> Result<Value, String> {
        let exported: Option<Function> = self.exports.raw_get(function).map_err(|error| error.to_string())?;
        let exported = exported.ok_or_else(|| format!("the script exports no {function}"))?;
        if !self.run.borrow().is_of(&input) {
            self.run.borrow_mut().begin(input);
        }
        let list = arguments.as_array().map(Vec::as_slice).unwrap_or_default();
        let values = list.iter().map(|value| value::to_lua(&self.lua, value)).collect::<mlua::Result<MultiValue>>();
        let watch = Arc::clone(&self.watch);
        let armed = self.ticker.arm(&watch);
        let outcome = values.and_then(|values| exported.call::<LuaValue>(values));
        drop(armed);
        let (failed, is_expired) = (self.run.borrow().has_tripped(), self.watch.is_expired());
        match outcome {
            Ok(result) if !failed && !is_expired => value::from_lua(&result, VALUE_BYTES),
            outcome => {
                let error = outcome.err().unwrap_or_else(|| mlua::Error::runtime(""));
                match self.failed(&error) {
                    Step::Failed(failure) => Err(failure.to_string()),
                    _ => Err("the call failed".to_owned()),
                }
            }
        }
    }

    /// Returns the effects of all calls within one run of another script.
    pub fn finish_call(&mut self) -> Effects {
        self.run.borrow_mut().finish()
    }

    /// Drops the effects of the calls within one run of another script.
    pub fn drop_call(&mut self) {
        let _tripped = self.run.borrow_mut().discard();
    }

    /// Returns the event as the runner takes it. The memory limit is lifted meanwhile.
    ///
    /// The platform bounds its size, and checking each allocation takes longer than many hooks do. The memory
    /// counts as soon as the script runs.
    fn arguments(&mut self, input: &Input) -> mlua::Result<Arguments> {
        self.lua.set_memory_limit(0)?;
        let arguments = self.objects.arguments(&self.lua, input);
        self.lua.set_memory_limit(self.limits.memory())?;
        arguments
    }

    fn make_runner(&self) -> mlua::Result<Thread> {
        let runner = self.lua.create_thread(self.new_runner.clone())?;
        // Runs to the first yield, at which it is ready for an event.
        runner.resume::<LuaValue>(())?;
        Ok(runner)
    }

    fn finish_step(&mut self, runner: Thread, outcome: mlua::Result<(LuaValue, LuaValue)>) -> Step {
        if self.watch.is_expired() {
            // The step exceeded a limit, whatever the script made of the error.
            let error = outcome.err().unwrap_or_else(|| mlua::Error::runtime(""));
            return self.failed(&error);
        }
        match outcome {
            Err(error) => self.failed(&error),
            Ok((LuaValue::LightUserData(marker), _)) if marker.0.addr() == DONE => {
                if self.idle_runners.len() < IDLE_RUNNERS_MAX {
                    self.idle_runners.push(runner);
                }
                let mut run = self.run.borrow_mut();
                report_refusals(&mut run);
                Step::Done(run.finish())
            }
            Ok((LuaValue::LightUserData(marker), LuaValue::Table(request))) if marker.0.addr() == WAIT => {
                let now = self.run.borrow().now();
                let limit = self.limits.waits_per_minute;
                let is_one_too_many = !self.run.borrow_mut().wait_meter.count(now, limit);
                match wait_of(&request, now) {
                    Ok(_) if is_one_too_many => {
                        let problem = self.run.borrow_mut().trip(Limit::Waits(limit));
                        self.failed(&mlua::Error::runtime(problem))
                    }
                    Ok(wait) => self.suspend(runner, wait),
                    Err(error) => self.failed(&error),
                }
            }
            Ok(_) => self.failed(&mlua::Error::runtime(
                "the hook called coroutine.yield outside a coroutine of its own; to pause it, use sleep",
            )),
        }
    }

    /// Suspends a run, unless that exceeds the memory of waiting runs or the output limit.
    fn suspend(&mut self, runner: Thread, wait: Wait) -> Step {
        let bytes = self.run.borrow().input().map_or(0, |input| waiting_memory::weight(&wait, &input.event.kind));
        let limit = self.limits.waiting_mb;
        let share = self.waiting_memory.take(bytes, limit.saturating_mul(1 << 20));
        let spent = {
            let mut run = self.run.borrow_mut();
            match &share {
                Some(_) => run.spend_output(bytes),
                None => Err(run.trip(Limit::WaitingBytes(limit))),
            }
        };
        let share = match (share, spent) {
            (Some(share), Ok(())) => share,
            (_, spent) => return self.failed(&mlua::Error::runtime(spent.err().unwrap_or_default())),
        };
        let choices = match &wait {
            Wait::Choose { choices, .. } => choices.clone(),
            _ => Vec::new(),
        };
        // A missing answer of a user is a result; a request or a delivery that takes too long is a failure.
        let timed_out = match &wait {
            Wait::Http { .. } => {
                Some("http: there was no response in time (limits.http_requests limits the requests in flight)")
            }
            Wait::Delivery { .. } => Some(TIMED_OUT),
            _ => None,
        };
        let effects = {
            let mut run = self.run.borrow_mut();
            report_refusals(&mut run);
            run.finish()
        };
        Step::Waiting(effects, wait, SuspendedRun { runner, choices, timed_out, share })
    }

    fn failed(&mut self, error: &mlua::Error) -> Step {
        let (tripped, stopped_at) = {
            let mut run = self.run.borrow_mut();
            let stopped_at = run.stopped_at.take();
            (run.discard(), stopped_at)
        };
        let tripped = tripped.or(self.watch.is_expired().then(|| Limit::Cpu(self.limits.cpu())));
        let mut failure = Failure::from_lua(error, tripped, stopped_at.as_deref(), &self.limits);
        // A stack that cannot grow because memory is full is reported as an overflow.
        if failure.limit == Some(Limit::Recursion) && self.lua.used_memory() > self.limits.memory() / 10 * 9 {
            failure = Failure { limit: Some(Limit::Memory(self.limits.memory_mb)), spoiled: true, ..failure };
        }
        if failure.spoiled || self.lua.used_memory() > self.limits.memory() / 4 * 3 {
            // Luau has no emergency collection: garbage that is left now would make the next allocation fail too.
            self.idle_runners.clear();
            failure.spoiled = self.lua.gc_collect().is_err() || self.lua.used_memory() > self.limits.memory() / 2;
        }
        Step::Failed(Box::new(failure))
    }
}

fn unknown_hook(name: &str) -> String {
    let hooks = EventName::ALL.iter().filter(|event| event.is_hook()).map(|event| event.hook());
    format!("there is no hook {name}{}", nearest(name, hooks))
}

fn wait_of(request: &Table, now: Millis) -> mlua::Result<Wait> {
    let until = now.saturating_add(request.raw_get::<f64>("millis")? as u64);
    let text = |name: &str| request.raw_get::<String>(name);
    Ok(match text("kind")?.as_str() {
        "sleep" => Wait::Sleep { until },
        "ask" => Wait::Ask { room: text("room")?.into(), user: text("user")?.into(), until },
        "http" => Wait::Http { request: request_of(request)?, until },
        "delivery" => {
            let key = text("key")?.parse().ok();
            let key = key.ok_or_else(|| mlua::Error::runtime("this is not an action of the script"))?;
            Wait::Delivery { key, until }
        }
        _ => {
            let choices = choices_of(request)?;
            Wait::Choose { room: text("room")?.into(), user: text("user")?.into(), choices, until }
        }
    })
}

fn choices_of(request: &Table) -> mlua::Result<Vec<(String, String)>> {
    let pairs = request.raw_get::<Table>("choices")?;
    pairs
        .sequence_values::<Table>()
        .map(|pair| pair.and_then(|pair| Ok((pair.raw_get(1)?, pair.raw_get(2)?))))
        .collect()
}

fn request_of(table: &Table) -> mlua::Result<Request> {
    let headers = table.raw_get::<Table>("headers")?;
    let headers = headers
        .sequence_values::<Table>()
        .map(|pair| pair.and_then(|pair| Ok((pair.raw_get(1)?, pair.raw_get(2)?))))
        .collect::<mlua::Result<Vec<(String, String)>>>()?;
    let body: Option<LuaString> = table.raw_get("body")?;
    Ok(Request {
        method: table.raw_get("method")?,
        url: table.raw_get("url")?,
        headers,
        body: body.map(|body| body.as_bytes().to_vec()),
        timeout: std::time::Duration::from_millis(table.raw_get::<f64>("millis")? as u64),
    })
}
