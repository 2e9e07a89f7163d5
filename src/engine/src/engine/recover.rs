//! Recovers the state that the store holds at a start.

use std::collections::HashMap;

use palabre_store::Store;
use palabre_types::{Batch, Millis, ScriptName};

use super::options::EngineError;
use crate::backlog::Unfinished;
use crate::clock_steps::WentBack;
use crate::clock_watch;
use crate::operators::Settings;
use crate::outbox::entry::UnfinishedActions;
use crate::recovery::find_unfinished;
use crate::rows::WaitingRun;
use crate::scheduler::Scheduler;
use crate::sequencer::InitialState;
use crate::tasks::TaskBook;
use crate::timers::{TimerBook, TimerUsages};

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
            move_ends(store, back).await?;
        }
        let snapshot = store.snapshot(now)?;
        let answers_expire = |bot: &str| settings.get(bot).map(|of| of.outbox).unwrap_or_default().answers_expire;
        let mut found = find_unfinished(&snapshot, now, answers_expire)?;
        store.commit(std::mem::take(&mut found.batch)).await?;

        let mut timers = TimerBook::load(&snapshot, scheduler.clone())?;
        let mut tasks = TaskBook::load(&snapshot, scheduler.clone(), &found.alive())?;
        drop(snapshot);
        let mut rows = Batch::default();
        if let Some(back) = &back {
            timers.went_back(back, &mut rows);
            tasks.went_back(back, &mut rows);
        }
        clock_watch::put(&clock_row, &mut rows);
        store.commit(rows).await?;

        let work = RecoveredWork {
            unfinished: found.unfinished,
            waiting: found.waiting,
            cursors: found.cursors,
            timers: timers.usages(),
        };
        let sequencer = InitialState {
            clock_row,
            timers,
            tasks,
            next_batch: found.next_batch,
            low_water_mark: found.low_water_mark,
            outstanding: found.actions.by_batch(),
        };
        Ok(Self { back, next_seq: found.next_seq, work, actions: found.actions, sequencer })
    }
}

/// Corrects expiry times that were set while the clock was ahead, before such a row is read.
async fn move_ends(store: &Store, back: WentBack) -> Result<(), EngineError> {
    let store = store.clone();
    let moving = tokio::task::spawn_blocking(move || store.move_expiries(back.from, |end| back.end(end)));
    // A task that only reads and writes the store does not panic.
    let moved = moving.await.unwrap_or(Ok(0))?;
    tracing::info!(rows = moved, "moved the expiry times of stored values with the clock");
    Ok(())
}
