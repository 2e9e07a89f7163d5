//! Feeds scripts that lag, from the journal or from batches that are not durable yet.

use std::sync::Arc;
use std::time::Instant;

use super::state::State;
use super::{STORE_RETRY_DELAY, Sequencer};
use crate::backlog::{Cursor, Queued, Read, Unfinished, WINDOW_BYTES, weight};
use crate::read_back::ReadBack;
use crate::route::{Lag, Replay};
use palabre_runner::WINDOW_EVENTS;
use palabre_state::{Entry, EventRecord, RECOVERY, RecoveryAttempts};
use palabre_types::Batch;

impl Sequencer {
    /// Recovers the events that the previous process left for a script.
    pub(super) fn recovered(&mut self, state: &mut State, script_id: usize, unfinished: &Unfinished) {
        let Some(route) = self.routes.get_mut(script_id) else { return };
        state.recovering.remove(&route.name);
        route.lag = Some(Lag { cursor: unfinished.cursor, count: unfinished.count, is_reading: false });
        if unfinished.is_one_at_a_time {
            route.replay = Some(Replay { is_free: true, is_recorded: true, ..Replay::default() });
        }
    }

    /// Reads on for every script with room for more events.
    pub(super) fn refill(&mut self, state: &mut State) {
        if state.read_retry_at.is_some_and(|at| at > Instant::now()) {
            return;
        }
        state.read_retry_at = None;
        for script_id in 0..self.routes.len() {
            if self.routes[script_id].wants_more() {
                self.refill_one(state, script_id);
            }
        }
    }

    fn refill_one(&mut self, state: &mut State, script_id: usize) {
        let durable = state.recent.begin(self.number) - 1;
        let route = &mut self.routes[script_id];
        let Some(lag) = &mut route.lag else { return };
        let from = lag.cursor;
        if from.block <= durable {
            lag.is_reading = true;
            let request = ReadBack {
                script_id,
                script: route.name.clone(),
                from,
                through: durable,
                events: WINDOW_EVENTS - route.window.len(),
                bytes: WINDOW_BYTES - route.window_bytes,
            };
            // The reader ends only at shutdown.
            drop(self.reader.send(request));
            return;
        }
        let in_open = state.open.entries.iter().filter_map(Entry::ingress).collect();
        let open = (self.number, &state.open.scripts, in_open);
        let closed = state.recent.from(from.block).map(|(number, batch)| {
            let events: Vec<&EventRecord> = batch.events.iter().collect();
            (number, &batch.scripts, events)
        });
        for (block, scripts, events) in closed.chain([open]) {
            for record in events {
                let mut names = record.targets.iter().filter_map(|target| scripts.get(usize::from(*target)));
                if record.seq < from.seq || !names.any(|script| script.name == route.name) {
                    continue;
                }
                if !route.has_room() {
                    if let Some(lag) = &mut route.lag {
                        lag.cursor = Cursor { block, seq: record.seq };
                    }
                    return;
                }
                let (seq, event) = (record.seq, Arc::clone(&record.event));
                route.hand_over(&Queued { seq, block, bytes: weight(&event), event });
                *state.outstanding.entry(block).or_default() += 1;
                if let Some(lag) = &mut route.lag {
                    lag.count = lag.count.saturating_sub(1);
                }
            }
        }
        route.lag = None;
        self.advance_replay(state, script_id);
    }

    /// Handles events that were read for a lagging script.
    ///
    /// If they could not be read, they are read again after a pause, and no cursor moves.
    pub(super) fn read_back(&mut self, state: &mut State, script_id: usize, from: Cursor, read: Result<Read, String>) {
        let Some(route) = self.routes.get_mut(script_id) else { return };
        // Otherwise its worker has failed since: what was read is read again once the script is
        // rebuilt.
        let Some(lag) = route.lag.as_mut().filter(|lag| lag.is_reading && lag.cursor == from) else { return };
        lag.is_reading = false;
        match read {
            Ok((events, next)) => {
                lag.cursor = next;
                lag.count = lag.count.saturating_sub(events.len() as u64);
                for queued in &events {
                    route.hand_over(queued);
                    *state.outstanding.entry(queued.block).or_default() += 1;
                }
                self.advance_replay(state, script_id);
            }
            Err(error) => {
                tracing::error!(script = %route.name, "cannot read its events from the journal; trying again: {error}");
                state.read_retry_at = Some(Instant::now() + STORE_RETRY_DELAY);
            }
        }
    }

    /// Continues the one-at-a-time replays, now that a batch is durable.
    pub(super) fn feed_replays(&mut self, state: &mut State, durable: u64, cursors: &[(usize, u64)]) {
        for route in &mut self.routes {
            let Some(replay) = &mut route.replay else { continue };
            route.outgoing.extend(replay.next.take_if(|(block, _)| *block == durable).map(|(_, event)| event));
        }
        for (script_id, _) in cursors {
            if let Some(replay) = self.routes.get_mut(*script_id).and_then(|route| route.replay.as_mut()) {
                replay.is_free = true;
                self.advance_replay(state, *script_id);
            }
        }
    }

    /// Begins with the next event of a one-at-a-time replay, if none is being handled.
    fn advance_replay(&mut self, state: &mut State, script_id: usize) {
        let number = self.number;
        let Some(route) = self.routes.get_mut(script_id) else { return };
        let Some(replay) = route.replay.as_mut().filter(|replay| replay.is_free) else { return };
        let (name, mut rows) = (route.name.to_string(), Batch::default());
        match replay.queue.pop_front() {
            Some(event) => {
                replay.is_free = false;
                if std::mem::take(&mut replay.is_recorded) {
                    route.outgoing.push(event);
                    return;
                }
                replay.next = Some((number, event));
                RECOVERY.put(&mut rows, &name, &RecoveryAttempts { cursor: route.cursor, attempts: 2 });
            }
            None if route.lag.is_some() => return,
            None => {
                RECOVERY.delete(&mut rows, &name);
                route.replay = None;
            }
        }
        self.append_rows(state, "recovery", "events are replayed one at a time", rows);
        state.open.touch(true);
    }
}
