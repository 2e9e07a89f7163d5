//! A script in its VM, which runs one step of a run at a time.

pub(crate) mod call;
mod load;
mod waiting;

use std::sync::Arc;
use std::time::Instant;

use mlua::{Function, Lua, Table, Thread, Value as LuaValue};
use palabre_types::{Answer, Effects, EventName, Limits, Observation, Wait};

use crate::chunk::{self, Coverage};
use crate::declarations::Declarations;
use crate::fault::Failure;
use crate::host_api::Input;
use crate::limits::Limit;
use crate::objects::{Arguments, Objects};
use crate::refusal::TIMED_OUT;
use crate::run::SharedRun;
use crate::sandbox::{DONE, WAIT};
use crate::waiting_memory::{self, Share, WaitingMemory};
use crate::watch::{Ticker, Watch};

/// The maximum number of idle coroutines kept for later events.
const IDLE_RUNNERS_MAX: usize = 16;

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

    /// Returns what the last step observed, or the load. It is returned once.
    #[must_use]
    pub fn take_observations(&self) -> Vec<Observation> {
        self.run.borrow().take_observations()
    }

    /// Starts the hook for an event. Without a hook, nothing is done.
    pub fn start(&mut self, input: Input) -> Step {
        let name = input.event.kind.name();
        let hook = self.hooks.get(name as usize).cloned().flatten();
        if hook.is_none() && name.is_hook() {
            return Step::Done(Effects::default());
        }
        self.run.borrow_mut().begin(input.clone());
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
        let arguments = self.arguments(&input);
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
        let outcome = waiting::answer(&self.lua, answer, &choices, timed_out)
            .and_then(|(value, problem)| runner.resume::<(LuaValue, LuaValue)>((value, problem)));
        drop(armed);
        let spent = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
        self.run.borrow_mut().cpu_meter.add(now, spent);
        self.finish_step(runner, outcome)
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
                match self.effects() {
                    Ok(effects) => Step::Done(effects),
                    Err(error) => self.failed(&error),
                }
            }
            Ok((LuaValue::LightUserData(marker), LuaValue::Table(request))) if marker.0.addr() == WAIT => {
                let now = self.run.borrow().now();
                let limit = self.limits.waits_per_minute;
                let is_one_too_many = !self.run.borrow_mut().wait_meter.count(now, limit);
                match waiting::wait_of(&request, now) {
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

    /// Ends a step that has not failed. Returns its effects, unless what it observed exceeds the output limit.
    fn effects(&self) -> mlua::Result<Effects> {
        let mut run = self.run.borrow_mut();
        run.report_refusals();
        run.spend_observations().map_err(mlua::Error::runtime)?;
        Ok(run.finish())
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
        match self.effects() {
            Ok(effects) => Step::Waiting(effects, wait, SuspendedRun { runner, choices, timed_out, share }),
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &mlua::Error) -> Step {
        let (tripped, stopped_at) = {
            let mut run = self.run.borrow_mut();
            let stopped_at = run.stopped_at.take();
            let output = run.observes_too_much().then_some(Limit::Output);
            (run.discard().or(output), stopped_at)
        };
        let tripped = tripped.or(self.watch.is_expired().then(|| Limit::Cpu(self.limits.cpu())));
        let mut failure = Failure::from_lua(error, tripped, stopped_at.as_deref(), &self.limits);
        // A stack that cannot grow because memory is full is reported as an overflow.
        if failure.limit == Some(Limit::Recursion) && self.lua.used_memory() > self.limits.memory() / 10 * 9 {
            failure = Failure { limit: Some(Limit::Memory(self.limits.memory_mb)), is_tainted: true, ..failure };
        }
        if failure.is_tainted || self.lua.used_memory() > self.limits.memory() / 4 * 3 {
            // Luau has no emergency collection: garbage that is left now would make the next allocation fail too.
            self.idle_runners.clear();
            failure.is_tainted = self.lua.gc_collect().is_err() || self.lua.used_memory() > self.limits.memory() / 2;
        }
        Step::Failed(Box::new(failure))
    }
}
