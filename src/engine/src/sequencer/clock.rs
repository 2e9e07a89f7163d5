//! Corrects due and expiry times after the clock went back, wherever they are kept.

use palabre_runner::Task;
use palabre_state::{Entry, WentBack};
use palabre_types::{Batch, Millis};

use super::Sequencer;
use super::state::State;
use crate::clock_watch;
use crate::context::RowsError;
use crate::message::CoreMessage;

impl Sequencer {
    /// Reads the clock, and handles a step that it made since it was read last.
    pub(super) fn read_clock(&mut self, state: &mut State) -> Millis {
        let (now, before) = self.latest_reading.read(&*self.cx.clock);
        if let Some(before) = before {
            self.clock_leapt(state, before, now);
        }
        now
    }

    /// Handles a clock that went back or far ahead.
    pub(super) fn clock_leapt(&mut self, state: &mut State, before: Millis, now: Millis) {
        let back = self.clock_row.observe(before, now, self.number);
        self.record_clock(state, now);
        let Some(back) = back else {
            tracing::info!("the clock went ahead by {} s", now.saturating_sub(before) / 1_000);
            return;
        };
        // First, so that it does not take corrected requests for those of the wrong time.
        self.cx.scheduler.went_back(back);
        let timers = self.append(state, Entry::WentBack(back));
        let mut rows = Batch::default();
        let tasks = self.tasks.went_back(&back, &mut rows);
        self.append_rows(state, "clock", "the clock went back", rows);
        tracing::warn!(timers, tasks, "{}", back.sentence());
        self.notify(state, &back.sentence());
        let cx = self.cx.clone();
        self.background.spawn_blocking(move || {
            let write = |rows| -> Result<(), RowsError> {
                cx.write("clock", "the clock went back", rows).wait()?;
                Ok(())
            };
            match cx.store.move_expiries(back.from, |end| back.end(end), write) {
                Ok(rows) => tracing::info!(rows, "moved the expiry times of stored values with the clock"),
                Err(error) => tracing::error!("cannot move the expiry times of stored values with the clock: {error}"),
            }
            cx.send(CoreMessage::ClockCorrected(back));
        });
    }

    /// Tells the workers, now that the store is corrected, to correct what they cache of it.
    pub(super) fn clock_corrected(&self, back: WentBack) {
        self.workers.send_to_all(|| Task::WentBack(back));
    }

    /// Records the time, for the next start to compare with.
    pub(super) fn record_clock(&mut self, state: &mut State, now: Millis) {
        self.clock_row.observe(now, now, self.number);
        let mut rows = Batch::default();
        clock_watch::put(&self.clock_row, &mut rows);
        self.append_rows(state, "clock", "a reading", rows);
        state.open.touch(false);
    }
}
