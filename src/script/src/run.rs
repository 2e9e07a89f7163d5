//! The state of the current run, as the API functions use it.

mod actions;
mod calls;
mod log;
mod storage;
mod timers;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use palabre_types::{
    Action, ActionKey, Change, Effects, FunctionCall, Limits, MetricChange, Millis, ScriptName, TimerChange, Write,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;

use crate::declarations::Declarations;
use crate::fault::without_addresses;
use crate::host_api::{HostApi, Input};
use crate::limits::{Limit, OUTPUT_BYTES};
use crate::meter::Meter;
use crate::recording::Recording;
use crate::refusal::Refusal;
use crate::repeat_limiter::RepeatLimiter;
use crate::reply::Problem;
use crate::watch::Watch;

/// The maximum number of answered runs that are remembered, some of which may be waiting.
const ANSWERED_MAX: usize = 4_096;

/// Shared by all API functions of one VM.
pub(crate) type SharedRun = Rc<RefCell<Run>>;

pub(crate) struct Run {
    pub(crate) script: ScriptName,
    /// The scripts whose exports it may call.
    pub(crate) depends: Vec<ScriptName>,
    pub(crate) limits: Limits,
    pub(crate) host: Rc<dyn HostApi>,
    /// The same host, as it records the step.
    recording: Rc<Recording>,
    watch: Arc<Watch>,
    /// `None` while no hook runs.
    input: Option<Input>,
    writes: BTreeMap<Bytes, Change>,
    timers: Vec<TimerChange>,
    actions: Vec<(ActionKey, Action)>,
    /// Actions that were refused.
    pub(crate) refused: Vec<Refusal>,
    metrics: Vec<MetricChange>,
    /// The functions that another script has called in this step, and that did not fail.
    calls: Vec<FunctionCall>,
    /// The runs that have answered their event's user, by sequence number; the latest ones.
    answered: BTreeSet<u64>,
    /// The result of a route's function or of `before_message`.
    pub(crate) result: Option<Value>,
    /// The script's declarations; they can only be added while it loads.
    pub(crate) declared: Declarations,
    pub(crate) is_loading: bool,
    /// The size of its patterns and of its words, in bytes.
    pattern_bytes: usize,
    word_bytes: usize,
    /// The size of its declarations, in bytes.
    pub(crate) declared_bytes: usize,
    /// The change of the stored size within this step, in bytes.
    growth: i64,
    random: Option<StdRng>,
    tripped: Option<Limit>,
    /// The position at which the script was stopped.
    pub(crate) stopped_at: Option<String>,
    /// The output of this step, in bytes.
    output: usize,
    /// The size of the timers that this step sets, in bytes.
    timer_bytes: usize,
    /// The number of lines that this step has logged.
    log_lines: u32,
    /// The runtime's own recent log lines about the script.
    repeat_limiter: RepeatLimiter,
    pub(crate) action_meter: Meter,
    log_meter: Meter,
    pub(crate) request_meter: Meter,
    timer_meter: Meter,
    /// Bytes of output.
    write_meter: Meter,
    pub(crate) wait_meter: Meter,
    /// Milliseconds of CPU time after waits.
    pub(crate) cpu_meter: Meter,
}

impl Run {
    pub(crate) fn new(script: ScriptName, limits: Limits, recording: Rc<Recording>, watch: Arc<Watch>) -> Self {
        let host = Rc::clone(&recording) as Rc<dyn HostApi>;
        let meters = host.meters();
        Self {
            script,
            depends: Vec::new(),
            limits,
            host,
            recording,
            watch,
            input: None,
            writes: BTreeMap::new(),
            timers: Vec::new(),
            actions: Vec::new(),
            refused: Vec::new(),
            growth: 0,
            random: None,
            tripped: None,
            stopped_at: None,
            output: 0,
            timer_bytes: 0,
            log_lines: 0,
            repeat_limiter: RepeatLimiter::default(),
            action_meter: meters.actions,
            log_meter: meters.log,
            request_meter: meters.requests,
            timer_meter: meters.timers,
            write_meter: meters.written,
            wait_meter: meters.waits,
            cpu_meter: meters.cpu,
            metrics: Vec::new(),
            calls: Vec::new(),
            answered: BTreeSet::new(),
            result: None,
            declared: Declarations::default(),
            is_loading: true,
            pattern_bytes: 0,
            word_bytes: 0,
            declared_bytes: 0,
        }
    }

