//! Scheduled tasks of scripts: due times, dependencies, retries and the history of runs.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use palabre_platform::Backoff;
use palabre_script::{Missed, RepeatLimiter, Schedule, TaskSpec};
use palabre_state::{RunningTask, TASK_RUNS, TASKS, TaskRetry, TaskRow, TaskRun, WentBack};
use palabre_store::{Direction, Result, Snapshot};
use palabre_types::{Batch, EventKind, Millis, ScriptName};

use crate::scheduler::{Due, Scheduler};

/// Retention of the history of runs, in milliseconds.
const HISTORY_RETENTION: Millis = 30 * 86_400_000;
/// First and longest delay before a failed task is retried, in milliseconds.
const RETRY_DELAY_FIRST: Millis = 30_000;
const RETRY_DELAY_MAX: Millis = RETRY_DELAY_FIRST << 10;
const RETRY_BACKOFF: Backoff =
    Backoff::new(Duration::from_millis(RETRY_DELAY_FIRST), Duration::from_millis(RETRY_DELAY_MAX));

/// Age of missed runs, in milliseconds, beyond which they are skipped.
///
/// If the clock went ahead by a year, all runs of that year would start at once.
const MISSED_AGE_MAX: Millis = 86_400_000;

struct Task {
    spec: TaskSpec,
    schedule: Schedule,
    next: Option<Millis>,
}

type Name = (ScriptName, String);

/// All tasks of all scripts.
pub(crate) struct TaskBook {
    tasks: HashMap<Name, Task>,
    rows: HashMap<Name, TaskRow>,
    /// The task of each current run, by event.
    running: HashMap<u64, Name>,
    /// Due tasks that wait for another task, with their due time.
    waiting: Vec<(Name, Millis)>,
    /// Problems of each script's tasks that were logged recently.
    repeat_limiter: HashMap<ScriptName, RepeatLimiter>,
    scheduler: Scheduler,
}

impl TaskBook {
    /// Reads the tasks from the store.
    ///
    /// `alive` are the events whose runs the start recovers or ends; a task with any other run is
    /// not running any more.
    pub(crate) fn load(snapshot: &Snapshot, scheduler: Scheduler, alive: &HashSet<u64>) -> Result<Self> {
        let (mut rows, mut running) = (HashMap::new(), HashMap::new());
        for row in TASKS.scan(snapshot, &Vec::new(), Direction::Forward)? {
            let ((script, task), mut row) = row?;
            let name = (ScriptName::from(script), task);
            row.running = row.running.filter(|run| alive.contains(&run.seq));
            if let Some(run) = &row.running {
                running.insert(run.seq, name.clone());
            }
            rows.insert(name, row);
        }
        Ok(Self {
            tasks: HashMap::new(),
            rows,
            running,
            waiting: Vec::new(),
            repeat_limiter: HashMap::new(),
            scheduler,
        })
    }

    /// Replaces the tasks of a script by those that its active version declares.
    pub(crate) fn declare(&mut self, script: &ScriptName, specs: &[TaskSpec], now: Millis, batch: &mut Batch) {
        self.tasks.retain(|(owner, _), _| owner != script);
        self.waiting.retain(|((owner, _), _)| owner != script);
        for spec in specs {
            // It was checked when it was declared.
            let Ok(schedule) = Schedule::of(spec) else { continue };
            let name = (script.clone(), spec.name.clone());
            let row = self.rows.entry(name.clone()).or_insert_with(|| TaskRow { since: now, ..TaskRow::default() });
            let last = row.due.unwrap_or(row.since);
            let planned = schedule.next(last);
            let next = match planned {
                Some(missed) if missed <= now && schedule.is_interval() => Some(missed.max(now)),
                Some(missed) if missed <= now && spec.missed == Missed::Run => Some(latest(&schedule, missed, now)),
                Some(missed) if missed <= now => {
                    row.due = Some(now);
                    schedule.next(now)
                }
                planned => planned,
            };
            row.retry = row.retry.take().filter(|retry| retry.attempt <= spec.retries.saturating_add(1));
            let retry = row.retry.clone();
            put(&name, row, batch);
            self.tasks.insert(name.clone(), Task { spec: spec.clone(), schedule, next });
            self.ask(&name, next);
            if let Some(retry) = retry {
                let due = self.due_of(&name, retry.due, retry.attempt, false);
                self.scheduler.at(retry.at.max(now), due);
            }
        }
    }

