//! The state of the current run, as the API functions use it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::rc::Rc;
use std::sync::Arc;

use palabre_model::{Action, ActionKey, Millis, ScriptName};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;

use crate::declarations::Declarations;
use crate::effects::{Change, Effects, MetricChange, Refused, TimerChange, Write};
use crate::fault::without_addresses;
use crate::host_api::{HostApi, Input, Stored};
use crate::limits::{Limit, Limits, OUTPUT_BYTES};
use crate::log_line;
use crate::meter::Meter;
use crate::refusal::Refusal;
use crate::repeat_limiter::RepeatLimiter;
use crate::watch::Watch;
use crate::weight::weight;

/// The maximum number of answered runs that are remembered, some of which may be waiting.
const ANSWERED_MAX: usize = 4_096;

/// Shared by all API functions of one VM.
pub(crate) type SharedRun = Rc<RefCell<Run>>;

/// An error text that is raised at the script's own line.
pub(crate) type Problem = String;

/// The error of a host function that stopped because the CPU budget is used up.
///
/// The run ends with the limit even if the script catches this error.
pub(crate) const STOPPED: &str = "the script's CPU budget is used up";

pub(crate) struct Run {
    pub(crate) script: ScriptName,
    /// The scripts whose exports it may call.
    pub(crate) depends: Vec<ScriptName>,
    pub(crate) limits: Limits,
    pub(crate) host: Rc<dyn HostApi>,
    watch: Arc<Watch>,
    /// `None` while no hook runs.
    input: Option<Input>,
    writes: BTreeMap<Arc<[u8]>, Change>,
    timers: Vec<TimerChange>,
    actions: Vec<(ActionKey, Action)>,
    /// Actions that were refused.
    pub(crate) refused: Vec<Refusal>,
    metrics: Vec<MetricChange>,
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
    pub(crate) fn new(script: ScriptName, limits: Limits, host: Rc<dyn HostApi>, watch: Arc<Watch>) -> Self {
        let meters = host.meters();
        Self {
            script,
            depends: Vec::new(),
            limits,
            host,
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
        self.input = Some(input);
    }

    /// Ends a step and returns its effects.
    pub(crate) fn finish(&mut self) -> Effects {
        if let Some(seq) = self.input.as_ref().map(|input| input.seq)
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
        self.input.as_ref().is_some_and(|own| own.seq == input.seq && own.part == input.part)
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

    /// Counts a log line.
    ///
    /// # Errors
    /// Returns the limit that it would exceed.
    pub(crate) fn count_log_line(&mut self) -> Result<(), Limit> {
        self.log_lines = self.log_lines.saturating_add(1);
        let limit = self.limits.log_lines_per_run;
        if self.log_lines > limit {
            return Err(Limit::LogOfRun(limit));
        }
        // There is no time yet while the script loads.
        let (limit, Some(now)) = (self.limits.log_lines_per_minute, self.input.as_ref().map(|input| input.now)) else {
            return Ok(());
        };
        if self.log_meter.count(now, limit) { Ok(()) } else { Err(Limit::Log(limit)) }
    }

    /// Logs the runtime's warnings about the script, each at most once a minute.
    ///
    /// They count like the script's own lines; beyond the limit they are dropped.
    pub(crate) fn warn(&mut self, texts: &[String]) {
        let now = self.now();
        for text in texts {
            // A warning may be of any length.
            if let Some(text) = self.repeat_limiter.due(now, &log_line::cut(text))
                && self.count_log_line().is_ok()
            {
                log_line::write(self.script.as_str(), "warn", &text, "");
            }
        }
    }

    /// Ends the run with a limit. Even if the script catches the error, the next interrupt raises it.
    pub(crate) fn trip(&mut self, limit: Limit) -> Problem {
        let problem = limit.to_string();
        self.tripped.get_or_insert(limit);
        self.watch.expire();
        problem
    }

    pub(crate) fn read(&self, key: &[u8]) -> Result<Option<Stored>, Problem> {
        let now = self.now();
        match self.writes.get(key) {
            Some(Change::Delete) => Ok(None),
            Some(Change::Set { expires: Some(at), .. }) if *at <= now => Ok(None),
            Some(Change::Set { value, expires }) => Ok(Some(Stored { value: value.clone(), expires: *expires })),
            None => self.host.get(key, now),
        }
    }

    pub(crate) fn write(&mut self, key: Vec<u8>, change: Change) -> Result<(), Problem> {
        self.input()?;
        let old = self.read(&key)?.map_or(0, |old| key.len() + old.value.len());
        self.write_over(key, old, change)
    }

    /// Like `write`, for a caller that knows the row's old size in bytes.
    ///
    /// The size is that of key and value, or 0 if there is no row.
    pub(crate) fn write_over(&mut self, key: Vec<u8>, old: usize, change: Change) -> Result<(), Problem> {
        let new = match &change {
            Change::Set { value, .. } => key.len() + value.len(),
            Change::Delete => 0,
        };
        self.spend_output(key.len() + new)?;
        self.growth += new as i64 - old as i64;
        let stored = i64::try_from(self.host.stored_bytes()).unwrap_or(i64::MAX).saturating_add(self.growth);
        let limit = self.limits.storage_mb;
        if new > old && stored > i64::try_from(limit.saturating_mul(1 << 20)).unwrap_or(i64::MAX) {
            return Err(self.trip(Limit::Storage(limit)));
        }
        self.writes.insert(key.into(), change);
        Ok(())
    }

    /// Returns the stored rows with `prefix` after `after`, including writes of this run.
    pub(crate) fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        backward: bool,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Stored)>, Problem> {
        let mut rows = BTreeMap::new();
        let mut from = after.map(<[u8]>::to_vec);
        // Rows that this run has deleted do not count, so filling a page may take several scans.
        loop {
            if self.is_stopped() {
                return Err(STOPPED.to_owned());
            }
            let page = self.host.scan(prefix, from.as_deref(), backward, limit, self.now())?;
            let full = page.len() == limit;
            from = page.last().map(|(key, _)| key.clone());
            rows.extend(page.into_iter().filter(|(key, _)| !self.writes.contains_key(key.as_slice())));
            if !full || rows.len() >= limit {
                break;
            }
        }
        let own = self.writes.range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded));
        for (key, change) in own.take_while(|(key, _)| key.starts_with(prefix)) {
            let within = after.is_none_or(|after| if backward { &**key < after } else { &**key > after });
            if within && let Change::Set { value, expires } = change {
                rows.insert(key.to_vec(), Stored { value: value.clone(), expires: *expires });
            }
        }
        // A full page may end before rows that this run has written; those come with the next page.
        Ok(if backward { rows.into_iter().rev().take(limit).collect() } else { rows.into_iter().take(limit).collect() })
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