    /// Counts the size of a pattern or of words, in bytes.
    ///
    /// The automata that search for them are in the host's memory.
    pub(crate) fn spend_listening(&mut self, pattern: usize, words: usize) -> Result<(), Problem> {
        self.pattern_bytes = self.pattern_bytes.saturating_add(pattern);
        self.word_bytes = self.word_bytes.saturating_add(words);
        let (patterns_kb, words_kb) = (self.limits.patterns_kb, self.limits.words_kb);
        if self.pattern_bytes > patterns_kb.saturating_mul(1 << 10) {
            return Err(self.trip(Limit::Patterns(patterns_kb)));
        }
        if self.word_bytes > words_kb.saturating_mul(1 << 10) {
            return Err(self.trip(Limit::Words(words_kb)));
        }
        Ok(())
    }

    /// Begins a step.
    pub(crate) fn begin(&mut self, input: Input) {
        self.discard();
        self.recording.clear();
        self.input = Some(input);
    }

    /// Ends a step and returns its effects.
    pub(crate) fn finish(&mut self) -> Effects {
        if let Some(seq) = self.input.as_ref().map(|input| input.run.seq)
            && self.has_answered_now()
        {
            self.answered.insert(seq);
            if self.answered.len() > ANSWERED_MAX {
                self.answered.pop_first();
            }
        }
        let writes = std::mem::take(&mut self.writes);
        let effects = Effects {
            writes: writes.into_iter().map(|(key, change)| Write { key, change }).collect(),
            timers: std::mem::take(&mut self.timers),
            actions: std::mem::take(&mut self.actions),
            refused: std::mem::take(&mut self.refused).into_iter().map(|refusal| refusal.refused).collect(),
            metrics: std::mem::take(&mut self.metrics),
            result: self.result.take(),
        };
        self.discard();
        effects
    }

    /// Ends a step and drops its effects. Returns the limit that it exceeded, if any.
    pub(crate) fn discard(&mut self) -> Option<Limit> {
        self.input = None;
        self.writes.clear();
        self.timers.clear();
        self.actions.clear();
        self.refused.clear();
        self.metrics.clear();
        self.calls.clear();
        self.result = None;
        self.growth = 0;
        self.random = None;
        self.stopped_at = None;
        self.output = 0;
        self.timer_bytes = 0;
        self.log_lines = 0;
        self.tripped.take()
    }

    /// Whether the current step is the one that `input` began.
    pub(crate) fn is_of(&self, input: &Input) -> bool {
        self.input.as_ref().is_some_and(|own| own.run == input.run)
    }

    pub(crate) fn has_tripped(&self) -> bool {
        self.tripped.is_some()
    }

    /// Returns the input, or a problem if no hook runs.
    pub(crate) fn input(&self) -> Result<&Input, Problem> {
        self.input.as_ref().ok_or_else(|| "this works inside a hook only, not while the script is loading".to_owned())
    }

    pub(crate) fn now(&self) -> Millis {
        self.input.as_ref().map_or(0, |input| input.now)
    }

    /// Ends the run with a limit. Even if the script catches the error, the next interrupt raises it.
    pub(crate) fn trip(&mut self, limit: Limit) -> Problem {
        let problem = limit.to_string();
        self.tripped.get_or_insert(limit);
        self.watch.expire();
        problem
    }

    /// Counts output in bytes.
    ///
    /// Effects are in the host's memory, not in the VM's, and are all written to disk.
    pub(crate) fn spend_output(&mut self, bytes: usize) -> Result<(), Problem> {
        self.output = self.output.saturating_add(bytes);
        if self.output > OUTPUT_BYTES {
            return Err(self.trip(Limit::Output));
        }
        // There is no time yet while the script loads.
        let (limit, Some(now)) = (self.limits.write_mb_per_minute, self.input.as_ref().map(|input| input.now)) else {
            return Ok(());
        };
        let written = self.write_meter.add(now, u32::try_from(bytes).unwrap_or(u32::MAX));
        if u64::from(written) > u64::from(limit) << 20 {
            return Err(self.trip(Limit::Written(limit)));
        }
        Ok(())
    }

    /// Converts an error of the VM to a problem.
    pub(crate) fn failed(&mut self, error: &mlua::Error) -> Problem {
        match error {
            mlua::Error::MemoryError(_) => self.trip(Limit::Memory(self.limits.memory_mb)),
            other => without_addresses(&other.to_string()),
        }
    }

    /// Records a change of a metric.
    pub(crate) fn measure(&mut self, change: MetricChange) -> Result<(), Problem> {
        self.input()?;
        self.host.reserve_metric(&change, self.limits.metric_series)?;
        self.metrics.push(change);
        Ok(())
    }

    /// Returns the watch that says whether the CPU budget is used up, for functions that take long.
    pub(crate) fn watch(&self) -> Arc<Watch> {
        Arc::clone(&self.watch)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.watch.is_expired()
    }

    pub(crate) fn random(&mut self) -> &mut StdRng {
        let seed = self.input.as_ref().map_or(0, |input| input.seed);
        self.random.get_or_insert_with(|| StdRng::seed_from_u64(seed))
    }
}