    /// Handles a due task. Returns the event that starts it, unless it has to wait or is obsolete.
    pub(crate) fn due(
        &mut self,
        script: &ScriptName,
        task: &str,
        due: Millis,
        attempt: u32,
        is_new: bool,
        now: Millis,
    ) -> Option<EventKind> {
        let name = (script.clone(), task.to_owned());
        let known = self.tasks.get_mut(&name)?;
        if is_new {
            if known.next != Some(due) {
                return None;
            }
            let planned = known.schedule.next(due);
            let is_long_over = planned.is_some_and(|next| next.saturating_add(MISSED_AGE_MAX) < now);
            known.next = if is_long_over { known.schedule.next(now) } else { planned };
            let next = known.next;
            self.ask(&name, next);
        }
        // The retry has begun already, or a regular run has replaced it.
        let expected = self.rows.get(&name).and_then(|row| row.retry.as_ref()).map(|retry| (retry.due, retry.attempt));
        if attempt > 1 && expected != Some((due, attempt)) {
            return None;
        }
        if self.rows.get(&name).is_some_and(|row| row.running.is_some()) {
            let what = format!("the task \"{task}\" still runs when it is due again; this run is skipped");
            self.warn(script, due, &what);
            return None;
        }
        if let Some(unmet) = self.unmet(&name, due) {
            let before = self.waiting.len();
            self.waiting.retain(|(other, _)| *other != name);
            if self.waiting.len() < before {
                self.warn(script, due, &format!("the task \"{task}\" never ran: it waited for {unmet}"));
            }
            self.waiting.push((name, due));
            return None;
        }
        Some(EventKind::Task { task: task.to_owned(), due, attempt })
    }

    /// Records the start of a task's run.
    pub(crate) fn started(&mut self, script: &ScriptName, kind: &EventKind, seq: u64, now: Millis, batch: &mut Batch) {
        let EventKind::Task { task, due, attempt } = kind else { return };
        let name = (script.clone(), task.clone());
        let Some(row) = self.rows.get_mut(&name) else { return };
        row.due = Some((*due).max(row.due.unwrap_or(0)));
        row.retry = None;
        row.running = Some(RunningTask { seq, due: *due, started: now, attempt: *attempt });
        self.running.insert(seq, name.clone());
        put(&name, row, batch);
    }

    /// Records the end of a run. Tasks that waited for it become due again.
    pub(crate) fn ended(&mut self, seq: u64, error: Option<&str>, now: Millis, batch: &mut Batch) {
        let Some(name) = self.running.remove(&seq) else { return };
        let Some(row) = self.rows.get_mut(&name) else { return };
        let Some(run) = row.running.take() else { return };
        if error.is_none() {
            row.ended_well = Some(run.due);
        }
        let retries = self.tasks.get(&name).map_or(0, |task| task.spec.retries);
        if error.is_some() && run.attempt <= retries {
            let pause = RETRY_BACKOFF.delay_millis(run.attempt);
            row.retry = Some(TaskRetry { due: run.due, attempt: run.attempt + 1, at: now + pause });
        }
        let retry = row.retry.clone();
        put(&name, row, batch);
        let history = TaskRun {
            due: run.due,
            started: run.started,
            ended: now,
            attempt: run.attempt,
            error: error.map(ToOwned::to_owned),
        };
        let key = (name.0.to_string(), name.1.clone(), seq);
        TASK_RUNS.put_until(batch, &key, &history, Some(now + HISTORY_RETENTION));
        match (error, retry) {
            (Some(_), Some(TaskRetry { due, attempt, at })) => {
                let due = self.due_of(&name, due, attempt, false);
                self.scheduler.at(at, due);
            }
            (Some(problem), None) => {
                self.warn(&name.0, now, &format!("the task \"{}\" failed: {problem}", name.1));
            }
            (None, _) => {
                let ready: Vec<_> =
                    self.waiting.iter().filter(|(waiting, due)| self.unmet(waiting, *due).is_none()).cloned().collect();
                self.waiting.retain(|entry| !ready.contains(entry));
                for (waiting, due) in ready {
                    // Its next due time is scheduled already.
                    let due = self.due_of(&waiting, due, 1, false);
                    self.scheduler.at(now, due);
                }
            }
        }
    }