    pub(crate) fn act(&mut self, action: Action) -> Result<ActionKey, Problem> {
        self.count_action(&action)?;
        self.record(action)
    }

    /// Records an action that the runtime requests in the script's name. It counts against no limit.
    pub(crate) fn record(&mut self, action: Action) -> Result<ActionKey, Problem> {
        let key = self.next_key()?;
        self.actions.push((key.clone(), action));
        Ok(key)
    }

    /// Records a refused action, which has a key like any other. `plain` is the reason in plain words.
    pub(crate) fn refuse(
        &mut self,
        action: &Action,
        reason: String,
        plain: String,
        reply: Option<String>,
    ) -> Result<ActionKey, Problem> {
        self.count_action(action)?;
        let key = self.next_key()?;
        let (kind, room) = (action.kind(), action.room().clone());
        let refused = Refused { key: key.clone(), action: kind, room, reason, is_asked: false };
        self.refused.push(Refusal { refused, plain, reply });
        Ok(key)
    }

    fn count_action(&mut self, action: &Action) -> Result<(), Problem> {
        let now = self.input()?.now;
        self.spend_output(weight(action))?;
        let limit = self.limits.actions_per_run;
        if self.actions.len() + self.refused.len() >= limit as usize {
            return Err(self.trip(Limit::ActionsOfRun(limit)));
        }
        let limit = self.limits.actions_per_minute;
        if !self.action_meter.count(now, limit) {
            return Err(self.trip(Limit::Actions(limit)));
        }
        if let Some(limit) = self.host.outbox_limit(action.room().bot(), action.kind().is_moderation()) {
            return Err(self.trip(limit));
        }
        Ok(())
    }

    fn next_key(&self) -> Result<ActionKey, Problem> {
        let (seq, part) = self.input().map(|input| (input.seq, input.part))?;
        let index = u32::try_from(self.actions.len() + self.refused.len()).unwrap_or(u32::MAX);
        Ok(ActionKey { script: self.script.clone(), seq, part, index })
    }

    /// Whether the run has answered its event's user, in this step or an earlier one.
    pub(crate) fn has_answered(&self) -> bool {
        self.has_answered_now() || self.input.as_ref().is_some_and(|input| self.answered.contains(&input.seq))
    }

    fn has_answered_now(&self) -> bool {
        self.actions.iter().any(|(_, action)| matches!(action, Action::Answer { .. } | Action::Form { .. }))
    }

    pub(crate) fn set_timer(&mut self, change: TimerChange) -> Result<(), Problem> {
        let size = change.weight();
        self.spend_output(size)?;
        let is_set = matches!(change, TimerChange::Set { .. });
        // At the limit, timers can still be cancelled.
        let waiting = if is_set { self.host.waiting_timers() } else { 0 };
        let limit = self.limits.timers;
        if waiting + self.timers.len() >= limit {
            return Err(self.trip(Limit::Timers(limit)));
        }
        if is_set {
            self.timer_bytes += size;
            let limit = self.limits.timers_mb;
            if self.host.timer_bytes().saturating_add(self.timer_bytes as u64) > limit.saturating_mul(1 << 20) {
                return Err(self.trip(Limit::TimerBytes(limit)));
            }
        }
        let (now, limit) = (self.now(), self.limits.timers_per_minute);
        if !self.timer_meter.count(now, limit) {
            return Err(self.trip(Limit::TimersPerMinute(limit)));
        }
        self.timers.push(change);
        Ok(())
    }

    pub(crate) fn timer_count(&self) -> usize {
        self.timers.len()
    }

    pub(crate) fn random(&mut self) -> &mut StdRng {
        let seed = self.input.as_ref().map_or(0, |input| input.seed);
        self.random.get_or_insert_with(|| StdRng::seed_from_u64(seed))
    }
}
