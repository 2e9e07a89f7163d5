//! Recovers the state that the store holds at a start.

use std::collections::HashMap;

use palabre_outbox::UnfinishedActions;
use palabre_runner::{Settings, TimerUsages};
use palabre_state::{Entry, RowsRecord, State, WaitingRun, WentBack};
use palabre_store::{Error as StoreError, Store};
use palabre_types::{Batch, Millis, ScriptName};

use super::options::EngineError;
use crate::backlog::Unfinished;
use crate::clock_watch;
use crate::offline_batch::OfflineBatch;
use crate::recovery::find_unfinished;
use crate::scheduler::{Due, Scheduler};
use crate::sequencer::InitialState;
use crate::start_commit;
use crate::stored_versions::StoredVersions;
use crate::tasks::TaskBook;

/// The state of the previous process.
pub(super) struct Recovered {
    /// The correction, if the clock has gone back since.
    pub(super) back: Option<WentBack>,
    pub(super) next_seq: u64,
    pub(super) work: RecoveredWork,
    pub(super) actions: UnfinishedActions,
    pub(super) sequencer: InitialState,
}

/// Work of scripts, kept until its script is added.
pub(super) struct RecoveredWork {
    pub(super) unfinished: HashMap<ScriptName, Unfinished>,
    pub(super) waiting: Vec<(ScriptName, u64, WaitingRun)>,
    pub(super) cursors: HashMap<ScriptName, u64>,
    pub(super) timers: TimerUsages,
}

impl Recovered {
    /// Reads the state from the store, and corrects it if the clock has gone back.
    pub(super) async fn read(
        store: &Store,
        now: Millis,
        settings: &Settings,
        scheduler: &Scheduler,
    ) -> Result<Self, EngineError> {
        let (clock_row, back) = clock_watch::resume(&store.snapshot(now)?, now)?;
        if let Some(back) = back {
            tracing::warn!("{}", back.sentence());
            move_ends(store, back, now).await?;
        }
        let snapshot = store.snapshot(now)?;
        let answers_expire = |bot: &str| settings.get(bot).map(|of| of.outbox).unwrap_or_default().answers_expire;
        let mut found = find_unfinished(&snapshot, now, answers_expire)?;
        let mut rows = std::mem::take(&mut found.batch);
        let mut tasks = TaskBook::load(&snapshot, scheduler.clone(), &found.alive())?;
        if let Some(back) = &back {
            tasks.went_back(back, &mut rows);
        }
        clock_watch::put(&clock_row, &mut rows);
        let mut versions = StoredVersions::load(&snapshot)?;
        versions.end_all(found.next_batch, &mut rows);
        let batch = OfflineBatch::new(&snapshot, now)?.with(start_rows("what the start found", rows));
        // Timers are armed below.
        let batch = if let Some(back) = back { batch.with(Entry::WentBack(back)) } else { batch };
        let batch = batch.into_rows()?;
        drop(snapshot);
        start_commit::commit(store, batch).await?;

        let machine = State::load(&store.snapshot(now)?)?;
        let timer_usages = TimerUsages::default();
        for script in machine.timers.scripts() {
            timer_usages.publish(script, &machine.timers);
            for (key, due) in machine.timers.of(script) {
                scheduler.at(due, Due::Timer { script: script.clone(), key: key.clone() });
            }
        }
        let work = RecoveredWork {
            unfinished: found.unfinished,
            waiting: found.waiting,
            cursors: found.cursors,
            timers: timer_usages.clone(),
        };
        let sequencer = InitialState {
            clock_row,
            machine,
            timer_usages,
            tasks,
            versions,
            next_batch: found.next_batch + 1,
            low_water_mark: found.low_water_mark,
            outstanding: found.actions.by_batch(),
            recovering: HashMap::new(),
        };
        Ok(Self { back, next_seq: found.next_seq, work, actions: found.actions, sequencer })
    }
}

/// Returns the entry of rows that a start writes.
fn start_rows(reason: &'static str, rows: Batch) -> Entry {
    Entry::Rows(RowsRecord { source: "start".to_owned(), reason: reason.into(), rows })
}

/// Corrects expiry times that were set while the clock was ahead, before such a row is read.
async fn move_ends(store: &Store, back: WentBack, now: Millis) -> Result<(), EngineError> {
    let store = store.clone();
    let runtime = tokio::runtime::Handle::current();
    let moving = tokio::task::spawn_blocking(move || {
        let write = |rows| -> Result<(), StoreError> {
            let batch = OfflineBatch::new(&store.snapshot(0)?, now)?;
            let rows = batch.with(start_rows("the clock went back", rows)).into_rows()?;
            runtime.block_on(start_commit::commit(&store, rows))
        };
        store.move_expiries(back.from, |end| back.end(end), write)
    });
    // A task that only reads and writes the store does not panic.
    let moved = moving.await.unwrap_or(Ok(0))?;
    tracing::info!(rows = moved, "moved the expiry times of stored values with the clock");
    Ok(())
}