    /// Corrects due times after the clock went back. Returns the number of tasks planned anew.
    ///
    /// Runs from the time when the clock was ahead count as done now, and plans are made from
    /// there.
    pub(crate) fn went_back(&mut self, back: &WentBack, batch: &mut Batch) -> usize {
        for (name, row) in &mut self.rows {
            let times = [Some(row.since), row.due, row.ended_well];
            if times.into_iter().flatten().all(|time| time <= back.now) {
                continue;
            }
            row.since = row.since.min(back.now);
            row.due = row.due.map(|due| due.min(back.now));
            row.ended_well = row.ended_well.map(|ended| ended.min(back.now));
            put(name, row, batch);
        }
        let mut retries = Vec::new();
        for (name, row) in &mut self.rows {
            // The delay between two attempts is never longer than this.
            let Some(retry) = row.retry.as_mut().filter(|retry| retry.at > back.now + RETRY_DELAY_MAX) else {
                continue;
            };
            (retry.due, retry.at) = (retry.due.min(back.now), back.now + RETRY_DELAY_FIRST);
            retries.push((name.clone(), retry.clone()));
            put(name, row, batch);
        }
        for (name, TaskRetry { due, attempt, at }) in retries {
            let due = self.due_of(&name, due, attempt, false);
            self.scheduler.at(at, due);
        }
        let too_late = self.tasks.iter_mut().filter_map(|(name, task)| {
            let planned = task.schedule.next(back.now)?;
            if task.next.is_some_and(|next| next <= planned) {
                return None;
            }
            task.next = Some(planned);
            Some((name.clone(), planned))
        });
        let too_late: Vec<_> = too_late.collect();
        for (name, planned) in &too_late {
            self.ask(name, Some(*planned));
        }
        self.waiting.retain(|(_, due)| *due <= back.now);
        too_late.len()
    }

    /// Logs a problem with a script's task; the same one at most once a minute.
    fn warn(&mut self, script: &ScriptName, now: Millis, what: &str) {
        if let Some(line) = self.repeat_limiter.entry(script.clone()).or_default().due(now, what) {
            tracing::warn!(script = %script, "{line}");
        }
    }

    /// Returns the first task that this one waits for and that has not succeeded on the same day.
    fn unmet(&self, name: &Name, due: Millis) -> Option<String> {
        let task = self.tasks.get(name)?;
        let day = task.schedule.day(due);
        let met = |other: &&String| {
            let row = self.rows.get(&(name.0.clone(), (*other).clone()));
            row.and_then(|row| row.ended_well).is_some_and(|ended| task.schedule.day(ended) == day)
        };
        task.spec.after.iter().find(|other| !met(other)).cloned()
    }

    fn ask(&self, name: &Name, next: Option<Millis>) {
        if let Some(next) = next {
            self.scheduler.at(next, self.due_of(name, next, 1, true));
        }
    }

    fn due_of(&self, (script, task): &Name, due: Millis, attempt: u32, is_new: bool) -> Due {
        let priority = self.tasks.get(&(script.clone(), task.clone())).map_or(0, |task| task.spec.priority);
        // Tasks that are due at the same time start in the order of this number.
        Due::Task { rank: priority.saturating_neg(), script: script.clone(), task: task.clone(), due, attempt, is_new }
    }
}

fn put(name: &Name, row: &TaskRow, batch: &mut Batch) {
    TASKS.put(batch, &(name.0.to_string(), name.1.clone()), row);
}

/// Returns the last due time that was missed.
fn latest(schedule: &Schedule, first: Millis, now: Millis) -> Millis {
    let mut last = first;
    // Bounded: a schedule of every second that was missed for years need not be counted through.
    for _ in 0..100_000 {
        match schedule.next(last) {
            Some(next) if next <= now => last = next,
            _ => break,
        }
    }
    last
}
